//! The properties of an error: execution, retry class, fault, operation, origin and category.

use core::fmt;

/// What an error says about the function's execution.
///
/// Ordered by how much may have happened: the execution of several attempts together is the maximum
/// of theirs.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::Execution;
///
/// // The first attempt was interrupted, the second throttled: the first may still have run.
/// assert_eq!(Execution::Unknown.max(Execution::NotStarted), Execution::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// No byte left this machine, or the service rejected the request before it ran the function's
    /// handler. Sending it again cannot run the function twice.
    NotStarted,
    /// The function may or may not have run.
    Unknown,
    /// The function ran, or began to run.
    Started,
}

impl Execution {
    /// Returns the name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not started",
            Self::Unknown => "unknown",
            Self::Started => "started",
        }
    }
}

/// What has to happen before the same request can succeed.
///
/// The class follows from what an error means, not from its status: many of the service's 502s are
/// caused by the function's configuration, and no number of attempts fixes that. Whether another
/// attempt is *safe* is a separate question; see [`Execution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Somebody has to change the request, the function or a permission first.
    Permanent,
    /// A rate or concurrency limit was reached: wait at least as long as the service asks, then send
    /// the request again.
    Throttled,
    /// The function will be ready to be invoked within seconds or minutes.
    Pending,
    /// The error may pass on its own within an ordinary backoff.
    Transient,
    /// The request's date is too far from the service's: correct the clock by the response's `Date`
    /// header and sign the request again.
    ClockSkew,
    /// The session's credentials have expired: fetch new ones and sign the request again.
    ExpiredCredentials,
}

impl RetryClass {
    /// Returns the name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Throttled => "throttled",
            Self::Pending => "pending",
            Self::Transient => "transient",
            Self::ClockSkew => "clock skew",
            Self::ExpiredCredentials => "expired credentials",
        }
    }
}

/// Whose fault an error is according to the service's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the caller or the service: there is no third"
)]
pub enum Fault {
    /// The caller's: every status below 500.
    Sender,
    /// The service's, judging by the status. The cause may still be the function's configuration.
    Server,
}

impl Fault {
    /// Returns the name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Server => "server",
        }
    }
}

/// An operation that can return an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /2015-03-31/functions/{name}/invocations`
    Invoke,
    /// `POST /2021-11-15/functions/{name}/response-streaming-invocations`
    InvokeWithResponseStream,
    /// `POST /2014-11-13/functions/{name}/invoke-async/`, which is deprecated.
    InvokeAsync,
}

impl Operation {
    /// Returns the operation's name in the service's model.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoke => "Invoke",
            Self::InvokeWithResponseStream => "InvokeWithResponseStream",
            Self::InvokeAsync => "InvokeAsync",
        }
    }
}

/// Where an error is documented or was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The service's model lists it under the operation.
    Modelled,
    /// The published reference lists it among the errors common to all operations, now or until
    /// 2024.
    Common,
    /// It is not documented, but the service has been observed to return it.
    Observed,
}

impl Origin {
    /// Returns the name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modelled => "modelled",
            Self::Common => "common",
            Self::Observed => "observed",
        }
    }
}

/// What an error is about. [`known_errors`](crate::known_errors) is in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The request itself: its parameters, headers or body.
    Request,
    /// The request's size.
    Size,
    /// A function, version or alias that does not exist.
    NotFound,
    /// Credentials, signature and clock.
    Credentials,
    /// Permission to invoke the function.
    Permission,
    /// Rates, concurrency and quotas.
    Capacity,
    /// The function's state.
    State,
    /// The function's code and runtime.
    Code,
    /// The function's snapshot.
    SnapStart,
    /// The function's connection to a VPC.
    Network,
    /// The key that the function's environment is encrypted with.
    Keys,
    /// The file systems that the function mounts.
    Storage,
    /// The service's own failures.
    Service,
}

impl Category {
    /// Returns the heading in `docs/errors.md`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "the request",
            Self::Size => "the request's size",
            Self::NotFound => "not found",
            Self::Credentials => "credentials, signature and clock",
            Self::Permission => "permission",
            Self::Capacity => "rates, concurrency and quotas",
            Self::State => "the function's state",
            Self::Code => "the function's code and runtime",
            Self::SnapStart => "SnapStart",
            Self::Network => "the function's VPC",
            Self::Keys => "the function's encryption key",
            Self::Storage => "the function's file systems",
            Self::Service => "the service",
        }
    }
}

macro_rules! display_as_str {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

display_as_str!(Execution, RetryClass, Fault, Operation, Origin, Category);
