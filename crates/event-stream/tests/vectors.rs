//! The official data: encoded and decoded messages from nine implementations.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use lambda_invoke_event_stream::{DecodeErrorKind, EncodeError, HeaderBlock};
use lambda_invoke_vectors::{bytes, json, suite};
use serde_json::Value as Json;
use support::json::{array, base64, header, headers, hex, text};
use support::vectors::{SIDES, check_positive, files, run_case};
use support::{Expected, check_rejected, check_stream, wrap};

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
            let error = check_rejected(&path.display().to_string(), &bytes(&path));
            let upstream = std::fs::read_to_string(folder.join("decoded/negative").join(name));
            match upstream.unwrap().trim() {
                "Prelude checksum mismatch" => {
                    assert!(matches!(
                        error.kind(),
                        DecodeErrorKind::PreludeChecksumMismatch { .. }
                    ));
                }
                "Message checksum mismatch" => {
                    assert!(matches!(
                        error.kind(),
                        DecodeErrorKind::MessageChecksumMismatch { .. }
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

/// Runs a suite that consists of one file of cases in hexadecimal.
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

/// The bytes of a case: stated literally, or as one repeated byte between a prefix and a suffix.
fn encoded(case: &Json) -> Vec<u8> {
    let Some(recipe) = case["encoded_recipe"].as_object() else {
        return hex(&case["encoded_hex"]);
    };
    // Only the beginnings of the names of the four parts are the same in every case.
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
fn a_recipe_is_a_prefix_a_repeated_byte_and_a_suffix() {
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

/// Runs a file of bare header blocks, each of which is wrapped into a message. Two of its cases are
/// of other kinds.
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
                let error = check_rejected(id, &wrap(&block, b""));
                // The block alone gives the same error, at an offset that is smaller by 12.
                let alone = HeaderBlock::try_from(Bytes::from(block)).unwrap_err();
                assert_eq!(
                    (alone.offset() + 12, alone.kind()),
                    (error.offset(), error.kind())
                );
            }
            "encode_error" => {
                let (name, value) = header(&case["header"]);
                let error = HeaderBlock::from_headers([(&*name, value.as_value())]).unwrap_err();
                let expected = EncodeError::HeaderNameTooLong {
                    limit: 255,
                    actual: name.len(),
                };
                assert_eq!(error, expected, "{id}");
            }
            "stream_negative" => {
                let error = check_rejected(id, &hex(&case["stream_hex"]));
                assert!(error.is_unexpected_eof(), "{id}: {error}");
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
