//! No secret, derived key or session token appears in any `Debug` output or error.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::{Debug, Display};
use std::time::Duration;

use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, PayloadHash, RawRequest, SessionTokenMode, Signer, SigningKey,
    SigningSettings, StringToSign, Timestamp, Verifier, VerifyError,
};
use ring::hmac;

const SECRET: &str = "hunter2/SECRET+hunter2";
const TOKEN: &str = "sess10n/TOKEN==";
/// The token as it appears in a query.
const ENCODED: &str = "sess10n%2FTOKEN";
/// Every key in the chain from `SECRET` to the one that signs on 1970-01-01 in region `r` for
/// service `s`: the reference's chain of HMACs, computed here.
fn derived() -> Vec<Vec<u8>> {
    let mut keys = vec![format!("AWS4{SECRET}").into_bytes()];
    for text in ["19700101", "r", "s", "aws4_request"] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, keys.last().unwrap());
        keys.push(hmac::sign(&key, text.as_bytes()).as_ref().to_vec());
    }
    keys
}

fn assert_clean(what: &str, shown: &str) {
    for hidden in [SECRET, "hunter2", TOKEN, "sess10n", ENCODED] {
        assert!(!shown.contains(hidden), "{what} shows {hidden}: {shown}");
    }
    // As bytes, in any of the ways in which they can be printed.
    let mut keys = derived();
    keys.extend([SECRET.as_bytes().to_vec(), TOKEN.as_bytes().to_vec()]);
    for bytes in keys {
        let list = format!("{bytes:?}");
        assert!(
            !shown.contains(list.trim_matches(['[', ']'])),
            "{what} shows bytes: {shown}"
        );
        assert!(
            !shown.to_lowercase().contains(&hex::encode(&bytes)),
            "{what} shows digits"
        );
        assert!(
            !shown.contains(&PayloadHash::of(&bytes).to_string()),
            "{what} shows a hash"
        );
    }
}

fn clean_debug(what: &str, value: &impl Debug) {
    assert!(!format!("{value:?}").is_empty(), "{what} shows nothing");
    assert_clean(what, &format!("{value:?}"));
    assert_clean(what, &format!("{value:#?}"));
}

fn clean(what: &str, value: &(impl Debug + Display)) {
    clean_debug(what, value);
    assert_clean(what, &value.to_string());
}

fn credentials() -> Credentials {
    Credentials::new("AKID", SECRET)
        .unwrap()
        .with_session_token(TOKEN)
        .unwrap()
}

