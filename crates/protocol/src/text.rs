//! Text that arrives in pieces.

use std::fmt;

/// Displays a number of bytes, with its unit in the singular or the plural.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteCount(pub(crate) u64);

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} byte{ending}", self.0)
    }
}

/// Decodes UTF-8 from bytes that arrive in pieces, without splitting a character.
///
/// The bytes of a character that is incomplete at the end of a piece, at most three, are held back
/// until the rest arrives.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::text::Utf8Decoder;
///
/// let mut decoder = Utf8Decoder::new();
/// let (umlaut, rest) = "für".as_bytes().split_at(2);
/// assert_eq!(decoder.decode(umlaut)?, "f");
/// assert_eq!(decoder.decode(rest)?, "ür");
/// decoder.finish()?;
/// # Ok::<(), lambda_invoke_protocol::text::Utf8Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Utf8Decoder {
    /// The bytes of an incomplete character.
    held: [u8; 4],
    len: usize,
    /// The offset in the text at which the held bytes begin.
    offset: u64,
    lossy: bool,
    failed: Option<Utf8Error>,
}

impl Utf8Decoder {
    /// Creates a decoder that rejects bytes that are not UTF-8.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a decoder that replaces invalid bytes by U+FFFD, as [`String::from_utf8_lossy`] does
    /// for a whole text.
    #[must_use]
    pub fn lossy() -> Self {
        Self {
            lossy: true,
            ..Self::default()
        }
    }

    /// Decodes a piece, and returns all complete characters. The text is empty if the piece ends
    /// within its first character.
    ///
    /// # Errors
    ///
    /// If the bytes are not UTF-8. Text before the invalid bytes is returned first; the error is
    /// then returned by every later call.
    pub fn decode(&mut self, piece: &[u8]) -> Result<String, Utf8Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut text = String::with_capacity(self.len + piece.len());
        let mut rest = piece;
        // Complete the held character byte by byte.
        while self.len > 0 {
            let Some((next, after)) = rest.split_first() else {
                return Ok(text);
            };
            if let Some(place) = self.held.get_mut(self.len) {
                *place = *next;
            }
            let held = self.held;
            let held = held.get(..=self.len).unwrap_or_default();
            match std::str::from_utf8(held) {
                Ok(character) => {
                    text.push_str(character);
                    self.advance(held.len());
                    rest = after;
                }
                Err(error) if error.error_len().is_none() => {
                    self.len += 1;
                    rest = after;
                }
                // The byte does not continue the character; it may begin another one.
                Err(_) => {
                    if self.replace(&mut text, self.len) {
                        continue;
                    }
                    return self.text_or_error(text);
                }
            }
        }
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.advance(valid.len());
                    return Ok(text);
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                    self.advance(valid.len());
                    let Some(length) = error.error_len() else {
                        for (place, byte) in self.held.iter_mut().zip(invalid) {
                            *place = *byte;
                        }
                        self.len = invalid.len();
                        return Ok(text);
                    };
                    if !self.replace(&mut text, length) {
                        return self.text_or_error(text);
                    }
                    rest = invalid.get(length..).unwrap_or_default();
                }
            }
        }
    }

    /// Marks the end of the bytes, and returns the replacement for an incomplete last character:
    /// U+FFFD from a [lossy](Self::lossy) decoder, otherwise nothing.
    ///
    /// # Errors
    ///
    /// If the bytes were not UTF-8 or end within a character. A lossy decoder does not fail.
    pub fn finish(&mut self) -> Result<&'static str, Utf8Error> {
        if self.failed.is_none() && self.len > 0 {
            let length = self.len;
            if self.lossy {
                self.advance(length);
                return Ok("\u{fffd}");
            }
            self.failed = Some(Utf8Error {
                offset: self.offset,
                at_end: true,
            });
        }
        self.failed.map_or(Ok(""), Err)
    }

    /// Returns the text before the invalid bytes first, and the error only with the next call.
    fn text_or_error(&self, text: String) -> Result<String, Utf8Error> {
        match self.failed {
            Some(error) if text.is_empty() => Err(error),
            _ => Ok(text),
        }
    }

    /// Replaces `length` invalid bytes, or records the error; returns whether decoding continues.
    fn replace(&mut self, text: &mut String, length: usize) -> bool {
        if self.lossy {
            text.push('\u{fffd}');
        } else {
            self.failed = Some(Utf8Error {
                offset: self.offset,
                at_end: false,
            });
        }
        self.advance(length);
        self.lossy
    }

    fn advance(&mut self, count: usize) {
        self.len = 0;
        self.offset = self.offset.saturating_add(count as u64);
    }
}

/// The position at which bytes are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8Error {
    offset: u64,
    at_end: bool,
}

impl Utf8Error {
    /// Returns the offset of the first invalid byte, from 0.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }

    /// Returns whether the bytes ended within a character.
    #[must_use]
    pub const fn is_at_end(self) -> bool {
        self.at_end
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_end {
            true => write!(
                f,
                "the text ends within the character at byte {}",
                self.offset
            ),
            false => write!(f, "the text is not UTF-8 at byte {}", self.offset),
        }
    }
}

impl std::error::Error for Utf8Error {}
