//! How many calls run at once and how many start per second, without I/O or a clock.

mod limiter;
mod rate;

pub use self::limiter::Limiter;
pub use self::rate::Rate;

use lambda_invoke::ThrottleReason;

/// The limit that a throttled call reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a limit is one of these two")]
pub enum Limit {
    /// Too many calls at once.
    Concurrency,
    /// Too many calls per second.
    Rate,
}

impl Limit {
    /// Returns the limit that the reason names. Without a reason, concurrency is assumed, which
    /// limits the rate as well.
    #[must_use]
    pub fn of(reason: Option<&ThrottleReason>) -> Self {
        match reason {
            Some(
                ThrottleReason::CallerRateLimitExceeded
                | ThrottleReason::FunctionInvocationRateLimitExceeded
                | ThrottleReason::ReservedFunctionInvocationRateLimitExceeded,
            ) => Self::Rate,
            _ => Self::Concurrency,
        }
    }
}
