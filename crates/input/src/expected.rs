//! What would have been right at the place where a value goes wrong.

use core::fmt;

/// A part of a function name. The variants are in the order in which parts follow each other.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `arn:`.
    Arn,
    /// `aws`, `aws-cn` and so on; may be empty.
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

/// Writes the part with an article: `a region`.
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

/// What was expected at the byte where a value goes wrong.
///
/// This is exact: if one of these bytes comes next, the value can be completed to an accepted one,
/// and otherwise it cannot.
///
/// `Display` lists it in words: `a letter, a digit, '-', '.', '_', ':' or the end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Expected {
    /// A bit for each ASCII byte, in native byte order. An array of bytes needs no alignment, which
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

impl Expected {
    /// Bit *b* of `ascii` is set if byte *b* is expected.
    pub(crate) const fn new(ascii: u128, end: bool, parts: Parts) -> Self {
        Self {
            ascii: ascii.to_ne_bytes(),
            end,
            parts,
        }
    }

    /// Whether this byte is expected. Never true for a byte outside ASCII.
    #[must_use]
    pub fn contains(&self, byte: u8) -> bool {
        let bit = 1_u128.checked_shl(u32::from(byte)).unwrap_or_default();
        u128::from_ne_bytes(self.ascii) & bit != 0
    }

    /// Whether the end of the value is expected.
    #[must_use]
    pub const fn end(&self) -> bool {
        self.end
    }

    /// Returns every expected byte, in ascending order.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<> {
        let this = *self;
        (0..128).filter(move |&byte| this.contains(byte))
    }

    /// Returns the parts of a function name that an expected byte would begin or continue. A byte
    /// that could belong to several parts counts for the first. Empty for a value without parts.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let parts = self.parts.0;
        Part::ALL
            .into_iter()
            .filter(move |part| parts & part.bit() != 0)
    }

    /// Returns the items of the list that `Display` writes.
    fn items(&self) -> impl Iterator<Item = Item> + use<> {
        let this = *self;
        let whole = |first: u8, last: u8| (first..=last).all(|byte| this.contains(byte));
        let letter = whole(b'a', b'z') && whole(b'A', b'Z');
        let digit = whole(b'0', b'9');
        let singles = this.bytes().filter(move |byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' => !letter,
            b'0'..=b'9' => !digit,
            // Listed last, since it separates the current part from the next one.
            b':' => false,
            _ => true,
        });
        letter
            .then_some(Item::Words("a letter"))
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

impl fmt::Display for Expected {
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
        // If only one part is possible, its name is more helpful than its characters.
        let mut parts = self.parts();
        if let (Some(part), None) = (parts.next(), parts.next()) {
            write!(f, " of {part}")?;
        }
        Ok(())
    }
}
