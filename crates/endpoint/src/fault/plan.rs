//! Applies the fault rules to one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_invoke_error::{Operation, RetryAfter, ServiceError, lookup};
use lambda_invoke_input::InvocationType;

use super::body::{ByteFaults, FaultyBody, Stop};
use super::chunks::DelayedChunks;
use super::events::{EventFaults, ExceptionFault, FaultyEvents};
use super::messages::WrongChecksums;
use super::rule::{Fault, FaultKind};
use crate::request_id::mix;
use crate::wire::connection::Connection;
use crate::wire::stage::{Events, Frames, Messages};

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

/// What a call is, as far as faults are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Buffered,
    Stream,
    Url,
    Event,
    DryRun,
}

impl Target {
    pub(crate) const fn of(operation: Operation, invocation_type: InvocationType) -> Self {
        match (invocation_type, operation) {
            (InvocationType::Event, _) => Self::Event,
            (InvocationType::DryRun, _) => Self::DryRun,
            (_, Operation::InvokeWithResponseStream) => Self::Stream,
            _ => Self::Buffered,
        }
    }

    /// Whether a fault can affect such a call.
    const fn has(self, kind: &FaultKind) -> bool {
        match kind {
            FaultKind::Error(_) | FaultKind::Throttle { .. } | FaultKind::Delay(_) => true,
            FaultKind::DelayChunks(_) => matches!(self, Self::Stream | Self::Url),
            // The responses to the others have no body.
            FaultKind::ResetAt(_)
            | FaultKind::CutAt(_)
            | FaultKind::EndAt(_)
            | FaultKind::FlipAt { .. } => matches!(self, Self::Buffered | Self::Stream | Self::Url),
            FaultKind::WrongCrc(_)
            | FaultKind::NoComplete
            | FaultKind::AfterComplete
            | FaultKind::Exception { .. }
            | FaultKind::CompleteError { .. } => matches!(self, Self::Stream),
            FaultKind::Twice => matches!(self, Self::Event),
        }
    }
}

/// All faults of one call. Each part of the call is passed through the plan, which wraps the part
/// if a rule affects it.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `None` if there are no faults.
    faults: Option<Box<Faults>>,
}

#[derive(Debug, Default)]
struct Faults {
    /// The response, instead of running the function.
    error: Option<ServiceError>,
    delay: Duration,
    events: EventFaults,
    wrong_crc: Vec<u64>,
    bytes: ByteFaults,
    twice: bool,
}

impl Plan {
    /// Returns how many times an event is delivered.
    pub(crate) fn deliveries(&self) -> usize {
        match &self.faults {
            Some(faults) if faults.twice => 2,
            _ => 1,
        }
    }

    /// Returns the events of a stream with the faults.
    pub(crate) fn events(&mut self, events: Box<dyn Events>) -> Box<dyn Events> {
        match &mut self.faults {
            Some(faults) if !faults.events.is_empty() => {
                let own = std::mem::take(&mut faults.events);
                Box::new(FaultyEvents::new(events, own))
            }
            _ => events,
        }
    }

    /// Returns the unframed chunks of a function URL with the faults. Those at the end of a stream
    /// need messages, and do not apply.
    pub(crate) fn chunks(&self, chunks: Box<dyn Messages>) -> Box<dyn Messages> {
        match &self.faults {
            Some(faults) if !faults.events.chunk_delay.is_zero() => {
                Box::new(DelayedChunks::new(chunks, faults.events.chunk_delay))
            }
            _ => chunks,
        }
    }

    /// Returns the messages of a stream with the faults.
    pub(crate) fn messages(&mut self, messages: Box<dyn Messages>) -> Box<dyn Messages> {
        match &mut self.faults {
            Some(faults) if !faults.wrong_crc.is_empty() => {
                let own = std::mem::take(&mut faults.wrong_crc);
                Box::new(WrongChecksums::new(messages, own))
            }
            _ => messages,
        }
    }

    /// Returns the body of a response with the faults.
    pub(crate) fn body<B>(self, body: B, connection: &Arc<Connection>) -> B
    where
        B: Frames + From<Box<dyn Frames>> + 'static,
    {
        match self.faults {
            Some(faults) if !faults.bytes.is_empty() => {
                let faulty = FaultyBody::new(body, faults.bytes, Arc::clone(connection));
                (Box::new(faulty) as Box<dyn Frames>).into()
            }
            _ => body,
        }
    }
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

    /// Applies the rules to the next call of this function: waits for the delay, and returns the
    /// remaining faults.
    ///
    /// # Errors
    ///
    /// The error to send as the response, instead of running the function.
    pub(crate) async fn strike(
        &self,
        function: &str,
        target: Target,
    ) -> Result<Plan, ServiceError> {
        let mut faults = self.faults(function, target);
        if let Some(faults) = &mut faults {
            if !faults.delay.is_zero() {
                tokio::time::sleep(faults.delay).await;
            }
            if let Some(error) = faults.error.take() {
                return Err(error);
            }
        }
        Ok(Plan { faults })
    }

