//! Untrusted text, made safe to show in a log or on a terminal.
//!
//! A peer can put any character into a message, a name or a header. Wherever such text is shown,
//! [`is_interpreted`] decides which characters are escaped.

use core::fmt::{self, Write as _};
use std::borrow::Cow;

/// Returns whether a terminal interprets the character instead of showing it: the C0 and C1
/// controls, and the format characters that reorder or break the text around them (Unicode's
/// `Bidi_Control`, the deprecated format characters, and the line and paragraph separators).
///
/// # Example
///
/// ```
/// use lambda_invoke_error::text::is_interpreted;
///
/// assert!(is_interpreted('\u{1b}') && is_interpreted('\u{202e}') && is_interpreted('\n'));
/// assert!(!is_interpreted('ë') && !is_interpreted('🦀'));
/// ```
#[must_use]
pub const fn is_interpreted(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
    )
}

/// Displays a whole text with the characters that a terminal interprets escaped, as in `\u{1b}`.
///
/// An escaped text is displayed unchanged.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::text::Escaped;
///
/// let text = "one\r\n\u{1b}[2Jtwo";
/// assert_eq!(Escaped::line(text).to_string(), "one\\r\\n\\u{1b}[2Jtwo");
/// assert_eq!(Escaped::lines(text).to_string(), "one\n\\u{1b}[2Jtwo");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'t> {
    text: &'t str,
    is_one_line: bool,
}

impl<'t> Escaped<'t> {
    /// Displays the text on one line: line feeds and tabs are escaped too.
    #[must_use]
    pub const fn line(text: &'t str) -> Self {
        Self {
            text,
            is_one_line: true,
        }
    }

    /// Displays the text with its lines: line feeds and tabs are kept, and CR LF becomes a line
    /// feed.
    #[must_use]
    pub const fn lines(text: &'t str) -> Self {
        Self {
            text,
            is_one_line: false,
        }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                _ if !is_interpreted(character) => f.write_char(character)?,
                '\n' | '\t' if !self.is_one_line => f.write_char(character)?,
                '\r' if !self.is_one_line && characters.peek() == Some(&'\n') => {}
                '\r' if !self.is_one_line => write!(f, "{}", character.escape_unicode())?,
                _ => write!(f, "{}", character.escape_default())?,
            }
        }
        Ok(())
    }
}

