//! One error of the table, and how to find it.

use crate::service_error::ServiceError;
use crate::table::KNOWN_ERRORS;
use crate::{Category, ErrorType, Execution, Fault, Operation, Origin, RetryClass};

/// An error that the service is known to return: what it means, what to do about it, and what it
/// says about the execution.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{Execution, RetryClass, lookup};
///
/// let known = lookup("InvalidZipFileException").unwrap();
/// assert_eq!(known.status, 502);
/// // Although it is a 502, it does not pass on its own.
/// assert_eq!(known.class, RetryClass::Permanent);
/// assert_eq!(known.execution, Execution::NotStarted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KnownError {
    /// The code as the service sends it.
    pub code: &'static str,
    /// Other spellings of the code: the one in the published reference, if the service sends
    /// another, and the ones that older API generations and related services use.
    pub aliases: &'static [&'static str],
    /// The HTTP status that the service returns with it.
    pub status: u16,
    /// Whose fault the error is.
    pub fault: Fault,
    /// Where the error is documented or was observed.
    pub origin: Origin,
    /// What the error is about.
    pub category: Category,
    /// The operations that can return it.
    pub operations: &'static [Operation],
    /// What has to happen before the same request can succeed.
    pub class: RetryClass,
    /// What the error says about the execution.
    pub execution: Execution,
    /// The name of the body's member with the message: `message` or `Message`.
    pub message_member: &'static str,
    /// Whether the body has a member `Type`.
    pub has_type: bool,
    /// What happened, in a sentence.
    pub meaning: &'static str,
    /// What a person can do about it.
    pub advice: &'static str,
    /// Why it has its class and its execution.
    pub reason: &'static str,
}

impl KnownError {
    /// Creates an error with this code, its status and type, and the given message, for an endpoint
    /// to return.
    ///
    /// # Example
    ///
    /// ```
    /// let known = lambda_invoke_error::lookup("ResourceNotFoundException").unwrap();
    /// let response = known.error("Function not found: hello").render();
    /// assert_eq!(response.status, 404);
    /// assert_eq!(response.body, br#"{"Message":"Function not found: hello","Type":"User"}"#);
    /// ```
    #[must_use]
    pub fn error(&self, message: &str) -> ServiceError {
        let error = ServiceError::bare(self.code.into(), self.status).with_message(message);
        if self.has_type {
            error.with_type(self.default_type())
        } else {
            error
        }
    }

    /// Whether `operation` can return this error.
    #[must_use]
    pub fn applies_to(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether `code` is this error's code or an alias of it.
    #[must_use]
    pub const fn has_code(&self, code: &str) -> bool {
        self.spelling(code).is_some()
    }

    /// Finds `code` among this error's code and aliases.
    pub(crate) const fn spelling(&self, code: &str) -> Option<&'static str> {
        if equal(self.code, code) {
            return Some(self.code);
        }
        let mut rest = self.aliases;
        while let Some((alias, others)) = rest.split_first() {
            if equal(alias, code) {
                return Some(alias);
            }
            rest = others;
        }
        None
    }

    fn default_type(&self) -> ErrorType {
        match self.fault {
            Fault::Sender => ErrorType::User,
            Fault::Server => ErrorType::Service,
        }
    }
}

/// Returns every known error, grouped by [`Category`].
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{Operation, Origin, known_errors};
///
/// let modelled = known_errors().iter().filter(|known| known.origin == Origin::Modelled);
/// assert_eq!(modelled.clone().count(), 45);
/// let streaming = modelled.filter(|known| known.applies_to(Operation::InvokeWithResponseStream));
/// assert_eq!(streaming.count(), 42);
/// ```
#[must_use]
pub const fn known_errors() -> &'static [KnownError] {
    &KNOWN_ERRORS
}

/// Finds the known error with this code, under any of its spellings. Case matters, as it does to the
/// SDKs.
///
/// An endpoint that returns a certain error can look it up at compile time, so that a wrong code
/// does not compile.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{KnownError, lookup};
///
/// const NOT_FOUND: &KnownError = lookup("ResourceNotFoundException").unwrap();
/// assert_eq!(NOT_FOUND.status, 404);
///
/// assert_eq!(lookup("IncompleteSignature").unwrap().code, "IncompleteSignatureException");
/// assert!(lookup("SomethingNewException").is_none());
/// ```
#[must_use]
pub const fn lookup(code: &str) -> Option<&'static KnownError> {
    let mut rest = known_errors();
    while let Some((known, others)) = rest.split_first() {
        if known.has_code(code) {
            return Some(known);
        }
        rest = others;
    }
    None
}

/// `==` for a `const fn`.
const fn equal(a: &str, b: &str) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some((x, more_a)), Some((y, more_b))) = (a.split_first(), b.split_first()) {
        if *x != *y {
            return false;
        }
        (a, b) = (more_a, more_b);
    }
    true
}
