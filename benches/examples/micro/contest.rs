//! Runs contenders in turn, in many rounds, and measures the CPU time of this thread.

use std::time::Duration;

use cpu_time::ThreadTime;
use lambda_invoke_benches::table::{Contender, Group, Measure};

use crate::alloc::allocations;

/// A measured CPU time.
struct Time {
    total: Duration,
    /// The cost of reading the clock, which is a system call and matters for short work.
    clock: Duration,
}

impl Measure for Time {
    fn around(&mut self, work: &mut dyn FnMut()) {
        let start = ThreadTime::now();
        work();
        self.total += start.elapsed().saturating_sub(self.clock);
    }
}

/// The number of allocations and reallocations.
struct Allocations(u64);

impl Measure for Allocations {
    fn around(&mut self, work: &mut dyn FnMut()) {
        self.0 += allocations(work);
    }
}

/// The settings of a run.
pub struct Contest {
    rounds: usize,
    round: Duration,
    /// The cost of reading the clock.
    clock: Duration,
}

impl Default for Contest {
    fn default() -> Self {
        Self {
            rounds: 101,
            round: Duration::from_millis(4),
            clock: clock(),
        }
    }
}

impl Contest {
    pub fn quick(&mut self) {
        self.rounds = 41;
        self.round = Duration::from_millis(2);
    }

    /// Runs a group. The time of a run is divided by the number of its items.
    pub fn group(&self, group: &Group) {
        let mut contenders = group.contenders();
        let counts: Vec<usize> = contenders
            .iter_mut()
            .map(|contender| self.calibrate(contender))
            .collect();
        let mut times = vec![Vec::with_capacity(self.rounds); contenders.len()];
        for round in 0..self.rounds {
            // Each round begins with another contender, so that the order of contenders varies.
            for turn in 0..contenders.len() {
                let index = (round + turn) % contenders.len();
                let time = self.time(&mut contenders[index], counts[index]);
                times[index].push(time.as_nanos() as f64 / (counts[index] * group.each) as f64);
            }
        }
        for (mut contender, times) in contenders.into_iter().zip(times) {
            const RUNS: usize = 16;
            let mut counted = Allocations(0);
            contender.run(RUNS, &mut counted);
            let allocations = counted.0 as f64 / (RUNS * group.each) as f64;
            let times: Vec<String> = times.iter().map(|time| format!("{time:.2}")).collect();
            println!(
                "{{\"group\":\"{}\",\"contender\":\"{}\",\"allocations\":{allocations},\"ns\":[{}]}}",
                group.name,
                contender.name,
                times.join(",")
            );
        }
    }

    fn time(&self, contender: &mut Contender, count: usize) -> Duration {
        let (total, clock) = (Duration::ZERO, self.clock);
        let mut time = Time { total, clock };
        contender.run(count, &mut time);
        time.total
    }

    /// The number of runs that fill a round.
    fn calibrate(&self, contender: &mut Contender) -> usize {
        let mut count = 1;
        loop {
            let time = self.time(contender, count);
            if time >= self.round / 4 {
                let count = count as f64 * self.round.as_secs_f64() / time.as_secs_f64();
                return (count as usize).max(1);
            }
            count *= 2;
        }
    }
}

/// The median difference of two successive clock readings.
fn clock() -> Duration {
    let mut times: Vec<Duration> = (0..1001).map(|_| ThreadTime::now().elapsed()).collect();
    times.sort_unstable();
    times[times.len() / 2]
}
