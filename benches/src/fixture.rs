//! The inputs of all contenders.

use bytes::Bytes;
use http::request::Parts;
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_sigv4::{Credentials, Signer};
use lambda_invoke_testing::signer::Keys;

pub const KEY_ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";
pub const SERVICE: &str = "lambda";

/// The ARN that is parsed.
pub const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail-service:live";

/// The headers that the service sends with each chunk of a function's response.
pub const CHUNK_HEADERS: [(&str, &str); 3] = [
    (":event-type", "PayloadChunk"),
    (":content-type", "application/octet-stream"),
    (":message-type", "event"),
];

/// The request that all contenders sign: a streaming invocation with 200 bytes of client context.
/// With the [`token`], its canonical request has about 1,450 bytes.
pub fn request() -> Parts {
    let uri = "https://lambda.us-east-1.amazonaws.com\
        /2021-11-15/functions/thumbnail-service/response-streaming-invocations?Qualifier=prod";
    let request = http::Request::post(uri)
        .header("host", "lambda.us-east-1.amazonaws.com")
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "RequestResponse")
        .header("x-amz-log-type", "Tail")
        .header("x-amz-client-context", "eyJh".repeat(50))
        .body(())
        .expect("the fixture is a request");
    request.into_parts().0
}

/// The same request without a qualifier, and therefore without a query: the most common request.
pub fn request_without_query() -> Parts {
    let mut parts = request();
    let uri = parts.uri.to_string();
    let (before, _) = uri.split_once('?').expect("the fixture has a query");
    parts.uri = before.parse().expect("the fixture is a request");
    parts
}

/// Requests for this many functions with ordinary names of different lengths, without a query.
pub fn requests(functions: usize) -> Vec<Parts> {
    const WHAT: [&str; 10] = [
        "thumbnail",
        "order",
        "user-profile",
        "invoice",
        "cart",
        "search",
        "billing-report",
        "notification",
        "image-resize",
        "inventory",
    ];
    const HOW: [&str; 10] = [
        "service",
        "created",
        "sync",
        "handler",
        "api",
        "export",
        "webhook-receiver",
        "worker",
        "authorizer",
        "cleanup",
    ];
    const WHERE: [&str; 10] = [
        "prod",
        "dev",
        "staging",
        "eu",
        "us-east-1",
        "v2",
        "canary",
        "test",
        "internal",
        "live",
    ];
    let request = request_without_query();
    let name = |number: usize| {
        let (what, how) = (WHAT[number % 10], HOW[number / 10 % 10]);
        format!("{what}-{how}-{}", WHERE[(number + number / 100) % 10])
    };
    let requests = (0..functions).map(|number| {
        let mut parts = request.clone();
        let uri = parts
            .uri
            .to_string()
            .replace("thumbnail-service", &name(number));
        parts.uri = uri.parse().expect("the fixture is a request");
        parts
    });
    requests.collect()
}

/// The credentials with which all contenders sign.
pub fn keys() -> Keys {
    Keys {
        access_key_id: KEY_ID.to_owned(),
        secret: SECRET.to_owned(),
        session_token: Some(token()),
        region: REGION.to_owned(),
        service: SERVICE.to_owned(),
    }
}

/// The same credentials in the type that the project's verifier takes.
pub fn credentials() -> Credentials {
    Credentials::new(KEY_ID, SECRET)
        .and_then(|credentials| credentials.with_session_token(token()))
        .expect("the fixture is a key")
}

/// The project's signer.
pub fn signer() -> Signer {
    Signer::new(credentials(), REGION, SERVICE).expect("the fixture is a scope")
}

/// A session token of 800 bytes.
pub fn token() -> String {
    "FwoGZXIvYXdzEPT/".repeat(50)
}

pub fn payload(size: usize) -> Bytes {
    (0..size).map(|i| (i.wrapping_mul(31) >> 3) as u8).collect()
}

/// The headers of a chunk.
pub fn chunk_headers() -> HeaderBlock {
    HeaderBlock::from_headers(CHUNK_HEADERS.map(|(name, value)| (name, HeaderValue::String(value))))
        .expect("the headers are short")
}

/// A frame with a payload of this many bytes.
pub fn frame(size: usize) -> Bytes {
    frame_with(chunk_headers(), size)
}

/// A frame with these headers and a payload of this many bytes.
pub fn frame_with(headers: HeaderBlock, size: usize) -> Bytes {
    let message = Message::new(headers, payload(size));
    message
        .to_bytes()
        .expect("the payload is within the limits")
}

/// As many frames as fit into `length` bytes, but at least one, and their number.
pub fn frames(size: usize, length: usize) -> (Bytes, usize) {
    let frame = frame(size);
    let count = (length / frame.len()).max(1);
    (frame.repeat(count).into(), count)
}
