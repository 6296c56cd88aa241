//! What the verifier accepts, and how it rejects everything else: as the service does.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, Incomplete, PayloadHash, RawRequest, Signer, SigningSettings,
    VerifyError,
};
use support::{
    BODY, ID, credentials, presigned, rejected, signed, time, unsigned, verifier, verify,
    with_authorization,
};

#[test]
fn says_who_signed_and_what() {
    let parts = signed();
    let verified = verify(&parts).unwrap();
    assert_eq!(verified.access_key_id(), ID);
    assert_eq!(verified.scope(), "20160928/us-east-1/lambda/aws4_request");
    assert_eq!(verified.timestamp(), time());
    assert_eq!(verified.expires(), None);
    let names = [
        "content-type",
        "host",
        "x-amz-date",
        "x-amz-log-type",
        "x-amz-tenant-id",
    ];
    assert!(verified.signed_headers().eq(names));
    let parts = presigned();
    let verified = verify(&parts).unwrap().into_owned();
    assert_eq!(verified.access_key_id(), ID);
    assert_eq!(verified.scope(), "20160928/us-east-1/lambda/aws4_request");
    assert_eq!(verified.expires(), Some(Duration::from_secs(600)));
    assert!(verified.signed_headers().any(|name| name == "host"));
}

#[test]
fn takes_the_authorization_header_in_every_spelling_that_clients_have() {
    for change in [
        |text: &str| text.replace(", ", ","),
        |text: &str| text.replace(", ", " , "),
        |text: &str| text.replace(", ", ",\t"),
        |text: &str| text.replace("SHA256 ", "SHA256   "),
        |text: &str| format!("{text},"),
        |text: &str| {
            let mut pieces: Vec<_> = text[17..].split(", ").collect();
            pieces.reverse();
            format!("AWS4-HMAC-SHA256 {}", pieces.join(", "))
        },
    ] {
        assert_eq!(verify(&with_authorization(change)).map(|_| ()), Ok(()));
    }
}

#[test]
fn reads_the_host_from_the_uri_where_a_server_puts_it_there() {
    let mut parts = signed();
    parts.headers.remove("host");
    assert!(matches!(rejected(&parts), VerifyError::SignedHeaderMissing(name) if &*name == "host"));
    parts.uri = format!("http://localhost:9001{}", parts.uri)
        .parse()
        .unwrap();
    verify(&parts).unwrap();
}

#[test]
fn takes_the_date_header_in_place_of_x_amz_date() {
    let verify = |date: &str, signed_date: bool| {
        // Signed by hand, since the signer always sends x-amz-date.
        let mut headers = vec![("host", b"h".as_slice())];
        if signed_date {
            headers.insert(0, ("date", date.as_bytes()));
        }
        let names = if signed_date { "date;host" } else { "host" };
        let request = RawRequest::new("GET", "/", None, headers.clone()).unwrap();
        let settings = SigningSettings::default();
        let hash = CanonicalRequest::of(&request, &PayloadHash::EMPTY, &settings).hash();
        let text = lambda_invoke_sigv4::StringToSign::new(time(), "us-east-1", "lambda", hash);
        let key = lambda_invoke_sigv4::SigningKey::derive("secret", time(), "us-east-1", "lambda");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={ID}/20160928/us-east-1/lambda/aws4_request, \
             SignedHeaders={names}, Signature={}",
            key.sign(text.as_bytes())
        );
        headers.push(("Authorization", authorization.as_bytes()));
        if !signed_date {
            headers.push(("Date", date.as_bytes()));
        }
        let request = RawRequest::new("GET", "/", None, headers).unwrap();
        verifier()
            .verify_raw(&request, &PayloadHash::EMPTY, &credentials(), time())
            .map(|verified| verified.timestamp())
    };
    for signed_date in [true, false] {
        assert_eq!(
            verify("Wed, 28 Sep 2016 17:47:24 GMT", signed_date),
            Ok(time())
        );
        assert_eq!(verify("20160928T174724Z", signed_date), Ok(time()));
        let error = VerifyError::IncompleteSignature(Incomplete::Date);
        assert_eq!(verify("2016-09-28", signed_date), Err(error));
    }
}

