//! The ARN of a durable execution, in an answer.

use alloc::borrow::Cow;

use crate::diagnosis;
use crate::error::{InputError, Member};
use crate::grammar::{DurableExecutionArnParts, Language, whole_durable_execution_arn};
use crate::limits;
use crate::text::{check_length, impl_text};

/// The ARN of a durable execution: the value of an answer's `X-Amz-Durable-Execution-Arn`.
///
/// 1 to 1,024 characters ([`DURABLE_EXECUTION_ARN`](crate::patterns::DURABLE_EXECUTION_ARN)).
///
/// # Example
///
/// ```
/// use lambda_invoke_input::DurableExecutionArn;
///
/// let arn = DurableExecutionArn::parse(
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

/// What stands before each part: partition, region, account, function, version, name, id.
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
    /// Parses the header's value.
    ///
    /// # Errors
    ///
    /// If it is not one, or too long: where, and what would be allowed there.
    pub fn parse(text: &'a str) -> Result<Self, InputError> {
        Self::from_text(Cow::Borrowed(text))
    }

    /// The whole, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition: `aws`, ...
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// The region: `eu-west-1`, ...
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(1)
    }

    /// The account id, twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(2)
    }

    /// The function's own name.
    #[must_use]
    pub fn function(&self) -> &str {
        self.part(3)
    }

    /// The function's version: `$LATEST`, `$LATEST.PUBLISHED` or digits.
    #[must_use]
    pub fn version(&self) -> &str {
        self.part(4)
    }

    /// The name of the execution, as the caller or else the service chose it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(5)
    }

    /// The service's id of the execution.
    #[must_use]
    pub fn id(&self) -> &str {
        self.part(6)
    }

    /// The same, borrowing nothing.
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
