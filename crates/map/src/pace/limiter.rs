//! Adapts how many calls run at once.

/// How many calls run at once at first.
const FIRST: f64 = 8.0;

/// The smallest fraction of the limit that one round of throttling leaves.
const FLOOR: f64 = 0.5;

/// Adapts the number of concurrent calls to an unknown limit, with additive increase and
/// multiplicative decrease.
///
/// - *Warm-up*: from 8, each success adds one, so the limit doubles once per duration of a call,
///   until the first throttled call or the upper bound.
/// - *Decrease*: a throttled call sets the limit to the number of calls that ran when it was
///   started. If calls start together, those beyond the service's limit are throttled, so this
///   multiplies the limit by the share that was accepted. One round of calls at most halves it.
/// - *Increase*: each round of calls without throttling adds more: 1/64 of the limit (at least
///   one), then twice as much, and so on up to a half. So a limit that was raised is found within a
///   few rounds, and a limit that was not is hardly exceeded.
///
/// A round lasts until a call that started in it ends. The limit grows only while it keeps calls
/// from starting: see [`saturated`](Self::saturated).
///
/// # Example
///
/// ```
/// use lambda_invoke_map::pace::Limiter;
///
/// let mut limiter = Limiter::new(100);
/// let call = limiter.start();
/// limiter.saturated();
/// limiter.succeeded(call);
/// assert_eq!(limiter.limit(), 9);
/// let call = limiter.start();
/// // When the call was started, six others ran.
/// limiter.throttled(call, 6);
/// assert_eq!(limiter.limit(), 6);
/// ```
#[derive(Clone, Debug)]
pub struct Limiter {
    limit: f64,
    max: f64,
    warming_up: bool,
    /// How much a round adds.
    step: f64,
    /// The number of the next call.
    next: u64,
    /// The first call that started after the limit last kept one from starting.
    unsaturated: u64,
    /// The first call of the current round.
    round: u64,
    /// Whether the current round is without a throttled call.
    is_clean: bool,
    /// The first call that begins a new round of decrease if it is throttled.
    recover: u64,
    /// The lower bound of the current round of decrease.
    floor: f64,
}

