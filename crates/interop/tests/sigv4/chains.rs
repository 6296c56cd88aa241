//! Chunks of an `aws-chunked` body and messages of an event stream, compared with `aws-sigv4`.

use std::time::SystemTime;

use aws_sigv4::event_stream::{sign_empty_message, sign_message};
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_eventstream::frame::{write_headers_to, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use lambda_invoke_sigv4::{ChunkSigner, Credentials, Signature, Signer, SigningKey, Timestamp};
use proptest::prelude::*;

use crate::how::{ID, REGION, SECRET, SERVICE};

fn seed() -> Signature {
    Signature::from_bytes([0xa5; 32])
}

/// Runs `run` with the parameters of `aws-sigv4` for this time.
fn with_params<T>(time: Timestamp, run: impl FnOnce(&SigningParams<'_, ()>) -> T) -> T {
    let identity = aws_credential_types::Credentials::from_keys(ID, SECRET, None).into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(SERVICE)
        .time(SystemTime::from(time))
        .settings(())
        .build()
        .unwrap();
    run(&params)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn signs_chunks_and_trailers_as_aws_sigv4_does(
        secs in 0_u64..4_000_000_000,
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
        trailer in prop::collection::btree_map("[a-zA-Z][a-z0-9-]{0,12}", "[!-~]{0,3}", 0..5),
    ) {
        let time = Timestamp::from_secs(secs).unwrap();
        let key = SigningKey::derive(SECRET, time, REGION, SERVICE);
        let mut ours = ChunkSigner::new(key, time, seed());
        let mut running = seed().to_string();
        for chunk in chunks {
            let chunk = Bytes::from(chunk);
            let theirs = with_params(time, |params| sign_chunk(&chunk, &running, params).unwrap());
            running = theirs.signature().to_owned();
            prop_assert_eq!(ours.sign_chunk(&chunk).to_string(), running.clone());
        }
        let (mut headers, mut map) = (aws_smithy_runtime_api::http::Headers::new(), HeaderMap::new());
        for (name, value) in trailer {
            headers.insert(name.clone(), value.clone());
            map.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let theirs = with_params(time, |params| sign_trailer(&headers, &running, params).unwrap());
        prop_assert_eq!(ours.sign_trailer(&map).to_string(), theirs.signature());
    }

    #[test]
    fn signs_messages_as_aws_sigv4_does(
        first in 0_u64..4_000_000_000,
        payloads in prop::collection::vec((0_u64..100_000, prop::collection::vec(any::<u8>(), 0..200)), 0..6),
    ) {
        let credentials = Credentials::new(ID, SECRET).unwrap();
        let signer = Signer::new(credentials, REGION, SERVICE).unwrap();
        let mut secs = first;
        let mut ours = signer.message_signer(Timestamp::from_secs(secs).unwrap(), seed());
        let mut running = seed().to_string();
        let date = |time: Timestamp| {
            let value = HeaderValue::Timestamp(SystemTime::from(time).into());
            let mut bytes = Vec::new();
            write_headers_to(&[Header::new(":date", value)], &mut bytes).unwrap();
            bytes
        };
        for (later, payload) in payloads {
            secs += later;
            let time = Timestamp::from_secs(secs).unwrap();
            let message = Message::new(payload)
                .add_header(Header::new("a", HeaderValue::String("b".into())));
            let mut encoded = Vec::new();
            write_message_to(&message, &mut encoded).unwrap();
            running = with_params(time, |params| {
                let signed = sign_message(&message, &running, params).unwrap();
                signed.signature().to_owned()
            });
            let signature = ours.sign(time, &date(time), &encoded);
            prop_assert_eq!(signature.to_string(), running.clone());
        }
        let time = Timestamp::from_secs(secs).unwrap();
        let theirs = with_params(time, |params| {
            let signed = sign_empty_message(&running, params).unwrap();
            signed.signature().to_owned()
        });
        prop_assert_eq!(ours.sign(time, &date(time), b"").to_string(), theirs);
    }
}
