//! Signing makes at most three allocations, and verifying none.
//!
//! Without the test harness: what its own thread allocates meanwhile would be counted as well.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::System;

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

    let seed = Signature::from_bytes([7; 32]);
    let mut chunks = signer.chunk_signer(time, seed);
    let mut messages = signer.message_signer(time, seed);
    let signing = count(|| {
        chunks.sign_chunk(&body);
        messages.sign(time, b"date", &body);
    });
    assert_eq!(signing, 0, "a chunk and a message");
}
