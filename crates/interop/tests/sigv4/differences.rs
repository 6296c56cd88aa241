//! Known differences between the project's signer and `aws-sigv4`.

use crate::how::{How, parts};

/// `aws-sigv4` reads `+` in a query as a space, as in HTML forms; in the official vectors, in RFC
/// 3986 and here it is a plus sign. No SDK sends one.
#[test]
fn a_plus_sign_in_a_query_is_a_plus_sign() {
    let how = How::default_at("20261121T035000Z");
    let sign = |query: &str| {
        let parts = parts(&format!("http://h/?{query}"), &[]).unwrap();
        (
            how.theirs(&parts, b"", false).1,
            how.ours(&parts, b"", false).1.to_string(),
        )
    };
    let ((plus, our_plus), (space, our_space), (escaped, our_escaped)) =
        (sign("a=b+c"), sign("a=b%20c"), sign("a=b%2Bc"));
    assert_eq!((&space, &escaped), (&our_space, &our_escaped));
    assert_eq!((plus, our_plus), (space, escaped));
}

/// `aws-sigv4` replaces bytes in a query that are not UTF-8 by U+FFFD; here the bytes that are sent
/// are signed.
#[test]
fn bytes_that_are_no_utf_8_stay_what_they_are() {
    let how = How::default_at("20261121T035000Z");
    let sign = |query: &str| {
        let parts = parts(&format!("http://h/?{query}"), &[]).unwrap();
        (
            how.theirs(&parts, b"", false).1,
            how.ours(&parts, b"", false).1.to_string(),
        )
    };
    let ((theirs, ours), (replaced, our_replaced)) = (sign("a=%FF"), sign("a=%EF%BF%BD"));
    assert_eq!(replaced, our_replaced);
    assert_eq!(theirs, replaced);
    assert_ne!(ours, theirs);
}

/// In a path that is encoded once, `aws-sigv4` signs bytes outside ASCII unchanged; here they are
/// encoded, as in S3. If the caller encodes them, both signers agree.
#[test]
fn a_path_encoded_once_is_ascii() {
    let mut how = How::default_at("20261121T035000Z");
    how.once = true;
    let sign = |path: &str| {
        let parts = parts(&format!("http://h{path}"), &[]).unwrap();
        (
            how.theirs(&parts, b"", false).1,
            how.ours(&parts, b"", false).1.to_string(),
        )
    };
    let ((theirs, ours), (encoded, our_encoded)) = (sign("/\u{e9}"), sign("/%C3%A9"));
    assert_eq!(encoded, our_encoded);
    assert_eq!(ours, encoded);
    assert_ne!(ours, theirs);
}
