//! Shows the place in a value where it goes wrong.

use core::fmt::{self, Write as _};

use crate::error::{InputError, QualifierMismatch};
use crate::mistake::Mistake;

/// How many characters of a long value are shown before the marked place, and from that place on.
const CONTEXT: usize = 50;

/// A value with marks below the place where it goes wrong.
///
/// `Display` writes two lines, without a line feed at the end: the value, and carets under the
/// place. A long value is truncated around the place. Control characters, and those that change the
/// direction of text, are written as U+FFFD, so that a terminal does not interpret them.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::FunctionName;
///
/// let text = "arn:aws:lambda:eu-west-1:12345:function:thumbnail";
/// let error = FunctionName::try_from(text).unwrap_err();
/// assert_eq!(
///     error.snippet(text).to_string(),
///     "\
/// arn:aws:lambda:eu-west-1:12345:function:thumbnail
///                          ^^^^^",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snippet<'a> {
    value: &'a str,
    /// Bytes marked with `^`; an empty range marks the place before its start.
    carets: (usize, usize),
    /// Bytes marked with `~`.
    waves: (usize, usize),
}

impl<'a> Snippet<'a> {
    /// Marks the bytes of `span`, start and end, in a value.
    ///
    /// A span that does not fit the value is moved to the nearest place that does.
    #[must_use]
    pub const fn new(value: &'a str, span: (usize, usize)) -> Self {
        Self {
            value,
            carets: span,
            waves: (0, 0),
        }
    }
}

impl InputError {
    /// Returns the bytes of the place of this error in the value that was rejected: start and end.
    ///
    /// The place is the whole mistake if there is one, such as an account id of five digits;
    /// otherwise the unexpected character, or everything beyond the maximum length. It is empty at
    /// an unexpected end.
    #[must_use]
    pub fn span(&self, value: &str) -> (usize, usize) {
        match *self {
            Self::Empty { .. } => (0, 0),
            Self::Unknown { .. } => (0, value.len()),
            // Limits count characters.
            Self::TooLong { limit, .. } | Self::BareNameTooLong { limit, .. } => {
                let beyond = value.char_indices().nth(limit).map(|(at, _)| at);
                (beyond.unwrap_or(value.len()), value.len())
            }
            Self::Unexpected { span, .. } => span,
        }
    }

    /// Marks the place of this error in the value that was rejected.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::FunctionName;
    ///
    /// let error = FunctionName::try_from("thumb nail").unwrap_err();
    /// assert_eq!(error.snippet("thumb nail").to_string(), "thumb nail\n     ^");
    /// ```
    #[must_use]
    pub fn snippet<'a>(&self, value: &'a str) -> Snippet<'a> {
        let span = self.span(value);
        match *self {
            Self::Unexpected {
                offset,
                mistake: Some(Mistake::ExtraPart),
                ..
            } => Snippet {
                waves: span,
                ..Snippet::new(value, (offset, offset.saturating_add(1)))
            },
            _ => Snippet::new(value, span),
        }
    }
}

impl QualifierMismatch {
    /// Marks the qualifier in the function name.
    #[must_use]
    pub const fn snippet<'a>(&self, name: &'a str) -> Snippet<'a> {
        Snippet::new(name, (self.offset, name.len()))
    }
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.carets;
        let before = self.value.char_indices().take_while(|(at, c)| {
            // An offset inside a character belongs to that character.
            at.saturating_add(c.len_utf8()) <= start
        });
        let before = before.count();
        let skipped = before.saturating_sub(CONTEXT);
        let most = before.saturating_sub(skipped).saturating_add(CONTEXT);
        let shown = || self.value.char_indices().skip(skipped).take(most);

        let leader = if skipped > 0 { "..." } else { "" };
        f.write_str(leader)?;
        for (_, character) in shown() {
            f.write_char(if is_interpreted(character) {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            })?;
        }
        if self.value.chars().count() > skipped.saturating_add(most) {
            f.write_str("...")?;
        }

        write!(f, "\n{:width$}", "", width = leader.len())?;
        for (column, (at, _)) in shown().enumerate() {
            let column = column.saturating_add(skipped);
            f.write_char(if column < before {
                if (self.waves.0..self.waves.1).contains(&at) {
                    '~'
                } else {
                    ' '
                }
            } else if column == before || at < end {
                '^'
            } else {
                return Ok(());
            })?;
        }
        // The place is the end of the value.
        if shown().count() <= before.saturating_sub(skipped) {
            f.write_char('^')?;
        }
        Ok(())
    }
}

/// Whether a terminal interprets the character instead of showing it.
///
/// This is the rule of `lambda_invoke_error::text::is_interpreted`, which this crate cannot use:
/// neither crate depends on the other. A test of `lambda-invoke-protocol` compares the two.
fn is_interpreted(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}
