//! The decision.

use std::fmt;
use std::time::{Duration, SystemTime};

use lambda_invoke_error::{Execution, RetryAfter, RetryClass};

use super::{ClockOffset, Failure, RetryPolicy, TokenBucket};

/// All that the decision depends on besides the policy.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryContext<'a> {
    /// How the last attempt failed.
    pub failure: Failure<'a>,
    /// How many attempts were made, the failed one included: at least 1.
    pub attempt: u32,
    /// Whether the request has a durable execution name, under which the service runs a function
    /// once however often it is asked to.
    pub durable: bool,
    /// How much of the call's time is left; `None` if it has no limit.
    pub remaining: Option<Duration>,
    /// How many tokens the client's bucket holds.
    pub tokens: u32,
    /// The correction of the clock that the request was signed by.
    pub clock: ClockOffset,
    /// By how much the answer's `Date` says that this clock is wrong; see
    /// [`ClockOffset::measure`].
    pub clock_offset: Option<ClockOffset>,
    /// Whether there may be fresh credentials to be had.
    pub can_refresh_credentials: bool,
    /// The time, for a `Retry-After` that is a date.
    pub now: SystemTime,
    /// A random number from 0 to 1, evenly spread; others are taken for the nearer end.
    pub random: f64,
}

impl<'a> RetryContext<'a> {
    /// The context after `attempt` attempts with a full bucket, no time limit, and nothing known
    /// of the clock.
    #[must_use]
    pub fn new(failure: Failure<'a>, attempt: u32, now: SystemTime, random: f64) -> Self {
        Self {
            failure,
            attempt,
            durable: false,
            remaining: None,
            tokens: TokenBucket::CAPACITY,
            clock: ClockOffset::ZERO,
            clock_offset: None,
            can_refresh_credentials: false,
            now,
            random,
        }
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Send again.
    Retry(Retry),
    /// Give the failure to the caller.
    GiveUp(GiveUpReason),
}

/// How to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How long to wait first.
    pub after: Duration,
    /// How many tokens to take from the bucket.
    pub cost: u32,
    /// What to mend before signing again.
    pub recovery: Recovery,
}

/// What to mend before sending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing.
    None,
    /// Correct the clock that requests are signed by: by this in all, from now on.
    CorrectClock(ClockOffset),
    /// Fetch new credentials.
    RefreshCredentials,
}

/// Why not to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The function may have run, or ran, and the policy does not allow to run it twice.
    MayHaveRun,
    /// Another attempt would end the same way.
    Useless,
    /// All attempts have been made.
    OutOfAttempts,
    /// The service asks for a longer wait than the policy allows.
    WaitTooLong,
    /// The call's time would be over before the next attempt.
    OutOfTime,
    /// The client has retried so much of late that more would add to the trouble.
    OutOfTokens,
}

impl fmt::Display for GiveUpReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MayHaveRun => "not sent again: the function may have run",
            Self::Useless => "not sent again: it would fail the same way",
            Self::OutOfAttempts => "all attempts were made",
            Self::WaitTooLong => "the service asks for a longer wait than the policy allows",
            Self::OutOfTime => "the call's time would be over before the next attempt",
            Self::OutOfTokens => "the client has no retry tokens left",
        })
    }
}

/// The first delay after a failure that passes by itself.
const TRANSIENT_BASE: Duration = Duration::from_millis(50);
/// The first delay when the service is busy or the function not ready.
const THROTTLED_BASE: Duration = Duration::from_secs(1);
/// How much longer than backing off would the service's wish in milliseconds may make the delay.
const MILLIS_OVERSHOOT: Duration = Duration::from_secs(5);
/// What another attempt costs.
const COST: u32 = 14;
/// What another attempt costs after throttling, which says itself when to come again.
const THROTTLED_COST: u32 = 5;

