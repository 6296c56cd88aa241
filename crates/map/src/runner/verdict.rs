//! Decides what to do about a call that failed, as a pure function.

use std::time::{Duration, SystemTime};

use lambda_invoke::error_model::RetryClass;
use lambda_invoke::{Error, ErrorKind, Execution, TimeoutKind};

use crate::journal::Settled;

/// The first delay after throttling. The limiter keeps further calls from starting anyway.
const THROTTLED: Duration = Duration::from_millis(20);
const MAX_THROTTLED: Duration = Duration::from_secs(2);
/// The first delay after any other failure.
const FAILED: Duration = Duration::from_millis(50);
const MAX_FAILED: Duration = Duration::from_secs(20);
/// The longest `Retry-After` that is respected.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Which failed items are sent again in the same run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the policies of a call")]
pub enum Retry {
    /// None.
    None,
    /// Those that certainly did not run.
    #[default]
    Safe,
    /// Also those that may have run, so that the function can run twice.
    AtLeastOnce,
}

/// What is known about the attempts so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts {
    pub(super) retry: Retry,
    /// Attempts that were not throttled, including this one if it was not.
    pub(super) made: u32,
    pub(super) max: u32,
    /// Attempts that were throttled, including this one if it was.
    pub(super) throttled: u32,
    /// Whether the invocation has a durable execution name.
    pub(super) durable: bool,
    /// Whether nothing was accepted for so long that waiting is pointless.
    pub(super) starved: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it again, later: the service throttled it.
    Throttled { after: Duration },
    /// Send it again, later.
    Again {
        after: Duration,
        /// Whether no connection could be made.
        overloaded: bool,
        /// Whether the client itself must make the next attempt safe: correct its clock, or fetch
        /// credentials.
        recover: bool,
    },
    /// It failed.
    Failed {
        settled: Settled,
        /// Whether every other call would fail the same way.
        fatal: bool,
    },
}

pub(super) fn verdict(error: &Error, attempts: Attempts, now: SystemTime, random: f64) -> Verdict {
    let settled = match error.execution() {
        Execution::NotStarted => Settled::NotStarted,
        Execution::Started => Settled::Started,
        _ => Settled::Unknown,
    };
    let service = error.service_error();
    let asked = service
        .and_then(|service| service.retry_after())
        .map(|after| after.delay(now).min(MAX_RETRY_AFTER))
        .unwrap_or_default();
    let is_allowed = attempts.retry != Retry::None;
    if settled == Settled::NotStarted && error.is_throttled() {
        if is_allowed && !attempts.starved {
            let after = backoff(THROTTLED, MAX_THROTTLED, attempts.throttled, random).max(asked);
            return Verdict::Throttled { after };
        }
        return Verdict::Failed {
            settled,
            fatal: attempts.starved,
        };
    }
    let is_safe = match settled {
        Settled::NotStarted => true,
        Settled::Unknown => attempts.durable || attempts.retry == Retry::AtLeastOnce,
        Settled::Done | Settled::Started => false,
    };
    if is_allowed && is_safe && error.is_retryable() && attempts.made < attempts.max {
        let class = service.map(|service| service.retry_class());
        return Verdict::Again {
            after: backoff(FAILED, MAX_FAILED, attempts.made, random).max(asked),
            overloaded: error.kind() == ErrorKind::Connect
                || error.timeout_kind() == Some(TimeoutKind::Connect),
            recover: matches!(
                class,
                Some(RetryClass::ClockSkew | RetryClass::ExpiredCredentials)
            ),
        };
    }
    Verdict::Failed {
        settled,
        fatal: settled == Settled::NotStarted && is_fatal(error),
    }
}

/// Whether a failure has nothing to do with the payload: no credentials, no permission, no such
/// function.
fn is_fatal(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Configuration | ErrorKind::Credentials => true,
        ErrorKind::Service => {
            let status = error.service_error().map(|service| service.status());
            matches!(status, Some(401 | 403 | 404))
        }
        _ => false,
    }
}

/// A delay that doubles with each attempt, with jitter: from half of it to the whole.
fn backoff(base: Duration, max: Duration, attempt: u32, random: f64) -> Duration {
    let doubled = base.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(max).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}
