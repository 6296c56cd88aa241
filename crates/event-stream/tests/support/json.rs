//! Reads the expected messages of the official data from JSON, of which there are a few shapes.

use base64::Engine as _;
use serde_json::Value as Json;

use super::{Expected, Value};

pub(crate) fn message(decoded: &Json) -> Expected {
    let payload = match decoded.get("payload_hex") {
        Some(payload) => hex(payload),
        None => base64(&decoded["payload"]),
    };
    Expected {
        headers: headers(&decoded["headers"]),
        payload,
    }
}

pub(crate) fn headers(list: &Json) -> Vec<(String, Value)> {
    array(list).iter().map(header).collect()
}

/// A header, its type by name or, with bytes in base64, by its number on the wire.
pub(crate) fn header(header: &Json) -> (String, Value) {
    let value = &header["value"];
    let integer = || value.as_i64().unwrap();
    let value = match header["type"].as_str() {
        Some("bool_true") => Value::Bool(true),
        Some("bool_false") => Value::Bool(false),
        Some("byte") => Value::Byte(integer().try_into().unwrap()),
        Some("short") => Value::Short(integer().try_into().unwrap()),
        Some("integer") => Value::Integer(integer().try_into().unwrap()),
        Some("long") => Value::Long(integer()),
        Some("byte_array") => Value::ByteArray(hex(value)),
        Some("string") => Value::String(text(value).to_owned()),
        Some("timestamp") => Value::Timestamp(integer()),
        Some("uuid") => Value::Uuid(hex(value).try_into().unwrap()),
        Some(other) => panic!("a header of an unknown type, {other}"),
        None => match header["type"].as_u64().unwrap() {
            0 => Value::Bool(true),
            1 => Value::Bool(false),
            2 => Value::Byte(integer().try_into().unwrap()),
            3 => Value::Short(integer().try_into().unwrap()),
            4 => Value::Integer(integer().try_into().unwrap()),
            5 => Value::Long(integer()),
            6 => Value::ByteArray(base64(value)),
            7 => Value::String(String::from_utf8(base64(value)).unwrap()),
            8 => Value::Timestamp(integer()),
            9 => Value::Uuid(base64(value).try_into().unwrap()),
            other => panic!("a header of an unknown type, {other}"),
        },
    };
    (text(&header["name"]).to_owned(), value)
}

pub(crate) fn array(value: &Json) -> &[Json] {
    value.as_array().unwrap()
}

pub(crate) fn text(value: &Json) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn hex(value: &Json) -> Vec<u8> {
    ::hex::decode(text(value)).unwrap()
}

pub(crate) fn base64(value: &Json) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(text(value))
        .unwrap()
}

/// A length or checksum; some sources print checksums as signed numbers.
pub(crate) fn number(value: &Json) -> u32 {
    (value.as_i64().unwrap() & 0xffff_ffff) as u32
}
