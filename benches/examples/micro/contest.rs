//! Contenders in turn, round after round, on the clock of this thread alone.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::alloc::allocations;

/// How many runs are prepared at a time: few enough to stay in the processor's cache.
const PREPARED: usize = 32;

/// One way to do the work of a group.
pub struct Contender<'a> {
    name: &'static str,
    /// Does the work so many times, without what prepares it, inside of the measure.
    run: Run<'a>,
}

type Run<'a> = Box<dyn FnMut(usize, &mut Measure) + 'a>;

/// What is measured around the work.
enum Measure {
    Time {
        total: Duration,
        /// What to ask the clock takes: a call of the system, much where the work is short.
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

    /// Work on a value of its own each time; making and dropping it is not measured.
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

/// How the groups are run.
pub struct Contest {
    rounds: usize,
    round: Duration,
    only: String,
    /// What to ask the clock takes.
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

    /// Runs the groups whose names begin so, and no others.
    pub fn only(&mut self, prefix: &str) {
        prefix.clone_into(&mut self.only);
    }

    /// Runs a group; `each` is what one run of the work is divided by (frames in a stream).
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
            // Each round begins with another, so that none always runs in the wake of the same.
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

    /// How many runs take as long as a round shall.
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

/// What two readings of the clock are apart with nothing between them: the median of many.
fn clock() -> Duration {
    let mut times: Vec<Duration> = (0..1001).map(|_| ThreadTime::now().elapsed()).collect();
    times.sort_unstable();
    times[times.len() / 2]
}
