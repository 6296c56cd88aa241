//! Validation of a whole header block.

use super::grammar::{self, Fault, RawHeader};
use super::value::HeaderType;
use crate::error::{DecodeError, DecodeErrorKind};

/// Validates a whole block that begins at byte `offset` of its stream, so that reading its headers
/// cannot fail.
#[inline]
pub(crate) fn validate(block: &[u8], offset: u64) -> Result<(), DecodeError> {
    // Nearly every block is pure ASCII, which one fast pass can detect; it is then UTF-8, too.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_string_must_be_utf8_not_only_those_of_the_first_header() {
        // A header with text beyond ASCII, so that no block here is pure ASCII.
        let before = "\u{2}\u{e9}\u{7}\0\u{2}\u{e9}".as_bytes();
        for headers in 0..3 {
            let good = before.repeat(headers);
            assert_eq!(validate(&good, 0), Ok(()));
            for (bad, offset, kind) in [
                (&b"\x01\xff\x00"[..], 1, DecodeErrorKind::HeaderNameNotUtf8),
                (
                    b"\x01a\x07\x00\x01\xff",
                    5,
                    DecodeErrorKind::HeaderValueNotUtf8,
                ),
            ] {
                let at = (good.len() + offset) as u64;
                let error = DecodeError::new(at, kind);
                assert_eq!(validate(&[&good, bad].concat(), 0), Err(error));
            }
            // A byte array may contain any bytes.
            assert_eq!(
                validate(&[&good[..], b"\x01a\x06\x00\x01\xff"].concat(), 0),
                Ok(())
            );
        }
    }
}
