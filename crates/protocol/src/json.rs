//! Checks whether a payload is JSON, and finds the first error.
//!
//! The service accepts nothing else. A client checks before it sends, with the position for the
//! user; an endpoint responds with the service's message, which is that of its parser (Jackson).

use std::borrow::Cow;
use std::fmt;

use lambda_invoke_error::text::without_lone_surrogates;
use serde_core::Deserializer as _;
use serde_core::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Checks that a payload is JSON, without building anything from it.
///
/// # Errors
///
/// The position of the first syntax error; for a `\u` escape with an invalid digit, the position of
/// its fourth digit.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::json;
///
/// assert!(json::check(br#"{"name": "Ada"}"#).is_ok());
/// let fault = json::check(br#"{"name": Ada}"#).unwrap_err();
/// assert_eq!((fault.offset(), fault.line(), fault.column()), (9, 1, 10));
/// assert_eq!(fault.to_string(), "the payload is not JSON: unexpected 'A' at byte 9 (line 1, column 10)");
/// ```
pub fn check(payload: &[u8]) -> Result<(), JsonError> {
    let syntax = match serde_json::from_slice::<IgnoredAny>(payload) {
        Ok(IgnoredAny) => None,
        Err(error) if error.is_eof() => Some((payload.len(), Kind::EndOfInput)),
        Err(error) => {
            let start = line_start(payload, error.line().saturating_sub(1));
            // The column includes the unexpected byte. If that byte is a line feed, the parser
            // reports column 0 of the next line, which is one byte further.
            let offset = start.saturating_add(error.column()).saturating_sub(1);
            Some((
                first_control_in_string(payload, offset).unwrap_or(offset),
                Kind::Unexpected,
            ))
        }
    };
    // The parser above skips strings without checking their encoding.
    let encoding = std::str::from_utf8(payload)
        .err()
        .map(|error| error.valid_up_to());
    let (offset, kind) = match (syntax, encoding) {
        (None, None) => return Ok(()),
        (Some((offset, kind)), None) => (offset, kind),
        (None, Some(invalid)) => (invalid, Kind::Encoding),
        (Some((offset, kind)), Some(invalid)) => {
            // A byte that cannot begin a value is unexpected, whether or not it is valid UTF-8.
            if invalid < offset || (invalid == offset && !at_value(payload, invalid)) {
                (invalid, Kind::Encoding)
            } else {
                (offset, kind)
            }
        }
    };
    Err(JsonError::new(payload, offset.min(payload.len()), kind))
}

/// Replaces each half of a surrogate pair in a JSON text that a function wrote by U+FFFD.
///
/// A text that was cut within a character, as by JavaScript's `slice`, ends in half a surrogate pair.
/// JavaScript and Python write it as an escape, which [`check`] accepts, but no `String` can have it.
pub(crate) fn whole(json: &[u8]) -> Cow<'_, [u8]> {
    without_lone_surrogates(json).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// Finds the members of an object that have these names, as they are written: a number keeps its digits,
/// an object the order of its members. Of a repeated member, the last counts. The text is one that
/// [`whole`] has returned.
///
/// Nothing is stored for other members, however many there are: a function wrote the object.
pub(crate) fn members<'j, const N: usize>(
    whole: &'j [u8],
    names: [&str; N],
) -> Result<[Option<&'j RawValue>; N], serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(whole);
    let members = json.deserialize_map(Named(names))?;
    json.end()?;
    Ok(members)
}

/// Reads a member that is a string; `None` for any other value.
pub(crate) fn text(member: &RawValue) -> Option<String> {
    serde_json::from_str(member.get()).ok()
}

struct Named<'n, const N: usize>([&'n str; N]);

impl<'j, const N: usize> Visitor<'j> for Named<'_, N> {
    type Value = [Option<&'j RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [None; N];
        while let Some(name) = map.next_key::<Cow<'j, str>>()? {
            // Read even if it is not kept: a value that is skipped is not checked to be UTF-8.
            let value = map.next_value()?;
            let named = self.0.iter().zip(&mut members);
            if let Some((_, member)) = named.into_iter().find(|(wanted, _)| **wanted == name) {
                *member = Some(value);
            }
        }
        Ok(members)
    }
}

/// Where and why a payload is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    offset: usize,
    line: usize,
    column: usize,
    kind: Kind,
    /// The byte at `offset`, or 0 at the end.
    found: u8,
    /// The word that includes this byte, if there is one.
    token: Option<Box<str>>,
    /// The marker of the innermost open array or object, and the line and column where it begins.
    open: Option<(u8, usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EndOfInput,
    Unexpected,
    Encoding,
}

