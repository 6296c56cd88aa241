//! Why a value was rejected: which one, where, and what would have been right.

use core::error::Error;
use core::fmt;

use crate::expected::Expected;
use crate::mistake::Mistake;

/// A value of a request or a response, named after its member in the service's model.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// `FunctionName`, in the path.
    FunctionName,
    /// `Qualifier`, in the query.
    Qualifier,
    /// `ClientContext`, a header.
    ClientContext,
    /// `TenantId`, a header.
    TenantId,
    /// `DurableExecutionName`, a header.
    DurableExecutionName,
    /// `InvocationType`, a header.
    InvocationType,
    /// `LogType`, a header.
    LogType,
    /// `ExecutedVersion`, a header of the response.
    ExecutedVersion,
    /// `DurableExecutionArn`, a header of the response.
    DurableExecutionArn,
}

impl Member {
    /// Returns the name as the service's messages write it: `functionName`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FunctionName => "functionName",
            Self::Qualifier => "qualifier",
            Self::ClientContext => "clientContext",
            Self::TenantId => "tenantId",
            Self::DurableExecutionName => "durableExecutionName",
            Self::InvocationType => "invocationType",
            Self::LogType => "logType",
            Self::ExecutedVersion => "executedVersion",
            Self::DurableExecutionArn => "durableExecutionArn",
        }
    }
}

/// Writes the name in plain words: `function name`.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FunctionName => "function name",
            Self::Qualifier => "qualifier",
            Self::ClientContext => "client context",
            Self::TenantId => "tenant id",
            Self::DurableExecutionName => "durable execution name",
            Self::InvocationType => "invocation type",
            Self::LogType => "log type",
            Self::ExecutedVersion => "executed version",
            Self::DurableExecutionArn => "durable execution ARN",
        })
    }
}

/// A rejected value: [which one](Self::member), [where](Self::offset), and what was expected.
///
/// It does not contain the value itself. [`snippet`](Self::snippet) shows the place, given the value.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, InputError, Mistake};
///
/// let text = "arn:aws:lambda:EU-WEST-1:123456789012:function:thumbnail";
/// let error = FunctionName::try_from(text).unwrap_err();
/// assert!(matches!(
///     error,
///     InputError::Unexpected { mistake: Some(Mistake::UpperCase(_)), span: (15, 24), .. }
/// ));
/// assert_eq!(
///     error.to_string(),
///     "invalid function name: a region in upper case at bytes 15 to 24, expected lower case",
/// );
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputError {
    /// The value is empty, which is not allowed.
    #[non_exhaustive]
    Empty {
        /// Which value.
        member: Member,
    },
    /// The value is too long.
    #[non_exhaustive]
    TooLong {
        /// Which value.
        member: Member,
        /// Its length in characters.
        length: usize,
        /// The maximum length in characters.
        limit: usize,
    },
    /// The function name is too long for a name without an ARN, region, account, `function:` or
    /// qualifier. The service returns 404 for it, since no function can have such a name.
    #[non_exhaustive]
    BareNameTooLong {
        /// Its length in characters.
        length: usize,
        /// The maximum length in characters.
        limit: usize,
    },
    /// There is an unexpected character, or the value ends unexpectedly.
    #[non_exhaustive]
    Unexpected {
        /// Which value.
        member: Member,
        /// The byte offset at which the value goes wrong: the text before it could be completed to
        /// an accepted value.
        offset: usize,
        /// The character at the offset; `None` if the value ends there.
        found: Option<char>,
        /// What was expected at the offset.
        expected: Expected,
        /// The mistake that explains the whole value, if it is a common one.
        mistake: Option<Mistake>,
        /// The bytes of the mistake, or else of the unexpected character: start and end.
        span: (usize, usize),
    },
    /// The value is not one of a fixed set.
    #[non_exhaustive]
    Unknown {
        /// Which value.
        member: Member,
        /// The set.
        expected: &'static [&'static str],
    },
}

impl InputError {
    /// Returns which value was rejected.
    #[must_use]
    pub const fn member(&self) -> Member {
        match self {
            Self::BareNameTooLong { .. } => Member::FunctionName,
            Self::Empty { member }
            | Self::TooLong { member, .. }
            | Self::Unexpected { member, .. }
            | Self::Unknown { member, .. } => *member,
        }
    }

    /// Returns the byte offset at which the value goes wrong. For a value that is too long, this is
    /// the first character beyond the limit, counted as ASCII.
    #[must_use]
    pub const fn offset(&self) -> usize {
        match self {
            Self::Empty { .. } | Self::Unknown { .. } => 0,
            Self::TooLong { limit, .. } | Self::BareNameTooLong { limit, .. } => *limit,
            Self::Unexpected { offset, .. } => *offset,
        }
    }

    /// Returns what was expected at the offset, for an unexpected character or end.
    #[must_use]
    pub const fn expected(&self) -> Option<Expected> {
        match self {
            Self::Unexpected { expected, .. } => Some(*expected),
            _ => None,
        }
    }

    /// Returns the mistake that explains the whole value, if it is a common one.
    #[must_use]
    pub const fn mistake(&self) -> Option<Mistake> {
        match self {
            Self::Unexpected { mistake, .. } => *mistake,
            _ => None,
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { member } => {
                write!(f, "invalid {member}: empty, expected at least 1 character")
            }
            Self::TooLong {
                member,
                length,
                limit,
            } => {
                write!(
                    f,
                    "invalid {member}: {length} characters, expected at most {limit}"
                )
            }
            Self::BareNameTooLong { length, limit } => write!(
                f,
                "invalid function name: {length} characters, expected at most {limit} in a name \
                 without region, account and qualifier"
            ),
            Self::Unexpected {
                member,
                mistake: Some(mistake),
                span,
                ..
            } if *mistake != Mistake::ExtraPart => {
                write!(f, "invalid {member}: ")?;
                mistake.describe(*span, f)
            }
            Self::Unexpected {
                member,
                offset,
                found,
                expected,
                mistake,
                span: (start, end),
            } => {
                write!(f, "invalid {member}: ")?;
                match found {
                    Some(found) => write!(f, "{found:?} at byte {offset}")?,
                    None => write!(f, "ends at byte {offset}")?,
                }
                write!(f, ", expected {expected}")?;
                match mistake {
                    Some(_) => write!(f, "; bytes {start} to {end} were read as the name"),
                    None => Ok(()),
                }
            }
            Self::Unknown { member, expected } => {
                write!(f, "unknown {member}, expected ")?;
                for (index, keyword) in expected.iter().enumerate() {
                    let separator = match expected.len().saturating_sub(index) {
                        _ if index == 0 => "",
                        1 => " or ",
                        _ => ", ",
                    };
                    write!(f, "{separator}{keyword}")?;
                }
                Ok(())
            }
        }
    }
}

impl Error for InputError {}

/// The qualifier in a function name differs from the `Qualifier` parameter.
///
/// The service returns 400 `InvalidParameterValueException` with [`MESSAGE`](Self::MESSAGE).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifierMismatch {
    /// The byte offset of the qualifier in the function name.
    pub offset: usize,
}

impl QualifierMismatch {
    /// The service's message.
    pub const MESSAGE: &'static str =
        "The derived qualifier from the function name does not match the specified qualifier.";
}

impl fmt::Display for QualifierMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the qualifier in the function name, at byte {}, differs from the qualifier parameter",
            self.offset
        )
    }
}

impl Error for QualifierMismatch {}
