//! Applying the fault rules to one call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_invoke_error::{RetryAfter, ServiceError, lookup};

use super::rule::{Fault, FaultKind};
use crate::request_id::mix;

/// The rules of an endpoint, with counters of their calls and strikes.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    seed: u64,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    calls: AtomicU64,
    strikes: AtomicU64,
}

/// All faults of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The response, instead of running the function.
    pub(crate) error: Option<ServiceError>,
    pub(crate) delay: Duration,
    pub(crate) chunk_delay: Duration,
    pub(crate) bytes: ByteFaults,
    pub(crate) wrong_crc: Vec<u64>,
    pub(crate) no_complete: bool,
    pub(crate) exception: Option<ExceptionFault>,
    pub(crate) complete_error: Option<(String, Option<String>)>,
    pub(crate) twice: bool,
}

/// An exception frame that ends a stream.
#[derive(Clone, Debug)]
pub(crate) struct ExceptionFault {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) after: Option<u64>,
}

/// Faults at bytes of the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByteFaults {
    pub(crate) flips: Vec<(u64, u8)>,
    /// Where and how the body stops; the first position counts.
    pub(crate) stop: Option<(u64, Stop)>,
}

/// How a body stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Close,
    /// The body ends as if it were complete.
    End,
}

impl Rules {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>, seed: u64) -> Self {
        let rule = |fault| Rule {
            fault,
            calls: AtomicU64::new(0),
            strikes: AtomicU64::new(0),
        };
        Self {
            rules: faults.into_iter().map(rule).collect(),
            seed,
        }
    }

    /// Returns the faults of the next call of this function; `None` if there are none.
    pub(crate) fn plan(&self, function: &str) -> Option<Box<Plan>> {
        let mut plan: Option<Box<Plan>> = None;
        for (place, rule) in self.rules.iter().enumerate() {
            if rule.fault.pattern.matches(function) && rule.strikes(self.seed, place as u64) {
                plan.get_or_insert_default().add(&rule.fault.kind);
            }
        }
        plan
    }

    /// Returns how many times each rule took effect, in the order of the rules.
    pub(crate) fn strikes(&self) -> Vec<u64> {
        let count = |rule: &Rule| rule.strikes.load(Ordering::Relaxed);
        self.rules.iter().map(count).collect()
    }
}

impl Rule {
    fn strikes(&self, seed: u64, place: u64) -> bool {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let nth = self.fault.every.is_none_or(|every| call % every == 0);
        let drawn = self.fault.probability.is_none_or(|probability| {
            // 53 bits fit a double exactly, so that 1 always strikes and 0 never does.
            let draw = mix(seed ^ mix(place) ^ mix(call).rotate_left(32)) >> 11;
            (draw as f64) < probability * (1_u64 << 53) as f64
        });
        let most = self.fault.times.unwrap_or(u64::MAX);
        let next = |struck: u64| (struck < most).then(|| struck + 1);
        nth && drawn
            && self
                .strikes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
                .is_ok()
    }
}

impl Plan {
    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Error(error) => self.set_error(|| Some(error.clone())),
            FaultKind::Throttle {
                reason,
                retry_after,
            } => self.set_error(|| {
                let error = lookup("TooManyRequestsException")?.error("Rate Exceeded.");
                let error = error.with_reason(reason.clone());
                Some(match retry_after {
                    Some(seconds) => error.with_retry_after(RetryAfter::seconds(*seconds)),
                    None => error,
                })
            }),
            FaultKind::Delay(time) => self.delay = self.delay.saturating_add(*time),
            FaultKind::DelayChunks(time) => {
                self.chunk_delay = self.chunk_delay.saturating_add(*time);
            }
            FaultKind::ResetAt(byte) => self.bytes.stop_at(*byte, Stop::Reset),
            FaultKind::CutAt(byte) => self.bytes.stop_at(*byte, Stop::Close),
            FaultKind::EndAt(byte) => self.bytes.stop_at(*byte, Stop::End),
            FaultKind::FlipAt { byte, bit } => self.bytes.flips.push((*byte, *bit & 7)),
            FaultKind::WrongCrc(message) => self.wrong_crc.push(*message),
            FaultKind::NoComplete => self.no_complete = true,
            FaultKind::Exception {
                code,
                message,
                after,
            } => {
                self.exception.get_or_insert_with(|| ExceptionFault {
                    code: code.clone(),
                    message: message.clone(),
                    after: *after,
                });
            }
            FaultKind::CompleteError { code, details } => {
                self.complete_error
                    .get_or_insert_with(|| (code.clone(), details.clone()));
            }
            FaultKind::Twice => self.twice = true,
        }
    }

    fn set_error(&mut self, error: impl FnOnce() -> Option<ServiceError>) {
        if self.error.is_none() {
            self.error = error();
        }
    }
}

impl ByteFaults {
    fn stop_at(&mut self, byte: u64, stop: Stop) {
        if self.stop.is_none_or(|(first, _)| byte < first) {
            self.stop = Some((byte, stop));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flips.is_empty() && self.stop.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(rule: &str, seed: u64, calls: u64) -> Vec<u64> {
        let rules = Rules::new([rule.parse().unwrap()], seed);
        (1..=calls)
            .filter(|_| rules.plan("hello").is_some())
            .collect()
    }

    #[test]
    fn every_nth_matching_call_is_struck() {
        assert_eq!(struck("hello: twice every=3", 0, 10), [3, 6, 9]);
        assert_eq!(struck("hello: twice times=2", 0, 10), [1, 2]);
        assert!(struck("other: twice", 0, 10).is_empty());
    }

    #[test]
    fn a_probability_strikes_about_as_often_and_the_same_calls_for_the_same_seed() {
        let half = struck("*: twice probability=0.5", 7, 10_000);
        assert!((4_700..5_300).contains(&half.len()), "{}", half.len());
        assert_eq!(half, struck("*: twice probability=0.5", 7, 10_000));
        assert_ne!(half, struck("*: twice probability=0.5", 8, 10_000));
        assert_eq!(struck("*: twice probability=1", 7, 100).len(), 100);
        assert_eq!(struck("*: twice probability=0", 7, 100).len(), 0);
    }

    #[test]
    fn delays_saturate_at_the_longest_duration() {
        let longest = Fault::new(FaultKind::Delay(Duration::MAX));
        let chunks = Fault::new(FaultKind::DelayChunks(Duration::MAX));
        let rules = Rules::new([longest.clone(), longest, chunks.clone(), chunks], 0);
        let plan = rules.plan("f").unwrap();
        assert_eq!(
            (plan.delay, plan.chunk_delay),
            (Duration::MAX, Duration::MAX)
        );
    }

    #[test]
    fn rules_add_up_and_the_first_error_counts() {
        let rules = [
            "*: error=ServiceException",
            "*: error=KMSDisabledException",
            "*: cut-at=9",
            "*: reset-at=4",
            "*: delay=1s",
            "*: delay=2s",
        ];
        let rules = Rules::new(rules.map(|rule| rule.parse().unwrap()), 0);
        let plan = rules.plan("f").unwrap();
        assert_eq!(plan.error.unwrap().code(), Some("ServiceException"));
        assert_eq!(plan.bytes.stop, Some((4, Stop::Reset)));
        assert_eq!(plan.delay, Duration::from_secs(3));
        assert_eq!(rules.strikes(), [1, 1, 1, 1, 1, 1]);
    }
}
