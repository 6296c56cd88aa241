//! What signing adds, replaces, leaves alone and rejects.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use http::request::Parts;
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, InvalidScope, NEVER_SIGNED, PathEncoding, PayloadHash,
    RawRequest, SessionTokenMode, SignError, Signer, SigningSettings, Timestamp, Verifier,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn signer() -> Signer {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET).unwrap();
    Signer::new(credentials, "us-east-1", "service").unwrap()
}

fn signer_with_token() -> Signer {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET).unwrap();
    Signer::new(
        credentials.with_session_token("tok3n/=").unwrap(),
        "us-east-1",
        "service",
    )
    .unwrap()
}

fn time() -> Timestamp {
    "20150830T123600Z".parse().unwrap()
}

fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = http::Request::get(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn signed_headers(parts: &Parts) -> String {
    let authorization = parts.headers["authorization"].to_str().unwrap();
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    rest.split_once(',').unwrap().0.to_owned()
}

/// Cases of the official suite, for machines without it: `(uri, headers, signature)`.
#[test]
fn signs_the_published_examples() {
    let host = ("host", "example.amazonaws.com");
    for (uri, headers, signature) in [
        (
            "/",
            vec![host],
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "/?Param2=value2&Param1=value1",
            vec![host],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "/",
            vec![
                host,
                ("My-Header1", " value1"),
                ("My-Header2", " \"a   b   c\""),
            ],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "/",
            vec![
                host,
                ("My-Header1", "value2"),
                ("My-Header1", "value2"),
                ("My-Header1", "value1"),
            ],
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "//example//",
            vec![host],
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
    ] {
        let mut parts = parts(uri, &headers);
        let made = signer()
            .sign(&mut parts, &PayloadHash::EMPTY, time())
            .unwrap();
        assert_eq!(made.to_string(), signature, "{uri} {headers:?}");
    }
}

#[test]
fn adds_the_host_that_a_client_would_send() {
    for (uri, host) in [
        ("http://localhost:9001/", "localhost:9001"),
        ("https://example.com:443/", "example.com"),
        ("http://user:pass@[::1]:80/", "[::1]"),
    ] {
        let mut parts = parts(uri, &[]);
        signer()
            .sign(&mut parts, &PayloadHash::EMPTY, time())
            .unwrap();
        assert_eq!(parts.headers["host"], host);
        assert_eq!(signed_headers(&parts), "host;x-amz-date");
    }
    let mut with_host = parts("http://localhost:9001/", &[("host", "other:80")]);
    signer()
        .sign(&mut with_host, &PayloadHash::EMPTY, time())
        .unwrap();
    assert_eq!(with_host.headers["host"], "other:80");
}

#[test]
fn leaves_the_request_alone_if_it_cannot_sign() {
    let header = ("x-amz-date", "old");
    for (uri, error) in [
        ("/", SignError::MissingHost),
        (
            "http://h/?X-Amz-Signature=0",
            SignError::OwnedParameter("X-Amz-Signature"),
        ),
        (
            "http://h/?a=b&%58-Amz%2dDate=0",
            SignError::OwnedParameter("X-Amz-Date"),
        ),
    ] {
        let mut parts = parts(uri, &[header]);
        let rejected = signer().sign(&mut parts, &PayloadHash::EMPTY, time());
        assert_eq!(rejected.unwrap_err(), error);
        let expires = Duration::from_secs(60);
        let rejected = signer().presign(&mut parts, &PayloadHash::EMPTY, time(), expires);
        assert_eq!(rejected.unwrap_err(), error);
        assert_eq!(
            (parts.uri.to_string().as_str(), parts.headers.len()),
            (uri, 1)
        );
        assert_eq!(parts.headers["x-amz-date"], "old");
    }
    // The URI becomes too long once the parameters are added.
    let expires = Duration::from_secs(60);
    let mut longer = parts(&format!("http://h/?{}", "a".repeat(65_500)), &[]);
    let rejected = signer().presign(&mut longer, &PayloadHash::EMPTY, time(), expires);
    assert_eq!(rejected.unwrap_err(), SignError::TargetTooLong);
    assert_eq!(longer.uri.query().unwrap().len(), 65_500);
    // A URI may be a host alone, which has no place for a query.
    let mut host = parts("example.com", &[]);
    let rejected = signer().presign(&mut host, &PayloadHash::EMPTY, time(), expires);
    assert_eq!(rejected.unwrap_err(), SignError::MissingScheme);
    assert_eq!(host.uri, "example.com");
}

/// `http` panics if a header is inserted into a full map, which has 24,576 names; names that collide
/// fill one earlier.
#[test]
fn a_request_with_too_many_headers_is_left_alone() {
    let mut parts = parts("http://h/", &[]);
    for count in 1..=24_576 {
        let name = http::HeaderName::try_from(format!("h{count}")).unwrap();
        parts.headers.insert(name, "".parse().unwrap());
        if ![4096, 4097].contains(&count) && count < 24_570 {
            continue;
        }
        let mut signed = parts.clone();
        let result = signer_with_token().sign(&mut signed, &PayloadHash::EMPTY, time());
        if count <= 4096 {
            result.unwrap();
            assert_eq!(signed.headers.len(), count + 4);
        } else {
            assert_eq!(result, Err(SignError::TooManyHeaders), "{count}");
            assert_eq!(signed.headers, parts.headers);
        }
    }
}

#[test]
fn signing_again_replaces_what_was_added() {
    let mut once = parts("http://h/", &[("x-amz-content-sha256", "stale")]);
    signer_with_token()
        .sign(&mut once, &PayloadHash::of(b"old"), Timestamp::EPOCH)
        .unwrap();
    assert_eq!(once.headers["x-amz-security-token"], "tok3n/=");
    signer()
        .sign(&mut once, &PayloadHash::of(b"new"), time())
        .unwrap();
    assert!(!once.headers.contains_key("x-amz-security-token"));
    assert_eq!(
        once.headers["x-amz-content-sha256"],
        PayloadHash::of(b"new").to_string()
    );
    assert_eq!(once.headers["x-amz-date"], "20150830T123600Z");
    let mut fresh = parts("http://h/", &[("x-amz-content-sha256", "")]);
    signer()
        .sign(&mut fresh, &PayloadHash::of(b"new"), time())
        .unwrap();
    assert_eq!(once.headers, fresh.headers);
}

#[test]
fn marks_what_is_sensitive() {
    let mut parts = parts("http://h/", &[]);
    signer_with_token()
        .sign(&mut parts, &PayloadHash::EMPTY, time())
        .unwrap();
    assert!(parts.headers["authorization"].is_sensitive());
    assert!(parts.headers["x-amz-security-token"].is_sensitive());
    assert!(!parts.headers["x-amz-date"].is_sensitive());
}

/// The list of the IAM user guide, "Create a signed AWS API request", step 1: headers that must not be
/// in a canonical request, since they are often changed on the way.
#[test]
fn signs_no_header_of_the_connection() {
    let headers = [
        "connection",
        "x-amzn-trace-id",
        "user-agent",
        "keep-alive",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "proxy-authenticate",
    ]
    .map(|name| (name, "value"));
    let mut parts = parts("http://h/", &headers);
    signer()
        .sign(&mut parts, &PayloadHash::EMPTY, time())
        .unwrap();
    assert_eq!(signed_headers(&parts), "host;x-amz-date");
}

#[test]
fn never_signs_what_changes_on_the_way() {
    let mut headers: Vec<_> = NEVER_SIGNED.iter().map(|name| (*name, "value")).collect();
    headers.push(("cache-control", "no-cache"));
    let mut settings = SigningSettings::default();
    settings.unsigned_headers.push(http::header::CACHE_CONTROL);
    settings.unsigned_headers.push(http::header::HOST);
    let mut parts = parts("http://h/", &headers);
    let signer = signer().with_settings(settings);
    signer
        .sign(&mut parts, &PayloadHash::EMPTY, time())
        .unwrap();
    assert_eq!(signed_headers(&parts), "host;x-amz-date");

    let upper: Vec<_> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_uppercase())
        .collect();
    let upper = upper
        .iter()
        .map(|name| (name.as_str(), b"value".as_slice()));
    let upper = upper.chain([("HOST", b"h".as_slice())]);
    let request = RawRequest::new("GET", "/", None, upper).unwrap();
    let added = signer
        .sign_raw(&request, &PayloadHash::EMPTY, time())
        .unwrap();
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert_eq!(
        added.iter().last().unwrap().1.to_str().unwrap(),
        authorization
    );
}

#[test]
fn what_signing_adds_is_covered_whatever_the_settings_leave_unsigned() {
    for session_token in [SessionTokenMode::Signed, SessionTokenMode::Appended] {
        let mut settings = SigningSettings::s3();
        settings.session_token = session_token;
        let unsigned = [
            "x-amz-date",
            "x-amz-content-sha256",
            "x-amz-security-token",
            "a",
        ];
        settings.unsigned_headers = unsigned.map(http::HeaderName::from_static).to_vec();
        let signer = signer_with_token().with_settings(settings.clone());
        let mut parts = parts("http://h/", &[("a", "1"), ("b", "2")]);
        signer
            .sign(&mut parts, &PayloadHash::EMPTY, time())
            .unwrap();
        let request = RawRequest::from(&parts);
        let canonical = CanonicalRequest::of(&request, &PayloadHash::EMPTY, &settings);
        assert_eq!(canonical.signed_headers(), signed_headers(&parts));
        let expected = match session_token {
            SessionTokenMode::Signed => {
                "b;host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
            }
            SessionTokenMode::Appended => "b;host;x-amz-content-sha256;x-amz-date",
        };
        assert_eq!(canonical.signed_headers(), expected);
    }
}

#[test]
fn s3_is_signed_as_its_reference_has_it() {
    // "Authenticating requests: using the authorization header", the example of GET Object.
    let id = "AKIAIOSFODNN7EXAMPLE";
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let signer = Signer::new(Credentials::new(id, secret).unwrap(), "us-east-1", "s3")
        .unwrap()
        .with_settings(SigningSettings::s3());
    let uri = "https://examplebucket.s3.amazonaws.com/test.txt";
    let mut parts = parts(uri, &[("range", "bytes=0-9")]);
    let time = "20130524T000000Z".parse().unwrap();
    let signature = signer.sign(&mut parts, &PayloadHash::EMPTY, time).unwrap();
    assert_eq!(
        signature.to_string(),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert_eq!(
        parts.headers["x-amz-content-sha256"],
        PayloadHash::EMPTY.to_string()
    );
}

#[test]
fn s3_signs_a_path_as_it_is_sent() {
    let parts = parts("/a//./b/../c%20d%3A", &[("host", "h")]);
    let request = RawRequest::from(&parts);
    let canonical = CanonicalRequest::of(&request, &PayloadHash::EMPTY, &SigningSettings::s3());
    let path = canonical.to_string().lines().nth(1).unwrap().to_owned();
    assert_eq!(path, "/a//./b/../c%20d%3A");
}

#[test]
fn a_signer_says_what_it_signs_for() {
    let signer = signer();
    assert_eq!(
        (signer.region(), signer.service()),
        ("us-east-1", "service")
    );
}

#[test]
fn an_appended_token_is_sent_and_not_signed() {
    let mut settings = SigningSettings::default();
    settings.session_token = SessionTokenMode::Appended;
    let signer = signer_with_token().with_settings(settings.clone());
    let plain = self::signer();
    let (mut with, mut without) = (parts("http://h/", &[]), parts("http://h/", &[]));
    let signature = signer.sign(&mut with, &PayloadHash::EMPTY, time()).unwrap();
    assert_eq!(
        signature,
        plain
            .sign(&mut without, &PayloadHash::EMPTY, time())
            .unwrap()
    );
    assert_eq!(with.headers["x-amz-security-token"], "tok3n/=");

    let expires = Duration::from_secs(60);
    let (mut with, mut without) = (parts("http://h/", &[]), parts("http://h/", &[]));
    let signature = signer
        .presign(&mut with, &PayloadHash::EMPTY, time(), expires)
        .unwrap();
    assert_eq!(
        signature,
        plain
            .presign(&mut without, &PayloadHash::EMPTY, time(), expires)
            .unwrap()
    );
    assert!(
        with.uri
            .query()
            .unwrap()
            .ends_with("&X-Amz-Security-Token=tok3n%2F%3D")
    );
    let verifier = Verifier::new("us-east-1", "service")
        .unwrap()
        .with_settings(settings);
    let verified = verifier.verify(&with, &PayloadHash::EMPTY, signer.credentials(), time());
    assert_eq!(verified.unwrap().expires(), Some(expires));
}

#[test]
fn presigning_takes_whole_seconds_up_to_a_week() {
    let presign = |expires| {
        let mut parts = parts("http://h/?a=b", &[("x-amz-date", "stale")]);
        signer()
            .presign(&mut parts, &PayloadHash::EMPTY, time(), expires)
            .map(|_| (parts.uri.to_string(), parts.headers.len()))
    };
    for seconds in [1, 604_800] {
        let (uri, headers) = presign(Duration::from_secs(seconds)).unwrap();
        assert!(
            uri.starts_with("http://h/?a=b&X-Amz-Algorithm=AWS4-HMAC-SHA256&"),
            "{uri}"
        );
        assert!(uri.contains(&format!("&X-Amz-Expires={seconds}&")), "{uri}");
        assert_eq!(headers, 0);
    }
    for expires in [
        Duration::ZERO,
        Duration::from_millis(1500),
        Duration::from_secs(604_801),
    ] {
        assert_eq!(presign(expires).unwrap_err(), SignError::ExpiresOutOfRange);
    }
}

#[test]
fn presigning_takes_the_host_from_the_header_or_else_from_the_uri() {
    let hour = Duration::from_secs(3600);
    let presign = |uri: &str, headers: &[(&str, &str)]| {
        let mut parts = parts(uri, headers);
        signer().presign(&mut parts, &PayloadHash::EMPTY, time(), hour)
    };
    let by_uri = presign("https://example.com/a", &[]);
    assert!(by_uri.is_ok());
    let more = [("host", "example.com"), ("user-agent", "x")];
    assert_eq!(presign("/a", &more[..1]), by_uri);
    assert_eq!(presign("https://example.com/a", &more), by_uri);
    assert_eq!(presign("/a", &[]), Err(SignError::MissingHost));
}

#[test]
fn presigning_keeps_query_bytes_that_are_not_utf8() {
    let (path, query): (&[u8], &[u8]) = (b"/", b"a=\xff&b=1");
    let host = [("host", b"h".as_slice())];
    let request = RawRequest::new("GET", path, Some(query), host).unwrap();
    let hour = Duration::from_secs(3600);
    let presigned = signer().presign_raw(&request, &PayloadHash::EMPTY, time(), hour);
    let query = presigned.unwrap().query().to_owned();
    assert!(query.starts_with("a=%FF&b=1&X-Amz-Algorithm="), "{query}");
}

#[test]
fn paths_are_encoded_once_or_twice() {
    let name =
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/invocations";
    let line = |encoding, normalize, path: &str| {
        let mut settings = SigningSettings::default();
        settings.path_encoding = encoding;
        settings.normalize_path = normalize;
        let parts = parts(path, &[("host", "h")]);
        let request = RawRequest::from(&parts);
        let canonical = CanonicalRequest::of(&request, &PayloadHash::EMPTY, &settings);
        canonical.to_string().lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        line(PathEncoding::Double, true, name),
        name.replace('%', "%25")
    );
    assert_eq!(line(PathEncoding::Single, true, name), name);
    assert_eq!(line(PathEncoding::Double, false, "//a/../b"), "//a/../b");
    assert_eq!(line(PathEncoding::Single, true, "//a/../b"), "/b");
}

#[test]
fn values_of_headers_may_have_any_bytes() {
    let headers = [("host", b"h".as_slice()), ("a", b"\xff\xfe  \x80")];
    let request = RawRequest::new("GET", "/", None, headers).unwrap();
    let canonical =
        CanonicalRequest::of(&request, &PayloadHash::EMPTY, &SigningSettings::default());
    let bytes = canonical.to_bytes();
    assert!(bytes.starts_with(b"GET\n/\n\na:\xff\xfe \x80\nhost:h\n"));
    assert!(
        canonical
            .to_string()
            .starts_with("GET\n/\n\na:\u{fffd}\u{fffd} \u{fffd}\n")
    );
    let hash = PayloadHash::of(&bytes);
    assert_eq!(hash, PayloadHash::Sha256(canonical.hash()));
}

#[test]
fn many_and_long_headers_are_signed_like_few_and_short_ones() {
    let names: Vec<_> = (0..200)
        .map(|number| format!("x-custom-header-{number:03}"))
        .collect();
    let value = "v".repeat(5000);
    let mut headers: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), value.as_str()))
        .collect();
    headers.reverse();
    let mut parts = parts("http://h/?b=1&a=2&c=3&d=4&f=5&e=6", &headers);
    signer()
        .sign(&mut parts, &PayloadHash::EMPTY, time())
        .unwrap();
    assert_eq!(
        signed_headers(&parts),
        format!("host;x-amz-date;{}", names.join(";"))
    );
    let settings = SigningSettings::default();
    let canonical = CanonicalRequest::of(&(&parts).into(), &PayloadHash::EMPTY, &settings);
    let mut expected = String::from("GET\n/\na=2&b=1&c=3&d=4&e=6&f=5\nhost:h\n");
    expected.push_str("x-amz-date:20150830T123600Z\n");
    for name in &names {
        expected.push_str(&format!("{name}:{value}\n"));
    }
    expected.push_str(&format!(
        "\n{}\n{}",
        canonical.signed_headers(),
        PayloadHash::EMPTY
    ));
    assert_eq!(canonical.to_string(), expected);
    let verifier = Verifier::new("us-east-1", "service").unwrap();
    verifier
        .verify(&parts, &PayloadHash::EMPTY, signer().credentials(), time())
        .unwrap();
}

