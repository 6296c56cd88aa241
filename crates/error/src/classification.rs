//! What an error says about the execution and about another attempt, for known and unknown codes.

use crate::{Category, Execution, KnownError, RetryClass, ServiceError, known_errors};

/// Statuses that only reject a request (RFC 9110, section 15.5, and RFC 6585): a server that
/// returns one has not passed the request on to a function. Statuses that a server can also return
/// later are not listed: 408 (a timeout), 409 and 412 (a state), 410 (used by `EFSIOException`),
/// 422 to 425, and all that no standard defines.
const REJECTING: [u16; 18] = [
    400, 401, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 426, 428, 429, 431,
];

impl ServiceError {
    /// Returns what is known about the function's execution after this response.
    ///
    /// A known code decides, provided that its usual status and the received one are of the same
    /// class (4xx or 5xx): a code that belongs to a 404 but comes with a 502 was probably not sent
    /// by Lambda. A throttling code decides with any status. For an unknown code the status
    /// decides: if it only rejects requests (400 to 407, 411, 413 to 415, 417, 421, 426, 428, 429,
    /// 431), the result is [`Execution::NotStarted`], otherwise [`Execution::Unknown`]. The code
    /// may have been in a part of the body that was not read
    /// ([`with_partial_body`](Self::with_partial_body)). Then the result is also
    /// [`Execution::Unknown`] if any known error with this status says that the function may have
    /// run (such as 400, because of `RequestAbortedException`).
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_error::{Execution, ServiceError};
    ///
    /// let no_code = |status| ServiceError::parse(status, |_| None, b"").execution();
    /// assert_eq!(no_code(429), Execution::NotStarted);
    /// assert_eq!(no_code(502), Execution::Unknown);
    /// ```
    #[must_use]
    pub fn execution(&self) -> Execution {
        match self.believed_error() {
            Some(known) => known.execution,
            None if self.may_have_lost_its_code() => Execution::Unknown,
            None if REJECTING.contains(&self.status()) => Execution::NotStarted,
            None => Execution::Unknown,
        }
    }

    /// Returns what has to happen before the same request can succeed.
    ///
    /// A known code has the class of its [`KnownError`], with one exception: a signature error whose
    /// message says that the signature has expired or is not yet current is clock skew. An unknown
    /// code is throttled with status 429, transient with 408, 500, 502, 503 and 504, and permanent
    /// with any other.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_error::{RetryClass, lookup};
    ///
    /// let signature = lookup("InvalidSignatureException").unwrap();
    /// let skewed = signature.error("Signature expired: 20160928T174419Z is now earlier than ..");
    /// assert_eq!(skewed.retry_class(), RetryClass::ClockSkew);
    /// let wrong = signature.error("The request signature we calculated does not match ..");
    /// assert_eq!(wrong.retry_class(), RetryClass::Permanent);
    /// ```
    #[must_use]
    pub fn retry_class(&self) -> RetryClass {
        match self.known_error() {
            Some(known) if known.category == Category::Credentials && self.reports_clock_skew() => {
                RetryClass::ClockSkew
            }
            Some(known) => known.class,
            None => match self.status() {
                429 => RetryClass::Throttled,
                408 | 500 | 502 | 503 | 504 => RetryClass::Transient,
                _ => RetryClass::Permanent,
            },
        }
    }

    /// Returns what a person can do about it, if the code is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        self.known_error().map(|known| known.advice)
    }

    /// Whether the request was throttled: `TooManyRequestsException`, `ThrottlingException`,
    /// `EC2ThrottledException`, or an unknown code with status 429.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        self.retry_class() == RetryClass::Throttled
    }

    /// Whether the request was too large: the model's `RequestTooLargeException` or
    /// `SerializedRequestEntityTooLargeException`, the `RequestEntityTooLargeException` that the
    /// service actually sends, or an unknown code with status 413.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.is_about(Category::Size, 413)
    }

    /// Whether the function, version or alias does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.known_error()
            .is_some_and(|known| known.category == Category::NotFound)
    }

    /// Whether the caller is not allowed to do this.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.known_error()
            .is_some_and(|known| known.category == Category::Permission)
    }

    /// Whether authentication failed: a missing, wrong or expired key, token or signature, or a
    /// skewed clock.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.is_about(Category::Credentials, 401)
    }

    /// Whether the request's date is too far from the service's.
    #[must_use]
    pub fn is_clock_skew(&self) -> bool {
        self.retry_class() == RetryClass::ClockSkew
    }

    /// Whether the function is not ready yet, but will be.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.retry_class() == RetryClass::Pending
    }

    /// Whether the same request keeps failing until someone changes something.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.retry_class() == RetryClass::Permanent
    }

    fn is_about(&self, category: Category, status: u16) -> bool {
        self.known_error()
            .map_or(self.status() == status, |known| known.category == category)
    }

    fn believed_error(&self) -> Option<&'static KnownError> {
        let same_class = |known: &&KnownError| known.status / 100 == self.status() / 100;
        self.known_error()
            .filter(|known| known.class == RetryClass::Throttled || same_class(known))
    }

    /// Whether the code may be that of an error after which the function may have run, in the part of
    /// the body that was not read.
    fn may_have_lost_its_code(&self) -> bool {
        let is_candidate = |known: &KnownError| {
            known.status == self.status() && known.execution != Execution::NotStarted
        };
        self.has_partial_body() && self.code().is_none() && known_errors().iter().any(is_candidate)
    }

    fn reports_clock_skew(&self) -> bool {
        self.message().is_some_and(|message| {
            message.starts_with("Signature expired")
                || message.starts_with("Signature not yet current")
        })
    }
}
