//! Adapts how many calls start per second.

use std::time::Duration;

/// The lowest rate that throttling leads to.
const LEAST: f64 = 0.5;

/// The fraction of the rate that a throttled call leaves.
const DECREASE: f64 = 0.85;

/// The shortest time between two changes of the rate.
const PERIOD: Duration = Duration::from_millis(500);

/// How much delay may be made up at once, by calls that start together.
const BURST: Duration = Duration::from_millis(20);

/// Spaces the starts of calls: by an upper bound, if there is one, and, after the service has
/// throttled by rate, by a rate that adapts.
///
/// A throttled call sets the rate to 85 % of the rate at which calls were accepted; half a second
/// without one adds 2 %, then 4 %, and so on up to 32 %. Times are counted from the beginning of
/// the run.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke_map::pace::Rate;
///
/// let mut rate = Rate::new(Some(10.0));
/// let now = Duration::from_secs(1);
/// assert_eq!(rate.next(now), now);
/// rate.start(now);
/// assert!(rate.next(now) > now + Duration::from_millis(50));
/// assert_eq!(Rate::new(None).next(now), now);
/// ```
#[derive(Clone, Debug)]
pub struct Rate {
    max: Option<f64>,
    adapted: Option<f64>,
    /// When the next call is due.
    due: Duration,
    /// The current period: its start, and the calls accepted in it.
    period: Duration,
    accepted: u64,
    /// The calls accepted per second in the last period that had any.
    measured: f64,
    was_throttled: bool,
    growth: f64,
}

impl Rate {
    /// Creates a rate with an upper bound of calls per second, if there is one.
    #[must_use]
    pub fn new(max: Option<f64>) -> Self {
        Self {
            max: max.map(|max| max.max(1e-3)),
            adapted: None,
            due: Duration::ZERO,
            period: Duration::ZERO,
            accepted: 0,
            measured: 0.0,
            was_throttled: false,
            growth: 0.02,
        }
    }

    /// Returns the current rate in calls per second; `None` if there is no limit.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        match (self.max, self.adapted) {
            (Some(max), Some(adapted)) => Some(max.min(adapted)),
            (max, adapted) => max.or(adapted),
        }
    }

    /// Returns when the next call may start, `now` at the earliest.
    #[must_use]
    pub fn next(&self, now: Duration) -> Duration {
        match self.per_second() {
            Some(_) => self.due.saturating_sub(BURST).max(now),
            None => now,
        }
    }

    /// Counts a call that starts.
    pub fn start(&mut self, now: Duration) {
        if let Some(rate) = self.per_second() {
            self.due = self.due.max(now) + Duration::from_secs_f64(1.0 / rate);
        }
    }

    /// Records a call that the service accepted.
    pub fn accepted(&mut self, now: Duration) {
        self.tick(now);
        self.accepted += 1;
    }

    /// Records that the service throttled by rate.
    pub fn throttled(&mut self, now: Duration) {
        self.tick(now);
        if self.was_throttled {
            return;
        }
        self.was_throttled = true;
        self.growth = 0.02;
        let elapsed = now.saturating_sub(self.period).as_secs_f64();
        let present = match elapsed > 0.1 {
            true => (self.accepted as f64 / elapsed).max(self.measured),
            false => self.measured,
        };
        let was = self.adapted.or(self.max).unwrap_or(f64::INFINITY);
        let accepted = if present > 0.0 { present } else { was };
        let rate = match was.min(accepted) {
            rate if rate.is_finite() => rate * DECREASE,
            // Nothing was accepted yet.
            _ => 10.0,
        };
        self.adapted = Some(rate.max(LEAST));
    }

    /// Begins a new period when the current one is over.
    fn tick(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.period);
        if elapsed < PERIOD {
            return;
        }
        if self.accepted > 0 {
            self.measured = self.accepted as f64 / elapsed.as_secs_f64();
        }
        if !self.was_throttled {
            if let Some(rate) = &mut self.adapted {
                *rate *= 1.0 + self.growth;
                self.growth = (self.growth * 2.0).min(0.32);
            }
        }
        self.was_throttled = false;
        self.accepted = 0;
        self.period = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upper_bound_is_kept_to_the_call() {
        let mut rate = Rate::new(Some(50.0));
        let mut now = Duration::ZERO;
        let mut started = 0;
        while now < Duration::from_secs(10) {
            while rate.next(now) <= now {
                rate.start(now);
                started += 1;
            }
            now += Duration::from_millis(1);
        }
        assert!((499..=502).contains(&started), "{started}");
    }

    #[test]
    fn finds_an_unknown_rate_and_follows_it() {
        let mut rate = Rate::new(None);
        let mut shares = Vec::new();
        let mut accepted = 0;
        // The calls that the service still accepts in this tenth of a second.
        let mut left = 0;
        for millisecond in 0..40_000u64 {
            let now = Duration::from_millis(millisecond);
            let limit = if millisecond < 20_000 { 100 } else { 400 };
            if millisecond % 100 == 0 {
                left = limit / 10;
            }
            for _ in 0..20 {
                if rate.next(now) > now {
                    break;
                }
                rate.start(now);
                match left {
                    0 => rate.throttled(now),
                    _ => {
                        left -= 1;
                        accepted += 1;
                        rate.accepted(now);
                    }
                }
            }
            if (millisecond + 1) % 1_000 == 0 {
                shares.push(f64::from(accepted) / f64::from(limit));
                accepted = 0;
            }
        }
        let late = |from: usize| shares[from..from + 10].iter().sum::<f64>() / 10.0;
        assert!(late(10) > 0.85, "{shares:?}");
        assert!(late(30) > 0.85, "{shares:?}");
    }
}
