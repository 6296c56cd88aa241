//! A request's claims before it is verified, and the ways to obtain a key: an asynchronous lookup,
//! or a derived key.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lambda_invoke_sigv4::{Claims, Credentials, PayloadHash, RawRequest, SigningKey, VerifyError};
use support::{BODY, ID, SECRET, credentials, presigned, signed, signer, time, unsigned, verifier};

/// Runs a future that becomes ready without being woken by anything external.
fn ready<T>(future: impl Future<Output = T> + Send) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("it waits forever");
}

/// Is pending once, and then ready.
async fn wait() {
    let mut waited = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut waited, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn claims_are_read_without_a_key() {
    for (parts, expires) in [
        (signed(), None),
        (presigned(), Some(Duration::from_secs(600))),
    ] {
        let claims = Claims::of(&parts).unwrap().into_owned();
        assert_eq!(claims.access_key_id(), ID);
        assert_eq!(claims.scope(), "20160928/us-east-1/lambda/aws4_request");
        assert_eq!(claims.region(), Some("us-east-1"));
        assert_eq!(claims.service(), Some("lambda"));
        assert_eq!(claims.timestamp(), time());
        assert_eq!(claims.expires(), expires);
        assert!(claims.signed_headers().any(|name| name == "host"));
        let shown = format!("{claims:?}");
        assert!(!shown.contains(&claims.signature().to_string()), "{shown}");
    }
}

#[test]
fn claims_are_whatever_was_sent() {
    let mut parts = signed();
    parts.headers.remove("authorization");
    let error = Claims::of(&parts).unwrap_err();
    assert_eq!(error, VerifyError::MissingAuthenticationToken);
    // A scope that nobody has, and no scope at all.
    for (credential, id, region, service) in [
        ("who/1/2/3/4", "who", Some("2"), Some("3")),
        ("who/1", "who", None, None),
        ("who", "who", None, None),
        ("/", "", None, None),
        ("", "", None, None),
    ] {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=, Signature={}",
            "0".repeat(64)
        );
        let value = authorization.parse().unwrap();
        parts.headers.insert("authorization", value);
        let claims = Claims::of(&parts).unwrap();
        assert_eq!(claims.access_key_id(), id);
        assert_eq!((claims.region(), claims.service()), (region, service));
    }
}

#[test]
fn a_key_that_is_waited_for_verifies_as_one_at_hand() {
    let (verifier, parts) = (verifier(), signed());
    let verify = |body: &[u8], known: &str| {
        let payload = PayloadHash::of(body);
        let find = async |id: &str| {
            wait().await;
            (id == known).then(credentials)
        };
        ready(verifier.verify_async(&parts, &payload, find, time())).map(|_| ())
    };
    assert_eq!(verify(BODY, ID), Ok(()));
    assert_eq!(verify(BODY, "other"), Err(VerifyError::UnknownKey));
    assert!(matches!(
        verify(b"{}", ID),
        Err(VerifyError::SignatureMismatch(_))
    ));
}

#[test]
fn what_needs_no_key_is_checked_without_one() {
    let verifier = verifier();
    let payload = PayloadHash::of(BODY);
    let late = "20160928T180000Z".parse().unwrap();
    let parts = signed();
    let expired = verifier.check(&parts, &payload, late).unwrap_err();
    assert!(matches!(expired, VerifyError::Expired { .. }));
    // The verifier says that a header is missing only if the key exists.
    let mut uncovered = signed();
    uncovered
        .headers
        .insert("x-amz-note", "new".parse().unwrap());
    let unverified = verifier.check(&uncovered, &payload, time()).unwrap();
    assert_eq!(unverified.claims().access_key_id(), ID);
    let error = unverified.verify(&credentials()).unwrap_err();
    assert_eq!(error, VerifyError::HeaderNotSigned("x-amz-note".into()));
}

#[test]
fn rejects_an_access_key_that_the_request_does_not_name() {
    let (verifier, parts) = (verifier(), signed());
    let payload = PayloadHash::of(BODY);
    let unverified = verifier.check(&parts, &payload, time()).unwrap();
    let other = Credentials::new("OTHER", SECRET).unwrap();
    assert_eq!(unverified.verify(&other), Err(VerifyError::UnknownKey));
}

#[test]
fn a_derived_key_verifies_in_its_own_scope_alone() {
    let (verifier, payload) = (verifier(), PayloadHash::of(BODY));
    let next_day = "20160929T000000Z".parse().unwrap();
    let key = SigningKey::derive(SECRET, time(), "us-east-1", "lambda");
    assert_eq!(key.scope(), "20160928/us-east-1/lambda/aws4_request");
    for parts in [signed(), presigned()] {
        let verify = |key: &SigningKey, token: Option<&str>| {
            let unverified = verifier.check(&parts, &payload, time()).unwrap();
            unverified.verify_with_key(key, token).map(|_| ())
        };
        assert_eq!(verify(&key, None), Ok(()));
        let error = verify(&key, Some("token")).unwrap_err();
        assert_eq!(error, VerifyError::InvalidSessionToken);
        for (time, region, service) in [
            (next_day, "us-east-1", "lambda"),
            (time(), "eu-west-1", "lambda"),
            (time(), "us-east-1", "s3"),
        ] {
            let other = SigningKey::derive(SECRET, time, region, service);
            assert_eq!(verify(&other, None), Err(VerifyError::KeyOutOfScope));
        }
        let other = SigningKey::derive("other", time(), "us-east-1", "lambda");
        assert!(matches!(
            verify(&other, None),
            Err(VerifyError::SignatureMismatch(_))
        ));
    }
    let error = VerifyError::KeyOutOfScope;
    assert_eq!(error.code(), "InvalidSignatureException");
}

/// A head, a whole request and a raw request are signed and verified alike.
#[test]
fn every_form_of_a_request_is_signed_alike() {
    let (signer, verifier, payload) = (signer(), verifier(), PayloadHash::of(BODY));
    let mut parts = unsigned();
    let mut request = http::Request::from_parts(unsigned(), BODY);
    let by_head = signer.sign(&mut parts, &payload, time()).unwrap();
    let by_request = signer.sign_request(&mut request, &payload, time()).unwrap();
    assert_eq!(by_head, by_request);
    assert_eq!(request.headers(), &parts.headers);
    let raw = RawRequest::from(&request);
    for verified in [
        verifier.verify(&parts, &payload, &credentials(), time()),
        verifier.verify(&request, &payload, &credentials(), time()),
        verifier.verify(raw.clone(), &payload, &credentials(), time()),
        verifier.verify_raw(&raw, &payload, &credentials(), time()),
    ] {
        let verified = verified.unwrap();
        assert_eq!(verified.signature(), by_head);
        assert_eq!(verified.claims().access_key_id(), ID);
    }

    let expires = Duration::from_secs(60);
    let (mut parts, mut request) = (unsigned(), http::Request::from_parts(unsigned(), BODY));
    request
        .headers_mut()
        .insert("x-amz-date", "old".parse().unwrap());
    signer
        .presign(&mut parts, &payload, time(), expires)
        .unwrap();
    signer
        .presign_request(&mut request, &payload, time(), expires)
        .unwrap();
    assert_eq!(request.uri(), &parts.uri);
    assert_eq!(request.headers(), &parts.headers);
}
