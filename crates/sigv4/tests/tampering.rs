//! A request that was changed after it was signed is rejected.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_sigv4::{CanonicalRequest, PayloadHash, SigningSettings, VerifyError};
use support::{BODY, credentials, presigned, signed, signer, time, unsigned, verifier, verify};

#[test]
fn a_body_that_was_changed_is_noticed_with_and_without_its_hash_in_a_header() {
    let verify = |parts: &Parts, body: &[u8]| {
        let payload = PayloadHash::of(body);
        verifier()
            .verify(parts, &payload, &credentials(), time())
            .map(|_| ())
    };
    let parts = signed();
    assert!(matches!(
        verify(&parts, b"{}"),
        Err(VerifyError::SignatureMismatch(_))
    ));
    let mut settings = SigningSettings::default();
    settings.content_sha256_header = true;
    let mut with_header = unsigned();
    let signer = signer().with_settings(settings);
    signer
        .sign(&mut with_header, &PayloadHash::of(BODY), time())
        .unwrap();
    assert_eq!(verify(&with_header, BODY), Ok(()));
    assert_eq!(
        verify(&with_header, b"{}"),
        Err(VerifyError::PayloadMismatch)
    );
    // A body that the signature does not cover is accepted only by a server that allows it.
    let mut uncovered = unsigned();
    signer
        .sign(&mut uncovered, &PayloadHash::Unsigned, time())
        .unwrap();
    assert_eq!(verify(&uncovered, BODY), Err(VerifyError::PayloadMismatch));
    let taken = verifier().verify(&uncovered, &PayloadHash::Unsigned, &credentials(), time());
    assert!(taken.is_ok());
}

/// Every character that a request line may contain.
fn targets() -> impl Iterator<Item = char> {
    (0x21..0x7f_u8)
        .filter(|byte| !b"#".contains(byte))
        .map(char::from)
}

/// A change is either rejected, or one that the canonical form is meant to ignore.
#[test]
fn rejects_every_single_character_change_of_path_and_query() {
    for parts in [signed(), presigned()] {
        let target = parts.uri.to_string();
        let settings = SigningSettings::default();
        let payload = PayloadHash::of(BODY);
        let form =
            |parts: &Parts| CanonicalRequest::of(&parts.into(), &payload, &settings).to_bytes();
        let (mut changes, mut ignored) = (0, Vec::new());
        for at in 1..target.len() {
            for character in targets().filter(|&character| !target[at..].starts_with(character)) {
                let mut changed = target.clone();
                changed.replace_range(at..=at, character.encode_utf8(&mut [0; 4]));
                let Ok(uri) = changed.parse() else { continue };
                let mut parts = parts.clone();
                parts.uri = uri;
                changes += 1;
                if verify(&parts).is_ok() {
                    assert_eq!(
                        form(&parts),
                        form(&self::with_target(&parts, &target)),
                        "{changed}"
                    );
                    ignored.push(changed);
                }
            }
        }
        assert!(changes > 9000, "{changes}");
        // The digits of escapes in the query may have either case; no other difference is ignored.
        for changed in ignored {
            assert_eq!(changed.to_lowercase(), target.to_lowercase(), "{changed}");
        }
    }
}

fn with_target(parts: &Parts, target: &str) -> Parts {
    let mut parts = parts.clone();
    parts.uri = target.parse().unwrap();
    parts
}

#[test]
fn rejects_another_method() {
    for method in ["GET", "PUT", "post", "POSTS"] {
        for mut parts in [signed(), presigned()] {
            parts.method = method.parse().unwrap();
            assert!(matches!(
                verify(&parts),
                Err(VerifyError::SignatureMismatch(_))
            ));
        }
    }
}

#[test]
fn rejects_every_single_character_change_of_headers_and_body() {
    let parts = signed();
    let mut changes = 0;
    for name in [
        "content-type",
        "host",
        "x-amz-date",
        "x-amz-log-type",
        "x-amz-tenant-id",
    ] {
        let value = parts.headers[name].to_str().unwrap();
        for at in 0..value.len() {
            for byte in (0x20..0x7f_u8).filter(|byte| *byte != value.as_bytes()[at]) {
                let mut changed = value.as_bytes().to_vec();
                changed[at] = byte;
                let mut parts = parts.clone();
                parts
                    .headers
                    .insert(name, HeaderValue::from_bytes(&changed).unwrap());
                assert!(verify(&parts).is_err(), "{name} {at} {byte}");
                changes += 1;
            }
        }
    }
    for at in 0..BODY.len() {
        for bit in 0..8 {
            let mut body = BODY.to_vec();
            body[at] ^= 1 << bit;
            let payload = PayloadHash::of(&body);
            assert!(
                verifier()
                    .verify(&parts, &payload, &credentials(), time())
                    .is_err()
            );
            changes += 1;
        }
    }
    assert!(changes > 4000, "{changes}");
}

#[test]
fn rejects_every_single_character_change_of_the_authorization_header() {
    let parts = signed();
    let value = parts.headers["authorization"].to_str().unwrap();
    // Starts at the credential; before it are the algorithm and blanks.
    let start = value.find("Credential").unwrap();
    for at in 0..value.len() {
        for byte in (0x20..0x7f_u8).filter(|byte| *byte != value.as_bytes()[at]) {
            let mut changed = value.as_bytes().to_vec();
            changed[at] = byte;
            let mut parts = parts.clone();
            parts
                .headers
                .insert("authorization", HeaderValue::from_bytes(&changed).unwrap());
            // A blank after a comma may become another comma, which makes an empty part.
            let empty_piece = at >= start && value.as_bytes()[at] == b' ' && byte == b',';
            assert_eq!(verify(&parts).is_ok(), empty_piece, "{at} {byte}");
        }
    }
}
