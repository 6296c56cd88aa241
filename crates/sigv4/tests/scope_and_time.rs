//! The date and the scope of a signature, and the service's own messages about them.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use std::time::Duration;

use lambda_invoke_sigv4::{PayloadHash, VerifyError};
use support::{
    BODY, credentials, presigned, rejected, signed, verifier, with_authorization, with_query,
};

/// The recorded response with its own times: the window is five minutes, to the second.
#[test]
fn responds_to_a_skewed_clock_with_the_services_own_words() {
    let parts = signed();
    let at = |now: &str| {
        let now = now.parse().unwrap();
        verifier()
            .verify(&parts, &PayloadHash::of(BODY), &credentials(), now)
            .map(|_| ())
    };
    assert_eq!(at("20160928T175224Z"), Ok(()));
    assert_eq!(at("20160928T174224Z"), Ok(()));
    let late = at("20160928T175225Z").unwrap_err();
    assert_eq!(late.code(), "InvalidSignatureException");
    assert_eq!(
        late.service_message(),
        "Signature expired: 20160928T174724Z is now earlier than 20160928T174725Z \
         (20160928T175225Z - 5 min.)"
    );
    let early = at("20160928T174223Z").unwrap_err();
    assert_eq!(early.code(), "InvalidSignatureException");
    assert_eq!(
        early.service_message(),
        "Signature not yet current: 20160928T174724Z is still later than 20160928T174723Z \
         (20160928T174223Z + 5 min.)"
    );
    let strict = verifier().with_tolerance(Duration::from_secs(90));
    let now = "20160928T174900Z".parse().unwrap();
    let error = strict
        .verify(&parts, &PayloadHash::of(BODY), &credentials(), now)
        .unwrap_err();
    assert!(
        error
            .service_message()
            .ends_with("(20160928T174900Z - 90 sec.)")
    );
}

#[test]
fn a_presigned_request_is_good_until_it_expires() {
    let parts = presigned();
    let at = |now: &str| {
        let now = now.parse().unwrap();
        verifier()
            .verify(&parts, &PayloadHash::of(BODY), &credentials(), now)
            .map(|_| ())
    };
    assert_eq!(at("20160928T175724Z"), Ok(()));
    assert_eq!(at("20160928T174224Z"), Ok(()));
    assert!(matches!(
        at("20160928T174223Z"),
        Err(VerifyError::NotYetCurrent { .. })
    ));
    let expired = at("20160928T175725Z").unwrap_err();
    assert_eq!(
        expired.service_message(),
        "Signature expired: 20160928T174724Z is now earlier than 20160928T174725Z \
         (20160928T175725Z - 10 min.)"
    );
}

#[test]
fn responds_to_a_wrong_scope_piece_by_piece() {
    let scope = "20160928/us-east-1/lambda/aws4_request";
    for (wrong, message) in [
        (
            "20160928/eu-west-1/lambda/aws4_request",
            "Credential should be scoped to a valid region.",
        ),
        (
            "20160928/us-east-1/s3/aws4_request",
            "Credential should be scoped to correct service: 'lambda'.",
        ),
        (
            "20160928/us-east-1/lambda/aws5_request",
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        ),
        (
            "20160929/us-east-1/lambda/aws4_request",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP, '20160928T174724Z'.",
        ),
        (
            "20160928/eu-west-1/s3/aws4_request",
            "Credential should be scoped to a valid region. Credential should be scoped to \
             correct service: 'lambda'.",
        ),
    ] {
        let error = rejected(&with_authorization(|text| text.replace(scope, wrong)));
        assert_eq!(error.code(), "InvalidSignatureException");
        assert_eq!(error.service_message(), message);
        let encoded = |scope: &str| scope.replace('/', "%2F");
        let parts = with_query(|query| query.replace(&encoded(scope), &encoded(wrong)));
        assert_eq!(rejected(&parts).service_message(), message);
    }
}
