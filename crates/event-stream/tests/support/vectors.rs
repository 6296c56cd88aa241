//! Runs the cases of the official data, and lists the few on which its sources disagree.

use std::path::{Path, PathBuf};

use lambda_invoke_event_stream::{Limits, Message, Status, decode};
use serde_json::Value as Json;

use super::json::{message, number, text};
use super::{Expected, Value, check_rejected, check_stream, decode_pieces};

/// Vectors that contradict one another or the specification, and which side this crate takes, with
/// the reason. `SOURCE.md` beside the data numbers the contradictions.
///
/// Two decisions are not about a vector: values of more than 32,767 bytes (contradiction 4) are
/// rejected, as in the specification, aws-c-event-stream and smithy-kotlin; messages of more than
/// 24 MiB and header blocks of more than 128 KiB (contradiction 3) are rejected by default, as in
/// botocore. `rejected.rs` tests both.
pub(crate) const SIDES: &[(&str, Side, &str)] = &[
    (
        "botocore/duplicate_header",
        Side::Accepts,
        "contradiction 5: botocore rejects a repeated name and the specification forbids it, but \
         smithy-go writes 10,000 of them in a test. A decoder returns what it receives, in order; \
         rejecting it is up to the protocol above.",
    ),
    (
        "aws-c-event-stream/message_streaming_decoder_test/\
         test_streaming_decoder_incoming_application_variable_headers_with_empty_length_pair_valid",
        Side::Accepts,
        "contradiction 4: the specification's grammar demands at least one byte in a string or \
         byte array, but an implementation that runs on the service's side reads empty ones.",
    ),
    (
        "smithy-typescript/too_short_0",
        Side::EmptyStream,
        "the source decodes exactly one message from a buffer; here the buffer is a stream, and \
         an empty one is complete. The one-shot decoder returns Incomplete.",
    ),
];

/// How this crate treats a vector that its source rejects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    /// The vector decodes.
    Accepts,
    /// The vector is a stream without messages.
    EmptyStream,
}

pub(crate) fn side(id: &str) -> Option<Side> {
    SIDES
        .iter()
        .find(|(name, ..)| *name == id)
        .map(|(_, side, _)| *side)
}

pub(crate) fn run_case(suite: &str, id: &str, case: &Json, stream: &[u8]) {
    let name = &format!("{suite}/{id}");
    match (text(&case["kind"]), side(name)) {
        ("positive", None | Some(Side::Accepts)) => {
            let one = std::slice::from_ref(&case["expected"]);
            let expected = case["expected_messages"]
                .as_array()
                .map_or(one, Vec::as_slice);
            check_positive(name, stream, expected);
        }
        ("negative" | "negative_exact_buffer", None) => drop(check_rejected(name, stream)),
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

/// The expected message of the one vector that this crate accepts although its source, botocore,
/// rejects it: it has a repeated header.
pub(crate) fn read_back(message: &Message) -> Expected {
    let repeated = (
        "test".to_owned(),
        Value::Integer(i32::from_be_bytes(*b"asdf")),
    );
    assert_eq!(message.headers().get_all("test").count(), 2);
    Expected {
        headers: vec![repeated; 2],
        payload: message.payload().to_bytes().to_vec(),
    }
}

pub(crate) fn check_positive(name: &str, stream: &[u8], decoded: &[Json]) {
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

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}
