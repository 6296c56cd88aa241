//! The only way to stderr, and what makes text from elsewhere safe and short enough for it.
//!
//! Names, messages, log lines and header values come from whoever is at the other end. A terminal
//! obeys control characters wherever they come from, so none reaches it; and a person reads the
//! beginning and the end of a long text, so the middle is left out. `clippy.toml` rejects every
//! other use of stderr and stdout in this crate but those here and in `output`.
#![allow(
    clippy::disallowed_methods,
    reason = "the one module that writes to stderr"
)]

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::ProgressDrawTarget;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// The most bytes shown of one text from elsewhere: more than a message of the service's, of which
/// the error model keeps at most 8 KiB.
pub(crate) const MOST_TEXT: usize = 10 << 10;

/// The most bytes shown of an identifier or a code.
pub(crate) const MOST_TOKEN: usize = 256;

/// The most bytes said at once, all texts together.
const MOST_SAID: usize = 64 << 10;

/// The most members of a list in an error for a machine.
const MOST_MEMBERS: usize = 32;

/// Whether stderr is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Where progress is drawn, if there is a terminal for it. Templates are the program's own text.
pub(crate) fn progress_target() -> Option<ProgressDrawTarget> {
    is_terminal().then(ProgressDrawTarget::stderr)
}

/// Writes a text and the end of a line to stderr, without what a terminal would obey. A failure to
/// write has nobody to be reported to.
pub(crate) fn say(text: impl Display) {
    let text = text.to_string();
    let mut line = safe(&excerpt(&text, MOST_SAID));
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Writes one JSON value on a line of stderr, each of its texts an excerpt.
pub(crate) fn say_json(mut value: Value) {
    shorten(&mut value);
    let mut line = json(&value);
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(short) = excerpt(text, MOST_TEXT) {
                *text = short;
            }
        }
        Value::Array(members) => {
            let left_out = members.len().saturating_sub(MOST_MEMBERS);
            members.truncate(MOST_MEMBERS);
            members.iter_mut().for_each(shorten);
            if left_out > 0 {
                members.push(format!("[... {left_out} left out ...]").into());
            }
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// The beginning and the end of a text with more than `most` bytes, half of `most` each, and
/// between them how many bytes were left out.
pub(crate) fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let half = most / 2;
    let mut begin = half;
    while !text.is_char_boundary(begin) {
        begin -= 1;
    }
    let mut end = text.len() - half;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let (head, tail) = (&text[..begin], &text[end..]);
    let left_out = end - begin;
    Cow::Owned(format!("{head} [... {left_out} bytes left out ...] {tail}"))
}

/// The text without what a terminal would obey: such characters are written as `\u{1b}`.
/// Line feeds and tabs stay, and the end of a line as Windows has it becomes a line feed.
pub(crate) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\t' => safe.push(character),
            character if is_obeyed(character) => safe.extend(character.escape_unicode()),
            character => safe.push(character),
        }
    }
    safe
}

/// Whether a terminal obeys the character instead of showing it: the controls of both sets, and
/// the format characters that reorder or break what stands around them (Unicode's Bidi_Control,
/// the deprecated format characters, and the line and paragraph separators).
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

/// A value as JSON on one line that can be shown on a terminal.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    let mut text = Vec::new();
    // Neither a vector nor the values of this program fail: their keys are strings.
    let _ = write_json(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes a value as [`json`] gives it.
///
/// # Errors
///
/// If `out` cannot be written to.
pub(crate) fn write_json(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value
        .serialize(&mut Serializer::with_formatter(out, Safe))
        .map_err(io::Error::from)
}

/// Compact JSON, with what a terminal would obey escaped. serde_json itself escapes the controls
/// below U+0020 alone, which is all that JSON asks for.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some((at, obeyed)) = rest.char_indices().find(|(_, found)| is_obeyed(*found)) {
            let (plain, from) = rest.split_at(at);
            let mut escaped = String::new();
            // All of them are in the basic plane: one unit. Writing to a string does not fail.
            for unit in obeyed.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            writer.write_all(plain.as_bytes())?;
            writer.write_all(escaped.as_bytes())?;
            rest = &from[obeyed.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_not_sent() {
        assert_eq!(safe("a\u{1b}[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\nc\\u{9b}");
        assert_eq!(safe("a\rb\r\nc\td\u{7f}"), "a\\u{d}b\nc\td\\u{7f}");
        assert_eq!(safe("\u{202e}txt.\u{2066}"), "\\u{202e}txt.\\u{2066}");
        assert_eq!(safe("Zoë 🦀"), "Zoë 🦀");
        for code in (0..=0x9f).chain(0x2000..=0x206f).chain([0x61c]) {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let text = safe(&format!("a{character}b"));
            let obeyed = |c: char| is_obeyed(c) && c != '\n' && c != '\t';
            assert!(!text.contains(obeyed), "{code:x}");
        }
    }

    #[test]
    fn json_for_a_terminal_means_the_same() {
        let every: String = (0..0x2100).filter_map(char::from_u32).collect();
        let value = json!({ every.clone(): [every, "\u{9b}\u{202e}", "plain"] });
        let text = json(&value);
        assert!(!text.contains(is_obeyed), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(json("\u{9b}") == "\"\\u009b\"");
    }

    #[test]
    fn an_excerpt_has_both_ends_and_says_what_is_missing() {
        assert_eq!(excerpt("0123456789", 10), "0123456789");
        assert_eq!(
            excerpt("0123456789x", 10),
            "01234 [... 1 bytes left out ...] 6789x"
        );
        for length in 0..40 {
            let text = "é🦀".repeat(length);
            for most in 0..20 {
                let short = excerpt(&text, most);
                assert!(short.len() <= most.max(text.len().min(most)) + 40);
            }
        }
        let mut value = json!({"a": "x".repeat(1 << 20), "b": vec!["y"; 100]});
        shorten(&mut value);
        assert!(value.to_string().len() < MOST_TEXT + 1_000);
        assert_eq!(value["b"][MOST_MEMBERS], "[... 68 left out ...]");
    }
}
