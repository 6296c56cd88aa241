//! The resources of Lambda that are not functions.

use core::fmt;

/// A resource of Lambda that has an ARN and is not a function.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtherResource {
    /// `layer:NAME`, or `layer:NAME:VERSION`.
    Layer,
    /// `event-source-mapping:UUID`.
    EventSourceMapping,
    /// `code-signing-config:ID`.
    CodeSigningConfig,
    /// `capacity-provider:NAME`.
    CapacityProvider,
    /// `function:NAME:VERSION/durable-execution/NAME/ID`, which is a
    /// [`DurableExecutionArn`](crate::DurableExecutionArn).
    DurableExecution,
}

impl OtherResource {
    /// The resource whose ARNs have this in the place of `function`.
    pub(crate) fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "layer" => Self::Layer,
            "event-source-mapping" => Self::EventSourceMapping,
            "code-signing-config" => Self::CodeSigningConfig,
            "capacity-provider" => Self::CapacityProvider,
            _ => return None,
        })
    }
}

/// Writes the resource with an article: `a layer`.
impl fmt::Display for OtherResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Layer => "a layer",
            Self::EventSourceMapping => "an event source mapping",
            Self::CodeSigningConfig => "a code signing configuration",
            Self::CapacityProvider => "a capacity provider",
            Self::DurableExecution => "a durable execution",
        })
    }
}