/// The maximum number of bytes of a word that a message quotes.
const MAX_TOKEN: usize = 256;

impl JsonError {
    fn new(payload: &[u8], offset: usize, kind: Kind) -> Self {
        let before = payload.get(..offset).unwrap_or(payload);
        let (line, column) = place(before);
        let open = innermost_open(before).map(|(marker, at)| {
            let (line, column) = place(payload.get(..at).unwrap_or_default());
            (marker, line, column)
        });
        let token = match kind {
            Kind::Unexpected => word_at(payload, offset),
            Kind::EndOfInput | Kind::Encoding => None,
        };
        let found = payload.get(offset).copied().unwrap_or_default();
        Self {
            offset,
            line,
            column,
            kind,
            found,
            token,
            open,
        }
    }

    /// Returns the offset of the unexpected byte; the payload's length if the payload is
    /// incomplete.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the line of that byte, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the column of that byte in bytes, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Returns the service's message. It was recorded for an unclosed object or array, for a byte
    /// that begins no value, and for bytes that are not UTF-8; the other messages follow the
    /// service's parser.
    #[must_use]
    pub fn service_message(&self) -> String {
        const VALUE: &str = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";
        let (line, column) = (self.line, self.column);
        let what = match (self.kind, &self.token, self.open) {
            (Kind::EndOfInput, _, Some((marker, line, column))) => format!(
                "Unexpected end-of-input: expected close marker for {} (start marker at {})",
                if marker == b'{' { "Object" } else { "Array" },
                source(line, column),
            ),
            (Kind::EndOfInput, _, None) => "Unexpected end-of-input".to_owned(),
            (Kind::Encoding, ..) => format!("Invalid UTF-8 start byte {:#04x}", self.found),
            (Kind::Unexpected, Some(token), _) => {
                format!("Unrecognized token '{token}': was expecting ({VALUE})")
            }
            (Kind::Unexpected, None, _) => {
                let character = match self.found {
                    0..=31 | 127..=159 => format!("(CTRL-CHAR, code {})", self.found),
                    other => format!("'{}' (code {other})", char::from(other)),
                };
                format!("Unexpected character ({character}): expected a valid value ({VALUE})")
            }
        };
        // The parser has already read past a byte when it notices that the byte is not UTF-8.
        let column = column.saturating_add(usize::from(self.kind == Kind::Encoding));
        format!(
            "Could not parse request body into json: Could not parse payload into json: {what}\n at {}",
            source(line, column)
        )
    }
}

fn source(line: usize, column: usize) -> String {
    format!(
        "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); \
         line: {line}, column: {column}]"
    )
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload is not JSON: ")?;
        match self.kind {
            Kind::EndOfInput => f.write_str("unexpected end of input")?,
            Kind::Encoding => write!(f, "byte {:#04x} is not UTF-8", self.found)?,
            Kind::Unexpected if self.found.is_ascii_graphic() => {
                write!(f, "unexpected '{}'", char::from(self.found))?;
            }
            Kind::Unexpected => write!(f, "unexpected byte {:#04x}", self.found)?,
        }
        write!(
            f,
            " at byte {} (line {}, column {})",
            self.offset, self.line, self.column
        )
    }
}

impl std::error::Error for JsonError {}

/// Returns the offset at which line `line`, from 0, begins.
fn line_start(payload: &[u8], line: usize) -> usize {
    let mut ends = payload
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    line.checked_sub(1)
        .and_then(|nth| ends.nth(nth))
        .map_or(0, |(end, _)| end + 1)
}

/// Returns the line and column, from 1, of the byte that follows `before`.
fn place(before: &[u8]) -> (usize, usize) {
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    (lines + 1, column + 1)
}

/// Returns whether a value could begin at `offset`.
fn at_value(payload: &[u8], offset: usize) -> bool {
    let before = payload.get(..offset).unwrap_or(payload).trim_ascii_end();
    !in_string(before) && matches!(before.last(), None | Some(b'[' | b'{' | b',' | b':'))
}

fn in_string(before: &[u8]) -> bool {
    scan(before, |_, _| {})
}

/// Corrects the parser's position for a control character in a string, which is one byte too low.
fn first_control_in_string(payload: &[u8], offset: usize) -> Option<usize> {
    let at = offset.checked_add(1)?;
    let is_control = payload.get(at).is_some_and(|byte| *byte < 0x20);
    (is_control && in_string(payload.get(..at)?)).then_some(at)
}

/// Returns the innermost `[` or `{` that is not closed, and its offset.
fn innermost_open(before: &[u8]) -> Option<(u8, usize)> {
    let mut open = Vec::new();
    scan(before, |byte, at| match byte {
        b'[' | b'{' => open.push((byte, at)),
        b']' | b'}' => {
            open.pop();
        }
        _ => {}
    });
    open.pop()
}

