//! The official data: encoded and decoded messages of nine implementations, and recorded streams.

// Tests may unwrap, their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lambda_invoke_event_stream::{
    DecodeErrorKind, EncodeError, HeaderBlock, Limits, Status, decode,
};
use lambda_invoke_vectors::{bytes, json, suite};
use serde_json::Value as Json;
use support::json::{array, base64, header, headers, hex, message, number, text};
use support::{Expected, Value, check_refused, check_stream, decode_pieces, wrap};

/// Vectors of which the sources contradict one another or the specification, and which side is
/// taken here, with the reason. `SOURCE.md` beside the data numbers the contradictions.
const SIDES: &[(&str, Side, &str)] = &[
    (
        "botocore/duplicate_header",
        Side::Accepts,
        "contradiction 5: botocore refuses a repeated name and the specification forbids it, but \
         smithy-go writes 10,000 of them in a test. A reader shows what came, in its order, and \
         leaves it to the protocol above to mind.",
    ),
    (
        "aws-c-event-stream/message_streaming_decoder_test/\
         test_streaming_decoder_incoming_application_variable_headers_with_empty_length_pair_valid",
        Side::Accepts,
        "contradiction 4: the specification's grammar wants at least one byte in a string or byte \
         array, but an implementation that runs at the service's own side reads empty ones.",
    ),
    (
        "smithy-typescript/too_short_0",
        Side::EmptyStream,
        "upstream decodes exactly one message from a buffer; here the buffer is a stream, and one \
         without bytes has no message and ends well. The one-shot decoder says Incomplete.",
    ),
];

/// Not in the open copy of the data, but decided: values of more than 32,767 bytes (contradiction
/// 4) are refused, as the specification, aws-c-event-stream and smithy-kotlin do; whole messages
/// of more than 24 MiB and header blocks of more than 128 KiB (contradiction 3) are refused by
/// default, as botocore does, and the limits can be set. `refusals.rs` tests all three.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    /// Decodes, although the source says that it must not or the specification does.
    Accepts,
    /// A stream of no messages, although the source says that it must not decode.
    EmptyStream,
}

fn side(id: &str) -> Option<Side> {
    SIDES
        .iter()
        .find(|(name, ..)| *name == id)
        .map(|(_, side, _)| *side)
}

#[test]
fn smithy_go() {
    suite("event-stream/smithy-go", |data| {
        let folder = data.join("eventstream/smithy-go/testdata");
        let mut cases = 0;
        for path in files(&folder.join("encoded/positive")) {
            let name = path.file_name().unwrap();
            let decoded = json(&folder.join("decoded/positive").join(name));
            check_positive(&path.display().to_string(), &bytes(&path), &[decoded]);
            cases += 1;
        }
        for path in files(&folder.join("encoded/negative")) {
            let name = path.file_name().unwrap();
            let error = check_refused(&path.display().to_string(), &bytes(&path));
            let upstream = std::fs::read_to_string(folder.join("decoded/negative").join(name));
            match upstream.unwrap().trim() {
                "Prelude checksum mismatch" => {
                    assert!(matches!(
                        error.kind(),
                        DecodeErrorKind::PreludeChecksum { .. }
                    ));
                }
                "Message checksum mismatch" => {
                    assert!(matches!(
                        error.kind(),
                        DecodeErrorKind::MessageChecksum { .. }
                    ));
                }
                other => panic!("{path:?}: {other}"),
            }
            cases += 1;
        }
        cases
    });
}

#[test]
fn smithy_rs() {
    suite("event-stream/smithy-rs", |data| {
        let folder = data.join("eventstream/smithy-rs");
        let expected = json(&folder.join("expected.json"));
        let cases = array(&expected["cases"]);
        for case in cases {
            let file = text(&case["file"]);
            run_case("smithy-rs", file, case, &bytes(&folder.join(file)));
        }
        cases.len()
    });
}

/// The suites that are one file of cases in hexadecimal.
fn cases_in_hexadecimal(name: &str, file: &str) {
    suite(&format!("event-stream/{name}"), |data| {
        let document = json(&data.join("eventstream").join(file));
        let cases = array(&document["cases"]);
        for case in cases {
            run_case(name, text(&case["id"]), case, &encoded(case));
        }
        cases.len()
    });
}

/// The bytes of a case: as they are, or one byte many times between a beginning and an end.
fn encoded(case: &Json) -> Vec<u8> {
    let Some(recipe) = case["encoded_recipe"].as_object() else {
        return hex(&case["encoded_hex"]);
    };
    // The source names the four parts, and not how their names end.
    let part = |name: &str| {
        let found = recipe.iter().find(|(key, _)| key.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name} in {recipe:?}")).1
    };
    let byte = match part("byte").as_u64() {
        Some(byte) => vec![u8::try_from(byte).unwrap()],
        None => hex(part("byte")),
    };
    let count = usize::try_from(part("count").as_u64().unwrap()).unwrap();
    [hex(part("prefix")), byte.repeat(count), hex(part("suffix"))].concat()
}

