//! The bare client's request, which equals that of lambda-invoke and is signed once.

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};

use crate::Work;

/// A signed request, the same bytes that `lambda-invoke` sends. It is valid for five minutes.
pub fn signed(url: &str, work: Work) -> Request<Bytes> {
    let payload = Bytes::from_static(br#"{"name":"Ada"}"#);
    let request = Request::post(format!("{}{}", url.trim_end_matches('/'), work.path()));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let host = parts.uri.authority().unwrap().as_str().parse().unwrap();
    parts.headers.insert(header::HOST, host);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let credentials = Credentials::new("local", "local").unwrap();
    let signer = Signer::new(credentials, "us-east-1", "lambda").unwrap();
    let now = Timestamp::try_from(std::time::SystemTime::now()).unwrap();
    signer
        .sign(&mut parts, &PayloadHash::of(&payload), now)
        .unwrap();
    Request::from_parts(parts, payload)
}
