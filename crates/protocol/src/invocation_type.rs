//! The invocation types of the stream operation, which requests and responses share.

use lambda_invoke_input::InvocationType;

/// The invocation type of `InvokeWithResponseStream`. It has no `Event`, since a queued execution
/// has no caller to stream to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the model has these two")]
pub enum StreamInvocationType {
    /// Run the function and stream its response. An absent header means the same.
    #[default]
    RequestResponse,
    /// Check the parameters and the permission; run nothing.
    DryRun,
}

impl StreamInvocationType {
    /// Returns the value on the wire.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streams_type_is_the_same_word_as_that_of_a_buffered_call() {
        for (streaming, word) in [
            (StreamInvocationType::RequestResponse, "RequestResponse"),
            (StreamInvocationType::DryRun, "DryRun"),
        ] {
            assert_eq!(streaming.as_str(), word);
            let buffered = InvocationType::from(streaming);
            assert_eq!(buffered.as_str(), word);
            assert_eq!(
                StreamInvocationType::try_from(buffered).ok(),
                Some(streaming)
            );
        }
    }
}
