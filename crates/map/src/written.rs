//! JSON values as they are written. Read as numbers, `12345678901234567890123` and
//! `12345678901234567890124` would be the same key.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Returns the value at a JSON pointer (RFC 6901) or of a member; `None` if there is none.
///
/// # Errors
///
/// If an object on the way has a name that is not a text.
pub(crate) fn find<'j>(
    json: &'j RawValue,
    field: &str,
) -> Result<Option<&'j RawValue>, serde_json::Error> {
    let Some(pointer) = field.strip_prefix('/') else {
        return step(json, field);
    };
    let mut at = json;
    for token in pointer.split('/') {
        let token = token.replace("~1", "/").replace("~0", "~");
        match step(at, &token)? {
            Some(found) => at = found,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Returns a member of an object, or an element of an array.
fn step<'j>(json: &'j RawValue, token: &str) -> Result<Option<&'j RawValue>, serde_json::Error> {
    let text = json.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            members.remove(token)
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text)?;
            index(token).and_then(|at| elements.get(at).copied())
        }
        _ => None,
    })
}

/// Reads the position of an element: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with(['0', '+']);
    token.parse().ok().filter(|_| is_plain)
}

/// Returns the content of a string, or the digits of a number; `None` for other values.
///
/// # Errors
///
/// If a string is not a text, such as half a surrogate pair.
pub(crate) fn text(json: &RawValue) -> Result<Option<String>, serde_json::Error> {
    let text = json.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') => Some(serde_json::from_str(text)?),
        Some(b'-' | b'0'..=b'9') => Some(text.to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_what_serde_json_finds() {
        let json = r#"{"":1,"a":{"b/c":[2,{"~":"x"}],"01":3},"d":[[4]],"~1":5,"a":{"b/c":[7,6]}}"#;
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        for pointer in [
            "/",
            "/a",
            "/a/b~1c",
            "/a/b~1c/0",
            "/a/b~1c/1",
            "/a/b~1c/2",
            "/a/b~1c/01",
            "/a/01",
            "/a/b~1c/+1",
            "/a/b~1c/-",
            "/d/0/0",
            "/d/0/0/0",
            "/~01",
            "/missing",
            "/d/x",
            "/a//",
            "/d/00",
        ] {
            let found = find(raw, pointer).unwrap().map(RawValue::get);
            let expected = value.pointer(pointer).map(ToString::to_string);
            assert_eq!(found.map(str::to_owned), expected, "{pointer}");
        }
        let member = |name| find(raw, name).unwrap().map(RawValue::get);
        assert_eq!(member("~1"), Some("5"));
        assert_eq!(member("b/c"), None);
    }

    #[test]
    fn numbers_are_texts_as_they_are_written() {
        let read = |json| text(serde_json::from_str(json).unwrap()).unwrap();
        for number in ["12345678901234567890123", "-0.10", "1E400", "7"] {
            assert_eq!(read(number).as_deref(), Some(number));
        }
        assert_eq!(read(r#""\u0041""#).as_deref(), Some("A"));
        for other in ["null", "true", "[]", "{}"] {
            assert_eq!(read(other), None);
        }
        let half = serde_json::from_str(r#""\ud83d""#).unwrap();
        assert!(text(half).is_err());
    }
}
