mod block;
mod cache;
mod grammar;
mod value;

use core::fmt;

use bytes::Bytes;

pub use self::block::HeaderBlock;
pub(crate) use self::cache::HeaderCache;
use self::grammar::{Fault, RawHeader};
pub use self::value::{HeaderType, HeaderValue};
use crate::error::{DecodeError, DecodeErrorKind};

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
    pub fn iter(self) -> HeaderIter<'a> {
        HeaderIter {
            raw: RawHeaders { rest: self.block },
        }
    }

    /// Whether there are no headers.
    pub const fn is_empty(self) -> bool {
        self.block.is_empty()
    }

    /// The encoded block.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.block
    }

    /// Copies the headers into an owned block, in an allocation of exactly their length.
    pub fn to_block(self) -> HeaderBlock {
        HeaderBlock::from_validated(Bytes::copy_from_slice(self.block))
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

/// Validates a whole block that begins at byte `offset` of its stream, so that reading its headers
/// cannot fail.
#[inline]
pub(crate) fn validate(block: &[u8], offset: u64) -> Result<(), DecodeError> {
    // Nearly every block is ASCII throughout, which one fast pass finds out, and so is UTF-8.
    let ascii = block.is_ascii();
    let mut rest = block;
    while !rest.is_empty() {
        let (after, header) = grammar::header(rest).map_err(|f| locate(block, f, offset))?;
        if !ascii {
            validate_text(rest, after, &header).map_err(|f| locate(block, f, offset))?;
        }
        rest = after;
    }
    Ok(())
}

/// Checks that the name and the string of the header between `rest` and `after` are UTF-8.
fn validate_text(rest: &[u8], after: &[u8], header: &RawHeader<'_>) -> Result<(), Fault> {
    let utf8 = |bytes, left: usize, kind| {
        core::str::from_utf8(bytes)
            .map(|_| ())
            .map_err(|error| Fault {
                left: left.saturating_sub(error.valid_up_to()),
                kind,
            })
    };
    // The name follows the byte of its length.
    let left = rest.len().saturating_sub(1);
    utf8(header.name, left, DecodeErrorKind::HeaderNameNotUtf8)?;
    if header.header_type == HeaderType::String {
        let left = after.len().saturating_add(header.value.len());
        utf8(header.value, left, DecodeErrorKind::HeaderValueNotUtf8)?;
    }
    Ok(())
}

/// Turns a fault in a block that begins at byte `offset` of its stream into an error.
#[cold]
fn locate(block: &[u8], fault: Fault, offset: u64) -> DecodeError {
    let within = block.len().saturating_sub(fault.left) as u64;
    DecodeError::new(offset.saturating_add(within), fault.kind)
}
