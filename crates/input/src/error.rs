//! What is wrong with a value, where, and what would be right.

use core::error::Error;
use core::fmt;

/// A value of a request or an answer, by the name of its member in the service's model.
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
    /// `ExecutedVersion`, a header of the answer.
    ExecutedVersion,
    /// `DurableExecutionArn`, a header of the answer.
    DurableExecutionArn,
}

impl Member {
    /// The name as the service's messages write it: `functionName`.
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

/// The name in plain words: `function name`.
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

/// A part of a function name, in the order in which parts can follow each other.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `arn:`.
    Arn,
    /// `aws`, `aws-cn`, ...; may be empty.
    Partition,
    /// `:lambda:`.
    Service,
    /// `eu-west-1`.
    Region,
    /// Twelve digits.
    Account,
    /// `function:`.
    Function,
    /// The function's own name.
    Name,
    /// A version, an alias, `$LATEST` or `$LATEST.PUBLISHED`.
    Qualifier,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Arn,
        Self::Partition,
        Self::Service,
        Self::Region,
        Self::Account,
        Self::Function,
        Self::Name,
        Self::Qualifier,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// With its article: `a region`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arn => "\"arn:\"",
            Self::Partition => "a partition",
            Self::Service => "\":lambda:\"",
            Self::Region => "a region",
            Self::Account => "an account id of 12 digits",
            Self::Function => "\"function:\"",
            Self::Name => "a name",
            Self::Qualifier => "a qualifier",
        })
    }
}

/// What could have stood at the place where a value goes wrong.
///
/// Exact: a value that continues with an allowed byte can be completed to one that is accepted, and
/// one that continues otherwise cannot.
///
/// `Display` says it in words: `a letter, a digit, '-', '.', '_', ':' or the end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// A bit for every ASCII byte, in the machine's order: as bytes it needs no alignment, which
    /// keeps the error small.
    ascii: [u8; 16],
    end: bool,
    parts: Parts,
}

/// A set of [`Part`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Parts(u8);

impl Parts {
    pub(crate) const fn with(self, part: Part) -> Self {
        Self(self.0 | part.bit())
    }
}

impl Allowed {
    /// `ascii` has bit *b* set if byte *b* is allowed.
    pub(crate) const fn new(ascii: u128, end: bool, parts: Parts) -> Self {
        Self {
            ascii: ascii.to_ne_bytes(),
            end,
            parts,
        }
    }

    /// Whether this byte could have stood there. Never true of one outside ASCII.
    #[must_use]
    pub fn contains(&self, byte: u8) -> bool {
        let bit = 1_u128.checked_shl(u32::from(byte)).unwrap_or_default();
        u128::from_ne_bytes(self.ascii) & bit != 0
    }

    /// Whether the value could have ended there.
    #[must_use]
    pub const fn end(&self) -> bool {
        self.end
    }

    /// Every byte that could have stood there, in ascending order.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<> {
        let this = *self;
        (0..128).filter(move |&byte| this.contains(byte))
    }

    /// The parts of a function name that an allowed byte would have begun or gone on with; of those
    /// that one byte could belong to, the first. None for a value that has no parts.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let parts = self.parts.0;
        Part::ALL
            .into_iter()
            .filter(move |part| parts & part.bit() != 0)
    }

    /// The words for what is allowed, one item of the list at a time.
    fn items(&self) -> impl Iterator<Item = Item> + use<> {
        let this = *self;
        let whole = |first: u8, last: u8| (first..=last).all(|byte| this.contains(byte));
        let (lower, upper, digit) = (whole(b'a', b'z'), whole(b'A', b'Z'), whole(b'0', b'9'));
        let letters = match (lower, upper) {
            (true, true) => Some(Item::Words("a letter")),
            (true, false) => Some(Item::Words("a lower-case letter")),
            (false, true) => Some(Item::Words("an upper-case letter")),
            (false, false) => None,
        };
        let singles = this.bytes().filter(move |byte| match byte {
            b'a'..=b'z' => !lower,
            b'A'..=b'Z' => !upper,
            b'0'..=b'9' => !digit,
            // Said last, since it is what comes after the rest.
            b':' => false,
            _ => true,
        });
        letters
            .into_iter()
            .chain(digit.then_some(Item::Words("a digit")))
            .chain(singles.map(Item::Byte))
            .chain(this.contains(b':').then_some(Item::Byte(b':')))
            .chain(this.end.then_some(Item::Words("the end")))
    }
}