#[test]
fn a_recipe_is_a_beginning_many_bytes_and_an_end() {
    for byte in ["0", "\"00\""] {
        let case = format!(
            r#"{{"encoded_recipe": {{"prefix_hex": "0102", "byte": {byte}, "count": 3, "suffix_hex": "03"}}}}"#
        );
        let case: Json = case.parse().unwrap();
        assert_eq!(encoded(&case), [1, 2, 0, 0, 0, 3]);
    }
}

#[test]
fn botocore() {
    cases_in_hexadecimal("botocore", "botocore/cases.json");
}

#[test]
fn aws_c_event_stream() {
    cases_in_hexadecimal("aws-c-event-stream", "aws-c-event-stream/cases.json");
}

#[test]
fn aws_sdk_php() {
    cases_in_hexadecimal("aws-sdk-php", "aws-sdk-php/cases.json");
}

#[test]
fn smithy_swift() {
    cases_in_hexadecimal("smithy-swift", "smithy-swift/cases.json");
}

#[test]
fn smithy_typescript_messages() {
    cases_in_hexadecimal(
        "smithy-typescript",
        "smithy-typescript/split-message-cases.json",
    );
}

#[test]
fn smithy_typescript_headers() {
    suite("event-stream/smithy-typescript-headers", |data| {
        header_cases(&data.join("eventstream/smithy-typescript/header-cases.json"))
    });
}

#[test]
fn smithy_kotlin_headers() {
    suite("event-stream/smithy-kotlin-headers", |data| {
        header_cases(&data.join("eventstream/smithy-kotlin/header-cases.json"))
    });
}

/// Bare header blocks, wrapped into messages here; and two cases of other kinds among them.
fn header_cases(path: &Path) -> usize {
    let document = json(path);
    let cases = array(&document["cases"]);
    for case in cases {
        let id = text(&case["id"]);
        match text(&case["kind"]) {
            "positive" => {
                let expected = Expected {
                    headers: headers(&case["expected"]),
                    payload: b"body".to_vec(),
                };
                let message = wrap(&hex(&case["header_block_hex"]), b"body");
                check_stream(id, &message, &[expected]);
            }
            "negative" => {
                let block = hex(&case["header_block_hex"]);
                let error = check_refused(id, &wrap(&block, b""));
                // The same fault by itself, 12 bytes nearer to the start.
                let alone = HeaderBlock::from_bytes(block.into()).unwrap_err();
                assert_eq!(
                    (alone.offset() + 12, alone.kind()),
                    (error.offset(), error.kind())
                );
            }
            "encode_error" => {
                let (name, value) = header(&case["header"]);
                let error = HeaderBlock::from_headers([(&*name, value.as_value())]).unwrap_err();
                let expected = EncodeError::HeaderName {
                    limit: 255,
                    actual: name.len(),
                };
                assert_eq!(error, expected, "{id}");
            }
            "stream_negative" => {
                let error = check_refused(id, &hex(&case["stream_hex"]));
                assert!(error.is_cut(), "{id}: {error}");
            }
            other => panic!("{id}: a case of an unknown kind, {other}"),
        }
    }
    cases.len()
}

#[test]
fn smithy_rest_json_1() {
    suite("event-stream/smithy-restjson1", |data| {
        let tests = json(&data.join("eventstream/smithy-restjson1/event-stream-tests.json"));
        let mut frames = 0;
        for operation in array(&tests["operations"]) {
            for case in array(&operation["cases"]) {
                for event in case["events"].as_array().into_iter().flatten() {
                    let frame = base64(&event["bytes"]);
                    let decoded = event["_decoded_from_bytes"].clone();
                    check_positive(text(&case["id"]), &frame, &[decoded]);
                    frames += 1;
                }
            }
        }
        frames
    });
}

/// Signed messages: the header that is hashed, the inner message, and the outer one's headers.
/// Signing itself is not this crate's.
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
                    // "Header bytes are arbitrary text here", which is no header block.
                    None => drop(check_refused(&name, &wrap(&block, &payload))),
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

/// All payloads of the chunks in a stream of the Lambda service.
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