#[test]
fn no_type_shows_them() {
    let time = Timestamp::EPOCH;
    // Check that the keys searched for are those that sign.
    let key = hmac::Key::new(hmac::HMAC_SHA256, derived().last().unwrap());
    let signature = SigningKey::derive(SECRET, time, "r", "s").sign(b"text");
    assert_eq!(hmac::sign(&key, b"text").as_ref(), signature.as_bytes());
    clean_debug("Credentials", &credentials());
    clean_debug("SigningKey", &SigningKey::derive(SECRET, time, "r", "s"));
    for (settings, mode) in [
        (SessionTokenMode::Signed, "signed"),
        (SessionTokenMode::Appended, "appended"),
    ] {
        let mut with = SigningSettings::default();
        with.session_token = settings;
        let signer = Signer::new(credentials(), "r", "s")
            .unwrap()
            .with_settings(with.clone());
        let (mut parts, ()) = http::Request::get("http://h/")
            .body(())
            .unwrap()
            .into_parts();
        let presigned = {
            let raw = RawRequest::from(&parts);
            let expires = Duration::from_secs(1);
            signer
                .presign_raw(&raw, &PayloadHash::EMPTY, time, expires)
                .unwrap()
        };
        clean_debug("Presigned", &presigned);
        assert!(presigned.query().contains(ENCODED), "the test is blind");
        let added = signer
            .sign_raw(&RawRequest::from(&parts), &PayloadHash::EMPTY, time)
            .unwrap();
        clean_debug("SigningHeaders", &added);
        let signature = signer.sign(&mut parts, &PayloadHash::EMPTY, time).unwrap();
        clean("Signature", &signature);
        clean_debug("Signer", &signer);
        clean_debug("Parts", &parts);
        clean_debug("RawRequest", &RawRequest::from(&parts));
        let canonical = CanonicalRequest::of(&(&parts).into(), &PayloadHash::EMPTY, &with);
        clean_debug("CanonicalRequest", &canonical);
        // `Display` serves to compare two canonical requests by hand, so it must be complete.
        assert_eq!(canonical.to_string().contains(TOKEN), mode == "signed");
        clean(
            "StringToSign",
            &StringToSign::new(time, "r", "s", canonical.hash()),
        );
        let verifier = Verifier::new("r", "s").unwrap().with_settings(with);
        let verified = verifier
            .verify(&parts, &PayloadHash::EMPTY, &credentials(), time)
            .unwrap();
        clean_debug("Verified", &verified);
        let seed = verified.signature();
        clean_debug("ChunkSigner", &signer.chunk_signer(time, seed));
        clean_debug("MessageSigner", &signer.message_signer(time, seed));
        let verifiers = (
            verifier.chunk_verifier(&credentials(), &verified),
            verifier.message_verifier(&credentials(), &verified),
        );
        clean_debug("ChunkVerifier and MessageVerifier", &verifiers);
        let unverified = verifier.check(&parts, &PayloadHash::EMPTY, time).unwrap();
        clean_debug("Claims", unverified.claims());
        clean_debug("Unverified", &unverified);
        clean_debug("Verifier", &verifier);
    }
}

#[test]
fn no_error_shows_them() {
    for (id, secret, token) in [
        (format!("{SECRET}\n"), "x".to_owned(), "x".to_owned()),
        ("AKID".to_owned(), format!("{SECRET}\n"), "x".to_owned()),
        ("AKID".to_owned(), "x".to_owned(), format!("{TOKEN}\n")),
    ] {
        let error = Credentials::new(id, secret).and_then(|made| made.with_session_token(token));
        clean("CredentialsError", &error.unwrap_err());
    }
    let time = Timestamp::EPOCH;
    let signer = Signer::new(credentials(), "r", "s").unwrap();
    let verifier = Verifier::new("r", "s").unwrap();
    for presigned in [false, true] {
        let uri = "http://h/?a=b";
        let (mut parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        if presigned {
            let expires = Duration::from_secs(60);
            signer
                .presign(&mut parts, &PayloadHash::EMPTY, time, expires)
                .unwrap();
        } else {
            signer.sign(&mut parts, &PayloadHash::EMPTY, time).unwrap();
        }
        let verify = |credentials: &Credentials, payload: &PayloadHash| {
            verifier
                .verify(&parts, payload, credentials, time)
                .unwrap_err()
        };
        let other_secret = Credentials::new("AKID", "other").unwrap();
        let no_token = Credentials::new("AKID", SECRET).unwrap();
        let unknown = Credentials::new("OTHER", SECRET).unwrap();
        let expired = credentials().with_expiry(time);
        let mismatch = verify(&other_secret, &PayloadHash::EMPTY);
        let VerifyError::SignatureMismatch(details) = &mismatch else {
            panic!("{mismatch:?}");
        };
        // The mismatch shows what it expected, with a mark in place of the token.
        assert!(details.canonical_request().contains("redacted"));
        for error in [
            mismatch.clone(),
            verify(&credentials(), &PayloadHash::of(b"tampered")),
            verify(&no_token, &PayloadHash::EMPTY),
            verify(&unknown, &PayloadHash::EMPTY),
            verify(&expired, &PayloadHash::EMPTY),
        ] {
            clean("VerifyError", &error);
            assert_clean("service_message", &error.service_message());
            let made = signer.sign_raw(&(&parts).into(), &PayloadHash::EMPTY, time);
            if let Ok(made) = made {
                let signature = made.signature().to_string();
                assert!(
                    !error.to_string().contains(&signature),
                    "a signature is shown"
                );
            }
        }
    }
}
