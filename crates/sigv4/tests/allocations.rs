//! Signing makes at most three allocations, and verifying none, or a few if the request is presigned or
//! long.
//!
//! Without the test harness: what its own thread allocates meanwhile would be counted as well.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::System;
use std::time::Duration;

use lambda_invoke_sigv4::{Credentials, PayloadHash, Signature, Signer, Timestamp, Verifier};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The request that the benchmarks use.
fn fixture() -> http::request::Parts {
    let uri = "https://lambda.us-east-1.amazonaws.com\
        /2021-11-15/functions/thumbnail-service/response-streaming-invocations?Qualifier=prod";
    let request = http::Request::post(uri)
        .header("host", "lambda.us-east-1.amazonaws.com")
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "RequestResponse")
        .header("x-amz-log-type", "Tail")
        .header("x-amz-client-context", "eyJh".repeat(50))
        .body(());
    request.unwrap().into_parts().0
}

/// A request with this many parameters in its query, and this many headers.
fn long(parameters: usize, headers: usize) -> http::request::Parts {
    let uri = format!("https://h/?{}", vec!["a=b"; parameters].join("&"));
    let mut request = http::Request::get(uri).header("host", "h");
    for index in 1..headers {
        request = request.header(format!("h{index}"), "");
    }
    request.body(()).unwrap().into_parts().0
}

/// Counts the allocations and reallocations that `run` makes.
fn count(run: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    run();
    let change = region.change();
    change.allocations + change.reallocations
}

fn main() {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret")
        .unwrap()
        .with_session_token("FwoGZXIvYXdzEPT/".repeat(50))
        .unwrap();
    let signer = Signer::new(credentials.clone(), "us-east-1", "lambda").unwrap();
    let verifier = Verifier::new("us-east-1", "lambda").unwrap();
    let time: Timestamp = "20150830T123600Z".parse().unwrap();
    let body = vec![b'x'; 1024];

    // The day's keys are derived once, before the measurement.
    let mut first = fixture();
    signer
        .sign(&mut first, &PayloadHash::of(&body), time)
        .unwrap();
    verifier
        .verify(&first, &PayloadHash::of(&body), &credentials, time)
        .unwrap();

    // One for a header's value, and two for the tables of the map, which grow from five headers to
    // eight.
    let mut parts = fixture();
    let signing = count(|| {
        signer
            .sign(&mut parts, &PayloadHash::of(&body), time)
            .unwrap();
    });
    assert!(
        (1..=3).contains(&signing),
        "signing made {signing} allocations"
    );

    let mut roomy = fixture();
    roomy.headers.reserve(8);
    let signing = count(|| {
        signer
            .sign(&mut roomy, &PayloadHash::of(&body), time)
            .unwrap();
    });
    assert_eq!(signing, 1, "into a map with room");

    let verifying = count(|| {
        verifier
            .verify(&parts, &PayloadHash::of(&body), &credentials, time)
            .unwrap();
    });
    assert_eq!(verifying, 0);

    // The lists of parameters and headers move to the heap; the list of a presigned request always does,
    // and what is percent-encoded in it is decoded.
    for (parameters, headers, expected) in [(4, 16, 0), (5, 16, 2), (4, 17, 2), (5, 17, 4)] {
        // Signing adds three.
        let mut parts = long(parameters, headers - 3);
        signer
            .sign(&mut parts, &PayloadHash::of(&body), time)
            .unwrap();
        assert_eq!(parts.headers.len(), headers);
        let verifying = count(|| {
            verifier
                .verify(&parts, &PayloadHash::of(&body), &credentials, time)
                .unwrap();
        });
        assert_eq!(
            verifying, expected,
            "{parameters} parameters, {headers} headers"
        );
    }
    let without_token = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    for (credentials, expected) in [(&without_token, 4), (&credentials, 5)] {
        let signer = Signer::new(credentials.clone(), "us-east-1", "lambda").unwrap();
        let mut parts = fixture();
        let expires = Duration::from_secs(60);
        signer
            .presign(&mut parts, &PayloadHash::of(&body), time, expires)
            .unwrap();
        let verify = || {
            verifier
                .verify(&parts, &PayloadHash::of(&body), credentials, time)
                .unwrap();
        };
        // The key of these credentials is derived once, before the measurement.
        verify();
        assert_eq!(count(verify), expected, "presigned");
    }

    let seed = Signature::from_bytes([7; 32]);
    let mut chunks = signer.chunk_signer(time, seed);
    let mut messages = signer.message_signer(time, seed);
    let signing = count(|| {
        chunks.sign_chunk(&body);
        messages.sign(time, b"date", &body);
    });
    assert_eq!(signing, 0, "a chunk and a message");
}
