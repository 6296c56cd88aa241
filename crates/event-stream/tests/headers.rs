//! Headers: conversions to and from values, and how they are shown.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_invoke_event_stream::{HeaderBlock, HeaderType, HeaderValue, Headers};
use support::ALL_TYPES;

const UUID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf];

#[test]
fn values_convert_from_the_types_that_they_hold() {
    assert_eq!(HeaderValue::from("text"), HeaderValue::String("text"));
    let text = String::from("text");
    assert_eq!(HeaderValue::from(&text), HeaderValue::String("text"));
    let bytes = HeaderValue::ByteArray(b"bytes");
    assert_eq!(HeaderValue::from(&b"bytes"[..]), bytes);
    assert_eq!(HeaderValue::from(b"bytes"), bytes);
    assert_eq!(HeaderValue::from(&b"bytes".to_vec()), bytes);
    assert_eq!(HeaderValue::from(&Bytes::from_static(b"bytes")), bytes);
    assert_eq!(HeaderValue::from(true), HeaderValue::Bool(true));
    assert_eq!(HeaderValue::from(-1_i8), HeaderValue::Byte(-1));
    assert_eq!(HeaderValue::from(-2_i16), HeaderValue::Short(-2));
    assert_eq!(HeaderValue::from(-3_i32), HeaderValue::Integer(-3));
    assert_eq!(HeaderValue::from(-4_i64), HeaderValue::Long(-4));
    assert_eq!(HeaderValue::from(UUID), HeaderValue::Uuid(UUID));
    // A reference to 16 bytes becomes a byte array; only the array itself becomes a UUID.
    assert_eq!(HeaderValue::from(&UUID), HeaderValue::ByteArray(&UUID));
}

#[test]
fn times_become_milliseconds_rounded_down() {
    let at = |time: SystemTime| HeaderValue::from(time).as_timestamp().unwrap();
    assert_eq!(at(UNIX_EPOCH), 0);
    let nanosecond = Duration::from_nanos(1);
    let second = Duration::from_secs(1);
    assert_eq!(at(UNIX_EPOCH + second), 1000);
    assert_eq!(at(UNIX_EPOCH + second - nanosecond), 999);
    assert_eq!(at(UNIX_EPOCH + Duration::from_micros(1_999)), 1);
    assert_eq!(at(UNIX_EPOCH - second), -1000);
    assert_eq!(at(UNIX_EPOCH - nanosecond), -1);
    assert_eq!(at(UNIX_EPOCH - second - nanosecond), -1001);
}

#[test]
fn times_that_the_format_cannot_express_become_the_nearest_that_it_can() {
    let most = Duration::from_secs(i64::MAX as u64);
    assert_eq!(
        HeaderValue::from(UNIX_EPOCH + most),
        HeaderValue::Timestamp(i64::MAX)
    );
    assert_eq!(
        HeaderValue::from(UNIX_EPOCH - most),
        HeaderValue::Timestamp(i64::MIN)
    );
    let last = Duration::from_millis(i64::MAX as u64);
    assert_eq!(
        HeaderValue::from(UNIX_EPOCH + last),
        HeaderValue::Timestamp(i64::MAX)
    );
    assert_eq!(
        HeaderValue::from(UNIX_EPOCH - last),
        HeaderValue::Timestamp(-i64::MAX)
    );
}

#[test]
fn values_are_shown_as_documented() {
    let shown = |value: HeaderValue<'_>| value.to_string();
    assert_eq!(shown(HeaderValue::Bool(true)), "true");
    assert_eq!(shown(HeaderValue::Bool(false)), "false");
    assert_eq!(shown(HeaderValue::Byte(i8::MIN)), "-128");
    assert_eq!(shown(HeaderValue::Short(300)), "300");
    assert_eq!(shown(HeaderValue::Integer(-70_000)), "-70000");
    assert_eq!(shown(HeaderValue::Long(i64::MAX)), "9223372036854775807");
    assert_eq!(shown(HeaderValue::ByteArray(b"")), "");
    assert_eq!(
        shown(HeaderValue::ByteArray(b"\x00\xff\x80\x0a")),
        "00ff800a"
    );
    assert_eq!(shown(HeaderValue::String("héllo\n")), "héllo\n");
    let uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    assert_eq!(shown(HeaderValue::Uuid(UUID)), uuid);
    assert_eq!(format!("{:>6}|", HeaderValue::String("ab")), "    ab|");
}

