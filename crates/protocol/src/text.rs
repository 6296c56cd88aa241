//! Untrusted text: displaying it safely, and decoding it from bytes that arrive in pieces.

use std::fmt;

/// Displays the beginning of a text on one line, at most 1 KiB of it. Control characters and those
/// that change the writing direction are escaped, so that the text is safe in a log or on a
/// terminal.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::text::Excerpt;
///
/// assert_eq!(Excerpt("one\n\u{1b}[2Jtwo").to_string(), "one\\n\\u{1b}[2Jtwo");
/// let long = "x".repeat(3000);
/// assert!(Excerpt(&long).to_string().ends_with("x... (3000 bytes)"));
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper for displaying a text")]
pub struct Excerpt<'t>(
    /// The text.
    pub &'t str,
);

impl Excerpt<'_> {
    /// The number of bytes, before escaping, that are displayed at most.
    pub const MAX: usize = 1024;
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = cut(self.0, Self::MAX);
        for character in start.chars() {
            let turns = matches!(
                character,
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            );
            if character.is_control() || turns {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if start.len() < self.0.len() {
            write!(f, "... ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Returns the longest prefix of `text` that has at most `max` bytes and ends on a character
/// boundary.
#[must_use]
pub fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
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

    /// Decodes a piece, and returns the characters that it completes. The text is empty if the
    /// piece ends within its first character.
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

    /// Replaces `length` invalid bytes, or records the error; returns whether decoding goes on.
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
