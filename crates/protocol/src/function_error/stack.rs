//! The stack of a function's error. It is bounded while it is read, since a line takes at least the memory
//! of a `String`, and a payload may have millions.

use std::borrow::Cow;
use std::fmt;
use std::iter;

use lambda_invoke_error::text::truncate;
use serde_core::Deserializer as _;
use serde_core::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;

/// The maximum length of a stack that is kept, in bytes.
pub(super) const MAX: usize = 64 * 1024;

/// Returns the elements of an array, or the lines of a string, up to [`MAX`]. Elements that are not
/// strings (such as the frames of older Python runtimes) are returned as JSON, as they are written.
pub(super) fn read(stack: &RawValue) -> Vec<String> {
    if let Some(text) = json::text(stack) {
        return bounded(text.lines().map(Cow::Borrowed));
    }
    let mut json = serde_json::Deserializer::from_str(stack.get());
    json.deserialize_seq(Frames).unwrap_or_default()
}

/// Collects lines up to [`MAX`].
pub(super) fn bounded<'l>(lines: impl Iterator<Item = Cow<'l, str>>) -> Vec<String> {
    let mut room = MAX;
    let mut kept = Vec::new();
    for line in lines {
        let line = match truncate(&line, room) {
            part if part.len() < line.len() => part.to_owned(),
            _ => line.into_owned(),
        };
        // The `String` itself takes memory as well.
        room = room.saturating_sub(line.len() + size_of::<String>());
        kept.push(line);
        if room == 0 {
            break;
        }
    }
    kept
}

struct Frames;

impl<'j> Visitor<'j> for Frames {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut frames: A) -> Result<Self::Value, A::Error> {
        let lines = iter::from_fn(|| frames.next_element::<&'j RawValue>().ok().flatten());
        let kept = bounded(lines.map(|frame| match json::text(frame) {
            Some(line) => Cow::Owned(line),
            None => Cow::Borrowed(frame.get()),
        }));
        while frames.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_at_most_64_kib() {
        assert_eq!(MAX, 65_536);
        let long = "x".repeat(MAX + 1);
        let of = |lines: &[String]| bounded(lines.iter().map(|line| Cow::Borrowed(&**line)));
        assert_eq!(of(&[long.clone(), long.clone()]), [&long[..MAX]]);
        // Each line costs its `String` too.
        let costs = 100 + size_of::<String>();
        let lines = of(&vec!["y".repeat(100); 1000]);
        assert_eq!(lines.len(), MAX.div_ceil(costs));
        assert_eq!(lines.last().unwrap().len(), MAX % costs);
        assert_eq!(of(&lines), lines);
        let short = vec!["z".repeat(100); 3];
        assert_eq!(of(&short), short);
    }

    #[test]
    fn an_array_a_text_and_anything_else() {
        let read = |json: &str| read(&RawValue::from_string(json.to_owned()).unwrap());
        assert_eq!(
            read(r#"["a\tb", [1, 2.50], null]"#),
            ["a\tb", "[1, 2.50]", "null"]
        );
        assert_eq!(read(r#""a\nb""#), ["a", "b"]);
        for json in ["7", "null", "{\"a\":[1]}", "[]", "\"\""] {
            assert!(read(json).is_empty(), "{json}");
        }
        // As many as are kept.
        let most = MAX.div_ceil(1 + size_of::<String>());
        let zeros = format!("[{}0]", "0,".repeat(10 * most));
        assert_eq!(read(&zeros), vec!["0"; most]);
        assert_eq!(
            read(&format!("\"{}\"", r"0\n".repeat(10 * most))),
            vec!["0"; most]
        );
    }
}
