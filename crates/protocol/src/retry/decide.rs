//! The decision.

use std::fmt;
use std::time::{Duration, SystemTime};

use lambda_invoke_error::{Execution, RetryAfter, RetryClass};

use super::{ClockOffset, Failure, RetryPolicy, TokenBucket};

/// Everything that the decision depends on, except the policy.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryContext<'a> {
    /// How the last attempt failed.
    pub failure: Failure<'a>,
    /// The number of attempts made, including the failed one: at least 1.
    pub attempt: u32,
    /// Whether the request has a durable execution name: the service runs the function once per
    /// name, however often the request is sent.
    pub durable: bool,
    /// The time left until the call's timeout; `None` if it has none.
    pub remaining: Option<Duration>,
    /// The number of tokens in the client's bucket.
    pub tokens: u32,
    /// The correction of the clock that the request was signed with.
    pub clock: ClockOffset,
    /// The further correction that the response's `Date` implies; see [`ClockOffset::measure`].
    pub clock_offset: Option<ClockOffset>,
    /// Whether the client can fetch new credentials.
    pub can_refresh_credentials: bool,
    /// The current time by the local clock, for a `Retry-After` that is a date, which is a time of the
    /// service's clock: both corrections are added.
    pub now: SystemTime,
    /// A uniformly distributed random number from 0 to 1; other values are clamped, and NaN counts
    /// as 0.
    pub random: f64,
}

impl<'a> RetryContext<'a> {
    /// Creates the context after `attempt` attempts, with a full bucket, no timeout, and no clock
    /// offset.
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

impl RetryContext<'_> {
    /// The current time by the service's clock, as far as it is known.
    fn time_there(&self) -> SystemTime {
        let further = self.clock_offset.unwrap_or(ClockOffset::ZERO);
        self.clock.plus(further).apply(self.now)
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is another attempt or not")]
pub enum Decision {
    /// Send the request again.
    Retry(Retry),
    /// Return the failure to the caller.
    GiveUp(GiveUpReason),
}

/// How to send the request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How long to wait first.
    pub after: Duration,
    /// How many tokens to take from the bucket.
    pub cost: u32,
    /// What to correct before signing again.
    pub recovery: Recovery,
}

/// What to correct before sending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing.
    None,
    /// Sign from now on with the clock corrected by this offset in total.
    CorrectClock(ClockOffset),
    /// Fetch new credentials.
    RefreshCredentials,
}

/// Why not to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The function ran or may have run, and the policy does not allow running it twice.
    MayHaveRun,
    /// Another attempt would fail the same way.
    Useless,
    /// All attempts have been made.
    OutOfAttempts,
    /// The service asks for a longer wait than the policy allows.
    WaitTooLong,
    /// The call's timeout would expire before the next attempt.
    OutOfTime,
    /// The client's retry tokens are used up, because too many recent attempts failed.
    OutOfTokens,
}

impl fmt::Display for GiveUpReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MayHaveRun => "not sent again: the function may have run",
            Self::Useless => "not sent again: it would fail the same way",
            Self::OutOfAttempts => "all attempts were made",
            Self::WaitTooLong => "the service asks for a longer wait than the policy allows",
            Self::OutOfTime => "the call's timeout would expire before the next attempt",
            Self::OutOfTokens => "the client has no retry tokens left",
        })
    }
}

/// The first delay after a transient failure.
const TRANSIENT_BASE: Duration = Duration::from_millis(50);
/// The first delay when the service throttles or the function is not ready.
const THROTTLED_BASE: Duration = Duration::from_secs(1);
/// How far the delay that the service requests in milliseconds may exceed the backoff.
const MILLIS_OVERSHOOT: Duration = Duration::from_secs(5);
/// The tokens that a retry costs.
const COST: u32 = 14;
/// The tokens that a retry costs after throttling.
const THROTTLED_COST: u32 = 5;

/// Decides whether a failed attempt is repeated, when, and what must be corrected first.
///
/// If the function started, the request is never sent again. If it may have started, the policy or
/// a durable execution name must allow another attempt. In all cases the class of the failure must
/// allow another attempt to succeed.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
/// use lambda_invoke_protocol::retry::{Decision, Failure, RetryPolicy, RetryContext, GiveUpReason, decide};
///
/// let at = |failure| RetryContext::new(failure, 1, SystemTime::UNIX_EPOCH, 0.5);
/// let default = RetryPolicy::default();
/// assert!(matches!(decide(&default, &at(Failure::NotSent)), Decision::Retry(_)));
/// assert_eq!(decide(&default, &at(Failure::NoResponse)), Decision::GiveUp(GiveUpReason::MayHaveRun));
///
/// let at_least_once = RetryPolicy::at_least_once();
/// assert!(matches!(decide(&at_least_once, &at(Failure::NoResponse)), Decision::Retry(_)));
/// assert_eq!(decide(&at_least_once, &at(Failure::IncompleteResponse)), Decision::GiveUp(GiveUpReason::MayHaveRun));
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
        .map(|requested| RequestedDelay::of(requested, context.time_there()))
    {
        None => backoff,
        Some(RequestedDelay::Backoff(delay)) => {
            delay.clamp(backoff, backoff.saturating_add(MILLIS_OVERSHOOT))
        }
        Some(RequestedDelay::Delay(delay)) if delay > policy.max_retry_after() => {
            return Decision::GiveUp(GiveUpReason::WaitTooLong);
        }
        Some(RequestedDelay::Delay(delay)) => delay.max(backoff),
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

/// Returns an exponential backoff with full jitter: from zero to the whole delay.
fn backoff(base: Duration, max: Duration, attempt: u32, random: f64) -> Duration {
    let doubled = 2u32
        .checked_pow(attempt.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let whole = base.saturating_mul(doubled).min(max);
    // `clamp` keeps a NaN; the comparison does not.
    let random = if random > 0.0 { random.min(1.0) } else { 0.0 };
    whole.mul_f64(random)
}

/// The two headers in which the service requests a delay mean different things.
enum RequestedDelay {
    /// `x-amz-retry-after`: replaces the jitter, within bounds.
    Backoff(Duration),
    /// `Retry-After`: the earliest time.
    Delay(Duration),
}

impl RequestedDelay {
    fn of(requested: RetryAfter, now: SystemTime) -> Self {
        let delay = requested.delay(now);
        match requested.to_header().0 {
            lambda_invoke_error::header::RETRY_AFTER_MILLIS => Self::Backoff(delay),
            _ => Self::Delay(delay),
        }
    }
}
