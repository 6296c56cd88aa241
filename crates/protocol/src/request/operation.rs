//! What differs between the two operations.

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

/// One of the two operations, [`Invoke`] or [`Stream`]: what a [`Request`](super::Request) is
/// generic over.
///
/// Sealed: the service has these two.
pub trait InvokeOperation:
    sealed::Sealed + Copy + Default + fmt::Debug + Eq + Send + Sync + 'static
{
    /// The ways in which this operation can invoke.
    type InvocationType: Copy
        + Default
        + fmt::Debug
        + Eq
        + Send
        + Sync
        + Into<InvocationType>
        + Into<Expected>;

    /// The name of a durable execution; without values for an operation that has none.
    type DurableExecutionName<'a>: AsRef<str> + Clone + fmt::Debug + Eq + Send + Sync;

    /// The operation's name in the service's model.
    const OPERATION: Operation;

    /// The invocation type that checks a call without running the function.
    const DRY_RUN: Self::InvocationType;

    /// Detaches the name of a durable execution from the text that it borrows.
    fn own_durable_execution_name(
        name: Self::DurableExecutionName<'_>,
    ) -> Self::DurableExecutionName<'static>;
}

/// `Invoke`: the whole response at once, or an event that is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a marker without members")]
pub struct Invoke;

/// `InvokeWithResponseStream`: the response while the function writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a marker without members")]
pub struct Stream;

impl InvokeOperation for Invoke {
    type InvocationType = InvocationType;
    type DurableExecutionName<'a> = DurableExecutionName<'a>;

    const OPERATION: Operation = Operation::Invoke;
    const DRY_RUN: InvocationType = InvocationType::DryRun;

    fn own_durable_execution_name(name: DurableExecutionName<'_>) -> DurableExecutionName<'static> {
        name.into_owned()
    }
}

impl InvokeOperation for Stream {
    type InvocationType = StreamInvocationType;
    type DurableExecutionName<'a> = Unsupported;

    const OPERATION: Operation = Operation::InvokeWithResponseStream;
    const DRY_RUN: StreamInvocationType = StreamInvocationType::DryRun;

    fn own_durable_execution_name(name: Unsupported) -> Unsupported {
        name
    }
}

/// A member that an operation does not have: a type without values, so that it cannot be set.
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

/// The values of `X-Amz-Invocation-Type` that an operation has.
pub(super) const fn invocation_types(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::InvokeWithResponseStream => STREAM_TYPES,
        _ => INVOKE_TYPES,
    }
}

/// The path of an operation.
pub(super) const fn template(operation: Operation) -> Template {
    match operation {
        Operation::InvokeWithResponseStream => path::STREAM,
        Operation::InvokeAsync => path::INVOKE_ASYNC,
        _ => path::INVOKE,
    }
}
