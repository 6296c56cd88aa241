//! The two operations, and what differs between them.

use std::fmt;

use lambda_invoke_error::Operation;
use lambda_invoke_input::{DurableExecutionName, InvocationType};

use super::RequestError;
use crate::invocation_type::StreamInvocationType;
use crate::path::{self, Template};
use crate::response::Expected;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Invoke {}
    impl Sealed for super::Stream {}
}

/// One of the two operations, [`Invoke`] or [`Stream`]: the type parameter of
/// [`Request`](super::Request).
///
/// Sealed, since the service has only these two.
pub trait InvokeOperation:
    sealed::Sealed + Copy + Default + fmt::Debug + Eq + Send + Sync + 'static
{
    /// The operation's invocation types.
    type InvocationType: Copy
        + Default
        + fmt::Debug
        + Eq
        + Send
        + Sync
        + Into<InvocationType>
        + Into<Expected>;

    /// The name of a durable execution; a type without values if the operation does not support it.
    ///
    /// It owns its text: a type with the request's lifetime would make requests invariant in that
    /// lifetime.
    type DurableExecutionName: AsRef<str> + Clone + fmt::Debug + Eq + Send + Sync;

    /// The operation's name in the service's model.
    const OPERATION: Operation;

    /// The invocation type that checks a call without running the function.
    const DRY_RUN: Self::InvocationType;
}

/// `Invoke`: returns the whole response at once, or queues an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a marker type")]
pub struct Invoke;

/// `InvokeWithResponseStream`: sends the response while the function writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a marker type")]
pub struct Stream;

impl InvokeOperation for Invoke {
    type InvocationType = InvocationType;
    type DurableExecutionName = DurableExecutionName<'static>;

    const OPERATION: Operation = Operation::Invoke;
    const DRY_RUN: InvocationType = InvocationType::DryRun;
}

impl InvokeOperation for Stream {
    type InvocationType = StreamInvocationType;
    type DurableExecutionName = Unsupported;

    const OPERATION: Operation = Operation::InvokeWithResponseStream;
    const DRY_RUN: StreamInvocationType = StreamInvocationType::DryRun;
}

/// The type of a member that an operation does not have. It has no values, so the member cannot be
/// set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum Unsupported {}

impl AsRef<str> for Unsupported {
    fn as_ref(&self) -> &str {
        match *self {}
    }
}

impl TryFrom<InvocationType> for StreamInvocationType {
    type Error = RequestError;

    fn try_from(general: InvocationType) -> Result<Self, RequestError> {
        match general {
            InvocationType::RequestResponse => Ok(Self::RequestResponse),
            InvocationType::DryRun => Ok(Self::DryRun),
            other => Err(RequestError::NotForStream {
                invocation_type: other,
            }),
        }
    }
}

const INVOKE_TYPES: &[&str] = &[
    InvocationType::RequestResponse.as_str(),
    InvocationType::Event.as_str(),
    InvocationType::DryRun.as_str(),
];

const STREAM_TYPES: &[&str] = &[
    StreamInvocationType::RequestResponse.as_str(),
    StreamInvocationType::DryRun.as_str(),
];

/// Returns the values of `X-Amz-Invocation-Type` that an operation supports.
pub(super) const fn invocation_types(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::InvokeWithResponseStream => STREAM_TYPES,
        _ => INVOKE_TYPES,
    }
}

/// Returns an operation's path.
pub(super) const fn template(operation: Operation) -> Template {
    match operation {
        Operation::InvokeWithResponseStream => path::STREAM,
        _ => path::INVOKE,
    }
}