    fn faults(&self, function: &str, target: Target) -> Option<Box<Faults>> {
        let mut faults: Option<Box<Faults>> = None;
        for (place, rule) in self.rules.iter().enumerate() {
            // A call that a fault cannot affect does not count: a rule with `times=1` waits for one that
            // it can.
            let Fault { pattern, kind, .. } = &rule.fault;
            let matches = target.has(kind) && pattern.matches(function);
            if matches && rule.strikes(self.seed, place as u64) {
                faults.get_or_insert_default().add(kind);
            }
        }
        faults
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
            // 53 bits fit a double exactly, so a probability of 1 always strikes and 0 never does.
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

impl Faults {
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
                let delay = &mut self.events.chunk_delay;
                *delay = delay.saturating_add(*time);
            }
            FaultKind::ResetAt(byte) => self.bytes.stop_at(*byte, Stop::Reset),
            FaultKind::CutAt(byte) => self.bytes.stop_at(*byte, Stop::Close),
            FaultKind::EndAt(byte) => self.bytes.stop_at(*byte, Stop::End),
            FaultKind::FlipAt { byte, bit } => self.bytes.flips.push((*byte, *bit & 7)),
            FaultKind::WrongCrc(message) => self.wrong_crc.push(*message),
            FaultKind::NoComplete => self.events.no_complete = true,
            FaultKind::Exception {
                code,
                message,
                after,
            } => {
                self.events.exception.get_or_insert_with(|| ExceptionFault {
                    code: code.clone(),
                    message: message.clone(),
                    after: *after,
                });
            }
            FaultKind::CompleteError { code, details } => {
                self.events
                    .complete_error
                    .get_or_insert_with(|| (code.clone(), details.clone()));
            }
            FaultKind::AfterComplete => self.events.after_complete = true,
            FaultKind::Twice => self.twice = true,
        }
    }

    fn set_error(&mut self, error: impl FnOnce() -> Option<ServiceError>) {
        if self.error.is_none() {
            self.error = error();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(rule: &str, seed: u64, calls: u64) -> Vec<u64> {
        let rules = Rules::new([rule.parse().unwrap()], seed);
        (1..=calls)
            .filter(|_| rules.faults("hello", Target::Event).is_some())
            .collect()
    }

    #[test]
    fn every_nth_matching_call_is_struck() {
        assert_eq!(struck("hello: twice every=3", 0, 10), [3, 6, 9]);
        assert_eq!(struck("hello: twice times=2", 0, 10), [1, 2]);
        assert!(struck("other: twice", 0, 10).is_empty());
    }

    #[test]
    fn a_call_that_a_fault_cannot_affect_does_not_use_it_up() {
        use Target::{Buffered, DryRun, Event, Stream, Url};
        for (fault, targets) in [
            (
                "error=ServiceException",
                &[Buffered, Stream, Url, Event, DryRun][..],
            ),
            (
                "throttle=CallerRateLimitExceeded",
                &[Buffered, Stream, Url, Event, DryRun],
            ),
            ("delay=1s", &[Buffered, Stream, Url, Event, DryRun]),
            ("delay-chunks=1s", &[Stream, Url]),
            ("reset-at=1", &[Buffered, Stream, Url]),
            ("cut-at=1", &[Buffered, Stream, Url]),
            ("end-at=1", &[Buffered, Stream, Url]),
            ("flip-at=1", &[Buffered, Stream, Url]),
            ("wrong-crc", &[Stream]),
            ("no-complete", &[Stream]),
            ("after-complete", &[Stream]),
            ("exception=X", &[Stream]),
            ("complete-error=X", &[Stream]),
            ("twice", &[Event]),
        ] {
            let rule = format!("*: {fault} times=1");
            for target in [Buffered, Stream, Url, Event, DryRun] {
                let rules = Rules::new([rule.parse().unwrap()], 0);
                let is_struck = targets.contains(&target);
                let struck = rules.faults("hello", target).is_some();
                assert_eq!(struck, is_struck, "{fault}: {target:?}");
                assert_eq!(rules.strikes(), [u64::from(is_struck)]);
                let is_left = rules.faults("hello", targets[0]).is_some();
                assert_eq!(is_left, !is_struck, "{fault}: {target:?}");
            }
        }
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
        let plan = rules.faults("f", Target::Stream).unwrap();
        assert_eq!(
            (plan.delay, plan.events.chunk_delay),
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
        let plan = rules.faults("f", Target::Stream).unwrap();
        assert_eq!(plan.error.unwrap().code(), Some("ServiceException"));
        assert_eq!(plan.bytes.stop, Some((4, Stop::Reset)));
        assert_eq!(plan.delay, Duration::from_secs(3));
        assert_eq!(rules.strikes(), [1, 1, 1, 1, 1, 1]);
    }
}