/// Another service's recorded exchanges; what the client sent is signed messages within messages.
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
            let answer = direction(&events, "Response");
            let decoded = format!(
                "{}-response-decoded.json",
                path.file_stem().unwrap().to_str().unwrap()
            );
            let decoded = json(&folder.join(decoded));
            assert_eq!(
                decoded["response_bytes"].as_u64(),
                Some(answer.len() as u64),
                "{name}"
            );
            check_positive(&name, &answer, array(&decoded["messages"]));

            let sent = direction(&events, "Request");
            let (outer, end) = decode_pieces([&sent[..]]);
            end.unwrap();
            let mut expected = Vec::new();
            for message in outer {
                let inner = message.payload().into_bytes();
                let (inner_messages, end) = decode_pieces([&inner[..]]);
                end.unwrap();
                // The last one is signed over nothing at all.
                assert!(inner_messages.len() == 1 || inner.is_empty(), "{name}");
                let value = |header: &str| message.headers().get(header).unwrap();
                let signature = value(":chunk-signature").as_bytes().unwrap().to_vec();
                let lambda_invoke_event_stream::HeaderValue::Timestamp(date) = value(":date")
                else {
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

#[test]
fn every_side_taken_is_of_a_vector_that_exists() {
    let Some(data) = lambda_invoke_vectors::folder() else {
        return;
    };
    let mut ids = BTreeSet::new();
    for (name, file) in [
        ("botocore", "botocore/cases.json"),
        ("aws-c-event-stream", "aws-c-event-stream/cases.json"),
        (
            "smithy-typescript",
            "smithy-typescript/split-message-cases.json",
        ),
    ] {
        let document = json(&data.join("eventstream").join(file));
        for case in array(&document["cases"]) {
            ids.insert(format!("{name}/{}", text(&case["id"])));
        }
    }
    for (id, _, reason) in SIDES {
        assert!(
            ids.contains(*id),
            "{id} is in no file; it was listed because {reason}"
        );
    }
}

fn run_case(suite: &str, id: &str, case: &Json, stream: &[u8]) {
    let name = &format!("{suite}/{id}");
    match (text(&case["kind"]), side(name)) {
        ("positive", None | Some(Side::Accepts)) => {
            let one = std::slice::from_ref(&case["expected"]);
            let expected = case["expected_messages"]
                .as_array()
                .map_or(one, Vec::as_slice);
            check_positive(name, stream, expected);
        }
        ("negative" | "negative_exact_buffer", None) => drop(check_refused(name, stream)),
        ("negative", Some(Side::Accepts)) => {
            let (messages, end) = decode_pieces([stream]);
            assert_eq!(end, Ok(()), "{name}");
            let read: Vec<_> = messages.iter().map(read_back).collect();
            check_stream(name, stream, &read);
        }
        ("negative", Some(Side::EmptyStream)) => {
            assert_eq!(decode_pieces([stream]), (Vec::new(), Ok(())), "{name}");
            let status = decode(stream, &Limits::new());
            assert_eq!(status, Ok(Status::Incomplete { missing: 16 }), "{name}");
        }
        other => panic!("{name}: a case of an unknown kind, {other:?}"),
    }
}

/// For a vector without an expectation, since upstream refuses it: that of botocore's repeated
/// header, which is the only one.
fn read_back(message: &lambda_invoke_event_stream::Message) -> Expected {
    let repeated = (
        "test".to_owned(),
        Value::Integer(i32::from_be_bytes(*b"asdf")),
    );
    assert_eq!(message.headers().get_all("test").count(), 2);
    Expected {
        headers: vec![repeated; 2],
        payload: message.payload().into_bytes().to_vec(),
    }
}

fn check_positive(name: &str, stream: &[u8], decoded: &[Json]) {
    let expected: Vec<_> = decoded.iter().map(message).collect();
    let mut rest = stream;
    for decoded in decoded {
        let (wire, after) = rest.split_at(number(&decoded["total_length"]) as usize);
        let stated = |at: usize| u32::from_be_bytes(wire[at..at + 4].try_into().unwrap());
        assert_eq!(stated(4), number(&decoded["headers_length"]), "{name}");
        assert_eq!(stated(8), number(&decoded["prelude_crc"]), "{name}");
        assert_eq!(
            stated(wire.len() - 4),
            number(&decoded["message_crc"]),
            "{name}"
        );
        rest = after;
    }
    assert!(rest.is_empty(), "{name}");
    check_stream(name, stream, &expected);
}

/// What went one way in a recorded exchange.
fn direction(events: &[Json], direction: &str) -> Vec<u8> {
    let data = events.iter().map(|event| &event["action"]["Data"]);
    data.filter(|data| data["direction"] == direction)
        .flat_map(|data| match &data["data"]["Base64"] {
            Json::String(_) => base64(&data["data"]["Base64"]),
            _ => text(&data["data"]["Utf8"]).as_bytes().to_vec(),
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}