#[test]
fn timestamps_are_shown_in_seconds_with_three_decimals() {
    for (milliseconds, shown) in [
        (0, "0.000"),
        (1, "0.001"),
        (-1, "-0.001"),
        (999, "0.999"),
        (1000, "1.000"),
        (-1500, "-1.500"),
        (1_518_658_301_122, "1518658301.122"),
        (i64::MAX, "9223372036854775.807"),
        (i64::MIN, "-9223372036854775.808"),
    ] {
        assert_eq!(HeaderValue::Timestamp(milliseconds).to_string(), shown);
    }
}

#[test]
fn each_accessor_takes_its_own_type_and_no_other() {
    let block = HeaderBlock::try_from(Bytes::from_static(ALL_TYPES)).unwrap();
    let values: Vec<HeaderValue<'_>> = block.headers().iter().map(|(_, value)| value).collect();
    fn some<'a, T>(
        values: &[HeaderValue<'a>],
        of: impl Fn(HeaderValue<'a>) -> Option<T>,
    ) -> Vec<T> {
        values.iter().filter_map(|value| of(*value)).collect()
    }
    assert_eq!(some(&values, HeaderValue::as_bool), [true, false]);
    assert_eq!(some(&values, HeaderValue::as_integer), [-1, -2, -3, -4]);
    assert_eq!(some(&values, HeaderValue::as_bytes), [b"\x00\xff\x80"]);
    assert_eq!(some(&values, HeaderValue::as_str), ["héllo"]);
    assert_eq!(
        some(&values, HeaderValue::as_timestamp),
        [1_518_658_301_122]
    );
    assert_eq!(some(&values, HeaderValue::as_uuid), [UUID]);
    let types: Vec<u8> = values.iter().map(|v| v.header_type().as_u8()).collect();
    assert_eq!(types, (0..10).collect::<Vec<_>>());
}

#[test]
fn numbers_above_nine_are_not_types() {
    for number in 0..=255 {
        assert_eq!(HeaderType::try_from(number).is_ok(), number <= 9);
    }
}

#[test]
fn blocks_are_built_from_borrowed_and_owned_names_and_from_any_values() {
    let values = HeaderBlock::from_headers([("a", "x"), ("b", "y")]).unwrap();
    assert_eq!(
        values.as_bytes(),
        &b"\x01a\x07\x00\x01x\x01b\x07\x00\x01y"[..]
    );
    let owned = [(String::from("a"), 7_i8)];
    let block = HeaderBlock::from_headers(owned).unwrap();
    assert_eq!(block.as_bytes(), &b"\x01a\x02\x07"[..]);
    let again = HeaderBlock::from_headers(block.headers()).unwrap();
    assert_eq!(again, block);
    assert_eq!(block.clone().into_bytes(), block.as_bytes());
    assert_eq!(HeaderBlock::new(), HeaderBlock::default());
    assert!(HeaderBlock::new().headers().is_empty() && !block.headers().is_empty());
}

#[test]
fn headers_are_borrowed_compared_and_copied() {
    let headers = Headers::try_from(ALL_TYPES).unwrap();
    assert_eq!(headers.as_bytes().as_ptr(), ALL_TYPES.as_ptr());
    let copy = headers.to_block();
    assert_eq!(copy.headers(), headers);
    assert_ne!(copy.as_bytes().as_ptr(), ALL_TYPES.as_ptr());
    assert_ne!(headers, Headers::default());
    let error = Headers::try_from(&ALL_TYPES[..5]).unwrap_err();
    assert_eq!(error.offset(), 5);
    let names: String = headers.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, "abcdefghij");
}

#[test]
fn debug_shows_names_and_values() {
    let block =
        HeaderBlock::from_headers([("n", HeaderValue::from(7)), ("s", "x".into())]).unwrap();
    let shown = r#"{"n": Integer(7), "s": String("x")}"#;
    assert_eq!(format!("{block:?}"), shown);
    assert_eq!(format!("{:?}", block.headers()), shown);
}
