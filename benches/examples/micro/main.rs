//! The parts that need no socket, compared with the peers and the limits in CPU time of the thread,
//! in turn, for many rounds. Prints a line of JSON for each contender, which `run` reads: group,
//! contender, nanoseconds of each round, allocations.
//!
//!     micro [--quick] [GROUP-PREFIX]

mod alloc;
mod codec;
mod contest;
mod curves;
mod names;
mod signing;

use contest::Contest;

fn main() {
    let mut contest = Contest::default();
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--quick" => contest.quick(),
            prefix => contest.only(prefix),
        }
    }
    signing::sign(&contest);
    signing::verify(&contest);
    codec::decode(&contest);
    codec::decode_pushed(&contest);
    codec::encode(&contest);
    names::arn(&contest);
    curves::frames_of_sizes(&contest);
    curves::headers(&contest);
    curves::bodies(&contest);
}
