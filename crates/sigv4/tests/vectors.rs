//! The official vectors for Signature Version 4: canonical request, string to sign, signature and
//! signed request are compared, and the verifier must accept each signed request.
//!
//! Out of scope, and therefore not run: everything for version 4a (`v4a`,
//! `aws-c-auth-v4a-key-derivation.json`). Signed chunks and messages are in `chunks.rs` and
//! `messages.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, PathEncoding, PayloadHash, SessionTokenMode, Signer,
    SigningSettings, StringToSign, Timestamp, Verifier,
};
use lambda_invoke_vectors::{json, suite, text};
use serde_json::Value;
use support::Request;

/// Cases whose files contradict each other, and which of the files counts here. In both, `.authz`
/// agrees with `.creq` and `.sts`, and `.sreq` has a different signature.
///
/// A contradiction about one more vector, `get-header-value-multiline`, is resolved elsewhere: here
/// a folded line continues after one space (as in aws-c-auth, botocore, Ruby and RFC 9112), and not
/// after a comma (as in smithy-typescript); see `Request::parse`.
const SREQ_DISAGREES: [(&str, &str); 2] = [
    (
        "post-vanilla-query-space",
        "`.sreq` is what one gets if the target is truncated at its first space",
    ),
    (
        "post-vanilla-query-nonunreserved",
        "`.sreq` is of a query that was read in another way",
    ),
];

/// Targets that `http::Uri` cannot hold: these run through `RawRequest` alone.
const BEYOND_HTTP: [&str; 4] = [
    "get-space-normalized",
    "get-space-unnormalized",
    "post-vanilla-query-space",
    "post-vanilla-query-nonunreserved",
];

struct Context {
    credentials: Credentials,
    region: String,
    service: String,
    time: Timestamp,
    expires: Duration,
    sign_body: bool,
    settings: SigningSettings,
}

impl Context {
    fn read(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let keys = &value["credentials"];
        let mut credentials = Credentials::new(
            text(&keys["access_key_id"]),
            text(&keys["secret_access_key"]),
        )
        .unwrap();
        if let Some(token) = keys["token"].as_str() {
            credentials = credentials.with_session_token(token).unwrap();
        }
        let sign_body = value["sign_body"].as_bool().unwrap();
        let mut settings = SigningSettings::default();
        settings.normalize_path = value["normalize"].as_bool().unwrap();
        settings.content_sha256_header = sign_body;
        if value["omit_session_token"] == true {
            settings.session_token = SessionTokenMode::Appended;
        }
        if value["double_uri_encode"] == false {
            settings.path_encoding = PathEncoding::Single;
        }
        Self {
            credentials,
            region: text(&value["region"]),
            service: text(&value["service"]),
            time: text(&value["timestamp"])
                .replace(['-', ':'], "")
                .parse()
                .unwrap(),
            expires: Duration::from_secs(value["expiration_in_seconds"].as_u64().unwrap()),
            sign_body,
            settings,
        }
    }

    fn payload(&self, body: &str) -> PayloadHash {
        if self.sign_body {
            PayloadHash::of(body.as_bytes())
        } else {
            PayloadHash::EMPTY
        }
    }

    fn signer(&self) -> Signer {
        Signer::new(self.credentials.clone(), &self.region, &self.service)
            .unwrap()
            .with_settings(self.settings.clone())
    }

    fn string_to_sign(&self, canonical: &CanonicalRequest<'_>) -> String {
        StringToSign::new(self.time, &self.region, &self.service, canonical.hash()).to_string()
    }

