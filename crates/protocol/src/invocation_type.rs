//! How the stream operation can invoke. Requests carry it; a response is read in its light.

use lambda_invoke_input::InvocationType;

/// How `InvokeWithResponseStream` can invoke. It has no `Event`: a queued execution has no caller to
/// stream to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the model has these two")]
pub enum StreamInvocationType {
    /// Run the function and stream its response. What an absent header means.
    #[default]
    RequestResponse,
    /// Check the parameters and the permission; run nothing.
    DryRun,
}

impl StreamInvocationType {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestResponse => "RequestResponse",
            Self::DryRun => "DryRun",
        }
    }
}

impl From<StreamInvocationType> for InvocationType {
    fn from(streaming: StreamInvocationType) -> Self {
        match streaming {
            StreamInvocationType::RequestResponse => Self::RequestResponse,
            StreamInvocationType::DryRun => Self::DryRun,
        }
    }
}
