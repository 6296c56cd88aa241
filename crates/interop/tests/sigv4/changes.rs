//! Every single-character change of a request that `aws-sigv4` signed.

use http::request::Parts;
use lambda_invoke_sigv4::{SessionTokenMode, Timestamp, VerifyError};

use crate::how::{How, encoded, parts};

/// A request that `aws-sigv4` signed, with everything in it that a test changes.
fn signed_by_them(presign: bool) -> (How, Parts, &'static [u8]) {
    let mut how = How::default_at("20261121T035000Z");
    how.token = Some(SessionTokenMode::Signed);
    let name = encoded("arn:aws:lambda:eu-west-1:123456789012:function:f");
    let uri = format!(
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/{name}/invocations\
         ?Qualifier=prod&b=%2F"
    );
    let headers = [
        ("host", "lambda.eu-west-1.amazonaws.com"),
        ("content-type", "application/json"),
        ("x-amz-tenant-id", "a tenant"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let body = b"{\"name\":\"Ada\"}";
    let (signed, _) = how.theirs(&parts(&uri, &headers).unwrap(), body, presign);
    assert!(how.verify(&signed, body).is_ok());
    (how, signed, body)
}

/// The text with the character at `at` replaced by every other one that a request line or a header
/// value can contain.
fn others(text: &str, at: usize) -> impl Iterator<Item = String> {
    let old = text.as_bytes()[at];
    (0x20..0x7f_u8)
        .filter(move |byte| *byte != old)
        .map(move |byte| {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = byte;
            String::from_utf8(changed).unwrap()
        })
}

#[test]
fn rejects_every_single_character_change_of_path_and_query() {
    for presign in [false, true] {
        let (how, signed, body) = signed_by_them(presign);
        let target = signed.uri.path_and_query().unwrap().as_str();
        let (mut changes, mut taken) = (0, Vec::new());
        for at in 1..target.len() {
            for changed in others(target, at) {
                let Ok(uri) = changed.parse() else { continue };
                let mut parts = signed.clone();
                parts.uri = uri;
                changes += 1;
                if how.verify(&parts, body).is_ok() {
                    taken.push(changed);
                }
            }
        }
        assert!(changes > 8000, "{changes}");
        // Upper and lower case in an escape in the query have the same meaning and the same
        // signature.
        for changed in taken {
            let (path, query) = target.split_once('?').unwrap();
            let (changed_path, changed_query) = changed.split_once('?').unwrap();
            assert_eq!(path, changed_path);
            assert_eq!(query.to_lowercase(), changed_query.to_lowercase());
        }
    }
}

#[test]
fn rejects_every_single_character_change_of_signed_headers_and_body() {
    for presign in [false, true] {
        let (how, signed, body) = signed_by_them(presign);
        let mut changes = 0;
        for (name, value) in &signed.headers {
            // The authorization header is changed part by part below.
            if name == "authorization" {
                continue;
            }
            let value = value.to_str().unwrap();
            for at in 0..value.len() {
                for changed in others(value, at) {
                    let mut parts = signed.clone();
                    parts.headers.insert(name, changed.parse().unwrap());
                    assert!(how.verify(&parts, body).is_err(), "{name}: {changed}");
                    changes += 1;
                }
            }
        }
        assert!(changes > 4000, "{changes}");
        for at in 0..body.len() {
            for byte in 0..=255_u8 {
                let mut changed = body.to_vec();
                changed[at] = byte;
                assert_eq!(how.verify(&signed, &changed).is_ok(), byte == body[at]);
            }
        }
    }
}

#[test]
fn rejects_every_single_character_change_of_credential_scope_names_and_signature() {
    let (how, signed, body) = signed_by_them(false);
    let authorization = signed.headers["authorization"].to_str().unwrap();
    let mut changes = 0;
    for at in 0..authorization.len() {
        // The blanks between the parts may change; nothing else may.
        if authorization.as_bytes()[at] == b' ' {
            continue;
        }
        for changed in others(authorization, at) {
            let mut parts = signed.clone();
            parts
                .headers
                .insert("authorization", changed.parse().unwrap());
            assert!(how.verify(&parts, body).is_err(), "{changed}");
            changes += 1;
        }
    }
    assert!(changes > 15_000, "{changes}");
    // The date is changed, too: in the scope and in the header, with everything that depends on it.
    for days in [-1_i64, 1] {
        let secs = how
            .time
            .as_secs()
            .checked_add_signed(days * 86_400)
            .unwrap();
        let other = Timestamp::from_secs(secs).unwrap().to_string();
        let mut parts = signed.clone();
        parts.headers.insert("x-amz-date", other.parse().unwrap());
        let moved = authorization.replace(&how.time.to_string()[..8], &other[..8]);
        parts
            .headers
            .insert("authorization", moved.parse().unwrap());
        let mut late = how;
        late.time = Timestamp::from_secs(secs).unwrap();
        let rejected = late.verify(&parts, body).unwrap_err();
        assert!(
            matches!(rejected, VerifyError::SignatureMismatch(_)),
            "{rejected}"
        );
    }
}

/// The body's hash that `aws-sigv4` sends must match the body in every digit.
#[test]
fn rejects_every_single_character_change_of_the_bodys_hash() {
    let mut how = How::default_at("20261121T035000Z");
    how.sends_hash = true;
    let (signed, _) = how.theirs(&parts("http://h/", &[]).unwrap(), b"{}", false);
    assert!(how.verify(&signed, b"{}").is_ok());
    let hash = signed.headers["x-amz-content-sha256"].to_str().unwrap();
    for at in 0..hash.len() {
        for changed in others(hash, at) {
            let mut parts = signed.clone();
            parts
                .headers
                .insert("x-amz-content-sha256", changed.parse().unwrap());
            assert_eq!(
                how.verify(&parts, b"{}").unwrap_err(),
                VerifyError::PayloadMismatch
            );
        }
    }
}
