//! The ARN of a durable execution.

use alloc::borrow::Cow;

use crate::diagnosis;
use crate::error::{InputError, Member};
use crate::grammar::{DurableExecutionArnParts, Language, whole_durable_execution_arn};
use crate::limits;
use crate::text::{check_length, impl_text};

/// The ARN of a durable execution: the value of `X-Amz-Durable-Execution-Arn` in a response.
///
/// 1 to 1,024 characters ([`DURABLE_EXECUTION_ARN`](crate::patterns::DURABLE_EXECUTION_ARN)).
///
/// # Example
///
/// ```
/// use lambda_invoke_input::DurableExecutionArn;
///
/// let arn = DurableExecutionArn::try_from(
///     "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:7/durable-execution/order-4711/0a1b",
/// )?;
/// assert_eq!(arn.function(), "thumbnail");
/// assert_eq!(arn.version(), "7");
/// assert_eq!(arn.name(), "order-4711");
/// assert_eq!(arn.id(), "0a1b");
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DurableExecutionArn<'a> {
    text: Cow<'a, str>,
    /// The length of each part, in the order of [`LITERALS`].
    lengths: [usize; 7],
}

/// The text before each part: partition, region, account, function, version, name, id.
const LITERALS: [&str; 7] = [
    "arn:",
    ":lambda:",
    ":",
    ":function:",
    ":",
    "/durable-execution/",
    "/",
];

impl<'a> DurableExecutionArn<'a> {
    /// Returns the whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the partition, such as `aws`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// Returns the region, such as `eu-west-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(1)
    }

    /// Returns the account id, which has twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(2)
    }

    /// Returns the function's own name.
    #[must_use]
    pub fn function(&self) -> &str {
        self.part(3)
    }

    /// Returns the function's version: `$LATEST`, `$LATEST.PUBLISHED` or digits.
    #[must_use]
    pub fn version(&self) -> &str {
        self.part(4)
    }

    /// Returns the name of the execution, which the caller chose, or else the service.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(5)
    }

    /// Returns the id that the service gave the execution.
    #[must_use]
    pub fn id(&self) -> &str {
        self.part(6)
    }

    /// Copies what is borrowed, so that the value borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> DurableExecutionArn<'static> {
        DurableExecutionArn {
            text: Cow::Owned(self.text.into_owned()),
            lengths: self.lengths,
        }
    }

    fn part(&self, wanted: usize) -> &str {
        let mut start = 0_usize;
        for (index, (literal, length)) in LITERALS.iter().zip(self.lengths).enumerate() {
            start = start.saturating_add(literal.len());
            let end = start.saturating_add(length);
            if index == wanted {
                return self.text.get(start..end).unwrap_or_default();
            }
            start = end;
        }
        ""
    }

    fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
        const MEMBER: Member = Member::DurableExecutionArn;
        check_length(MEMBER, &text, limits::DURABLE_EXECUTION_ARN)?;
        let Some(DurableExecutionArnParts {
            partition,
            region,
            account,
            function,
            version,
            name,
            id,
        }) = whole_durable_execution_arn(text.as_bytes())
        else {
            return Err(diagnosis::unexpected(
                MEMBER,
                Language::DurableExecutionArn,
                &text,
            ));
        };
        let lengths = [partition, region, account, function, version, name, id].map(<[u8]>::len);
        Ok(Self { text, lengths })
    }

    fn into_text(self) -> Cow<'a, str> {
        self.text
    }
}

impl_text!(DurableExecutionArn);
