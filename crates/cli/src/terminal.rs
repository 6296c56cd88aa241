//! Writes to stderr, and makes untrusted text safe and short enough for a terminal.
//!
//! Names, messages, log lines and header values come from the peer. A terminal acts on control
//! characters wherever they come from, so [`say`] escapes them in everything that it writes, and
//! omits the middle of a long text. `clippy.toml` rejects every other use of stderr and stdout in
//! this crate, except in `output`.
//!
//! The libraries also escape and shorten the text that they quote in their errors (`Excerpt`: one
//! line, 1 KiB), so that their messages are safe in any log. This module does it for the complete
//! output of the program: for causes from other libraries, for logs and headers shown in full, and
//! for the user's arguments. The libraries and the program escape by the same rule,
//! `lambda_invoke_error::text`; an escaped text is not escaped again.
#![allow(
    clippy::disallowed_methods,
    reason = "the one module that writes to stderr"
)]

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::ProgressDrawTarget;
use lambda_invoke::error_model::text::{Escaped, is_interpreted, truncate};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use crate::number::counted;

/// The maximum number of bytes shown of one untrusted text. It is more than a message of the
/// service, which the error model limits to 8 KiB.
pub(crate) const MOST_TEXT: usize = 10 << 10;

/// The maximum number of bytes shown of an identifier or a code.
pub(crate) const MOST_TOKEN: usize = 256;

/// The maximum number of bytes that one call of [`say`] writes.
const MOST_SAID: usize = 64 << 10;

/// The maximum number of elements of a list in a JSON error.
const MOST_MEMBERS: usize = 32;

/// Whether stderr is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Where to draw progress, if stderr is a terminal. Templates contain no untrusted text.
pub(crate) fn progress_target() -> Option<ProgressDrawTarget> {
    is_terminal().then(ProgressDrawTarget::stderr)
}

/// Writes a line to stderr, shortened and with control characters escaped. Errors are ignored: there
/// is nowhere to report them.
pub(crate) fn say(text: impl Display) {
    let text = text.to_string();
    let mut line = safe(&excerpt(&text, MOST_SAID));
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// A line of a function's log as separate lines: runtimes put carriage returns between the lines of
/// one entry, such as a stack trace.
pub(crate) fn entry(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The color of a line or label, on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Failures: bold red.
    Error,
    /// Things that the user may want to act on: yellow.
    Warning,
    /// The steps that `-v` shows: dimmed.
    Detail,
}

impl Style {
    /// The parameter of the escape sequence that starts the style (ECMA-48, SGR).
    const fn sgr(self) -> &'static str {
        match self {
            Self::Error => "1;31",
            Self::Warning => "33",
            Self::Detail => "2",
        }
    }
}

/// Whether stderr is a terminal on which colors are wanted: see <https://no-color.org>.
fn has_colors() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// Writes text to stderr as [`say`] does, in a style if there are colors.
pub(crate) fn say_in(style: Style, text: impl Display) {
    say_parts(style, &text.to_string(), "");
}

/// Writes a message to stderr as [`say`] does, after the program's name in a style.
pub(crate) fn say_labeled(style: Style, message: &str) {
    say_parts(style, "lambda-invoke:", &format!(" {message}"));
}

fn say_parts(style: Style, styled: &str, plain: &str) {
    let styled = safe(&excerpt(styled, MOST_SAID));
    let plain = safe(&excerpt(plain, MOST_SAID));
    let line = match has_colors() {
        true => format!("\u{1b}[{}m{styled}\u{1b}[0m{plain}\n", style.sgr()),
        false => format!("{styled}{plain}\n"),
    };
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Writes a JSON value to stderr on one line, with long strings and lists shortened.
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
            let omitted = members.len().saturating_sub(MOST_MEMBERS);
            members.truncate(MOST_MEMBERS);
            members.iter_mut().for_each(shorten);
            if omitted > 0 {
                members.push(format!("[... {omitted} omitted ...]").into());
            }
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Shortens a text of more than `most` bytes to its first and last `most / 2`, with the number of
/// omitted bytes between them.
pub(crate) fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let half = most / 2;
    let head = truncate(text, half);
    let mut end = text.len() - half;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let (tail, omitted) = (&text[end..], end - head.len());
    Cow::Owned(format!(
        "{head} [... {} omitted ...] {tail}",
        counted(omitted, "byte")
    ))
}

/// Escapes the characters that a terminal interprets, as in `\u{1b}`; lines and tabs are kept.
pub(crate) fn safe(text: &str) -> String {
    Escaped::lines(text).to_string()
}

/// Serializes a value as JSON on one line that is safe for a terminal.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    let mut text = Vec::new();
    // Writing to a vector does not fail, nor do values whose keys are strings.
    let _ = write_json(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes a value as [`json`] does.
///
/// # Errors
///
/// If `out` cannot be written to.
pub(crate) fn write_json(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value
        .serialize(&mut Serializer::with_formatter(out, Safe))
        .map_err(io::Error::from)
}

/// Compact JSON in which the characters that a terminal interprets are escaped. serde_json escapes
/// only the controls below U+0020, as JSON requires.
struct Safe;

impl Formatter for Safe {
    /// Valid JSON that is passed on unchanged. Outside of strings, JSON has no control characters
    /// except white space; within strings, it has none below U+0020.
    fn write_raw_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let on_one_line = fragment.replace(['\n', '\r', '\t'], " ");
        self.write_string_fragment(writer, &on_one_line)
    }

    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some((at, found)) = rest.char_indices().find(|(_, each)| is_interpreted(*each)) {
            let (plain, from) = rest.split_at(at);
            let mut escaped = String::new();
            // Writing to a string does not fail.
            for unit in found.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            writer.write_all(plain.as_bytes())?;
            writer.write_all(escaped.as_bytes())?;
            rest = &from[found.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn characters_that_a_terminal_interprets_are_escaped() {
        assert_eq!(safe("a\u{1b}[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\nc\\u{9b}");
        assert_eq!(safe("a\rb\r\nc\td\u{7f}"), "a\\u{d}b\nc\td\\u{7f}");
        assert_eq!(safe("\u{202e}txt.\u{2066}"), "\\u{202e}txt.\\u{2066}");
        assert_eq!(safe("Zoë 🦀"), "Zoë 🦀");
        for code in (0..=0x9f).chain(0x2000..=0x206f).chain([0x61c]) {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let text = safe(&format!("a{character}b"));
            let is_escaped = |c: char| is_interpreted(c) && c != '\n' && c != '\t';
            assert!(!text.contains(is_escaped), "{code:x}");
        }
    }

    #[test]
    fn json_for_a_terminal_has_the_same_value() {
        let every: String = (0..0x2100).filter_map(char::from_u32).collect();
        let value = json!({ every.clone(): [every, "\u{9b}\u{202e}", "plain"] });
        let text = json(&value);
        assert!(!text.contains(is_interpreted), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(json("\u{9b}") == "\"\\u009b\"");
        let raw = "{\r\n\t\"a\": [1e400, \"\u{9b}\"]\n}".to_owned();
        let raw = serde_json::value::RawValue::from_string(raw).unwrap();
        assert_eq!(json(&raw), "{   \"a\": [1e400, \"\\u009b\"] }");
    }

    #[test]
    fn an_excerpt_has_both_ends_and_the_number_of_omitted_bytes() {
        assert_eq!(excerpt("0123456789", 10), "0123456789");
        assert_eq!(
            excerpt("0123456789x", 10),
            "01234 [... 1 byte omitted ...] 6789x"
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
        assert_eq!(value["b"][MOST_MEMBERS], "[... 68 omitted ...]");
    }
}
