mod block;
mod cache;
mod grammar;
mod validate;
mod value;

use core::fmt;

pub use self::block::HeaderBlock;
pub(crate) use self::cache::HeaderCache;
use self::grammar::RawHeader;
pub(crate) use self::validate::validate;
pub use self::value::{HeaderType, HeaderValue};
use crate::error::DecodeError;

/// The headers of a message, borrowed, in the order of the wire. They are known to be valid.
///
/// Headers are parsed as they are read: [`iter`](Self::iter) and [`get`](Self::get) walk the
/// encoded block each time. A name may occur more than once.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{HeaderValue, Headers};
///
/// let headers = Headers::try_from(&b"\x01a\x02\x07\x01b\x00"[..])?;
/// assert_eq!(headers.get("a"), Some(HeaderValue::Byte(7)));
/// assert_eq!(headers.get("A"), None);
/// assert_eq!(headers.iter().last(), Some(("b", HeaderValue::Bool(true))));
/// # Ok::<(), lambda_invoke_event_stream::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Headers<'a> {
    block: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Takes a block that has been validated.
    #[inline]
    pub(crate) const fn from_validated(block: &'a [u8]) -> Self {
        Self { block }
    }

    /// The first value with this name. Names are compared byte by byte.
    #[must_use]
    pub fn get(self, name: &str) -> Option<HeaderValue<'a>> {
        self.get_all(name).next()
    }

    /// All values with this name, in order.
    pub fn get_all(self, name: &str) -> impl Iterator<Item = HeaderValue<'a>> {
        RawHeaders { rest: self.block }
            .filter(move |header| header.name == name.as_bytes())
            .map(|header| header.value())
    }

    /// All headers, in order.
    #[must_use]
    pub fn iter(self) -> HeaderIter<'a> {
        HeaderIter {
            raw: RawHeaders { rest: self.block },
        }
    }

    /// Whether there are no headers.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.block.is_empty()
    }

    /// The encoded block.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.block
    }
}

impl<'a> TryFrom<&'a [u8]> for Headers<'a> {
    type Error = DecodeError;

    /// Validates an encoded header block, without copying it.
    ///
    /// # Errors
    ///
    /// The first fault in the block; the offset counts from the start of the block.
    fn try_from(block: &'a [u8]) -> Result<Self, DecodeError> {
        validate(block, 0)?;
        Ok(Self { block })
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a str, HeaderValue<'a>);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// An iterator over the names and values of [`Headers`].
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    raw: RawHeaders<'a>,
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a str, HeaderValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let header = self.raw.next()?;
        Some((header.name(), header.value()))
    }
}

/// The headers of a block, split but not yet decoded. Ends at the first fault; a validated block
/// has none.
#[derive(Clone, Debug)]
struct RawHeaders<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RawHeaders<'a> {
    type Item = RawHeader<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawHeader<'a>> {
        let (rest, header) = grammar::header(self.rest).ok()?;
        self.rest = rest;
        Some(header)
    }
}