/// Calls `outside` with every byte outside strings; returns whether the text ends within a string.
fn scan(text: &[u8], mut outside: impl FnMut(u8, usize)) -> bool {
    let (mut string, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        match (string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => string = !string,
            (true, _) => {}
            (false, _) => outside(byte, at),
        }
    }
    string
}

/// Returns the word that the byte at `offset` belongs to.
fn word_at(payload: &[u8], offset: usize) -> Option<Box<str>> {
    let in_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_' || **byte == b'$';
    let (before, from) = payload.split_at_checked(offset)?;
    let start = offset - before.iter().rev().take_while(in_word).count();
    let after = from.iter().take_while(in_word).count();
    let word = payload.get(start..offset + after)?;
    // Numbers and closed strings are not words. After a complete word, the next byte is at fault,
    // not the word.
    let is_complete = matches!(word, b"true" | b"false" | b"null");
    if is_complete || !word.first()?.is_ascii_alphabetic() || in_string(before) {
        return None;
    }
    let word = word.get(..MAX_TOKEN).unwrap_or(word);
    std::str::from_utf8(word).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str =
        "Could not parse request body into json: Could not parse payload into json: ";

    fn message(payload: &[u8]) -> String {
        let message = check(payload).unwrap_err().service_message();
        message.strip_prefix(PREFIX).unwrap().to_owned()
    }

    #[test]
    fn service_messages_are_those_recorded() {
        assert_eq!(
            message(b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"),
            "Invalid UTF-8 start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]"
        );
        assert_eq!(
            message(b"\x99\xeb,j\x07\xa1zYh"),
            "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]"
        );
        assert_eq!(
            message(b"{"),
            "Unexpected end-of-input: expected close marker for Object (start marker at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1])\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"
        );
        assert!(message(b"hello").starts_with("Unrecognized token 'hello': was expecting (JSON"));
    }

    #[test]
    fn the_service_names_a_word_that_is_no_value_and_otherwise_the_character() {
        for (payload, word) in [
            (&b"foo_bar$1"[..], "foo_bar$1"),
            (b"{\"a\": nulx}", "nulx"),
            (b"[nul ]", "nul"),
            (b"[true x]", "x"),
        ] {
            let expected = format!("Unrecognized token '{word}': was expecting (");
            assert!(message(payload).starts_with(&expected), "{payload:?}");
        }
        for (payload, character) in [
            (&b"[01]"[..], '1'),
            (b"true,", ','),
            (b"[false\"a\"]", '"'),
            (b"[null}", '}'),
            (b"[\"\\xy\"]", 'x'),
        ] {
            let expected = format!("Unexpected character ('{character}' (code ");
            assert!(message(payload).starts_with(&expected), "{payload:?}");
        }
    }

    #[test]
    fn the_innermost_open_marker_is_named_whatever_is_closed_or_quoted() {
        for (payload, marker, column) in [
            (&b"[{}, "[..], "Array", 1),
            (b"{\"a\": [[] ", "Array", 7),
            (br#"["\"", {"#, "Object", 8),
            (br#"["\\", {"#, "Object", 8),
            (br#"["[{", "#, "Array", 1),
        ] {
            let message = message(payload);
            let expected = format!("expected close marker for {marker} (start marker at ");
            assert!(message.contains(&expected), "{message}");
            assert!(
                message.contains(&format!("column: {column}])")),
                "{message}"
            );
        }
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character() {
        for (written, read) in [
            (r"a\ud83d", "a\u{fffd}"),
            (r"\uDE00b", "\u{fffd}b"),
            (r"\ud83d\ud83d\ude00\ude00", "\u{fffd}\u{1f600}\u{fffd}"),
            (r"\\ud83d\ud83d", "\\ud83d\u{fffd}"),
            (r"\ud83d\n\u00e9", "\u{fffd}\né"),
        ] {
            let json = format!(r#"{{"text":"{written}"}}"#);
            check(json.as_bytes()).unwrap();
            let whole = whole(json.as_bytes());
            let [member] = members(&whole, ["text"]).unwrap();
            assert_eq!(text(member.unwrap()).as_deref(), Some(read), "{json}");
        }
        // What is not JSON remains so, at the same position.
        for (json, column) in [
            (r#"{"a":"\ud83d""#, 13),
            (r#"{"a":"\ud83d" x}"#, 15),
            (r#"{"a":"\ud8"}"#, 12),
            (r#"{"a":"\ud83"#, 11),
            (r#"{"a":"\"#, 7),
        ] {
            let error = members(&whole(json.as_bytes()), ["a"]).unwrap_err();
            assert_eq!(error.column(), column, "{json}: {error}");
        }
    }

    #[test]
    fn members_are_found_as_they_are_written_whatever_stands_beside_them() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for other in ["1e400", &deep, "{\"a\":0}", "null"] {
            let json = format!(r#"{{"n":{other},"a":1.50,"a":[ 2.50 ],"\u0062":"x","n":{other}}}"#);
            let [a, b, c] = members(json.as_bytes(), ["a", "b", "c"]).unwrap();
            assert_eq!(a.map(RawValue::get), Some("[ 2.50 ]"), "{json}");
            assert_eq!((a.and_then(text), c.map(text)), (None, None));
            assert_eq!(b.and_then(text).as_deref(), Some("x"));
            let [n] = members(json.as_bytes(), ["n"]).unwrap();
            assert_eq!(n.map(RawValue::get), Some(other));
        }
        for invalid in [
            &b"[]"[..],
            b"{}x",
            b"",
            b"{\"a\":\"\xff\"}",
            b"{\"b\":\"\xff\"}",
        ] {
            assert!(members(invalid, ["a"]).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn finds_the_position() {
        let at = |payload: &[u8]| {
            let fault = check(payload).unwrap_err();
            (fault.offset(), fault.line(), fault.column())
        };
        assert_eq!(at(b""), (0, 1, 1));
        assert_eq!(at(b"{\n  \"a\": 1,\n}"), (12, 3, 1));
        assert_eq!(at(b"[1 2]"), (3, 1, 4));
        assert_eq!(at(b"{} x"), (3, 1, 4));
        assert_eq!(at(b"\"a\xff\""), (2, 1, 3));
        assert_eq!(at(b"[\"\n\"]"), (2, 1, 3));
        assert_eq!(at(b"[1,\n\n"), (5, 3, 1));
        assert_eq!(at(b"\"\n\""), (1, 1, 2));
        assert_eq!(at(b"\"\\x\""), (2, 1, 3));
        assert_eq!(at(b"\"\\x \""), (2, 1, 3));
        assert_eq!(at(b"\"\\u12g4\""), (6, 1, 7));
        assert_eq!(at(b"[01]"), (2, 1, 3));
        assert_eq!(at(b"[1.]"), (3, 1, 4));
        assert_eq!(at(b"[-]"), (2, 1, 3));
        assert_eq!(at(b"{\"a\" 1}"), (5, 1, 6));
        assert_eq!(at(b"{1:2}"), (1, 1, 2));
        assert_eq!(at(b"[1}"), (2, 1, 3));
        assert_eq!(at(b"nul"), (3, 1, 4));
        assert_eq!(at(b"nulx"), (3, 1, 4));
        assert_eq!(at(b"{\"a\": nul\n}"), (9, 1, 10));
        assert_eq!(at(b"[-\n1]"), (2, 1, 3));
    }

    #[test]
    fn displays_the_unexpected_byte_and_its_position() {
        let text = |payload: &[u8]| check(payload).unwrap_err().to_string();
        let prefix = "the payload is not JSON: ";
        for (payload, rest) in [
            (&b"[x]"[..], "unexpected 'x' at byte 1 (line 1, column 2)"),
            (b"\x01", "unexpected byte 0x01 at byte 0 (line 1, column 1)"),
            (b"[", "unexpected end of input at byte 1 (line 1, column 2)"),
            (
                b"\"\xff\"",
                "byte 0xff is not UTF-8 at byte 1 (line 1, column 2)",
            ),
        ] {
            assert_eq!(text(payload), format!("{prefix}{rest}"));
        }
    }

    #[test]
    fn of_two_faults_the_first_is_reported() {
        for (payload, offset, kind) in [
            (&b"[\"\xff\"x]"[..], 2, Kind::Encoding),
            (b"[x\"\xff\"]", 1, Kind::Unexpected),
            (b"[\"\xff\"", 2, Kind::Encoding),
            (b"[\xff]", 1, Kind::Unexpected),
        ] {
            let error = check(payload).unwrap_err();
            assert_eq!((error.offset(), error.kind), (offset, kind), "{payload:?}");
        }
    }

    #[test]
    fn accepts_every_kind_of_value_at_any_depth() {
        for payload in [
            "null",
            " 1.5e3 ",
            "\"\\u00e9é\"",
            "[]",
            "{\"a\":{\"b\":[true,false]}}",
        ] {
            assert_eq!(check(payload.as_bytes()), Ok(()), "{payload}");
        }
        let depth = 100_000;
        let deep = [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(check(&deep), Ok(()));
        assert_eq!(check(&deep[..depth]).unwrap_err().offset(), depth);
    }
}
