//! The cases, each of which is a function of the endpoint with a fault rule.

use lambda_invoke::protocol::StreamEvent;
use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Function, FunctionError};

/// What is wrong with a response.
pub struct Case {
    /// The function's name.
    pub name: &'static str,
    pub what: &'static str,
    /// The fault of the endpoint's rule, or none if the response is intact.
    pub fault: Option<String>,
}

fn case(name: &'static str, what: &'static str, fault: impl Into<String>) -> Case {
    let fault = Some(fault.into());
    Case { name, what, fault }
}

/// The chunks of each stream, all of the same length.
pub const CHUNKS: [&str; 3] = ["part one", "part two", "part six"];

/// The payload of each buffered response.
pub const PAYLOAD: &str = r#"{"text":"one two three"}"#;

/// The encoded length of a message with one chunk.
fn length() -> usize {
    let event = StreamEvent::PayloadChunk(CHUNKS[0].into());
    let pieces = event.encode_vectored().unwrap();
    pieces.into_iter().map(|piece| piece.len()).sum()
}

/// The cases for a stream. Bits are flipped in the second message.
pub fn streams() -> Vec<Case> {
    let length = length();
    let inside = length + length / 2;
    let boundary = 2 * length;
    let flip = |at: usize, bit: u8| format!("flip-at={} bit={bit}", length + at);
    vec![
        Case {
            name: "s-whole",
            what: "nothing",
            fault: None,
        },
        case(
            "s-closed-inside",
            "connection closed inside a message",
            format!("cut-at={inside}"),
        ),
        case(
            "s-closed-between",
            "connection closed between two messages",
            format!("cut-at={boundary}"),
        ),
        case(
            "s-reset",
            "connection reset inside a message",
            format!("reset-at={inside}"),
        ),
        case(
            "s-ended-inside",
            "body ends inside a message, complete for HTTP",
            format!("end-at={inside}"),
        ),
        case(
            "s-ended-between",
            "body ends between two messages, complete for HTTP",
            format!("end-at={boundary}"),
        ),
        case("s-no-complete", "no `InvokeComplete`", "no-complete"),
        case(
            "s-flip-length",
            "bit flipped in a message's length",
            flip(3, 0),
        ),
        case(
            "s-flip-length-high",
            "highest bit of a message's length flipped",
            flip(0, 7),
        ),
        case(
            "s-flip-headers",
            "bit flipped in the length of the headers",
            flip(7, 1),
        ),
        case(
            "s-flip-prelude-crc",
            "bit flipped in the prelude's checksum",
            flip(11, 0),
        ),
        case("s-flip-header", "bit flipped in a header", flip(14, 0)),
        case(
            "s-flip-payload",
            "bit flipped in a payload",
            flip(length - 6, 0),
        ),
        case("s-flip-crc", "wrong checksum of a message", "wrong-crc=1"),
        case(
            "s-exception",
            "exception in place of the second chunk",
            "exception=ServiceException message=gone after=1",
        ),
        case(
            "s-error-code",
            "`ErrorCode` in `InvokeComplete`",
            "complete-error=Runtime.ExitError",
        ),
        case(
            "s-after",
            "a chunk after `InvokeComplete`",
            "after-complete",
        ),
    ]
}

/// The cases for a buffered response.
pub fn responses() -> Vec<Case> {
    vec![
        Case {
            name: "r-whole",
            what: "nothing",
            fault: None,
        },
        case(
            "r-closed",
            "connection closed before the end of `Content-Length`",
            "cut-at=9",
        ),
        case(
            "r-ended",
            "chunked body ends in the middle of the JSON, complete for HTTP",
            "end-at=9",
        ),
        case("r-flip", "bit flipped in the payload", "flip-at=12"),
    ]
}

/// The endpoint that serves all cases.
pub fn endpoint() -> EndpointBuilder {
    let stream = |case: &Case| {
        Function::streaming(case.name, |_, mut writer| async move {
            for chunk in CHUNKS {
                writer.write(chunk).await?;
            }
            Ok::<_, FunctionError>(())
        })
    };
    let response =
        |case: &Case| Function::buffered(case.name, |_| async { Ok::<_, FunctionError>(PAYLOAD) });
    let (streams, responses) = (streams(), responses());
    let faults = streams.iter().chain(&responses).filter_map(|case| {
        let fault = case.fault.as_ref()?;
        Some(format!("{}: {fault}", case.name).parse().unwrap())
    });
    Endpoint::builder()
        .functions(streams.iter().map(stream))
        .functions(responses.iter().map(response))
        .faults(faults)
}
