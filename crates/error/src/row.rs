//! A row of the table, and how to find one.

use crate::service_error::ServiceError;
use crate::table::TABLE;
use crate::{ErrorType, Execution, Fault, Operation, Origin, RetryClass, Topic};

/// One error that the service answers with: what it means, what to do about it, and what it says
/// of the execution.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{Execution, RetryClass, lookup};
///
/// let row = lookup("InvalidZipFileException").unwrap();
/// assert_eq!(row.status, 502);
/// // A 502 all the same, it will not pass by itself.
/// assert_eq!(row.class, RetryClass::Permanent);
/// assert_eq!(row.execution, Execution::NotStarted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Row {
    /// The code as the service sends it.
    pub code: &'static str,
    /// Other spellings of the same code: the published reference's where the service's own is
    /// different, and those of older generations and neighbouring services.
    pub aliases: &'static [&'static str],
    /// The HTTP status that the service answers with.
    pub status: u16,
    /// Whose fault it is.
    pub fault: Fault,
    /// Where it is known from.
    pub origin: Origin,
    /// What it is about.
    pub topic: Topic,
    /// The operations that can answer with it.
    pub operations: &'static [Operation],
    /// What has to happen before the same request can succeed.
    pub class: RetryClass,
    /// What it says of the execution.
    pub execution: Execution,
    /// The name of the body's member with the message: `message` or `Message`.
    pub message_member: &'static str,
    /// Whether the body has a member `Type`.
    pub typed: bool,
    /// What happened, in a sentence.
    pub meaning: &'static str,
    /// What a person can do about it.
    pub advice: &'static str,
    /// Why it has its class and its execution.
    pub reason: &'static str,
}

impl Row {
    /// This error with the row's status and type and with a message, for an endpoint to answer.
    ///
    /// # Example
    ///
    /// ```
    /// let row = lambda_invoke_error::lookup("ResourceNotFoundException").unwrap();
    /// let answer = row.error("Function not found: hello").render();
    /// assert_eq!(answer.status, 404);
    /// assert_eq!(answer.body, br#"{"Message":"Function not found: hello","Type":"User"}"#);
    /// ```
    #[must_use]
    pub fn error(&self, message: &str) -> ServiceError {
        let error = ServiceError::bare(self.code.into(), self.status).with_message(message);
        if self.typed {
            error.with_type(self.default_type())
        } else {
            error
        }
    }

    /// Whether `operation` can answer with this error.
    #[must_use]
    pub fn applies_to(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether `code` is this row's code or one of its other spellings.
    #[must_use]
    pub fn is_called(&self, code: &str) -> bool {
        self.code == code || self.aliases.contains(&code)
    }

    fn default_type(&self) -> ErrorType {
        match self.fault {
            Fault::Sender => ErrorType::User,
            Fault::Server => ErrorType::Service,
        }
    }
}

/// Every known error, grouped by [`Topic`].
///
/// # Example
///
/// ```
/// use lambda_invoke_error::{Operation, Origin, table};
///
/// let modelled = table().iter().filter(|row| row.origin == Origin::Modelled);
/// assert_eq!(modelled.clone().count(), 45);
/// let streaming = modelled.filter(|row| row.applies_to(Operation::InvokeWithResponseStream));
/// assert_eq!(streaming.count(), 42);
/// ```
#[must_use]
pub fn table() -> &'static [Row] {
    &TABLE
}

/// The row with this code, under any of its spellings. Case matters, as it does to the SDKs.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::lookup;
///
/// assert_eq!(lookup("IncompleteSignature").unwrap().code, "IncompleteSignatureException");
/// assert!(lookup("SomethingNewException").is_none());
/// ```
#[must_use]
pub fn lookup(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.is_called(code))
}
