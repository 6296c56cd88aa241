//! What a signer caches between requests (the day's key, the second's date) never affects a
//! signature: it signs as a new signer does.
#![allow(clippy::unwrap_used, clippy::panic)]

use lambda_invoke_sigv4::{
    Credentials, PathEncoding, PayloadHash, RawRequest, SessionTokenMode, SignError, Signer,
    SigningHeaders, SigningSettings, Timestamp,
};

/// Method, path, query, headers.
type Request<'a> = (&'a str, &'a str, &'a str, Vec<(&'a str, &'a str)>);

fn settings() -> Vec<SigningSettings> {
    let mut appended = SigningSettings::default();
    appended.session_token = SessionTokenMode::Appended;
    let mut unsigned = SigningSettings::default();
    unsigned.unsigned_headers.push(http::header::CONTENT_TYPE);
    unsigned.path_encoding = PathEncoding::Single;
    vec![
        SigningSettings::default(),
        SigningSettings::s3(),
        appended,
        unsigned,
    ]
}

fn signer(settings: &SigningSettings) -> Signer {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    let credentials = credentials.with_session_token("FwoGZXIv==").unwrap();
    let signer = Signer::new(credentials, "us-east-1", "lambda").unwrap();
    signer.with_settings(settings.clone())
}

fn written(headers: Result<SigningHeaders, SignError>) -> Result<String, SignError> {
    let lines = |headers: SigningHeaders| {
        let line = |(name, value): (&str, &http::HeaderValue)| format!("{name}: {value:?}\n");
        let sensitive = headers.iter().map(|(_, value)| value.is_sensitive());
        let sensitive: Vec<bool> = sensitive.collect();
        let plain = headers.iter().map(|(name, value)| {
            let mut value = value.clone();
            value.set_sensitive(false);
            line((name, &value))
        });
        format!(
            "{}{sensitive:?} {}",
            plain.collect::<String>(),
            headers.signature()
        )
    };
    headers.map(lines)
}

/// Some requests that differ from each other in one respect.
fn requests<'a>(long: &'a str, many: &'a [(String, String)]) -> Vec<Request<'a>> {
    let host = ("host", "example.com");
    let base: Request<'_> = ("POST", "/a/b", "Qualifier=prod", vec![host, ("b", "1")]);
    let with = |headers: &[(&'a str, &'a str)]| {
        let headers = [&base.3[..], headers].concat();
        (base.0, base.1, base.2, headers)
    };
    let many: Vec<_> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut requests = vec![
        base.clone(),
        ("PUT", base.1, base.2, base.3.clone()),
        (base.0, "/a/c", base.2, base.3.clone()),
        (base.0, "/a/b\nQualifier=prod", "", base.3.clone()),
        (base.0, "/a", "/b", base.3.clone()),
        (base.0, "/../a%20 b/", base.2, base.3.clone()),
        (base.0, base.1, "Qualifier=test", base.3.clone()),
        (base.0, base.1, "Qualifier=head", base.3.clone()),
        (base.0, base.1, "b=%2f&a&a=2", base.3.clone()),
        (base.0, base.1, "X-Amz-Signature=0", base.3.clone()),
        (base.0, base.1, base.2, vec![("b", "1"), host]),
        (base.0, base.1, base.2, vec![host, ("B", "1")]),
        (base.0, base.1, base.2, vec![host, ("b", "2")]),
        (base.0, base.1, base.2, vec![("b", "1")]),
        with(&[("a", "1")]),
        with(&[("a", " 1  2 ")]),
        with(&[("b", "2")]),
        with(&[("b", "0"), ("c", "")]),
        with(&[("content-type", "text/plain")]),
        with(&[("X-Amz-Content-Sha256", "of another body")]),
        with(&[("x-amz-date", "old"), ("authorization", "old")]),
        with(&[("x-amz-security-token", "old")]),
        with(&[("user-agent", "any"), ("x-amzn-trace-id", "any")]),
        with(&[("x-amz-thirty-one-letters-and-no-", "1")]),
        with(&[("x-amz-thirty-two-letters-and-more", "1")]),
        with(&[("x-amz-client-context", long)]),
        (base.0, long, base.2, base.3.clone()),
        (base.0, base.1, long, base.3.clone()),
    ];
    // The header names of each request are a prefix of those of the next one.
    requests.extend((0..=many.len()).map(|count| with(&many[..count])));
    requests
}

