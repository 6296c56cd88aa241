//! Recorded streams and exchanges, and signed messages.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lambda_invoke_event_stream::HeaderValue;
use lambda_invoke_vectors::{bytes, json, suite};
use serde_json::Value as Json;
use support::json::{array, base64, headers, hex, message, text};
use support::vectors::{check_positive, files};
use support::{Expected, Value, check_rejected, check_stream, decode_pieces, wrap};

/// Signed messages: the header that is hashed, the inner message, and the headers of the outer one.
/// This crate itself does not sign.
#[test]
fn signing() {
    suite("event-stream/signing", |data| {
        let mut cases = 0;
        for path in files(&data.join("eventstream/signing")) {
            let document = json(&path);
            let name = path.display().to_string();
            for event in document["events"].as_array().into_iter().flatten() {
                let block = hex(&event["signed_header_bytes_hex"]);
                let payload = hex(&event["payload_hex"]);
                match event["date_epoch_ms"].as_i64() {
                    Some(date) => check_date(&name, &block, date, payload),
                    // "Header bytes are arbitrary text here": they are not a valid header block.
                    None => drop(check_rejected(&name, &wrap(&block, &payload))),
                }
                cases += 1;
            }
            if let Some(seconds) = document["signing_time"]["epoch_seconds"].as_i64() {
                let block = hex(&document["signed_header_bytes_hex"]);
                check_date(&name, &block, seconds * 1000, Vec::new());
                let inner = &document["inner_message"];
                let expected = message(inner);
                check_stream(&name, &hex(&inner["encoded_hex"]), &[expected]);
                cases += 1;
            }
            if let Some(envelope) = document.get("envelope") {
                let inner = base64(&envelope["inner_encoded_base64"]);
                check_stream(&name, &inner, &[message(&envelope["inner_message"])]);
                let outer = Expected {
                    headers: headers(&envelope["outer_headers_in_order"]),
                    payload: inner,
                };
                let frame = wrap(outer.header_block().as_bytes(), &outer.payload);
                check_stream(&name, &frame, &[outer]);
                cases += 1;
            }
        }
        cases
    });
}

fn check_date(name: &str, block: &[u8], date: i64, payload: Vec<u8>) {
    let frame = wrap(block, &payload);
    let headers = vec![(":date".to_owned(), Value::Timestamp(date))];
    check_stream(name, &frame, &[Expected { headers, payload }]);
}

#[test]
fn recorded_streams() {
    suite("event-stream/rawstreams", |data| {
        let mut cases = 0;
        for folder in ["kong-lambda", "stackd-lambda-native"] {
            let folder = data.join("rawstreams").join(folder);
            for path in files(&folder)
                .iter()
                .filter(|path| path.extension().unwrap() == "json")
            {
                let recorded = json(path);
                let Some(file) = recorded["file"].as_str() else {
                    continue;
                };
                let stream = bytes(&folder.join(file));
                let name = path.display().to_string();
                check_positive(&name, &stream, array(&recorded["messages"]));
                if let Some(expected) = recorded["concatenated_payload_hex"].as_str() {
                    assert_eq!(chunks(&stream), ::hex::decode(expected).unwrap(), "{name}");
                }
                cases += 1;
            }
        }
        cases
    });
}

/// The payloads of all chunks in a stream of the Lambda service.
fn chunks(stream: &[u8]) -> Vec<u8> {
    let (messages, _) = decode_pieces([stream]);
    let chunks = messages.into_iter().filter(|message| {
        let event = message
            .headers()
            .get(":event-type")
            .and_then(|value| value.as_str());
        event == Some("PayloadChunk")
    });
    chunks
        .flat_map(|message| message.into_payload().into_bytes())
        .collect()
}

/// Recorded exchanges with another service, Transcribe. The client sends signed messages that each
/// contain a message.
#[test]
fn recorded_exchanges() {
    suite("event-stream/rawstreams-transcribe", |data| {
        let folder = data.join("rawstreams/smithy-rs-transcribe");
        let mut cases = 0;
        for path in files(&folder) {
            let Json::Array(events) = json(&path) else {
                continue;
            };
            let name = path.display().to_string();
            let response = direction(&events, "Response");
            let decoded = format!(
                "{}-response-decoded.json",
                path.file_stem().unwrap().to_str().unwrap()
            );
            let decoded = json(&folder.join(decoded));
            assert_eq!(
                decoded["response_bytes"].as_u64(),
                Some(response.len() as u64),
                "{name}"
            );
            check_positive(&name, &response, array(&decoded["messages"]));

            let sent = direction(&events, "Request");
            let (outer, end) = decode_pieces([&sent[..]]);
            end.unwrap();
            let mut expected = Vec::new();
            for message in outer {
                let inner = message.payload().to_bytes();
                let (inner_messages, end) = decode_pieces([&inner[..]]);
                end.unwrap();
                // The last message signs an empty payload.
                assert!(inner_messages.len() == 1 || inner.is_empty(), "{name}");
                let value = |header: &str| message.headers().get(header).unwrap();
                let signature = value(":chunk-signature").as_bytes().unwrap().to_vec();
                let HeaderValue::Timestamp(date) = value(":date") else {
                    panic!("{name}: {message:?}");
                };
                let headers = vec![
                    (":chunk-signature".to_owned(), Value::ByteArray(signature)),
                    (":date".to_owned(), Value::Timestamp(date)),
                ];
                expected.push(Expected {
                    headers,
                    payload: inner.to_vec(),
                });
            }
            check_stream(&name, &sent, &expected);
            cases += 2;
        }
        cases
    });
}

/// The bytes of one direction of a recorded exchange.
fn direction(events: &[Json], direction: &str) -> Vec<u8> {
    let data = events.iter().map(|event| &event["action"]["Data"]);
    data.filter(|data| data["direction"] == direction)
        .flat_map(|data| match &data["data"]["Base64"] {
            Json::String(_) => base64(&data["data"]["Base64"]),
            _ => text(&data["data"]["Utf8"]).as_bytes().to_vec(),
        })
        .collect()
}
