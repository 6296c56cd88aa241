//! Signing and verifying, compared with the peers and the limit: SHA-256 of the body and of the
//! canonical request, and one HMAC, with the key kept.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_sigv4::event_stream::sign_message;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::{SigningParams, sign_chunk};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use http::request::Parts;
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, PayloadHash, Signature, Signer, SigningKey, StringToSign,
    Timestamp, Verifier,
};
use reqsign_core::SignRequest;
use ring::{digest, hmac};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "us-east-1";
const SERVICE: &str = "lambda";

/// The request that all contenders sign: a stream invocation with 200 bytes of client context and
/// 800 bytes of session token, and a canonical request of about 1,450 bytes.
fn fixture() -> Parts {
    let uri = "https://lambda.us-east-1.amazonaws.com\
        /2021-11-15/functions/thumbnail-service/response-streaming-invocations?Qualifier=prod";
    let request = http::Request::post(uri)
        .header("host", "lambda.us-east-1.amazonaws.com")
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "RequestResponse")
        .header("x-amz-log-type", "Tail")
        .header("x-amz-client-context", "eyJh".repeat(50))
        .body(())
        .unwrap();
    request.into_parts().0
}

fn token() -> String {
    "FwoGZXIvYXdzEPT/".repeat(50)
}

fn credentials() -> Credentials {
    Credentials::new(ID, SECRET)
        .unwrap()
        .with_session_token(token())
        .unwrap()
}

fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// The limit: the two hashes and the HMAC, over bytes at hand.
fn limit(key: &hmac::Key, body: &[u8], canonical: &[u8], string_to_sign: &[u8]) -> hmac::Tag {
    black_box(digest::digest(&digest::SHA256, body));
    black_box(digest::digest(&digest::SHA256, canonical));
    hmac::sign(key, string_to_sign)
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("signing waited"),
    }
}