#[test]
fn earlier_requests_do_not_affect_a_signature() {
    let long = "e".repeat(3000);
    let many: Vec<_> = (0..30)
        .map(|number| (format!("x-{}", number * 7 % 30), format!("{number}")))
        .collect();
    let requests = requests(&long, &many);
    let times = ["20150830T123600Z", "20150830T123601Z", "20150831T000000Z"];
    let times = times.map(|time| time.parse::<Timestamp>().unwrap());
    let payloads = [
        PayloadHash::EMPTY,
        PayloadHash::of(b"{}"),
        PayloadHash::Unsigned,
    ];

    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    for settings in settings() {
        let old = signer(&settings);
        let mut request = 0;
        for _ in 0..600 {
            // Usually the same request is signed several times in a row.
            if random(3) == 0 {
                request = random(requests.len());
            }
            let (method, path, query, headers) = &requests[request];
            let pieces = headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()));
            let raw = RawRequest::new(method, *path, Some(query), pieces).unwrap();
            let (payload, time) = (&payloads[random(3)], times[random(3)]);
            assert_eq!(
                written(old.sign_raw(&raw, payload, time)),
                written(signer(&settings).sign_raw(&raw, payload, time)),
                "{method} {path} {query} {headers:?}"
            );
        }
    }
}

#[test]
fn a_header_map_is_signed_as_the_list_of_its_headers() {
    let signer = signer(&SigningSettings::default());
    let time = "20150830T123600Z".parse().unwrap();
    let many: Vec<String> = (0..30).map(|number| format!("x-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let prefixes = (0..30).map(|count| ("https://example.com/a", many[..count].to_vec()));
    for round in 0..4 {
        let cases = [
            ("https://example.com/a", vec!["b", "a", "content-type"]),
            ("https://example.org/a", vec!["b", "a", "content-type"]),
            ("https://example.com/a", vec!["a", "b", "content-type"]),
            ("https://example.com/a", vec!["a", "a", "content-type"]),
            ("/a", vec!["a", "host", "a"]),
            ("/a", vec!["a", "b"]),
        ];
        for (uri, names) in cases.into_iter().chain(prefixes.clone()) {
            let mut builder = http::Request::get(uri);
            for name in &names {
                builder = builder.header(*name, format!("{name} {round}"));
            }
            let parts = builder.body(()).unwrap().into_parts().0;
            let mut list: Vec<_> = parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect();
            let host = parts.uri.host();
            if let Some(host) = host.filter(|_| !names.contains(&"host")) {
                list.push(("host", host.as_bytes()));
            }
            let raw = RawRequest::new("GET", "/a", None, list).unwrap();
            let of_list = signer.sign_raw(&raw, &PayloadHash::EMPTY, time);
            let of_map = signer.sign_raw(&(&parts).into(), &PayloadHash::EMPTY, time);
            match (of_list, of_map) {
                (Ok(of_list), Ok(of_map)) => {
                    assert_eq!(of_list.signature(), of_map.signature(), "{uri} {names:?}");
                }
                (of_list, of_map) => {
                    assert_eq!(of_list.unwrap_err(), SignError::MissingHost);
                    assert_eq!(of_map.unwrap_err(), SignError::MissingHost);
                }
            }
        }
    }
}

#[test]
fn many_requests_in_turn_are_signed_as_each_alone() {
    let old = signer(&SigningSettings::default());
    let time = "20150830T123600Z".parse().unwrap();
    let paths: Vec<String> = (0..50)
        .map(|number| format!("/functions/f{number}/invoke"))
        .collect();
    for round in 0..30_usize {
        for path in &paths {
            let host = ("host", b"example.com".as_slice());
            let body = round.to_string();
            let payload = PayloadHash::of(body.as_bytes());
            let raw = RawRequest::new("POST", path, None, [host]).unwrap();
            let signature =
                |signer: &Signer| signer.sign_raw(&raw, &payload, time).unwrap().signature();
            if round % 10 == 0 {
                let new = signer(&SigningSettings::default());
                assert_eq!(signature(&old), signature(&new), "{path} {round}");
            } else {
                signature(&old);
            }
        }
    }
}

#[test]
fn other_settings_take_effect_at_once() {
    let time = "20150830T123600Z".parse().unwrap();
    let host = ("host", b"example.com".as_slice());
    let raw = RawRequest::new("POST", "/a%20b", None, [host]).unwrap();
    let sign = |signer: &Signer| written(signer.sign_raw(&raw, &PayloadHash::EMPTY, time));
    let old = signer(&SigningSettings::default());
    let before = sign(&old);
    let after = sign(&old.with_settings(SigningSettings::s3()));
    assert_ne!(before, after);
    assert_eq!(after, sign(&signer(&SigningSettings::s3())));
}