/// Displays the beginning of a text on one line, at most 1 KiB of it, [escaped](Escaped::line).
///
/// # Example
///
/// ```
/// use lambda_invoke_error::text::Excerpt;
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
    /// The maximum number of bytes displayed, before escaping.
    pub const MAX: usize = 1024;
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = truncate(self.0, Self::MAX);
        Escaped::line(start).fmt(f)?;
        if start.len() < self.0.len() {
            write!(f, "... ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Returns the longest prefix of `text` that has at most `max` bytes and ends between characters.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::text::truncate;
///
/// assert_eq!(truncate("aé", 3), "aé");
/// assert_eq!(truncate("aé", 2), "a");
/// ```
#[must_use]
pub fn truncate(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Replaces the session token of a request that a message quotes in its canonical form, which has several
/// lines: as a header, or as a parameter.
pub(crate) fn without_session_token(message: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(message);
    // A canonical request has at least a method, a path, a date and a hash of 64 characters. Nearly all messages
    // are shorter, or have one line, and are not searched.
    if message.len() < SHORTEST || !message.as_bytes().contains(&b'\n') {
        return text;
    }
    for (name, ends) in [
        ("x-amz-security-token:", &['\n', '\r'][..]),
        ("X-Amz-Security-Token=", &['\n', '\r', '&', ' ']),
    ] {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(name)) {
            let start = from + at + name.len();
            let rest = text.get(start..).unwrap_or_default();
            let end = start + rest.find(ends).unwrap_or(rest.len());
            text.to_mut().replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
    }
    text
}

const REDACTED: &str = "<redacted>";

/// The least length of a message that is searched, in bytes.
const SHORTEST: usize = 100;

/// Replaces the escapes of half a surrogate pair in JSON by `\ufffd`; `None` if there are none. No
/// position changes.
///
/// JavaScript and Python write such an escape for a text that was cut within a character. It is JSON, but
/// no `String` can have it, so that parsers reject all of the JSON.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::text::without_lone_surrogates;
///
/// let repaired = without_lone_surrogates(br#"{"cut":"\ud83d","crab":"\ud83e\udd80"}"#);
/// assert_eq!(repaired.unwrap(), br#"{"cut":"\ufffd","crab":"\ud83e\udd80"}"#);
/// ```
#[must_use]
pub fn without_lone_surrogates(json: &[u8]) -> Option<Vec<u8>> {
    let mut whole = None;
    let mut at = 0;
    while let Some(rest) = json.get(at..).filter(|rest| !rest.is_empty()) {
        at += match (rest, code_unit(rest)) {
            (_, Some(0xd800..=0xdbff))
                if matches!(code_unit(&rest[6..]), Some(0xdc00..=0xdfff)) =>
            {
                12
            }
            (_, Some(0xd800..=0xdfff)) => {
                let whole = whole.get_or_insert_with(|| json.to_vec());
                whole[at..at + 6].copy_from_slice(b"\\ufffd");
                6
            }
            ([b'\\', ..], _) => 2,
            _ => 1,
        };
    }
    whole
}

/// The UTF-16 code unit of the escape, such as `\u00e9`, that `json` begins with.
fn code_unit(json: &[u8]) -> Option<u32> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| {
        Some(unit << 4 | char::from(*digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_is_not_kept_wherever_it_stands() {
        for (message, kept) in [
            ("no token", "no token"),
            (
                "should have been\n'POST\n/\n\nhost:h\nx-amz-security-token:SECRET/+=\n\nhost;x-amz-security-token\n",
                "should have been\n'POST\n/\n\nhost:h\nx-amz-security-token:<redacted>\n\nhost;x-amz-security-token\n",
            ),
            (
                "\nx-amz-security-token:SECRET",
                "\nx-amz-security-token:<redacted>",
            ),
            (
                "/?X-Amz-Security-Token=SECRET%2F&a=1\nX-Amz-Security-Token=SECRET",
                "/?X-Amz-Security-Token=<redacted>&a=1\nX-Amz-Security-Token=<redacted>",
            ),
            (
                "x-amz-security-token:é\r\nx-amz-security-token:",
                "x-amz-security-token:<redacted>\r\nx-amz-security-token:<redacted>",
            ),
        ] {
            let rest = "\nx".repeat(SHORTEST);
            let message = format!("{message}{rest}");
            assert_eq!(without_session_token(&message), format!("{kept}{rest}"));
        }
    }

    #[test]
    fn controls_and_characters_that_reorder_text_are_interpreted() {
        let interpreted: Vec<u32> = (0..=u32::from(char::MAX))
            .filter(|&code| char::from_u32(code).is_some_and(is_interpreted))
            .collect();
        // Unicode's general category Cc, its property Bidi_Control, U+2028 and U+2029, and the
        // deprecated format characters U+206A to U+206F.
        let expected: Vec<u32> = (0..=0x1f)
            .chain(0x7f..=0x9f)
            .chain([0x61c, 0x200e, 0x200f, 0x2028, 0x2029])
            .chain(0x202a..=0x202e)
            .chain(0x2066..=0x2069)
            .chain(0x206a..=0x206f)
            .collect();
        assert_eq!(interpreted, expected);
        assert!(('\0'..=char::MAX).all(|each| !each.is_control() || is_interpreted(each)));
    }

    #[test]
    fn an_escaped_line_has_no_interpreted_characters_and_is_escaped_once() {
        let every: String = (0..0x2100).filter_map(char::from_u32).collect();
        let line = Escaped::line(&every).to_string();
        assert!(!line.contains(is_interpreted), "{line}");
        assert_eq!(Escaped::line(&line).to_string(), line);
        assert_eq!(
            Escaped::line("a\tb\rc\nd\u{9b}\u{202e}ë").to_string(),
            "a\\tb\\rc\\nd\\u{9b}\\u{202e}ë"
        );
    }

    #[test]
    fn escaped_lines_keep_their_ends_and_tabs_but_no_other_interpreted_character() {
        let every: String = (0..0x2100).filter_map(char::from_u32).collect();
        let lines = Escaped::lines(&every).to_string();
        let is_bad = |each: char| is_interpreted(each) && each != '\n' && each != '\t';
        assert!(!lines.contains(is_bad), "{lines}");
        assert_eq!(Escaped::lines(&lines).to_string(), lines);
        assert_eq!(
            Escaped::lines("a\rb\r\nc\td\r\r\n\u{7f}\r").to_string(),
            "a\\u{d}b\nc\td\\u{d}\n\\u{7f}\\u{d}"
        );
    }

    #[test]
    fn an_excerpt_is_the_beginning_of_a_long_text_with_its_length() {
        let fits = "x".repeat(Excerpt::MAX);
        assert_eq!(Excerpt(&fits).to_string(), fits);
        let long = format!("{}é", "x".repeat(Excerpt::MAX - 1));
        let shown = format!("{}... (1025 bytes)", "x".repeat(Excerpt::MAX - 1));
        assert_eq!(Excerpt(&long).to_string(), shown);
        assert_eq!(Excerpt::MAX, 1024);
    }

    #[test]
    fn truncates_between_characters() {
        assert_eq!(truncate("aé", 3), "aé");
        assert_eq!(truncate("aé", 2), "a");
        assert_eq!(truncate("é", 1), "");
    }
}
