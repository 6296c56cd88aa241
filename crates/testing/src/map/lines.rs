//! Lines of JSON, and texts that end with NUL.

use std::io::BufReader;

use lambda_invoke_map::Item;
use lambda_invoke_map::source::{Fields, Selector, Separator, Texts};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Slow;

/// The fields by which items are named: none, members and pointers.
const FIELDS: [Option<&str>; 8] = [
    None,
    None,
    None,
    Some("id"),
    Some("/a/0"),
    Some("/a~1b"),
    Some("/"),
    Some("~1"),
];

type Read = Vec<Result<(Vec<u8>, Option<String>), String>>;

fn read(text: &[u8], separator: Separator, field: Option<&str>, piece: u8) -> Read {
    let fields = Fields::default().key(field.map(Selector::new));
    let reader = BufReader::with_capacity(usize::from(piece) + 1, Slow(text, piece.into()));
    let items = Texts::new(reader, separator, fields);
    items
        .map(|item| match item {
            Ok(Item { payload, key, .. }) => {
                Ok((payload.to_vec(), key.map(|key| key.as_ref().to_owned())))
            }
            Err(error) => Err(error.to_string()),
        })
        .collect()
}

/// The items are the texts that are not blank, up to one that is not JSON, which the error counts; in
/// pieces of any length, with other line ends and after a byte order mark.
///
/// The first byte is the length of a piece; the second one chooses the separator and the field that
/// names an item.
pub fn lines(data: &[u8]) {
    let [piece, choice, text @ ..] = data else {
        return;
    };
    let (separator, end) = match choice % 2 {
        0 => (Separator::Line, b'\n'),
        _ => (Separator::Nul, 0),
    };
    let field = FIELDS[usize::from(choice / 2) % FIELDS.len()];
    let found = read(text, separator, field, *piece);
    assert_eq!(read(text, separator, field, u8::MAX), found);
    agrees(text, separator, field, end, &found);
    if separator == Separator::Line {
        let mut other = Vec::new();
        for byte in text {
            if *byte == b'\n' {
                other.push(b'\r');
            }
            other.push(*byte);
        }
        same(&read(&other, separator, field, *piece), &found);
    }
    let mark = "\u{feff}".as_bytes();
    if !text.starts_with(mark) {
        same(
            &read(&[mark, text].concat(), separator, field, *piece),
            &found,
        );
    }
    if !text.is_empty() && !text.ends_with(&[end]) {
        assert_eq!(
            read(&[text, &[end]].concat(), separator, field, *piece),
            found
        );
    }
}

/// The items are the same, and the first error is in the same place. The position in an item may differ.
fn same(other: &Read, found: &Read) {
    assert_eq!(other.len(), found.len());
    for pair in other.iter().zip(found) {
        match pair {
            (Ok(other), Ok(found)) => assert_eq!(other, found),
            (Err(other), Err(found)) => assert_eq!(place(other), place(found)),
            pair => panic!("{pair:?}"),
        }
    }
}

/// The part of an error that says where it is.
fn place(error: &str) -> &str {
    error.split_once(": ").map_or(error, |(place, _)| place)
}

fn agrees(text: &[u8], separator: Separator, field: Option<&str>, end: u8, found: &Read) {
    let mut items = found.iter();
    for (number, part) in (1..).zip(text.split(|byte| *byte == end)) {
        let part = match part.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) if number == 1 => rest,
            _ => part,
        };
        let part = part.trim_ascii();
        if part.is_empty() {
            continue;
        }
        let is_json = serde_json::from_slice::<&RawValue>(part).is_ok();
        // A parser that builds values has a depth limit, and reads no half surrogate pairs.
        let json = serde_json::from_slice::<Value>(part).ok();
        match items.next().expect("an item for each text") {
            Ok((payload, key)) => {
                assert_eq!(payload, part);
                assert!(is_json, "an item that is not JSON");
                if let (Some(json), Some(field)) = (&json, field) {
                    is_key(json, field, key.as_deref());
                }
            }
            Err(error) => {
                let word = match separator {
                    Separator::Line => "line",
                    Separator::Nul => "text",
                };
                assert_eq!(place(error), format!("{word} {number}"));
                assert!(items.next().is_none(), "items after an error");
                assert!(!is_json || field.is_some(), "{error}");
                if let Some(json) = &json {
                    let named = field.and_then(|field| select(json, field));
                    assert!(field.is_some() && named.is_none_or(|value| !is_name(value)));
                }
                return;
            }
        }
    }
    assert!(items.next().is_none(), "more items than texts");
}

fn select<'j>(json: &'j Value, field: &str) -> Option<&'j Value> {
    match field.strip_prefix('/') {
        Some(_) => json.pointer(field),
        // `get` takes no index of an array by a text.
        None => json.get(field),
    }
}

fn is_name(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn is_key(json: &Value, field: &str, key: Option<&str>) {
    let key = key.expect("a key");
    match select(json, field) {
        Some(Value::String(text)) => assert_eq!(key, text),
        // As it is written; the value in memory has fewer digits.
        Some(Value::Number(number)) => {
            let written: f64 = key.parse().unwrap();
            let read = number.as_f64().unwrap();
            assert!(
                (written - read).abs() <= written.abs() * 1e-12,
                "{written} {read}"
            );
        }
        other => panic!("{key} for {other:?}"),
    }
}