/// Decides whether an attempt that failed is made again, when, and what must be mended first.
///
/// What ran the function, or began to, is never sent again; what may have run it only if the
/// policy or a durable execution name allows; what certainly did not, if its class says that
/// another attempt can succeed.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
/// use lambda_invoke_protocol::retry::{Decision, Failure, RetryPolicy, RetryContext, GiveUpReason, decide};
///
/// let at = |failure| RetryContext::new(failure, 1, SystemTime::UNIX_EPOCH, 0.5);
/// let careful = RetryPolicy::default();
/// assert!(matches!(decide(&careful, &at(Failure::NotSent)), Decision::Retry(_)));
/// assert_eq!(decide(&careful, &at(Failure::NoResponse)), Decision::GiveUp(GiveUpReason::MayHaveRun));
///
/// let bold = RetryPolicy::at_least_once();
/// assert!(matches!(decide(&bold, &at(Failure::NoResponse)), Decision::Retry(_)));
/// assert_eq!(decide(&bold, &at(Failure::IncompleteResponse)), Decision::GiveUp(GiveUpReason::MayHaveRun));
/// ```
#[must_use]
pub fn decide(policy: &RetryPolicy, context: &RetryContext<'_>) -> Decision {
    let safe = match context.failure.execution() {
        Execution::NotStarted => true,
        Execution::Unknown => policy.retries_unknown() || context.durable,
        _ => false,
    };
    if !safe {
        return Decision::GiveUp(GiveUpReason::MayHaveRun);
    }
    let (base, cost, recovery) = match context.failure.class() {
        RetryClass::Transient => (TRANSIENT_BASE, COST, Recovery::None),
        RetryClass::Throttled | RetryClass::Pending => {
            (THROTTLED_BASE, THROTTLED_COST, Recovery::None)
        }
        RetryClass::ClockSkew => match context.clock_offset {
            Some(offset) if offset.abs() >= ClockOffset::MIN => {
                let corrected = context.clock.plus(offset);
                if corrected.abs() > ClockOffset::MAX {
                    return Decision::GiveUp(GiveUpReason::Useless);
                }
                (Duration::ZERO, COST, Recovery::CorrectClock(corrected))
            }
            _ => return Decision::GiveUp(GiveUpReason::Useless),
        },
        RetryClass::ExpiredCredentials if context.can_refresh_credentials => {
            (Duration::ZERO, COST, Recovery::RefreshCredentials)
        }
        _ => return Decision::GiveUp(GiveUpReason::Useless),
    };
    if context.attempt >= policy.max_attempts() {
        return Decision::GiveUp(GiveUpReason::OutOfAttempts);
    }
    let backoff = backoff(base, policy.max_backoff(), context.attempt, context.random);
    let after = match context
        .failure
        .retry_after()
        .map(|wish| Wish::of(wish, context.now))
    {
        None => backoff,
        Some(Wish::Backoff(delay)) => {
            delay.clamp(backoff, backoff.saturating_add(MILLIS_OVERSHOOT))
        }
        Some(Wish::Delay(delay)) if delay > policy.max_retry_after() => {
            return Decision::GiveUp(GiveUpReason::WaitTooLong);
        }
        Some(Wish::Delay(delay)) => delay.max(backoff),
    };
    if context
        .remaining
        .is_some_and(|remaining| remaining <= after)
    {
        return Decision::GiveUp(GiveUpReason::OutOfTime);
    }
    if context.tokens < cost {
        return Decision::GiveUp(GiveUpReason::OutOfTokens);
    }
    Decision::Retry(Retry {
        after,
        cost,
        recovery,
    })
}

/// Exponential backoff with full jitter: anything from nothing to the whole delay.
fn backoff(base: Duration, max: Duration, attempt: u32, random: f64) -> Duration {
    let doubled = 2u32
        .checked_pow(attempt.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let whole = base.saturating_mul(doubled).min(max);
    // `clamp` keeps a NaN; the comparison does not.
    let random = if random > 0.0 { random.min(1.0) } else { 0.0 };
    whole.mul_f64(random)
}

/// The two headers in which the service asks for a wait mean different things.
enum Wish {
    /// `x-amz-retry-after`: instead of the jitter, and bounded by it.
    Backoff(Duration),
    /// `Retry-After`: not before then.
    Delay(Duration),
}

impl Wish {
    fn of(wish: RetryAfter, now: SystemTime) -> Self {
        let delay = wish.delay(now);
        match wish.to_header().0 {
            lambda_invoke_error::header::RETRY_AFTER_MILLIS => Self::Backoff(delay),
            _ => Self::Delay(delay),
        }
    }
}
