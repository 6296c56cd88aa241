//! What the verifier takes, and how it refuses the rest: as the service does.
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
    BODY, ID, credentials, presigned, refused, signed, time, unsigned, verifier, verify,
};

/// The signed request with its authorization header changed.
fn with_authorization(change: impl Fn(&str) -> String) -> Parts {
    let mut parts = signed();
    let changed = change(parts.headers["authorization"].to_str().unwrap());
    parts
        .headers
        .insert("authorization", changed.parse().unwrap());
    parts
}

/// The presigned request with its query changed.
fn with_query(change: impl Fn(&str) -> String) -> Parts {
    let mut parts = presigned();
    let (path, query) = (
        parts.uri.path().to_owned(),
        parts.uri.query().unwrap().to_owned(),
    );
    parts.uri = format!("{path}?{}", change(&query)).parse().unwrap();
    parts
}

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
    assert!(matches!(refused(&parts), VerifyError::SignedHeaderMissing(name) if &*name == "host"));
    parts.uri = format!("http://localhost:9001{}", parts.uri)
        .parse()
        .unwrap();
    verify(&parts).unwrap();
}

#[test]
fn takes_the_date_header_in_place_of_x_amz_date() {
    let verify = |date: &str, signed_date: bool| {
        // By hand, since the signer always sends x-amz-date.
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
fn proxies_may_add_headers_but_none_of_amazons() {
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
    let error = refused(&parts);
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
    assert!(matches!(refused(&parts), VerifyError::SignatureMismatch(_)));
}

#[test]
fn answers_what_is_not_signed_as_the_service_does() {
    let mut parts = signed();
    parts.headers.remove("authorization");
    let missing = refused(&parts);
    assert_eq!(missing, VerifyError::MissingAuthenticationToken);
    assert_eq!(missing.code(), "MissingAuthenticationTokenException");
    assert_eq!(missing.service_message(), "Missing Authentication Token");
    for value in ["", "Bearer token", "Basic dTpw"] {
        let parts = with_authorization(|_| value.to_owned());
        assert_eq!(
            refused(&parts),
            VerifyError::MissingAuthenticationToken,
            "{value}"
        );
    }
    let mut both = presigned();
    both.headers.insert(
        "authorization",
        HeaderValue::from_static("AWS4-HMAC-SHA256 x=y"),
    );
    let error = refused(&both);
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
        let error = refused(&without(name));
        assert_eq!(error.code(), "IncompleteSignatureException");
        assert_eq!(error.service_message(), message);
    }
    let mut nothing = with_authorization(|_| "AWS4-HMAC-SHA256".to_owned());
    nothing.headers.remove("x-amz-date");
    assert_eq!(
        refused(&nothing).service_message(),
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    );
}

#[test]
fn says_why_an_authorization_header_cannot_be_read() {
    let incomplete = |parts: &Parts| match refused(parts) {
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
        let error = refused(&parts);
        assert_eq!(error, VerifyError::IncompleteSignature(Incomplete::Date));
        assert!(
            error
                .service_message()
                .starts_with("Date must be in ISO-8601 'basic format'.")
        );
    }
    let mut odd = signed();
    odd.headers.insert(
        "authorization",
        HeaderValue::from_bytes(b"AWS4-\xff").unwrap(),
    );
    assert_eq!(incomplete(&odd), Incomplete::NotKeyValue);
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
        let error = refused(&parts);
        assert_eq!(error.code(), "IncompleteSignatureException");
        assert_eq!(
            error.service_message(),
            format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string \
                 parameters."
            )
        );
    }
    let error = refused(&with_query(|query| {
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
            refused(&parts),
            VerifyError::IncompleteSignature(Incomplete::Expires)
        );
    }
    let error = refused(&with_query(|query| query.replace("Date=", "Date=%FF")));
    assert_eq!(error, VerifyError::IncompleteSignature(Incomplete::NotUtf8));
}

/// The recorded answer, with its own times: five minutes, to the second.
#[test]
fn answers_a_skewed_clock_with_the_services_own_words() {
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
fn answers_a_wrong_scope_piece_by_piece() {
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
        let error = refused(&with_authorization(|text| text.replace(scope, wrong)));
        assert_eq!(error.code(), "InvalidSignatureException");
        assert_eq!(error.service_message(), message);
        let encoded = |scope: &str| scope.replace('/', "%2F");
        let parts = with_query(|query| query.replace(&encoded(scope), &encoded(wrong)));
        assert_eq!(refused(&parts).service_message(), message);
    }
}

#[test]
fn host_must_be_covered_and_what_is_covered_must_be_there() {
    let parts = with_authorization(|text| text.replace("content-type;host;", "content-type;"));
    let error = refused(&parts);
    assert_eq!(
        (error.code(), &error),
        ("InvalidSignatureException", &VerifyError::HostNotSigned)
    );
    assert_eq!(
        error.service_message(),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
    for (from, to, missing) in [
        ("content-type;host;", "accept;content-type;host;", "accept"),
        ("content-type;host;", "content-type;host;i;", "i"),
        ("x-amz-tenant-id,", "x-amz-tenant-id;z,", "z"),
    ] {
        let error = refused(&with_authorization(|text| text.replace(from, to)));
        assert_eq!(error, VerifyError::SignedHeaderMissing(missing.into()));
    }
    let parts = with_authorization(|text| text.replace("x-amz-log-type;", ""));
    assert_eq!(
        refused(&parts),
        VerifyError::HeaderNotSigned("x-amz-log-type".into())
    );
    let parts = with_authorization(|text| text.replace("content-type;", ""));
    assert!(matches!(refused(&parts), VerifyError::SignatureMismatch(_)));
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
    // A changed secret is not outlived by a kept key.
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
    let error = refused(&parts);
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
