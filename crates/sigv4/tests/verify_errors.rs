//! Every error of the verifier: what the operator sees, and what the client is told.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use lambda_invoke_sigv4::{Incomplete, Timestamp, VerifyError};

#[path = "support/signed.rs"]
mod signed;

use signed::{BODY, presigned, rejected, time, verifier, with_authorization, with_query};

/// The operator's text, the service's code and its message.
fn shown(error: &VerifyError) -> (String, &'static str, String) {
    (error.to_string(), error.code(), error.service_message())
}

fn assert_shown(error: &VerifyError, text: &str, code: &str, message: &str) {
    assert_eq!(shown(error), (text.to_owned(), code, message.to_owned()));
}

const INVALID: &str = "InvalidSignatureException";
const UNRECOGNIZED: &str = "UnrecognizedClientException";

#[test]
fn errors_without_details_have_a_text_a_code_and_a_message() {
    let cases = [
        (
            VerifyError::MissingAuthenticationToken,
            "the request is not signed",
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            VerifyError::BothForms,
            "the request is signed both by its headers and by its query",
            INVALID,
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
        ),
        (
            VerifyError::HostNotSigned,
            "the signature does not cover the host header",
            INVALID,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            VerifyError::UnknownKey,
            "there is no access key with the id of the request",
            UNRECOGNIZED,
            "The security token included in the request is invalid.",
        ),
        (
            VerifyError::CredentialsExpired,
            "the access key of the request has expired",
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        (
            VerifyError::KeyOutOfScope,
            "the derived key is for another day, region or service",
            INVALID,
            "The key of the verifier is for another scope.",
        ),
        (
            VerifyError::SignedHeaderMissing("x-amz-log-type".into()),
            "the signature covers the header x-amz-log-type, which the request does not have",
            INVALID,
            "SignedHeader 'x-amz-log-type' is not among the headers of the request.",
        ),
        (
            VerifyError::HeaderNotSigned("x-amz-log-type".into()),
            "the signature does not cover the header x-amz-log-type",
            INVALID,
            "Header 'x-amz-log-type' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            VerifyError::PayloadMismatch,
            "x-amz-content-sha256 is not the hash of the body",
            INVALID,
            "The value of 'X-Amz-Content-Sha256' does not match the hash of the request body.",
        ),
        (
            VerifyError::InvalidSessionToken,
            "the session token does not belong to the access key",
            UNRECOGNIZED,
            "The security token included in the request is invalid.",
        ),
    ];
    for (error, text, code, message) in cases {
        assert_shown(&error, text, code, message);
    }
}

#[test]
fn a_wrong_time_says_both_times_and_the_allowance() {
    let at = |seconds: i64| {
        let now = time().as_secs().checked_add_signed(seconds).unwrap();
        Timestamp::from_secs(now).unwrap()
    };
    let verify = |parts: &http::request::Parts, tolerance: u64, seconds: i64| {
        let verifier = verifier().with_tolerance(Duration::from_secs(tolerance));
        let hash = lambda_invoke_sigv4::PayloadHash::of(BODY);
        let verified = verifier.verify(parts, &hash, &signed::credentials(), at(seconds));
        verified.map(drop).unwrap_err()
    };
    assert_shown(
        &verify(&signed::signed(), 300, 301),
        "the request was signed at 20160928T174724Z, more than 5 min. before 20160928T175225Z",
        INVALID,
        "Signature expired: 20160928T174724Z is now earlier than 20160928T174725Z \
         (20160928T175225Z - 5 min.)",
    );
    // The message states the validity of a presigned request, in seconds if it is not a whole
    // number of minutes.
    assert_shown(
        &verify(&presigned(), 300, 601),
        "the request was signed at 20160928T174724Z, more than 10 min. before 20160928T175725Z",
        INVALID,
        "Signature expired: 20160928T174724Z is now earlier than 20160928T174725Z \
         (20160928T175725Z - 10 min.)",
    );
    assert_shown(
        &verify(&signed::signed(), 90, -91),
        "the request was signed at 20160928T174724Z, more than 90 sec. after 20160928T174553Z",
        INVALID,
        "Signature not yet current: 20160928T174724Z is still later than 20160928T174723Z \
         (20160928T174553Z + 90 sec.)",
    );
}

#[test]
fn a_wrong_scope_lists_each_part_that_is_wrong() {
    let scope = "20160928/us-east-1/lambda/aws4_request";
    let with = |other: &str| rejected(&with_authorization(|text| text.replace(scope, other)));
    let region = "Credential should be scoped to a valid region.";
    let service = "Credential should be scoped to correct service: 'lambda'.";
    let terminator = "Credential should be scoped with a valid terminator: 'aws4_request'.";
    let day = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
               HTTP, '20160928T174724Z'.";
    for (other, said, parts) in [
        (
            "20160928/eu-west-1/lambda/aws4_request",
            "region",
            vec![region],
        ),
        (
            "20160928/us-east-1/s3/aws4_request",
            "service",
            vec![service],
        ),
        (
            "20160928/us-east-1/lambda/aws5_request",
            "terminator",
            vec![terminator],
        ),
        ("20160929/us-east-1/lambda/aws4_request", "day", vec![day]),
        (
            "20160929/eu-west-1/s3/aws5_request",
            "region service terminator day",
            vec![region, service, terminator, day],
        ),
    ] {
        assert_shown(
            &with(other),
            &format!("the credential is for another {said}"),
            INVALID,
            &parts.join(" "),
        );
    }
}

#[test]
fn of_several_faults_the_first_in_the_documented_order_is_reported() {
    let without_host = |text: &str| text.replace("content-type;host;", "content-type;");
    let another_region = |text: &str| text.replace("/us-east-1/", "/us-east-2/");
    let another_key = |text: &str| text.replace("AKIDEXAMPLE", "AKIDOTHER");
    let a_day_later = Timestamp::from_secs(time().as_secs() + 86_400).unwrap();
    let verify = |parts: &http::request::Parts, now| {
        let hash = lambda_invoke_sigv4::PayloadHash::of(BODY);
        let verified = verifier().verify(parts, &hash, &signed::credentials(), now);
        verified.map(drop).unwrap_err()
    };
    let all = |text: &str| another_key(&another_region(&without_host(text)));
    let scope = |text: &str| another_key(&another_region(text));
    let mut parts = with_authorization(all);
    assert!(matches!(
        verify(&parts, a_day_later),
        VerifyError::Expired { .. }
    ));
    assert_eq!(verify(&parts, time()), VerifyError::HostNotSigned);
    parts = with_authorization(scope);
    parts
        .headers
        .insert("x-amz-acl", "private".parse().unwrap());
    assert!(matches!(verify(&parts, time()), VerifyError::WrongScope(_)));
    parts = with_authorization(another_key);
    parts
        .headers
        .insert("x-amz-acl", "private".parse().unwrap());
    assert_eq!(verify(&parts, time()), VerifyError::UnknownKey);
    // The signature is wrong as well.
    parts = signed::signed();
    parts
        .headers
        .insert("x-amz-acl", "private".parse().unwrap());
    parts
        .headers
        .insert("content-type", "text/plain".parse().unwrap());
    let uncovered = VerifyError::HeaderNotSigned("x-amz-acl".into());
    assert_eq!(verify(&parts, time()), uncovered);
}

#[test]
fn of_two_dates_and_two_tokens_the_one_that_was_signed_counts() {
    let mut parts = signed::signed();
    let old = "Sat, 01 Jan 2000 00:00:00 GMT".parse().unwrap();
    parts.headers.insert("date", old);
    assert_eq!(signed::verify(&parts).unwrap().timestamp(), time());

    let keys = signed::credentials()
        .with_session_token("the-token")
        .unwrap();
    let signer = lambda_invoke_sigv4::Signer::new(keys.clone(), "us-east-1", "lambda").unwrap();
    let hash = lambda_invoke_sigv4::PayloadHash::of(BODY);
    let mut parts = signed::unsigned();
    signer
        .presign(&mut parts, &hash, time(), Duration::from_secs(600))
        .unwrap();
    let host = parts.uri.authority().unwrap().as_str().parse().unwrap();
    parts.headers.insert("host", host);
    let verify =
        |parts: &http::request::Parts| verifier().verify(parts, &hash, &keys, time()).map(drop);
    assert_eq!(verify(&parts), Ok(()));
    let other = "another-token".parse().unwrap();
    parts.headers.insert("x-amz-security-token", other);
    assert_eq!(verify(&parts), Ok(()));
}

#[test]
fn a_mismatch_shows_what_the_verifier_expected_to_be_signed() {
    let digits = "0".repeat(64);
    let error = rejected(&with_authorization(|text| {
        let (before, _) = text.split_once("Signature=").unwrap();
        format!("{before}Signature={digits}")
    }));
    let VerifyError::SignatureMismatch(mismatch) = &error else {
        panic!("{error:?}");
    };
    let canonical = mismatch.canonical_request();
    assert!(canonical.starts_with("POST\n/2015-03-31/functions/"));
    let hash = lambda_invoke_sigv4::PayloadHash::of(canonical);
    let text = format!(
        "AWS4-HMAC-SHA256\n20160928T174724Z\n20160928/us-east-1/lambda/aws4_request\n{hash}"
    );
    assert_eq!(mismatch.string_to_sign(), text);
    assert_shown(
        &error,
        &format!(
            "the signature does not match; the verifier expected the canonical request\n{canonical}\n\
             and the string to sign\n{text}"
        ),
        INVALID,
        &format!(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n\
             The String-to-Sign should have been\n'{text}'\n"
        ),
    );
}

#[test]
fn an_unreadable_signature_says_what_is_wrong_with_it() {
    for (cause, text, message) in [
        (
            Incomplete::NotKeyValue,
            "a piece of the authorization header is not name=value",
            "The Authorization header has a piece that is not a valid key=value pair (missing \
             equal-sign).",
        ),
        (
            Incomplete::UnknownParameter,
            "the authorization header has a parameter other than Credential, SignedHeaders and \
             Signature",
            "The authorization header has a parameter other than Credential, SignedHeaders and \
             Signature.",
        ),
        (
            Incomplete::Repeated("X-Amz-Date"),
            "X-Amz-Date is repeated",
            "X-Amz-Date is repeated.",
        ),
        (
            Incomplete::NotUtf8,
            "a parameter of the presigned query is not UTF-8",
            "A parameter of the presigned query is not UTF-8.",
        ),
        (
            Incomplete::Algorithm,
            "the algorithm is not AWS4-HMAC-SHA256",
            "Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256 for now).",
        ),
        (
            Incomplete::Date,
            "the date is not written like 20150830T123600Z",
            "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            Incomplete::Expires,
            "X-Amz-Expires is not a number from 1 to 604800",
            "X-Amz-Expires is not a number from 1 to 604800.",
        ),
        (
            Incomplete::CredentialElements,
            "the credential is not written like keyid/date/region/service/aws4_request",
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term",
        ),
        (
            Incomplete::SignedHeaders,
            "SignedHeaders is not a sorted list of names in lower case",
            "SignedHeaders is not a sorted list of names in lower case.",
        ),
        (
            Incomplete::Signature,
            "the signature is not 64 lower-case hexadecimal digits",
            "The signature is not 64 lower-case hexadecimal digits.",
        ),
    ] {
        assert_eq!(cause.to_string(), text);
        assert_shown(
            &cause.into(),
            "the signature of the request cannot be read",
            "IncompleteSignatureException",
            message,
        );
    }
}

#[test]
fn missing_parameters_are_named_one_by_one() {
    let all = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
        "X-Amz-Expires",
    ];
    for missing in all {
        let error = rejected(&with_query(|query| {
            let kept = query
                .split('&')
                .filter(|pair| !pair.starts_with(&format!("{missing}=")));
            kept.collect::<Vec<_>>().join("&")
        }));
        let said = format!(
            "AWS query-string parameters must include '{missing}'. Re-examine the query-string \
             parameters."
        );
        assert_eq!(error.service_message(), said);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), said);
    }
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
        let error = rejected(&with_authorization(|text| {
            let (algorithm, rest) = text.split_once(' ').unwrap();
            let kept = rest
                .split(", ")
                .filter(|part| !part.starts_with(&format!("{name}=")));
            format!("{algorithm} {}", kept.collect::<Vec<_>>().join(", "))
        }));
        assert_eq!(error.service_message(), message);
    }
}