fn signing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sigv4/sign");
    for size in [0, 1024, 64 * 1024] {
        let body = vec![b'x'; size];
        let (parts, time) = (fixture(), now());

        let signer = Signer::new(credentials(), REGION, SERVICE).unwrap();
        let payload = PayloadHash::of(&body);
        let mut signed = parts.clone();
        signer.sign(&mut signed, &payload, time).unwrap();
        let canonical = CanonicalRequest::of(
            &(&signed).into(),
            &payload,
            &lambda_invoke_sigv4::SigningSettings::default(),
        )
        .to_bytes();
        assert!(
            (1350..1550).contains(&canonical.len()),
            "{}",
            canonical.len()
        );
        let string_to_sign = StringToSign::new(time, REGION, SERVICE, [0; 32]);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);

        group.bench_function(BenchmarkId::new("limit", size), |bencher| {
            bencher.iter(|| {
                limit(
                    &key,
                    black_box(&body),
                    black_box(&canonical),
                    string_to_sign.as_bytes(),
                )
            });
        });
        group.bench_function(BenchmarkId::new("ours", size), |bencher| {
            bencher.iter_batched_ref(
                || parts.clone(),
                |parts| {
                    signer
                        .sign(parts, &PayloadHash::of(black_box(&body)), time)
                        .unwrap()
                },
                BatchSize::SmallInput,
            );
        });
        // The header map has to grow for the new headers, unless the caller reserves space.
        group.bench_function(BenchmarkId::new("ours_with_room", size), |bencher| {
            bencher.iter_batched_ref(
                || {
                    let mut parts = parts.clone();
                    parts.headers.reserve(8);
                    parts
                },
                |parts| {
                    signer
                        .sign(parts, &PayloadHash::of(black_box(&body)), time)
                        .unwrap()
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("aws-sigv4", size), |bencher| {
            let identity =
                aws_credential_types::Credentials::from_keys(ID, SECRET, Some(token())).into();
            let params = SigningParams::builder()
                .identity(&identity)
                .region(REGION)
                .name(SERVICE)
                .time(time.into())
                .settings(SigningSettings::default())
                .build()
                .unwrap()
                .into();
            bencher.iter_batched_ref(
                || http::Request::from_parts(parts.clone(), ()),
                |request| {
                    let headers = request.headers().iter();
                    let signable = SignableRequest::new(
                        request.method().as_str(),
                        request.uri().to_string(),
                        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())),
                        SignableBody::Bytes(black_box(&body)),
                    )
                    .unwrap();
                    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
                    instructions.apply_to_request_http1x(request);
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("reqsign-aws-v4", size), |bencher| {
            let signer = reqsign_aws_v4::RequestSigner::new(SERVICE, REGION);
            let credential = reqsign_aws_v4::Credential {
                access_key_id: ID.to_owned(),
                secret_access_key: SECRET.to_owned(),
                session_token: Some(token()),
                expires_in: None,
            };
            let context = reqsign_core::Context::new();
            bencher.iter_batched_ref(
                || parts.clone(),
                |parts| {
                    // The signature covers the body only if its hash is a header.
                    let hash = digest::digest(&digest::SHA256, black_box(&body));
                    let hash: String = hash
                        .as_ref()
                        .iter()
                        .map(|byte| format!("{byte:02x}"))
                        .collect();
                    parts
                        .headers
                        .insert("x-amz-content-sha256", hash.parse().unwrap());
                    ready(signer.sign_request(&context, parts, Some(&credential), None)).unwrap();
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// No peer verifies. The limit is that of signing.
fn verifying(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sigv4/verify");
    for size in [0, 1024] {
        let body = vec![b'x'; size];
        let (mut parts, time, credentials) = (fixture(), now(), credentials());
        let payload = PayloadHash::of(&body);
        let signer = Signer::new(credentials.clone(), REGION, SERVICE).unwrap();
        signer.sign(&mut parts, &payload, time).unwrap();
        let canonical = CanonicalRequest::of(
            &(&parts).into(),
            &payload,
            &lambda_invoke_sigv4::SigningSettings::default(),
        )
        .to_bytes();
        let string_to_sign = StringToSign::new(time, REGION, SERVICE, [0; 32]);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let verifier = Verifier::new(REGION, SERVICE).unwrap();

        group.bench_function(BenchmarkId::new("limit", size), |bencher| {
            bencher.iter(|| {
                limit(
                    &key,
                    black_box(&body),
                    black_box(&canonical),
                    string_to_sign.as_bytes(),
                )
            });
        });
        group.bench_function(BenchmarkId::new("ours", size), |bencher| {
            bencher.iter(|| {
                let payload = PayloadHash::of(black_box(&body));
                verifier
                    .verify(&parts, &payload, &credentials, time)
                    .unwrap();
            });
        });
    }
    group.finish();
}

/// A chunk of an `aws-chunked` body and a message of an event stream. The limit is SHA-256 of the
/// data and one HMAC; aws-sigv4 derives its key each time, and encodes the message's envelope.
fn chains(criterion: &mut Criterion) {
    let time = now();
    let identity = aws_credential_types::Credentials::from_keys(ID, SECRET, None).into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(SERVICE)
        .time(time.into())
        .settings(())
        .build()
        .unwrap();
    let signer = Signer::new(credentials(), REGION, SERVICE).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let seed = Signature::from_bytes([7; 32]);
    let prior = seed.to_string();
    // As long as a string to sign of either.
    let string_to_sign = [b'x'; 264];
    let limit = |data: &[u8]| {
        black_box(digest::digest(&digest::SHA256, data));
        hmac::sign(&key, &string_to_sign)
    };

    let mut group = criterion.benchmark_group("sigv4/sign_chunk");
    for size in [1024, 64 * 1024] {
        let data = Bytes::from(vec![b'x'; size]);
        group.bench_function(BenchmarkId::new("limit", size), |bencher| {
            bencher.iter(|| limit(black_box(&data)));
        });
        group.bench_function(BenchmarkId::new("ours", size), |bencher| {
            let mut chunks = signer.chunk_signer(time, seed);
            bencher.iter(|| chunks.sign_chunk(black_box(&data)));
        });
        group.bench_function(BenchmarkId::new("aws-sigv4", size), |bencher| {
            bencher.iter(|| sign_chunk(black_box(&data), &prior, &params).unwrap());
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("sigv4/sign_message");
    for size in [64, 1024] {
        let message = Message::new(vec![b'x'; size]);
        let mut encoded = Vec::new();
        write_message_to(&message, &mut encoded).unwrap();
        let headers = [5; 15];
        group.bench_function(BenchmarkId::new("limit", size), |bencher| {
            bencher.iter(|| limit(black_box(&encoded)));
        });
        group.bench_function(BenchmarkId::new("ours", size), |bencher| {
            let mut messages = signer.message_signer(time, seed);
            bencher.iter(|| messages.sign(time, black_box(&headers), black_box(&encoded)));
        });
        group.bench_function(BenchmarkId::new("aws-sigv4", size), |bencher| {
            bencher.iter(|| sign_message(black_box(&message), &prior, &params).unwrap());
        });
    }
    group.finish();
}

/// The time that keeping the key saves.
fn deriving(criterion: &mut Criterion) {
    let time = now();
    criterion.bench_function("sigv4/derive_key", |bencher| {
        bencher.iter(|| SigningKey::derive(black_box(SECRET), time, REGION, SERVICE));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = signing, verifying, chains, deriving
}
criterion_main!(benches);
