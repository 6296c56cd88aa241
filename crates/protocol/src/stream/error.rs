//! Why a message cannot be read as an event.

use std::fmt;

/// Why a message cannot be read as an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// A header that identifies the event is missing.
    MissingHeader {
        /// The header.
        name: &'static str,
    },
    /// A header that identifies the event is not a string.
    HeaderNotString {
        /// The header.
        name: &'static str,
    },
    /// A header that identifies the event occurs more than once.
    RepeatedHeader {
        /// The header.
        name: &'static str,
    },
    /// `:message-type` is not `event`, `exception` or `error`. Only an event may be skipped.
    UnknownMessageType,
    /// `:event-type` is the name of a known event in another letter case. Skipping it could skip a part
    /// of the payload.
    EventTypeCase,
    /// The payload of `InvokeComplete` is not a JSON object.
    InvokeCompleteNotObject {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member of `InvokeComplete` is not a string.
    InvokeCompleteMember {
        /// The member.
        name: &'static str,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader { name } => {
                write!(f, "the service sent a message without the header {name}")
            }
            Self::HeaderNotString { name } => {
                write!(
                    f,
                    "the service sent a message whose header {name} is not a string"
                )
            }
            Self::RepeatedHeader { name } => {
                write!(
                    f,
                    "the service sent a message with more than one header {name}"
                )
            }
            Self::UnknownMessageType => f.write_str(
                "the service sent a message whose :message-type is not event, exception or error",
            ),
            Self::EventTypeCase => f.write_str(
                "the service sent an event whose :event-type differs from PayloadChunk or \
                 InvokeComplete only in letter case",
            ),
            Self::InvokeCompleteNotObject { line, column } => write!(
                f,
                "the service's InvokeComplete is not a JSON object: line {line}, column {column}"
            ),
            Self::InvokeCompleteMember { name } => {
                write!(
                    f,
                    "the service's InvokeComplete has a member {name} that is not a string"
                )
            }
        }
    }
}

impl std::error::Error for EventError {}