    fn verify(&self, request: &Request, payload: &PayloadHash) {
        let verifier = Verifier::new(&self.region, &self.service)
            .unwrap()
            .with_settings(self.settings.clone());
        let verified = verifier.verify_raw(&request.raw(), payload, &self.credentials, self.time);
        assert_eq!(
            verified.unwrap().access_key_id(),
            self.credentials.access_key_id()
        );
    }
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

/// Runs both variants of every case in a folder of the official suite.
fn run_signing_suite(parent: &Path) -> usize {
    let mut cases = 0;
    for folder in folders(parent) {
        let context = Context::read(&json(&folder.join("context.json")));
        let request = Request::parse(&text(&folder.join("request.txt")));
        assert_eq!(
            request.parts().is_none(),
            BEYOND_HTTP.contains(&name(&folder)),
            "{folder:?}"
        );
        for variant in ["header", "query"] {
            // A stub without expectations would have neither file; this suite has no stubs.
            let expected = |what: &str| text(&folder.join(format!("{variant}-{what}.txt")));
            let (signed, signature) = match variant {
                "header" => sign_by_headers(&context, &request),
                _ => sign_by_query(&context, &request),
            };
            let payload = context.payload(&request.body);
            let raw = signed.raw();
            let canonical = CanonicalRequest::of(&raw, &payload, &context.settings);
            assert_eq!(
                canonical.to_string(),
                expected("canonical-request"),
                "{folder:?}"
            );
            let string_to_sign = context.string_to_sign(&canonical);
            assert_eq!(string_to_sign, expected("string-to-sign"), "{folder:?}");
            assert_eq!(signature, expected("signature"), "{folder:?} {variant}");
            let expected = Request::parse(&expected("signed-request"));
            assert_eq!(signed.normal(), expected.normal(), "{folder:?} {variant}");
            context.verify(&signed, &payload);
            cases += 1;
        }
    }
    cases
}

fn sign_by_headers(context: &Context, request: &Request) -> (Request, String) {
    let (signer, payload) = (context.signer(), context.payload(&request.body));
    let added = signer
        .sign_raw(&request.raw(), &payload, context.time)
        .unwrap();
    if let Some(mut parts) = request.parts() {
        let signature = signer.sign(&mut parts, &payload, context.time).unwrap();
        assert_eq!(signature, added.signature());
        assert_eq!(
            parts.headers["authorization"],
            added.iter().last().unwrap().1
        );
    }
    let mut signed = request.clone();
    signed.add(&added);
    (signed, added.signature().to_string())
}

fn sign_by_query(context: &Context, request: &Request) -> (Request, String) {
    let (signer, payload) = (context.signer(), context.payload(&request.body));
    let raw = request.raw();
    let presigned = signer
        .presign_raw(&raw, &payload, context.time, context.expires)
        .unwrap();
    if let Some(mut parts) = request.parts() {
        let signature = signer
            .presign(&mut parts, &payload, context.time, context.expires)
            .unwrap();
        assert_eq!(signature, presigned.signature());
        assert_eq!(parts.uri.query().is_some(), !presigned.query().is_empty());
    }
    let mut signed = request.clone();
    signed.query = Some(presigned.query().to_owned());
    (signed, presigned.signature().to_string())
}

#[test]
fn signs_as_the_official_suite() {
    suite("sigv4/aws-c-auth", |data| {
        run_signing_suite(&data.join("sigv4/aws-c-auth/aws-signing-test-suite/v4"))
    });
}

#[test]
fn signs_as_the_cases_that_only_kotlin_has() {
    suite("sigv4/smithy-kotlin", |data| {
        run_signing_suite(&data.join("sigv4/smithy-kotlin-extra/v4"))
    });
}

/// Folders with a `.req` file, at any depth.
fn ruby_folders(parent: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders(parent) {
        if folder.join(format!("{}.req", name(&folder))).is_file() {
            found.push(folder);
        } else {
            found.extend(ruby_folders(&folder));
        }
    }
    found
}

#[test]
fn signs_as_the_cases_that_only_ruby_has() {
    suite("sigv4/aws-sdk-ruby", |data| {
        let folders = ruby_folders(&data.join("sigv4/aws-sdk-ruby-extra"));
        for folder in &folders {
            let expected = |what: &str| text(&folder.join(format!("{}.{what}", name(folder))));
            let mut request = Request::parse(&expected("req"));
            let canonical_request = expected("creq");
            let token = canonical_request
                .lines()
                .find_map(|line| line.strip_prefix("x-amz-security-token:"));
            let mut context = Context::read(&serde_json::json!({
                "credentials": {
                    "access_key_id": "AKIDEXAMPLE",
                    "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                    "token": token,
                },
                "region": "us-east-1",
                "service": "service",
                "timestamp": "2015-08-30T12:36:00Z",
                "expiration_in_seconds": 3600,
                "normalize": true,
                "sign_body": true,
            }));
            context.settings.content_sha256_header = false;
            let payload = context.payload(&request.body);
            let added = context
                .signer()
                .sign_raw(&request.raw(), &payload, context.time)
                .unwrap();
            request.add(&added);
            let raw = request.raw();
            let canonical = CanonicalRequest::of(&raw, &payload, &context.settings);
            assert_eq!(canonical.to_string(), canonical_request, "{folder:?}");
            assert_eq!(
                context.string_to_sign(&canonical),
                expected("sts"),
                "{folder:?}"
            );
            let authorization = added.iter().last().unwrap().1;
            assert_eq!(
                authorization.to_str().unwrap(),
                expected("authz"),
                "{folder:?}"
            );
            // The signed request itself: in the contradictory cases, `.sreq` has another signature.
            let mut signed = Request::parse(&expected("sreq"));
            let theirs = signed
                .headers
                .iter_mut()
                .find(|(name, _)| name == "Authorization");
            let theirs = &mut theirs.unwrap().1;
            let agrees = theirs.trim() == authorization.to_str().unwrap();
            let takes_a_side = SREQ_DISAGREES.iter().any(|(case, _)| *case == name(folder));
            assert_eq!(agrees, !takes_a_side, "{folder:?}");
            *theirs = authorization.to_str().unwrap().to_owned();
            assert_eq!(request.normal(), signed.normal(), "{folder:?}");
            context.verify(&request, &payload);
        }
        folders.len()
    });
}

#[test]
fn signs_as_the_unit_tests_of_smithy_rs() {
    suite("sigv4/smithy-rs-signatures", |data| {
        let data = json(&data.join("sigv4/extracted/smithy-rs-unit.json"));
        let cases = data["signatures"].as_array().unwrap();
        for case in cases {
            let field = |name: &str| case[name].as_str().unwrap();
            let keys = &case["credentials"];
            let credentials = Credentials::new(
                keys["access_key_id"].as_str().unwrap(),
                keys["secret_access_key"].as_str().unwrap(),
            )
            .unwrap();
            let signer = Signer::new(credentials, field("region"), field("service")).unwrap();
            let time = field("amz_date").parse().unwrap();
            let mut builder = http::Request::builder()
                .method(field("method"))
                .uri(field("url"));
            for header in case["headers"].as_array().unwrap() {
                let value = header[1].as_str().unwrap().as_bytes();
                builder = builder.header(header[0].as_str().unwrap(), value);
            }
            let (mut parts, ()) = builder.body(()).unwrap().into_parts();
            let payload = PayloadHash::of(field("body_utf8").as_bytes());
            let signature = signer.sign(&mut parts, &payload, time).unwrap();
            let canonical =
                CanonicalRequest::of(&(&parts).into(), &payload, signer.settings()).to_string();
            assert_eq!(canonical, field("canonical_request"));
            let hash = CanonicalRequest::of(&(&parts).into(), &payload, signer.settings()).hash();
            let text = StringToSign::new(time, signer.region(), signer.service(), hash);
            assert_eq!(text.to_string(), field("string_to_sign"));
            assert_eq!(signature.to_string(), field("signature"));
            let authorization = parts.headers["authorization"].to_str().unwrap();
            let names = format!("SignedHeaders={}, Signature=", field("signed_headers"));
            assert!(authorization.contains(&names));
        }
        cases.len()
    });
}
