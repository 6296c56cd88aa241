//! Runs contenders in turn, for many rounds, in CPU time of this thread.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::alloc::allocations;

/// The number of runs prepared at a time, which fit into the processor's cache.
const PREPARED: usize = 32;

/// A contender: one way to do the work of a group.
pub struct Contender<'a> {
    name: &'static str,
    /// Does the work this many times, with the preparation outside of the measure.
    run: Run<'a>,
}

type Run<'a> = Box<dyn FnMut(usize, &mut Measure) + 'a>;

/// Measures around the work.
enum Measure {
    Time {
        total: Duration,
        /// The cost of reading the clock, a system call, which matters for short work.
        clock: Duration,
    },
    Allocations(u64),
}

impl Measure {
    fn around(&mut self, work: impl FnOnce()) {
        match self {
            Self::Time { total, clock } => {
                let start = ThreadTime::now();
                work();
                *total += start.elapsed().saturating_sub(*clock);
            }
            Self::Allocations(count) => *count += allocations(work),
        }
    }
}

impl<'a> Contender<'a> {
    /// Work that needs no preparation.
    pub fn new(name: &'static str, mut work: impl FnMut() + 'a) -> Self {
        let run = move |count, measure: &mut Measure| {
            measure.around(|| (0..count).for_each(|_| work()));
        };
        Self {
            name,
            run: Box::new(run),
        }
    }

    /// Work on a new value each time, whose creation and drop are not measured.
    pub fn prepared<T: 'a>(
        name: &'static str,
        mut prepare: impl FnMut() -> T + 'a,
        mut work: impl FnMut(&mut T) + 'a,
    ) -> Self {
        let run = move |mut count: usize, measure: &mut Measure| {
            while count > 0 {
                let batch = count.min(PREPARED);
                let mut values: Vec<T> = (0..batch).map(|_| prepare()).collect();
                measure.around(|| values.iter_mut().for_each(&mut work));
                count -= batch;
            }
        };
        Self {
            name,
            run: Box::new(run),
        }
    }

    fn time(&mut self, count: usize, clock: Duration) -> Duration {
        let total = Duration::ZERO;
        let mut measure = Measure::Time { total, clock };
        (self.run)(count, &mut measure);
        match measure {
            Measure::Time { total, .. } => total,
            Measure::Allocations(_) => unreachable!(),
        }
    }

    fn allocations(&mut self, count: usize) -> u64 {
        let mut measure = Measure::Allocations(0);
        (self.run)(count, &mut measure);
        match measure {
            Measure::Allocations(count) => count,
            Measure::Time { .. } => unreachable!(),
        }
    }
}

/// The settings of a run.
pub struct Contest {
    rounds: usize,
    round: Duration,
    only: String,
    /// The cost of reading the clock.
    clock: Duration,
}

impl Default for Contest {
    fn default() -> Self {
        Self {
            rounds: 101,
            round: Duration::from_millis(4),
            only: String::new(),
            clock: clock(),
        }
    }
}

impl Contest {
    pub fn quick(&mut self) {
        self.rounds = 41;
        self.round = Duration::from_millis(2);
    }

    /// Runs only groups whose names have this prefix.
    pub fn only(&mut self, prefix: &str) {
        prefix.clone_into(&mut self.only);
    }

    /// Runs a group. The time of one run is divided by `each` (such as frames in a stream).
    pub fn group(&self, group: &str, each: usize, mut contenders: Vec<Contender<'_>>) {
        if !group.starts_with(&self.only) {
            return;
        }
        let counts: Vec<usize> = contenders
            .iter_mut()
            .map(|contender| self.calibrate(contender))
            .collect();
        let mut times = vec![Vec::with_capacity(self.rounds); contenders.len()];
        for round in 0..self.rounds {
            // Each round begins with another contender, so that none always follows the same one.
            for turn in 0..contenders.len() {
                let index = (round + turn) % contenders.len();
                let time = contenders[index].time(counts[index], self.clock);
                times[index].push(time.as_nanos() as f64 / (counts[index] * each) as f64);
            }
        }
        for (mut contender, times) in contenders.into_iter().zip(times) {
            const RUNS: usize = 16;
            let allocations = contender.allocations(RUNS) as f64 / (RUNS * each) as f64;
            let times: Vec<String> = times.iter().map(|time| format!("{time:.2}")).collect();
            println!(
                "{{\"group\":\"{group}\",\"contender\":\"{}\",\"allocations\":{allocations},\"ns\":[{}]}}",
                contender.name,
                times.join(",")
            );
        }
    }

    /// The number of runs that fill a round.
    fn calibrate(&self, contender: &mut Contender<'_>) -> usize {
        let mut count = 1;
        loop {
            let time = contender.time(count, self.clock);
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
