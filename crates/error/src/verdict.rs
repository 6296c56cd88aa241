//! What an error says of the execution and of another attempt, for known and unknown codes.

use crate::{Execution, RetryClass, Row, ServiceError, Topic};

/// The statuses that only refuse a request (RFC 9110, section 15.5, and RFC 6585): whoever answers
/// with one of them has not passed the request on to a function. Missing here are those that can
/// also come late: 408 (a time limit), 409 and 412 (a state), 410 (`EFSIOException` has it), 422 to
/// 425, and all that no standard defines.
const REFUSING: [u16; 18] = [
    400, 401, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 426, 428, 429, 431,
];

impl ServiceError {
    /// What is known of the function's execution after this answer.
    ///
    /// A known code says what its row says, if the status is of the same hundred as the row's: a
    /// 404's code under a 502 would be somebody else's word. Throttling is believed under every
    /// status. For an unknown code the status decides: one that only refuses a request (400 to
    /// 407, 411, 413 to 415, 417, 421, 426, 428, 429, 431) is [`Execution::NotStarted`], and
    /// everything else is [`Execution::Unknown`].
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
        match self.believed_row() {
            Some(row) => row.execution,
            None if REFUSING.contains(&self.status()) => Execution::NotStarted,
            None => Execution::Unknown,
        }
    }

    /// What has to happen before the same request can succeed.
    ///
    /// A known code has its row's class, with one refinement: a signature error whose message says
    /// that the signature is expired or not yet current is a matter of the clock. Of unknown codes
    /// those under 429 are throttled, those under 408, 500, 502, 503 and 504 transient, and the
    /// others permanent.
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
        match self.row() {
            Some(row) if row.topic == Topic::Credentials && self.tells_of_skew() => {
                RetryClass::ClockSkew
            }
            Some(row) => row.class,
            None => match self.status() {
                429 => RetryClass::Throttled,
                408 | 500 | 502 | 503 | 504 => RetryClass::Transient,
                _ => RetryClass::Permanent,
            },
        }
    }

    /// What a person can do about it, if the code is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        self.row().map(|row| row.advice)
    }

    /// Whether the service had too much to do: `TooManyRequestsException`, `ThrottlingException`,
    /// `EC2ThrottledException` or an unknown code under 429.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        self.retry_class() == RetryClass::Throttled
    }

    /// Whether the request was too large: the model's `RequestTooLargeException` and
    /// `SerializedRequestEntityTooLargeException`, `RequestEntityTooLargeException`, which the
    /// service really sends, or an unknown code under 413.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.is_about(Topic::Size, 413)
    }

    /// Whether the function, version or alias does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.row().is_some_and(|row| row.topic == Topic::NotFound)
    }

    /// Whether the caller may not do this.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.row().is_some_and(|row| row.topic == Topic::Permission)
    }

    /// Whether the service did not accept who the caller is: a missing, wrong or expired key,
    /// token or signature, or a skewed clock.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.is_about(Topic::Credentials, 401)
    }

    /// Whether the request's date is too far from the service's.
    #[must_use]
    pub fn is_clock_skew(&self) -> bool {
        self.retry_class() == RetryClass::ClockSkew
    }

    /// Whether the function will be able to run when it has got ready.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.retry_class() == RetryClass::Pending
    }

    /// Whether the same request will go on failing until somebody changes something.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.retry_class() == RetryClass::Permanent
    }

    fn is_about(&self, topic: Topic, status: u16) -> bool {
        self.row()
            .map_or(self.status() == status, |row| row.topic == topic)
    }

    fn believed_row(&self) -> Option<&'static Row> {
        let same_hundred = |row: &&Row| row.status / 100 == self.status() / 100;
        self.row()
            .filter(|row| row.class == RetryClass::Throttled || same_hundred(row))
    }

    fn tells_of_skew(&self) -> bool {
        self.message().is_some_and(|message| {
            message.starts_with("Signature expired")
                || message.starts_with("Signature not yet current")
        })
    }
}
