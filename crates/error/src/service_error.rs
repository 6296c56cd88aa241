//! An error that the service answered with, or that an endpoint answers.

use core::fmt;
use std::borrow::Cow;

use crate::bounds::{self, MAX_MESSAGE, cut, token};
use crate::{ErrorType, RetryAfter, Row, ThrottleReason, lookup};

/// An error answer of the service: its status, its code and what else it says.
///
/// A client gets one from [`ServiceError::parse`]; an endpoint makes one with [`Row::error`] or
/// [`ServiceError::unmodelled`] and answers its [`ServiceError::render`]. Parsing what was rendered
/// gives an equal error. However large the answer was, the error is at most a few KiB; see the
/// limits in [`bounds`](crate::bounds).
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{Execution, ServiceError};
///
/// let headers = |name: &str| match name {
///     "x-amzn-errortype" => Some("ResourceNotFoundException:http://internal.amazon.com/coral/"),
///     "x-amzn-requestid" => Some("3c5a3b1f-0d0e-4a6b-9f43-6f9d3c1c2f11"),
///     _ => None,
/// };
/// let error = ServiceError::parse(404, headers, br#"{"Type":"User","Message":"no such function"}"#);
/// assert_eq!(error.code(), Some("ResourceNotFoundException"));
/// assert!(error.is_not_found());
/// assert_eq!(error.execution(), Execution::NotStarted);
/// assert_eq!(
///     error.to_string(),
///     "service answered 404 ResourceNotFoundException: no such function \
///      (request id 3c5a3b1f-0d0e-4a6b-9f43-6f9d3c1c2f11)",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
// Boxed, so that a `Result` with it stays small on the path where nothing fails.
pub struct ServiceError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    status: u16,
    code: Option<Cow<'static, str>>,
    message: Option<Box<str>>,
    error_type: Option<ErrorType>,
    reason: Option<ThrottleReason>,
    ec2_error_code: Option<Box<str>>,
    retry_after: Option<RetryAfter>,
    request_id: Option<Box<str>>,
}

impl ServiceError {
    /// An error whose code need not be in the table.
    ///
    /// # Errors
    ///
    /// [`UnmodelledError`] if a header could not hold the code, or the status is none of an error.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_error::{ServiceError, UnmodelledError};
    ///
    /// let error = ServiceError::unmodelled("TeapotException", 418).unwrap();
    /// assert_eq!(error.code(), Some("TeapotException"));
    /// assert_eq!(ServiceError::unmodelled("a#b", 418), Err(UnmodelledError::Code));
    /// assert_eq!(
    ///     ServiceError::unmodelled("FineException", 200),
    ///     Err(UnmodelledError::Status { status: 200 }),
    /// );
    /// ```
    pub fn unmodelled(code: &str, status: u16) -> Result<Self, UnmodelledError> {
        if bounds::code(code) != Some(code) {
            return Err(UnmodelledError::Code);
        }
        if !(400..=599).contains(&status) {
            return Err(UnmodelledError::Status { status });
        }
        Ok(Self::bare(code_as_known(code), status))
    }

    /// An error with a code that is already known to be one.
    pub(crate) fn bare(code: Cow<'static, str>, status: u16) -> Self {
        Self::of(Some(code), status)
    }

    /// What [`ServiceError::parse`] starts from.
    pub(crate) fn received(code: Option<&str>, status: u16) -> Self {
        Self::of(code.map(code_as_known), status)
    }

    fn of(code: Option<Cow<'static, str>>, status: u16) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            message: None,
            error_type: None,
            reason: None,
            ec2_error_code: None,
            retry_after: None,
            request_id: None,
        }))
    }

    /// With this message, or none if it is empty. At most 8 KiB of it are kept.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.0.message = (!message.is_empty()).then(|| cut(message, MAX_MESSAGE).into());
        self
    }

    /// With this `Type`.
    #[must_use]
    pub fn with_type(mut self, error_type: ErrorType) -> Self {
        // Through its text, so that no `Other` hides a known one.
        self.0.error_type = Some(ErrorType::from(error_type.as_str()));
        self
    }

    /// With this reason for being throttled.
    #[must_use]
    pub fn with_reason(mut self, reason: ThrottleReason) -> Self {
        self.0.reason = Some(ThrottleReason::from(reason.as_str()));
        self
    }

    /// With the code of Amazon EC2's own error, which `EC2UnexpectedException` carries. Left out if
    /// it is not 1 to 256 visible ASCII characters.
    #[must_use]
    pub fn with_ec2_error_code(mut self, code: &str) -> Self {
        self.0.ec2_error_code = token(code).map(Into::into);
        self
    }

    /// With the wish that the next attempt comes later.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// With this request id. Left out if it is not 1 to 256 visible ASCII characters.
    #[must_use]
    pub fn with_request_id(mut self, id: &str) -> Self {
        self.0.request_id = token(id).map(Into::into);
        self
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The code, without namespace and URI; `None` if the answer had none. Up to 256 visible ASCII
    /// characters, known to the table or not.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The message; the first 512 bytes of the body as text if that was not JSON.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Whose fault the service says it is.
    #[must_use]
    pub fn error_type(&self) -> Option<&ErrorType> {
        self.0.error_type.as_ref()
    }

    /// Why the request was throttled, if it was and the service says why.
    #[must_use]
    pub fn reason(&self) -> Option<&ThrottleReason> {
        self.0.reason.as_ref()
    }

    /// The code of Amazon EC2's own error, with `EC2UnexpectedException`.
    #[must_use]
    pub fn ec2_error_code(&self) -> Option<&str> {
        self.0.ec2_error_code.as_deref()
    }

    /// How long the service asks to wait before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.0.retry_after
    }

    /// The id of the request, to be named to the service's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The table's row for the code; `None` if the code is unknown or there was none.
    #[must_use]
    pub fn row(&self) -> Option<&'static Row> {
        lookup(self.code()?)
    }
}

/// The code, borrowed from the table if it is there.
fn code_as_known(code: &str) -> Cow<'static, str> {
    let spelt = |row: &'static Row| {
        core::iter::once(row.code)
            .chain(row.aliases.iter().copied())
            .find(|known| *known == code)
    };
    lookup(code)
        .and_then(spelt)
        .map_or_else(|| code.to_owned().into(), Cow::Borrowed)
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service answered {}", self.status())?;
        if let Some(code) = self.code() {
            write!(f, " {code}")?;
        }
        if let Some(message) = self.message() {
            f.write_str(": ")?;
            // One line, and nothing that a terminal would obey.
            for character in message.chars() {
                if character.is_control() {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    write!(f, "{character}")?;
                }
            }
        }
        if let Some(id) = self.request_id() {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl core::error::Error for ServiceError {}

/// Why [`ServiceError::unmodelled`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnmodelledError {
    /// The code is not 1 to 256 visible ASCII characters without `#`, `:` and `,`.
    Code,
    /// The status is not one of an error.
    Status {
        /// The status that was given.
        status: u16,
    },
}

impl fmt::Display for UnmodelledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str(
                "an error code must be 1 to 256 visible ascii characters without '#', ':' and ','",
            ),
            Self::Status { status } => {
                write!(f, "an error's status must be 400 to 599, not {status}")
            }
        }
    }
}

impl core::error::Error for UnmodelledError {}