#[test]
fn proxies_may_add_headers_but_no_x_amz_headers() {
    let mut parts = signed();
    parts
        .headers
        .insert("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
    parts
        .headers
        .insert("via", HeaderValue::from_static("1.1 proxy"));
    parts
        .headers
        .insert("x-amzn-trace-id", HeaderValue::from_static("Root=1"));
    parts
        .headers
        .insert("amz-sdk-request", HeaderValue::from_static("attempt=1"));
    verify(&parts).unwrap();
    parts
        .headers
        .insert("x-amz-cf-id", HeaderValue::from_static("id"));
    let error = rejected(&parts);
    assert_eq!(error, VerifyError::HeaderNotSigned("x-amz-cf-id".into()));
    assert_eq!(error.code(), "InvalidSignatureException");
    let mut settings = SigningSettings::default();
    settings
        .unsigned_headers
        .push("x-amz-cf-id".parse().unwrap());
    let verifier = verifier().with_settings(settings);
    verifier
        .verify(&parts, &PayloadHash::of(BODY), &credentials(), time())
        .unwrap();
}

#[test]
fn a_repeated_header_is_covered_whole() {
    let mut parts = signed();
    parts
        .headers
        .append("x-amz-log-type", HeaderValue::from_static("None"));
    assert!(matches!(
        rejected(&parts),
        VerifyError::SignatureMismatch(_)
    ));
}

#[test]
fn host_must_be_covered_and_what_is_covered_must_be_there() {
    let parts = with_authorization(|text| text.replace("content-type;host;", "content-type;"));
    let error = rejected(&parts);
    assert_eq!(
        (error.code(), &error),
        ("InvalidSignatureException", &VerifyError::HostNotSigned)
    );
    assert_eq!(
        error.service_message(),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
    // That the host is not signed is reported before a missing header.
    let neither = with_authorization(|text| text.replace("content-type;host;", "content-type;i;"));
    assert_eq!(rejected(&neither), VerifyError::HostNotSigned);
    for (from, to, missing) in [
        ("content-type;host;", "accept;content-type;host;", "accept"),
        ("content-type;host;", "content-type;host;i;", "i"),
        ("x-amz-tenant-id,", "x-amz-tenant-id;z,", "z"),
    ] {
        let error = rejected(&with_authorization(|text| text.replace(from, to)));
        assert_eq!(error, VerifyError::SignedHeaderMissing(missing.into()));
    }
    let parts = with_authorization(|text| text.replace("x-amz-log-type;", ""));
    assert_eq!(
        rejected(&parts),
        VerifyError::HeaderNotSigned("x-amz-log-type".into())
    );
    let parts = with_authorization(|text| text.replace("content-type;", ""));
    assert!(matches!(
        rejected(&parts),
        VerifyError::SignatureMismatch(_)
    ));
}

#[test]
fn looks_keys_up_by_their_ids() {
    let parts = signed();
    let payload = PayloadHash::of(BODY);
    let verifier = verifier();
    let keys = |id: &str| (id == ID).then(credentials);
    assert!(verifier.verify(&parts, &payload, &keys, time()).is_ok());
    let none = |_: &str| None;
    let error = verifier
        .verify(&parts, &payload, &none, time())
        .unwrap_err();
    assert_eq!(
        (error.code(), &error),
        ("UnrecognizedClientException", &VerifyError::UnknownKey)
    );
    assert_eq!(
        error.service_message(),
        "The security token included in the request is invalid."
    );
    // A cached key is not used after its secret has changed.
    let changed = Credentials::new(ID, "changed").unwrap();
    let error = verifier
        .verify(&parts, &payload, &changed, time())
        .unwrap_err();
    assert!(matches!(error, VerifyError::SignatureMismatch(_)));
    let expired = credentials().with_expiry(time());
    let error = verifier
        .verify(&parts, &payload, &expired, time())
        .unwrap_err();
    assert_eq!(error.code(), "ExpiredTokenException");
    let later = credentials().with_expiry(time().saturating_add(Duration::from_secs(1)));
    assert!(verifier.verify(&parts, &payload, &later, time()).is_ok());
}

#[test]
fn the_session_token_must_be_the_keys_own() {
    let with = |token: &str| credentials().with_session_token(token).unwrap();
    for presign in [false, true] {
        let signed_by = |credentials: Credentials| {
            let signer = Signer::new(credentials, "us-east-1", "lambda").unwrap();
            let mut parts = unsigned();
            let payload = PayloadHash::of(BODY);
            if presign {
                let expires = Duration::from_secs(600);
                signer
                    .presign(&mut parts, &payload, time(), expires)
                    .unwrap();
            } else {
                signer.sign(&mut parts, &payload, time()).unwrap();
            }
            parts
        };
        let verify = |parts: &Parts, keys: Credentials| {
            verifier()
                .verify(parts, &PayloadHash::of(BODY), &keys, time())
                .map(|_| ())
        };
        assert_eq!(verify(&signed_by(with("a")), with("a")), Ok(()));
        for (sent, known) in [
            (with("a"), with("b")),
            (with("a"), credentials()),
            (credentials(), with("a")),
        ] {
            let error = verify(&signed_by(sent), known).unwrap_err();
            assert_eq!(error, VerifyError::InvalidSessionToken);
            assert_eq!(error.code(), "UnrecognizedClientException");
        }
    }
}

#[test]
fn shows_what_it_expected_to_be_signed() {
    let mut parts = signed();
    parts
        .headers
        .insert("x-amz-tenant-id", HeaderValue::from_static("another"));
    let error = rejected(&parts);
    let VerifyError::SignatureMismatch(mismatch) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        mismatch.canonical_request(),
        format!(
            "POST\n/2015-03-31/functions/arn%253Aaws%253Alambda%253Aus-east-1%253A123456789012\
             %253Afunction%253Af/invocations\nQualifier=b&a=\ncontent-type:application/json\n\
             host:localhost:9001\nx-amz-date:20160928T174724Z\nx-amz-log-type:Tail\n\
             x-amz-tenant-id:another\n\n\
             content-type;host;x-amz-date;x-amz-log-type;x-amz-tenant-id\n{}",
            PayloadHash::of(BODY)
        )
    );
    let hash = PayloadHash::of(mismatch.canonical_request().as_bytes());
    assert_eq!(
        mismatch.string_to_sign(),
        format!(
            "AWS4-HMAC-SHA256\n20160928T174724Z\n20160928/us-east-1/lambda/aws4_request\n{hash}"
        )
    );
    let message = error.service_message();
    assert!(message.starts_with(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method."
    ));
    assert!(message.contains(mismatch.canonical_request()));
    assert!(error.to_string().contains(mismatch.string_to_sign()));
}
