//! A signed request, a presigned one, and their verifier.
#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_sigv4::{
    Credentials, PayloadHash, Signer, Timestamp, Verified, Verifier, VerifyError,
};

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "secret";
pub(crate) const BODY: &[u8] = br#"{"name":"Ada"}"#;

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ID, SECRET).unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new(credentials(), "us-east-1", "lambda").unwrap()
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new("us-east-1", "lambda").unwrap()
}

pub(crate) fn time() -> Timestamp {
    "20160928T174724Z".parse().unwrap()
}

pub(crate) fn unsigned() -> Parts {
    let name = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af";
    let uri =
        format!("http://localhost:9001/2015-03-31/functions/{name}/invocations?Qualifier=b&a");
    let request = http::Request::post(uri)
        .header("content-type", "application/json")
        .header("x-amz-log-type", "Tail")
        .header("x-amz-tenant-id", "a tenant")
        .body(());
    request.unwrap().into_parts().0
}

/// The request as it arrives at a server, whose URI has only the target.
pub(crate) fn signed() -> Parts {
    let mut parts = unsigned();
    signer()
        .sign(&mut parts, &PayloadHash::of(BODY), time())
        .unwrap();
    parts.uri = parts
        .uri
        .path_and_query()
        .unwrap()
        .as_str()
        .parse()
        .unwrap();
    parts
}

pub(crate) fn presigned() -> Parts {
    let mut parts = unsigned();
    let expires = Duration::from_secs(600);
    signer()
        .presign(&mut parts, &PayloadHash::of(BODY), time(), expires)
        .unwrap();
    parts.uri = parts
        .uri
        .path_and_query()
        .unwrap()
        .as_str()
        .parse()
        .unwrap();
    parts
        .headers
        .insert("host", HeaderValue::from_static("localhost:9001"));
    parts
}

pub(crate) fn verify(parts: &Parts) -> Result<Verified<'_>, VerifyError> {
    verifier().verify(parts, &PayloadHash::of(BODY), &credentials(), time())
}

pub(crate) fn rejected(parts: &Parts) -> VerifyError {
    verify(parts).unwrap_err()
}

/// The signed request with a changed authorization header.
pub(crate) fn with_authorization(change: impl Fn(&str) -> String) -> Parts {
    let mut parts = signed();
    let changed = change(parts.headers["authorization"].to_str().unwrap());
    parts
        .headers
        .insert("authorization", changed.parse().unwrap());
    parts
}

/// The presigned request with a changed query.
pub(crate) fn with_query(change: impl Fn(&str) -> String) -> Parts {
    let mut parts = presigned();
    let (path, query) = (
        parts.uri.path().to_owned(),
        parts.uri.query().unwrap().to_owned(),
    );
    parts.uri = format!("{path}?{}", change(&query)).parse().unwrap();
    parts
}
