//! Signatures of chunks and of messages, and the day's key. aws-sigv4 derives its key each time,
//! and also encodes a message's envelope.

use std::hint::black_box;
use std::time::SystemTime;

use aws_sigv4::event_stream::sign_message;
use aws_sigv4::sign::v4::{SigningParams, sign_chunk};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;
use lambda_invoke_sigv4::{Signature, SigningKey};
use ring::{digest, hmac};

use super::signers::{TIME, timestamp};
use super::{Contender, Group, OURS};
use crate::fixture::{KEY_ID, REGION, SECRET, SERVICE, signer};

fn identity() -> Identity {
    aws_credential_types::Credentials::from_keys(KEY_ID, SECRET, None).into()
}

fn params(identity: &Identity) -> SigningParams<'_, ()> {
    SigningParams::builder()
        .identity(identity)
        .region(REGION)
        .name(SERVICE)
        .time(SystemTime::UNIX_EPOCH + TIME)
        .settings(())
        .build()
        .unwrap()
}

fn seed() -> Signature {
    Signature::from_bytes([7; 32])
}

/// SHA-256 of the data and one HMAC.
fn limit(data: Bytes) -> Contender {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    // The string to sign of a chunk and that of a message both have this length.
    let string_to_sign = [b'x'; 264];
    Contender::new("limit", move || {
        black_box(digest::digest(&digest::SHA256, black_box(&data)));
        black_box(hmac::sign(&key, black_box(&string_to_sign)));
    })
}

pub(super) fn groups() -> Vec<Group> {
    let chunk = |size: usize| {
        Group::new(format!("sign-chunk/{size}"), 1, move || {
            let data = Bytes::from(vec![b'x'; size]);
            let (own, theirs) = (data.clone(), data.clone());
            let mut chunks = signer().chunk_signer(timestamp(), seed());
            let (identity, prior) = (identity(), seed().to_string());
            vec![
                limit(data),
                Contender::new(OURS, move || {
                    black_box(chunks.sign_chunk(black_box(&own)));
                }),
                Contender::new("aws-sigv4", move || {
                    let params = params(&identity);
                    black_box(sign_chunk(black_box(&theirs), &prior, &params).unwrap());
                }),
            ]
        })
    };
    let message = |size: usize| {
        Group::new(format!("sign-message/{size}"), 1, move || {
            let message = Message::new(vec![b'x'; size]);
            let mut encoded = Vec::new();
            write_message_to(&message, &mut encoded).unwrap();
            let data = Bytes::from(encoded.clone());
            let mut messages = signer().message_signer(timestamp(), seed());
            let (identity, prior) = (identity(), seed().to_string());
            vec![
                limit(data),
                Contender::new(OURS, move || {
                    let headers = black_box(&[5; 15]);
                    black_box(messages.sign(timestamp(), headers, black_box(&encoded)));
                }),
                Contender::new("aws-sigv4", move || {
                    let params = params(&identity);
                    black_box(sign_message(black_box(&message), &prior, &params).unwrap());
                }),
            ]
        })
    };
    let key = Group::new("derive-key", 1, || {
        vec![Contender::new(OURS, || {
            let secret = black_box(SECRET);
            black_box(SigningKey::derive(secret, timestamp(), REGION, SERVICE));
        })]
    });
    vec![
        chunk(1024),
        chunk(64 * 1024),
        message(64),
        message(1024),
        key,
    ]
}
