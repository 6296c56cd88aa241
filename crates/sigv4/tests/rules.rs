//! The rules for which other signers have single test cases: what is trimmed, encoded, never signed
//! or rejected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]

mod support;

use std::time::Duration;

use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, InvalidRequest, PayloadHash, SignError, Signer, SigningKey,
    SigningSettings, StringToSign, Timestamp, Verifier,
};
use lambda_invoke_vectors::{json, suite, text};
use serde_json::Value;
use support::Request;

/// Returns the canonical request of a GET with these headers and this query, under the default
/// settings.
fn canonical(query: Option<&str>, headers: &[(&str, &str)]) -> String {
    let mut request = Request::parse("GET / HTTP/1.1\nHost:example.amazonaws.com");
    request.query = query.map(str::to_owned);
    for (name, value) in headers {
        request.headers.push((name.to_string(), value.to_string()));
    }
    let settings = SigningSettings::default();
    CanonicalRequest::of(&request.raw(), &PayloadHash::EMPTY, &settings).to_string()
}

#[test]
fn follows_the_rules_of_smithy_rs() {
    suite("sigv4/smithy-rs-rules", |data| {
        let folder = data.join("sigv4");
        let data = json(&folder.join("extracted/smithy-rs-unit.json"));
        let rules = data["rules"].as_array().unwrap();
        for rule in rules {
            let field = |name: &str| rule[name].as_str().unwrap();
            match field("id") {
                "header_exclusion_header_auth" | "header_exclusion_presign" => {
                    let mut request = Request::parse("GET / HTTP/1.1\nhost:example.amazonaws.com");
                    for name in rule["input_headers"].as_array().unwrap() {
                        request
                            .headers
                            .push((name.as_str().unwrap().to_owned(), "1".to_owned()));
                    }
                    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
                    let signer = Signer::new(credentials, "us-east-1", "service").unwrap();
                    let raw = request.raw();
                    let time = Timestamp::EPOCH;
                    let names = if field("location") == "headers" {
                        let added = signer.sign_raw(&raw, &PayloadHash::EMPTY, time).unwrap();
                        added.iter().last().unwrap().1.to_str().unwrap().to_owned()
                    } else {
                        let expires = Duration::from_secs(1);
                        let hash = PayloadHash::EMPTY;
                        let presigned = signer.presign_raw(&raw, &hash, time, expires).unwrap();
                        presigned.query().replace("%3B", ";").replace('&', ", ")
                    };
                    assert!(
                        names.contains(&format!("SignedHeaders={}, ", field("signed_headers"))),
                        "{names}"
                    );
                }
                "canonical_query_printable_ascii" => {
                    let pairs = rule["query_pairs"].as_array().unwrap().iter();
                    let encode = |text: &Value| -> String {
                        text.as_str()
                            .unwrap()
                            .bytes()
                            .map(|byte| format!("%{byte:02x}"))
                            .collect()
                    };
                    let query: Vec<String> = pairs
                        .map(|pair| format!("{}={}", encode(&pair[0]), encode(&pair[1])))
                        .collect();
                    let canonical = canonical(Some(&query.join("&")), &[]);
                    assert_eq!(canonical.lines().nth(2), Some(field("canonical_query")));
                }
                "canonical_query_tilde_and_valueless" => {
                    let canonical = canonical(Some(field("raw_query")), &[]);
                    assert_eq!(canonical.lines().nth(2), Some(field("canonical_query")));
                }
                "creq_digest" => {
                    let case = folder
                        .join("aws-c-auth/aws-signing-test-suite/v4")
                        .join("get-vanilla-query-order-key-case");
                    let request = Request::parse(&text(&case.join("header-signed-request.txt")));
                    let settings = SigningSettings::default();
                    let raw = request.raw();
                    let canonical = CanonicalRequest::of(&raw, &PayloadHash::EMPTY, &settings);
                    let hash = PayloadHash::Sha256(canonical.hash()).to_string();
                    assert_eq!(hash, field("sha256"));
                }
                "header_value_trim" => {
                    for pair in rule["pairs"].as_array().unwrap() {
                        check_trim(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
                    }
                }
                unknown => panic!("a rule that is not run: {unknown}"),
            }
        }
        rules.len()
    });
}

/// A value with a line end is rejected, since no header can have one; after the line ends are
/// removed, the value is trimmed as expected.
fn check_trim(value: &str, expected: &str) {
    if value.contains('\n') {
        let mut request = Request::parse("GET / HTTP/1.1\nhost:example.amazonaws.com");
        request.headers.push(("a".to_owned(), value.to_owned()));
        let offset = value.find('\n').unwrap();
        let rejected = request.try_raw().map(|_| ());
        assert_eq!(
            rejected,
            Err(InvalidRequest::HeaderValue { index: 1, offset })
        );
    }
    let canonical = canonical(None, &[("a", &value.replace('\n', ""))]);
    let expected = format!("a:{}", expected.replace('\n', ""));
    assert_eq!(canonical.split('\n').nth(3), Some(expected.as_str()));
}

#[test]
fn never_signs_what_the_other_signers_never_sign() {
    suite("sigv4/never-signed", |data| {
        let data = json(&data.join("sigv4/extracted/aws-c-auth-header-rules.json"));
        let cases = data["never_signed"].as_array().unwrap();
        for case in cases {
            let mut request = Request::parse(case["request"].as_str().unwrap());
            let mut settings = SigningSettings::default();
            for name in case["skip_headers_case_insensitive"]
                .as_array()
                .into_iter()
                .flatten()
            {
                settings
                    .unsigned_headers
                    .push(name.as_str().unwrap().parse().unwrap());
            }
            let signer = header_rules_signer(&data).with_settings(settings.clone());
            let time = "20150830T123600Z".parse().unwrap();
            let added = signer
                .sign_raw(&request.raw(), &PayloadHash::EMPTY, time)
                .unwrap();
            request.add(&added);
            let raw = request.raw();
            let canonical = CanonicalRequest::of(&raw, &PayloadHash::EMPTY, &settings);
            assert_eq!(
                canonical.to_string(),
                case["canonical_request"].as_str().unwrap()
            );
            let secret = signer.credentials().secret_access_key();
            let key = SigningKey::derive(secret, time, signer.region(), signer.service());
            let hash = canonical.hash();
            let text = StringToSign::new(time, signer.region(), signer.service(), hash);
            assert_eq!(key.sign(text.as_bytes()), added.signature());
        }
        cases.len()
    });
}

fn header_rules_signer(data: &Value) -> Signer {
    let keys = &data["credentials"];
    let credentials = Credentials::new(
        keys["access_key_id"].as_str().unwrap(),
        keys["secret_access_key"].as_str().unwrap(),
    )
    .unwrap();
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    Signer::new(credentials, text("region"), text("service")).unwrap()
}

/// What aws-c-auth rejects, by its own policy. A query parameter that signing adds is rejected
/// here, too. A header that signing adds is replaced, as in botocore and the legacy suite, so that
/// a request can be signed again before it is sent again.
#[test]
fn rejects_or_replaces_what_aws_c_auth_rejects() {
    suite("sigv4/rejected-input", |data| {
        let data = json(&data.join("sigv4/extracted/aws-c-auth-header-rules.json"));
        let cases = data["rejected_input"].as_array().unwrap();
        for case in cases {
            let request = Request::parse(case["request"].as_str().unwrap());
            let signer = header_rules_signer(&data);
            let time = "20150830T123600Z".parse().unwrap();
            let (raw, hash) = (request.raw(), PayloadHash::EMPTY);
            let by_headers = signer.sign_raw(&raw, &hash, time);
            let by_query = signer.presign_raw(&raw, &hash, time, Duration::from_secs(1));
            if let Some(query) = &request.query {
                let owned = query.split('=').next().unwrap();
                for error in [by_headers.unwrap_err(), by_query.unwrap_err()] {
                    assert!(matches!(error, SignError::OwnedParameter(name) if name == owned));
                }
                continue;
            }
            let (name, old) = request.headers.last().unwrap();
            let mut signed = request.clone();
            signed.add(&by_headers.unwrap());
            let mut values = signed
                .headers
                .iter()
                .filter(|(n, _)| n.eq_ignore_ascii_case(name));
            let (_, new) = values.next().unwrap();
            assert!(values.next().is_none());
            assert!(old != new || name.eq_ignore_ascii_case("x-amz-date"));
            let verifier = Verifier::new(signer.region(), signer.service()).unwrap();
            verifier
                .verify_raw(&signed.raw(), &hash, signer.credentials(), time)
                .unwrap();
            let canonical = by_query.unwrap();
            assert!(canonical.query().contains("X-Amz-SignedHeaders=host&"));
        }
        cases.len()
    });
}