impl Limiter {
    /// Creates a limiter with an upper bound; 0 means 1.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let max = max.max(1) as f64;
        Self {
            limit: FIRST.min(max),
            max,
            warming_up: true,
            step: 1.0,
            next: 0,
            unsaturated: 0,
            round: 0,
            is_clean: true,
            recover: 0,
            floor: 1.0,
        }
    }

    /// Returns how many calls may run at once now, at least one.
    #[must_use]
    pub fn limit(&self) -> usize {
        (self.limit as usize).max(1)
    }

    /// Counts a call that starts, and returns its number.
    pub fn start(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Records that the limit keeps a call from starting.
    pub fn saturated(&mut self) {
        self.unsaturated = self.next;
    }

    /// Records the success of a call.
    pub fn succeeded(&mut self, call: u64) {
        if call >= self.round {
            if self.is_clean && !self.warming_up {
                self.step = (self.step * 2.0).min(self.limit / 2.0);
            }
            self.is_clean = true;
            self.round = self.next;
        }
        if call >= self.unsaturated {
            return;
        }
        let more = match self.warming_up {
            true => 1.0,
            false => self.step.max(self.least_step()) / self.limit,
        };
        self.limit = (self.limit + more).min(self.max);
    }

    /// Records a throttled call; when it was started, `others` ran.
    pub fn throttled(&mut self, call: u64, others: usize) {
        self.decrease(call);
        self.limit = self.limit.min(others as f64).max(self.floor).max(1.0);
    }

    /// Records a call that failed because this machine or the service is overloaded: there was no
    /// connection, or it timed out. Halves the limit at most once per round.
    pub fn overloaded(&mut self, call: u64) {
        if self.decrease(call) {
            self.limit = self.floor.max(1.0);
        }
    }

    /// Begins a round of decrease, unless the call began in the current one.
    fn decrease(&mut self, call: u64) -> bool {
        self.warming_up = false;
        self.is_clean = false;
        self.step = self.least_step();
        let is_new = call >= self.recover;
        if is_new {
            self.floor = self.limit * FLOOR;
            self.recover = self.next;
        }
        is_new
    }

    fn least_step(&self) -> f64 {
        (self.limit / 64.0).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Simulates a service that runs as many calls at once as its limit allows, each for 100 ticks;
    /// a throttled call takes two. Returns the share of the limit that was used in each 1,000
    /// ticks.
    fn simulate(max: usize, ticks: u64, limit_at: impl Fn(u64) -> usize) -> Vec<f64> {
        let mut limiter = Limiter::new(max);
        let mut running: VecDeque<(u64, u64)> = VecDeque::new();
        let mut throttled: VecDeque<(u64, u64, usize)> = VecDeque::new();
        let mut shares = Vec::new();
        let mut used = 0.0;
        for now in 0..ticks {
            while throttled.front().is_some_and(|(at, ..)| *at <= now) {
                let (_, call, others) = throttled.pop_front().unwrap();
                limiter.throttled(call, others);
            }
            while running.front().is_some_and(|(at, _)| *at <= now) {
                let (_, call) = running.pop_front().unwrap();
                limiter.succeeded(call);
            }
            while running.len() + throttled.len() < limiter.limit() {
                let (call, others) = (limiter.start(), running.len() + throttled.len());
                match running.len() < limit_at(now) {
                    true => running.push_back((now + 100, call)),
                    false => throttled.push_back((now + 2, call, others)),
                }
            }
            limiter.saturated();
            used += running.len() as f64 / limit_at(now) as f64;
            if (now + 1) % 1_000 == 0 {
                shares.push(used / 1_000.0);
                used = 0.0;
            }
        }
        shares
    }

    #[test]
    fn finds_an_unknown_limit_and_stays_there() {
        for limit in [1, 2, 5, 8, 30, 100, 450, 900] {
            let shares = simulate(1_000, 20_000, |_| limit);
            for share in &shares[2..] {
                assert!(*share >= 0.9, "{limit}: {shares:?}");
            }
        }
    }

    #[test]
    fn follows_a_limit_that_changes() {
        let shares = simulate(1_000, 40_000, |now| match now {
            0..10_000 => 50,
            10_000..20_000 => 500,
            20_000..30_000 => 20,
            _ => 200,
        });
        for (second, share) in shares.iter().enumerate() {
            if second % 10 >= 3 {
                assert!(*share >= 0.9, "second {second}: {shares:?}");
            }
        }
    }

    #[test]
    fn never_exceeds_the_bound_and_grows_only_if_it_is_used() {
        let mut limiter = Limiter::new(20);
        for _ in 0..100 {
            let call = limiter.start();
            limiter.saturated();
            limiter.succeeded(call);
        }
        assert_eq!(limiter.limit(), 20);
        let mut idle = Limiter::new(20);
        for _ in 0..100 {
            let call = idle.start();
            idle.succeeded(call);
        }
        assert_eq!(idle.limit(), 8);
        assert_eq!(Limiter::new(0).limit(), 1);
    }

    #[test]
    fn one_round_takes_at_most_half() {
        let mut limiter = Limiter::new(1_000);
        for _ in 0..92 {
            let call = limiter.start();
            limiter.saturated();
            limiter.succeeded(call);
        }
        assert_eq!(limiter.limit(), 100);
        let calls: Vec<u64> = (0..100).map(|_| limiter.start()).collect();
        for call in &calls {
            limiter.throttled(*call, 0);
            limiter.overloaded(*call);
        }
        assert_eq!(limiter.limit(), 50);
        let call = limiter.start();
        limiter.overloaded(call);
        assert_eq!(limiter.limit(), 25);
    }
}