#[test]
fn rejects_regions_and_services_that_would_break_the_scope() {
    let credentials = Credentials::new("AKID", "secret").unwrap();
    for text in ["", "a/b", "a b", "a,b", "\u{e9}", "a\n"] {
        let rejected = |region, service| Signer::new(credentials.clone(), region, service);
        assert_eq!(rejected(text, "lambda").unwrap_err(), InvalidScope::Region);
        assert_eq!(
            rejected("eu-west-1", text).unwrap_err(),
            InvalidScope::Service
        );
        assert_eq!(
            Verifier::new(text, "lambda").unwrap_err(),
            InvalidScope::Region
        );
    }
}

#[test]
fn one_signer_signs_for_several_days_and_threads() {
    let signer = signer();
    let days: Vec<Timestamp> = (0..20)
        .map(|day| Timestamp::from_secs(day * 86_400 + 86_399).unwrap())
        .collect();
    let sign = |signer: &Signer, time| {
        let mut parts = parts("http://h/", &[]);
        signer.sign(&mut parts, &PayloadHash::EMPTY, time).unwrap()
    };
    let expected: Vec<_> = days.iter().map(|day| sign(&self::signer(), *day)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    for (day, expected) in days.iter().zip(&expected) {
                        assert_eq!(sign(&signer, *day), *expected);
                    }
                }
            });
        }
    });
}
