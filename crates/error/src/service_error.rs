//! An error that the service returned, or that an endpoint returns.

use core::fmt;
use std::borrow::Cow;

use crate::bounds::{self, MAX_MESSAGE, token};
use crate::text::{Escaped, truncate, without_session_token};
use crate::{ErrorType, KnownError, RetryAfter, ThrottleReason, lookup};

/// An error response of the service: its status, its code, and the rest of what it says.
///
/// A client parses one with [`ServiceError::parse`]. An endpoint creates one with
/// [`KnownError::error`] or [`ServiceError::unmodelled`] and sends what [`ServiceError::render`]
/// returns; parsing that yields an equal error. However large the response was, the error has at
/// most a few KiB; see the limits in [`bounds`](crate::bounds).
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
///     "service returned 404 ResourceNotFoundException: no such function \
///      (request id 3c5a3b1f-0d0e-4a6b-9f43-6f9d3c1c2f11)",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
// Boxed, so that a `Result` with this error is small.
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
    has_partial_body: bool,
}

impl ServiceError {
    /// Creates an error with any code, whether it is a known one or not.
    ///
    /// # Errors
    ///
    /// Returns [`UnmodelledError`] if the code is not a valid header value, or the status is not an error's.
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

    /// Creates an error with a code that has been checked.
    pub(crate) fn bare(code: Cow<'static, str>, status: u16) -> Self {
        Self::of(Some(code), status)
    }

    /// Creates the error that [`ServiceError::parse`] fills in.
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
            has_partial_body: false,
        }))
    }

    /// Sets the message, or removes it if `message` is empty. At most 8 KiB are kept, without a session token:
    /// if a signature is wrong, the service quotes the request with the token.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.0.message = match without_session_token(truncate(message, MAX_MESSAGE)) {
            Cow::Borrowed("") => None,
            Cow::Borrowed(message) => Some(message.into()),
            // What stands for a token may be longer.
            Cow::Owned(message) => Some(truncate(&message, MAX_MESSAGE).into()),
        };
        self
    }

    /// Sets the `Type`.
    #[must_use]
    pub fn with_type(mut self, error_type: ErrorType) -> Self {
        // Converted from the text, so that `Other` never holds a known type.
        self.0.error_type = Some(ErrorType::from(error_type.as_str()));
        self
    }

    /// Sets the reason for throttling.
    #[must_use]
    pub fn with_reason(mut self, reason: ThrottleReason) -> Self {
        self.0.reason = Some(ThrottleReason::from(reason.as_str()));
        self
    }

    /// Sets the code of Amazon EC2's own error, which `EC2UnexpectedException` carries, or removes it
    /// if `code` is not 1 to 256 visible ASCII characters.
    #[must_use]
    pub fn with_ec2_error_code(mut self, code: &str) -> Self {
        self.0.ec2_error_code = token(code).map(Into::into);
        self
    }

    /// Sets the delay that the caller is asked to wait before the next attempt.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Sets the request id, or removes it if `id` is not 1 to 256 visible ASCII characters.
    #[must_use]
    pub fn with_request_id(mut self, id: &str) -> Self {
        self.0.request_id = token(id).map(Into::into);
        self
    }

    /// Notes that the body was not read to its end. An error without a code may then be any error
    /// of its status: see [`execution`](Self::execution).
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_error::{Execution, ServiceError};
    ///
    /// let half = ServiceError::parse(400, |_| None, br#"{"code":"Requ"#).with_partial_body();
    /// assert_eq!(half.execution(), Execution::Unknown);
    /// ```
    #[must_use]
    pub fn with_partial_body(mut self) -> Self {
        self.0.has_partial_body = true;
        self
    }

    pub(crate) fn has_partial_body(&self) -> bool {
        self.0.has_partial_body
    }

    /// Returns the HTTP status of the response.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Returns the code, known or not, without namespace and URI: 1 to 256 visible ASCII characters.
    /// `None` if the response had no code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the message, or the first 512 bytes of the body as text if it was not JSON.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns whose fault the error is according to the service.
    #[must_use]
    pub fn error_type(&self) -> Option<&ErrorType> {
        self.0.error_type.as_ref()
    }

    /// Returns why the request was throttled, if the service says so.
    #[must_use]
    pub fn reason(&self) -> Option<&ThrottleReason> {
        self.0.reason.as_ref()
    }

    /// Returns the code of Amazon EC2's own error, which comes with `EC2UnexpectedException`.
    #[must_use]
    pub fn ec2_error_code(&self) -> Option<&str> {
        self.0.ec2_error_code.as_deref()
    }

    /// Returns the delay that the service asks for before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.0.retry_after
    }

    /// Returns the id of the request, which AWS support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns what is known about the code; `None` if it is unknown or there was none.
    #[must_use]
    pub fn known_error(&self) -> Option<&'static KnownError> {
        lookup(self.code()?)
    }
}

/// Returns the code, borrowed from the table if it is a known one.
fn code_as_known(code: &str) -> Cow<'static, str> {
    lookup(code)
        .and_then(|known| known.spelling(code))
        .map_or_else(|| code.to_owned().into(), Cow::Borrowed)
}

/// Shows the status, the code, the first paragraph of the message and the request id, on one line. A
/// web page, such as a proxy returns, is summarized by its title.
impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service returned {}", self.status())?;
        if let Some(code) = self.code() {
            write!(f, " {code}")?;
        }
        match self.message().map(Summary::of) {
            Some(Summary::Text(text)) => write!(f, ": {}", Escaped::line(text))?,
            Some(Summary::WebPage { title: Some(title) }) => {
                let title = Escaped::line(title);
                write!(f, ": a web page titled '{title}', perhaps from a proxy")?;
            }
            Some(Summary::WebPage { title: None }) => {
                f.write_str(": a web page, perhaps from a proxy")?;
            }
            None => {}
        }
        if let Some(id) = self.request_id() {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl core::error::Error for ServiceError {}

/// What is shown of a message.
enum Summary<'m> {
    /// The first paragraph only: for a wrong signature, the service appends the canonical request
    /// and the string to sign.
    Text(&'m str),
    WebPage {
        title: Option<&'m str>,
    },
}

impl<'m> Summary<'m> {
    fn of(message: &'m str) -> Self {
        let start = message.trim_start();
        let begins = |tag: &str| {
            let start = start.as_bytes().get(..tag.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
        };
        if begins("<!doctype html") || begins("<html") {
            return Self::WebPage {
                title: title(start),
            };
        }
        let paragraph = message.split("\n\n").next().unwrap_or(message);
        Self::Text(match paragraph.trim().is_empty() {
            true => message,
            false => paragraph,
        })
    }
}

/// The title of a web page, if it has one.
fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower.get(start..)?.find("</title>")?;
    let title = page.get(start..start + length)?.trim();
    (!title.is_empty()).then_some(title)
}

/// Why [`ServiceError::unmodelled`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnmodelledError {
    /// The code is not 1 to 256 visible ASCII characters without `#`, `:` and `,`.
    Code,
    /// The status is not 400 to 599.
    Status {
        /// The given status.
        status: u16,
    },
}

impl fmt::Display for UnmodelledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str(
                "invalid error code: expected 1 to 256 visible ASCII characters without '#', ':' and ','",
            ),
            Self::Status { status } => {
                write!(f, "invalid error status {status}: expected 400 to 599")
            }
        }
    }
}

impl core::error::Error for UnmodelledError {}
