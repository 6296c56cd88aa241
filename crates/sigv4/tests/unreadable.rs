//! Absent and malformed signatures are rejected as the service rejects them.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_sigv4::{Incomplete, VerifyError};
use support::{presigned, rejected, signed, with_authorization, with_query};

#[test]
fn responds_to_what_is_not_signed_as_the_service_does() {
    let mut parts = signed();
    parts.headers.remove("authorization");
    let missing = rejected(&parts);
    assert_eq!(missing, VerifyError::MissingAuthenticationToken);
    assert_eq!(missing.code(), "MissingAuthenticationTokenException");
    assert_eq!(missing.service_message(), "Missing Authentication Token");
    for value in ["", "Bearer token", "Basic dTpw"] {
        let parts = with_authorization(|_| value.to_owned());
        assert_eq!(
            rejected(&parts),
            VerifyError::MissingAuthenticationToken,
            "{value}"
        );
    }
    let mut both = presigned();
    both.headers.insert(
        "authorization",
        HeaderValue::from_static("AWS4-HMAC-SHA256 x=y"),
    );
    let error = rejected(&both);
    assert_eq!(
        (error.code(), &error),
        ("InvalidSignatureException", &VerifyError::BothForms)
    );
}

#[test]
fn says_what_an_authorization_header_lacks() {
    let without = |name: &str| {
        with_authorization(|text| {
            let (algorithm, parameters) = text.split_once(' ').unwrap();
            let kept = parameters
                .split(", ")
                .filter(|piece| !piece.starts_with(name));
            format!("{algorithm} {}", kept.collect::<Vec<_>>().join(", "))
        })
    };
    for (name, message) in [
        (
            "Credential",
            "Authorization header requires 'Credential' parameter.",
        ),
        (
            "SignedHeaders",
            "Authorization header requires 'SignedHeaders' parameter.",
        ),
        (
            "Signature",
            "Authorization header requires 'Signature' parameter.",
        ),
    ] {
        let error = rejected(&without(name));
        assert_eq!(error.code(), "IncompleteSignatureException");
        assert_eq!(error.service_message(), message);
    }
    let mut nothing = with_authorization(|_| "AWS4-HMAC-SHA256".to_owned());
    nothing.headers.remove("x-amz-date");
    assert_eq!(
        rejected(&nothing).service_message(),
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    );
}

#[test]
fn says_why_an_authorization_header_cannot_be_read() {
    let incomplete = |parts: &Parts| match rejected(parts) {
        VerifyError::IncompleteSignature(incomplete) => incomplete,
        other => panic!("{other:?}"),
    };
    let change = |from: &'static str, to: &'static str| {
        incomplete(&with_authorization(move |text| {
            assert!(text.contains(from));
            text.replacen(from, to, 1)
        }))
    };
    assert_eq!(change("Credential=", "Credential"), Incomplete::NotKeyValue);
    assert_eq!(
        change("Credential=", "credential="),
        Incomplete::UnknownParameter
    );
    assert_eq!(
        change("Credential=", "Signature=, Credential="),
        Incomplete::Repeated("Authorization parameter")
    );
    assert_eq!(
        change("HMAC-SHA256", "ECDSA-P256-SHA256"),
        Incomplete::Algorithm
    );
    assert_eq!(change("HMAC-SHA256", "HMAC-SHA1"), Incomplete::Algorithm);
    assert_eq!(
        change("AKIDEXAMPLE/", "AKID/EXAMPLE/"),
        Incomplete::CredentialElements
    );
    assert_eq!(change("/aws4_request", ""), Incomplete::CredentialElements);
    assert_eq!(
        change("/aws4_request", "/aws4_request/"),
        Incomplete::CredentialElements
    );
    for list in [
        "content-type;Host",
        "host;content-type",
        "content-type;content-type;host",
        "",
    ] {
        let list = list.to_owned();
        let parts =
            with_authorization(|text| text.replace("content-type;host;", &format!("{list};")));
        assert_eq!(incomplete(&parts), Incomplete::SignedHeaders, "{list}");
    }
    assert_eq!(
        change(", Signature=", ";, Signature="),
        Incomplete::SignedHeaders
    );
    let shortened = with_authorization(|text| text[..text.len() - 1].to_owned());
    assert_eq!(incomplete(&shortened), Incomplete::Signature);
    let upper = with_authorization(|text| {
        let (before, signature) = text.split_once("Signature=").unwrap();
        format!("{before}Signature={}", signature.to_uppercase())
    });
    assert_eq!(incomplete(&upper), Incomplete::Signature);
    let mut twice = signed();
    let again = twice.headers["authorization"].clone();
    twice.headers.append("authorization", again);
    assert_eq!(incomplete(&twice), Incomplete::Repeated("authorization"));
    let mut dates = signed();
    dates
        .headers
        .append("x-amz-date", HeaderValue::from_static("20160928T174724Z"));
    assert_eq!(incomplete(&dates), Incomplete::Repeated("x-amz-date"));
    for date in ["2016-09-28T17:47:24Z", "20160928", ""] {
        let mut parts = signed();
        parts.headers.insert("x-amz-date", date.parse().unwrap());
        let error = rejected(&parts);
        assert_eq!(error, VerifyError::IncompleteSignature(Incomplete::Date));
        assert!(
            error
                .service_message()
                .starts_with("Date must be in ISO-8601 'basic format'.")
        );
    }
    let mut malformed = signed();
    malformed.headers.insert(
        "authorization",
        HeaderValue::from_bytes(b"AWS4-\xff").unwrap(),
    );
    assert_eq!(incomplete(&malformed), Incomplete::NotKeyValue);
}

#[test]
fn says_what_a_presigned_query_lacks() {
    for name in [
        "Algorithm",
        "Credential",
        "Signature",
        "SignedHeaders",
        "Date",
        "Expires",
    ] {
        let name = format!("X-Amz-{name}");
        let parts = with_query(|query| {
            let kept = query.split('&').filter(|piece| !piece.starts_with(&name));
            kept.collect::<Vec<_>>().join("&")
        });
        let error = rejected(&parts);
        assert_eq!(error.code(), "IncompleteSignatureException");
        assert_eq!(
            error.service_message(),
            format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string \
                 parameters."
            )
        );
    }
    let error = rejected(&with_query(|query| {
        format!("{query}&X-Amz-Date=20160928T174724Z")
    }));
    assert_eq!(
        error,
        VerifyError::IncompleteSignature(Incomplete::Repeated("X-Amz-Date"))
    );
    for expires in [
        "0",
        "604801",
        "",
        "-1",
        "+5",
        "1e3",
        "99999999999999999999999",
    ] {
        let parts = with_query(|query| {
            query.replace("X-Amz-Expires=600", &format!("X-Amz-Expires={expires}"))
        });
        assert_eq!(
            rejected(&parts),
            VerifyError::IncompleteSignature(Incomplete::Expires)
        );
    }
    let error = rejected(&with_query(|query| query.replace("Date=", "Date=%FF")));
    assert_eq!(error, VerifyError::IncompleteSignature(Incomplete::NotUtf8));
}