enum Item {
    Words(&'static str),
    Byte(u8),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Byte(byte) => write!(f, "{:?}", char::from(*byte)),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = self.items().peekable();
        let mut first = true;
        while let Some(item) = items.next() {
            if !first {
                f.write_str(if items.peek().is_some() { ", " } else { " or " })?;
            }
            first = false;
            item.fmt(f)?;
        }
        // Only one part could be meant: then its name says more than its characters.
        let mut parts = self.parts();
        if let (Some(part), None) = (parts.next(), parts.next()) {
            write!(f, " of {part}")?;
        }
        Ok(())
    }
}

/// A value that this crate refuses.
///
/// Says which value it was ([`member`](Self::member)), where it goes wrong
/// ([`offset`](Self::offset)) and what would have been right; it never holds the value itself.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputError {
    /// The value is empty, and must not be.
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
        /// The greatest that is allowed.
        limit: usize,
    },
    /// A function name that is nothing but the name is too long. The service answers it with 404,
    /// since no function can have it.
    #[non_exhaustive]
    BareNameTooLong {
        /// Its length in characters.
        length: usize,
        /// The greatest that is allowed.
        limit: usize,
    },
    /// A character that cannot stand where it stands, or an end where more is needed.
    #[non_exhaustive]
    Unexpected {
        /// Which value.
        member: Member,
        /// The byte offset at which the value goes wrong: whatever is before it could still be
        /// completed to an accepted value.
        offset: usize,
        /// The character there; `None` if the value ends there.
        found: Option<char>,
        /// What could have stood there.
        allowed: Allowed,
        /// Where the function's own name was read, as byte offsets of its begin and end, if the
        /// fault is one `:` too many. Most often what is there was meant for a region or an
        /// account, and is none.
        name: Option<(usize, usize)>,
    },
    /// A value that is none of the few that there are.
    #[non_exhaustive]
    Unknown {
        /// Which value.
        member: Member,
        /// Those that there are.
        allowed: &'static [&'static str],
    },
}

impl InputError {
    /// Which value it was.
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

    /// The byte offset at which the value goes wrong. Of one that is too long, the first character
    /// too many, counted as ASCII.
    #[must_use]
    pub const fn offset(&self) -> usize {
        match self {
            Self::Empty { .. } | Self::Unknown { .. } => 0,
            Self::TooLong { limit, .. } | Self::BareNameTooLong { limit, .. } => *limit,
            Self::Unexpected { offset, .. } => *offset,
        }
    }

    /// What could have stood at that place, if the fault is a character or an early end.
    #[must_use]
    pub const fn allowed(&self) -> Option<Allowed> {
        match self {
            Self::Unexpected { allowed, .. } => Some(*allowed),
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
                "invalid function name: {length} characters, expected at most {limit} where it is \
                 nothing but the name"
            ),
            Self::Unexpected {
                member,
                offset,
                found,
                allowed,
                name,
            } => {
                write!(f, "invalid {member}: ")?;
                match found {
                    Some(found) => write!(f, "{found:?} at byte {offset}")?,
                    None => write!(f, "ends at byte {offset}")?,
                }
                write!(f, ", expected {allowed}")?;
                match name {
                    Some((begin, end)) => {
                        write!(f, "; bytes {begin} to {end} were read as the name")
                    }
                    None => Ok(()),
                }
            }
            Self::Unknown { member, allowed } => {
                write!(f, "unknown {member}, expected ")?;
                for (index, keyword) in allowed.iter().enumerate() {
                    let separator = match allowed.len().saturating_sub(index) {
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

/// A function name that ends in one qualifier, with another one as the `Qualifier` parameter.
///
/// The service answers it with 400 `InvalidParameterValueException` and [`MESSAGE`](Self::MESSAGE).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifierMismatch {
    /// The byte offset, in the function name, at which its own qualifier begins.
    pub offset: usize,
}

impl QualifierMismatch {
    /// The service's message for it.
    pub const MESSAGE: &'static str =
        "The derived qualifier from the function name does not match the specified qualifier.";
}

impl fmt::Display for QualifierMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the function name has a qualifier of its own at byte {}, and the qualifier parameter \
             differs from it",
            self.offset
        )
    }
}

impl Error for QualifierMismatch {}
