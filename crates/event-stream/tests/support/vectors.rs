//! The cases of the official data: what each must decode to, and the few on which sources disagree.

use std::path::{Path, PathBuf};

use lambda_invoke_event_stream::{Limits, Message, Status, decode};
use serde_json::Value as Json;

use super::json::{message, number, text};
use super::{Expected, Value, check_rejected, check_stream, decode_pieces};

/// Vectors of which the sources contradict one another or the specification, and which side is
/// taken here, with the reason. `SOURCE.md` beside the data numbers the contradictions.
pub(crate) const SIDES: &[(&str, Side, &str)] = &[
    (
        "botocore/duplicate_header",
        Side::Accepts,
        "contradiction 5: botocore rejects a repeated name and the specification forbids it, but \
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
/// 4) are rejected, as the specification, aws-c-event-stream and smithy-kotlin do; whole messages
/// of more than 24 MiB and header blocks of more than 128 KiB (contradiction 3) are rejected by
/// default, as botocore does, and the limits can be set. `refusals.rs` tests all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    /// Decodes, although the source says that it must not or the specification does.
    Accepts,
    /// A stream of no messages, although the source says that it must not decode.
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

/// For a vector without an expectation, since upstream rejects it: that of botocore's repeated
/// header, which is the only one.
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
