//! Requests of a runtime or an extension that are rejected.

use bytes::Bytes;

use crate::limits::MAX_RESPONSE;

/// Why a request of a runtime or an extension is rejected, with the status and type that the official
/// emulator sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such path.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// No invocation with this id is running.
    InvalidRequestId,
    /// The request is not possible now.
    InvalidStateTransition,
    /// The response mode is not `streaming`.
    InvalidResponseMode,
    /// The body is larger than a response may be.
    TooLarge,
    /// The invocation with this invocation id is over.
    InvokeTimeout,
    /// The extension has no name.
    InvalidExtensionName,
    /// The registration of the extension is not JSON.
    InvalidRegistration,
    /// An extension asks for an event that does not exist.
    InvalidEventType,
    /// Extensions cannot register after the initialization.
    RegistrationClosed,
    /// The request of an extension has no identifier.
    MissingExtensionIdentifier,
    /// There is no extension with this identifier.
    UnknownExtension,
    /// The maximum number of extensions is reached.
    TooManyExtensions,
}

impl Rejection {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::InvalidRequestId | Self::InvalidResponseMode => 400,
            Self::InvalidStateTransition
            | Self::InvalidExtensionName
            | Self::InvalidRegistration
            | Self::InvalidEventType
            | Self::RegistrationClosed
            | Self::MissingExtensionIdentifier
            | Self::UnknownExtension
            | Self::TooManyExtensions => 403,
            Self::TooLarge => 413,
            Self::InvokeTimeout => 410,
        }
    }

    /// The `errorType` of the body.
    #[must_use]
    pub const fn error_type(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::InvalidRequestId => "InvalidRequestID",
            Self::InvalidStateTransition => "InvalidStateTransition",
            Self::InvalidResponseMode => "InvalidFunctionResponseMode",
            Self::TooLarge => "RequestEntityTooLarge",
            Self::InvokeTimeout => "ErrorRuntimeInvokeTimeout",
            Self::InvalidExtensionName => "Extension.InvalidExtensionName",
            Self::InvalidRegistration => "InvalidRequestFormat",
            Self::InvalidEventType => "Extension.InvalidEventType",
            Self::RegistrationClosed => "Extension.RegistrationClosed",
            Self::MissingExtensionIdentifier => "Extension.MissingExtensionIdentifier",
            Self::UnknownExtension => "Extension.UnknownExtensionIdentifier",
            Self::TooManyExtensions => "Extension.TooManyExtensions",
        }
    }

    /// The JSON body.
    #[must_use]
    pub fn body(self) -> Bytes {
        let message = match self {
            Self::NotFound => "404 page not found".to_owned(),
            Self::MethodNotAllowed => "Method not allowed".to_owned(),
            Self::InvalidRequestId => "Invalid request ID".to_owned(),
            Self::InvalidStateTransition => "State transition is not allowed".to_owned(),
            Self::InvalidResponseMode => "Invalid function response mode".to_owned(),
            Self::TooLarge => {
                format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).")
            }
            Self::InvokeTimeout => "The invocation is over".to_owned(),
            Self::InvalidExtensionName => "Empty extension name".to_owned(),
            Self::InvalidRegistration => "The registration is not JSON".to_owned(),
            Self::InvalidEventType => "Extensions can register for INVOKE and SHUTDOWN".to_owned(),
            Self::RegistrationClosed => "Extension registration closed already".to_owned(),
            Self::MissingExtensionIdentifier => {
                "Missing Lambda-Extension-Identifier header".to_owned()
            }
            Self::UnknownExtension => "Unknown extension identifier".to_owned(),
            Self::TooManyExtensions => "Extension limit reached".to_owned(),
        };
        let json = serde_json::json!({ "errorMessage": message, "errorType": self.error_type() });
        json.to_string().into()
    }
}
