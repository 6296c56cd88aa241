//! Measures the groups of the table in CPU time of the thread: contenders run in turn, in many
//! rounds. Prints a line of JSON for each contender, which the report reads: group, contender,
//! nanoseconds of each round, allocations.
//!
//!     micro [--quick] [GROUP-PREFIX]

mod alloc;
mod contest;

use contest::Contest;
use lambda_invoke_benches::table::groups;

fn main() {
    let mut contest = Contest::default();
    let mut only = String::new();
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--quick" => contest.quick(),
            prefix => prefix.clone_into(&mut only),
        }
    }
    for group in groups() {
        if group.name.starts_with(&only) {
            contest.group(&group);
        }
    }
}
