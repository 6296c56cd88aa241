//! Members of an error's body that have their own types: `Reason` and `Type`.

use core::fmt;

use crate::text::truncate;

/// The longest unknown `Reason` or `Type` kept, in bytes.
const MAX_OTHER: usize = 256;

/// Why a request was throttled: the member `Reason` of `TooManyRequestsException`.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::ThrottleReason;
///
/// let reason = ThrottleReason::from("CallerRateLimitExceeded");
/// assert_eq!(reason, ThrottleReason::CallerRateLimitExceeded);
/// assert_eq!(ThrottleReason::from("MoonPhase").as_str(), "MoonPhase");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThrottleReason {
    /// The account's unreserved concurrency is in use.
    ConcurrentInvocationLimitExceeded,
    /// The function is invoked too often per second.
    FunctionInvocationRateLimitExceeded,
    /// The function's reserved concurrency is in use.
    ReservedFunctionConcurrentInvocationLimitExceeded,
    /// The function is invoked too often per second for its reserved concurrency.
    ReservedFunctionInvocationRateLimitExceeded,
    /// This caller makes too many calls per second.
    CallerRateLimitExceeded,
    /// Too many function snapshots are being created.
    ConcurrentSnapshotCreateLimitExceeded,
    /// A reason unknown to this crate, as received, truncated to 256 bytes.
    Other(Box<str>),
}

impl ThrottleReason {
    /// The six reasons in the service's model.
    pub const KNOWN: [Self; 6] = [
        Self::ConcurrentInvocationLimitExceeded,
        Self::FunctionInvocationRateLimitExceeded,
        Self::ReservedFunctionConcurrentInvocationLimitExceeded,
        Self::ReservedFunctionInvocationRateLimitExceeded,
        Self::CallerRateLimitExceeded,
        Self::ConcurrentSnapshotCreateLimitExceeded,
    ];

    /// Returns the reason as the service sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::FunctionInvocationRateLimitExceeded => "FunctionInvocationRateLimitExceeded",
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
            Self::ReservedFunctionInvocationRateLimitExceeded => {
                "ReservedFunctionInvocationRateLimitExceeded"
            }
            Self::CallerRateLimitExceeded => "CallerRateLimitExceeded",
            Self::ConcurrentSnapshotCreateLimitExceeded => "ConcurrentSnapshotCreateLimitExceeded",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for ThrottleReason {
    fn from(reason: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|known| known.as_str() == reason)
            .unwrap_or_else(|| Self::Other(truncate(reason, MAX_OTHER).into()))
    }
}

impl fmt::Display for ThrottleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose fault an error is according to the service: the member `Type`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorType {
    /// The caller's.
    User,
    /// The service's.
    Service,
    /// A type unknown to this crate, as received, truncated to 256 bytes.
    Other(Box<str>),
}

impl ErrorType {
    /// Returns the type as the service sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "User",
            Self::Service => "Service",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for ErrorType {
    fn from(kind: &str) -> Self {
        match kind {
            "User" => Self::User,
            "Service" => Self::Service,
            other => Self::Other(truncate(other, MAX_OTHER).into()),
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
