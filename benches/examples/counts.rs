//! Runs each contender of the table once, after a warm-up, for callgrind, which collects only within
//! `measured` and writes a file each time that it returns. Prints the names in the same order.
//! `instructions/run` starts it.

use lambda_invoke_benches::table::{Measure, groups};

/// What callgrind collects.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    let mark = std::hint::black_box(0_u8);
    work();
    // Used after the work, which is therefore not a tail call: this function has to return.
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
