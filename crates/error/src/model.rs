//! The words that the table is written in.

use core::fmt;

/// What an error says of the function's execution.
///
/// Ordered by how much may have happened, so that the execution of several attempts together is
/// the greatest of theirs.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::Execution;
///
/// // The first attempt was cut off, the second was throttled: the first may still have run.
/// assert_eq!(Execution::Unknown.max(Execution::NotStarted), Execution::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// Nothing left this machine, or the service refused before it ran the function's handler.
    /// Sending again cannot run the function twice.
    NotStarted,
    /// The function may have run, or may not have.
    Unknown,
    /// The function ran, or began to.
    Started,
}

impl Execution {
    /// The name as `docs/errors.md` shows it.
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
/// The class follows what an error means and not its status: many of the service's 502s are
/// mistakes in the function's configuration, which no number of attempts will mend. Whether an
/// attempt is also *safe* is a different question: [`Execution`] answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// Somebody has to change the request, the function or a permission first.
    Permanent,
    /// Too many at once: wait, at least as long as the service asks, and send again.
    Throttled,
    /// The function is on its way to a state in which it can be invoked; that takes seconds to
    /// minutes.
    Pending,
    /// May pass by itself within the ordinary backoff.
    Transient,
    /// The request's date is too far from the service's: correct the clock by the answer's `Date`
    /// header and sign again.
    ClockSkew,
    /// The session's credentials have expired: fetch new ones and sign again.
    ExpiredCredentials,
}

impl RetryClass {
    /// The name as `docs/errors.md` shows it.
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

/// Whose fault an error is, as the service's model has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The caller's. Every status below 500.
    Sender,
    /// The service's, by its status; the cause may be the function's configuration all the same.
    Server,
}

impl Fault {
    /// The name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Server => "server",
        }
    }
}

/// An operation that can answer with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /2015-03-31/functions/{name}/invocations`
    Invoke,
    /// `POST /2021-11-15/functions/{name}/response-streaming-invocations`
    InvokeWithResponseStream,
    /// `POST /2014-11-13/functions/{name}/invoke-async/`, which the service calls deprecated.
    InvokeAsync,
}

impl Operation {
    /// The operation's name in the service's model.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoke => "Invoke",
            Self::InvokeWithResponseStream => "InvokeWithResponseStream",
            Self::InvokeAsync => "InvokeAsync",
        }
    }
}

/// Where an error is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The service's model lists it under the operation.
    Modelled,
    /// The service's published reference lists it among the errors common to all operations, now
    /// or until 2024.
    Common,
    /// In neither, but the service has been seen to answer with it.
    Observed,
}

impl Origin {
    /// The name as `docs/errors.md` shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modelled => "modelled",
            Self::Common => "common",
            Self::Observed => "observed",
        }
    }
}

/// What an error is about. The table is in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// The request itself: its parameters, headers or body.
    Request,
    /// The request's size.
    Size,
    /// A function, version or alias that does not exist.
    NotFound,
    /// Credentials, signature and clock.
    Credentials,
    /// Permission to do what was asked.
    Permission,
    /// Rates, concurrency and quotas.
    Capacity,
    /// The state that the function is in.
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

impl Topic {
    /// The heading in `docs/errors.md`.
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

display_as_str!(Execution, RetryClass, Fault, Operation, Origin, Topic);
