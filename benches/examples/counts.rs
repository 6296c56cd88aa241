//! Runs each contender of the table once, after a warm-up, under callgrind, which collects only
//! within `measured` and writes a file each time that function returns. Prints the contenders'
//! names in the same order. `instructions/run` starts this program.

use lambda_invoke_benches::table::{Measure, groups};

/// Callgrind collects within this function.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    let mark = std::hint::black_box(0_u8);
    work();
    // Used after the call to `work`, so that it is not a tail call: this function has to return.
    std::hint::black_box(&mark);
}

struct Warm;

impl Measure for Warm {
    fn around(&mut self, work: &mut dyn FnMut()) {
        work();
    }
}

struct Counted;

impl Measure for Counted {
    fn around(&mut self, work: &mut dyn FnMut()) {
        measured(work);
    }
}

fn main() {
    for group in groups() {
        if group.is_curve() {
            continue;
        }
        for mut contender in group.contenders() {
            contender.run(2, &mut Warm);
            contender.run(1, &mut Counted);
            println!("{}\t{}\t{}", group.name, contender.name, group.each);
        }
    }
}
