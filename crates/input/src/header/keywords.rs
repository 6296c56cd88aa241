//! Header values that are one of a fixed set.

use core::fmt;
use core::str::FromStr;

use crate::error::{InputError, Member};
use crate::limits;

/// How a function is invoked: the value of `X-Amz-Invocation-Type`.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::InvocationType;
///
/// assert_eq!("Event".parse(), Ok(InvocationType::Event));
/// assert_eq!(InvocationType::default(), InvocationType::RequestResponse);
///
/// let error = "event".parse::<InvocationType>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "unknown invocation type, expected RequestResponse, Event or DryRun",
/// );
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InvocationType {
    /// Runs the function and waits for the response. The default without the header.
    #[default]
    RequestResponse,
    /// Queues the event. Not for `InvokeWithResponseStream`.
    Event,
    /// Checks parameters and permission without running the function.
    DryRun,
}

impl InvocationType {
    pub(crate) const KEYWORDS: &'static [&'static str] = &[
        Self::RequestResponse.as_str(),
        Self::Event.as_str(),
        Self::DryRun.as_str(),
    ];

    /// Returns the header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestResponse => "RequestResponse",
            Self::Event => "Event",
            Self::DryRun => "DryRun",
        }
    }

    /// Returns the maximum payload of a request of this type, in bytes.
    #[must_use]
    pub const fn max_payload(self) -> usize {
        match self {
            Self::RequestResponse | Self::DryRun => limits::REQUEST_PAYLOAD,
            Self::Event => limits::EVENT_PAYLOAD,
        }
    }
}

impl FromStr for InvocationType {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        [Self::RequestResponse, Self::Event, Self::DryRun]
            .into_iter()
            .find(|value| value.as_str() == text)
            .ok_or(InputError::Unknown {
                member: Member::InvocationType,
                expected: Self::KEYWORDS,
            })
    }
}

impl fmt::Display for InvocationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether the response includes the end of the log: the value of `X-Amz-Log-Type`.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::LogType;
///
/// assert_eq!("Tail".parse(), Ok(LogType::Tail));
/// assert_eq!(LogType::Tail.to_string(), "Tail");
/// assert!("tail".parse::<LogType>().is_err());
/// ```
#[expect(clippy::exhaustive_enums, reason = "the model has these two")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LogType {
    /// No log. The default without the header.
    #[default]
    None,
    /// The last 4 KiB of the log. Not with [`InvocationType::Event`].
    Tail,
}

impl LogType {
    pub(crate) const KEYWORDS: &'static [&'static str] =
        &[Self::None.as_str(), Self::Tail.as_str()];

    /// Returns the header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Tail => "Tail",
        }
    }
}

impl FromStr for LogType {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        [Self::None, Self::Tail]
            .into_iter()
            .find(|value| value.as_str() == text)
            .ok_or(InputError::Unknown {
                member: Member::LogType,
                expected: Self::KEYWORDS,
            })
    }
}

impl fmt::Display for LogType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
