//! Streams, preludes and logs.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use lambda_invoke_event_stream::{Limits, Status, decode};
use lambda_invoke_protocol::prelude::{HttpPrelude, Part, PreludeError, PreludeSplitter};
use lambda_invoke_protocol::text::Utf8Decoder;
use lambda_invoke_protocol::{
    InvokeComplete, LogTail, Outcome, Report, StreamError, StreamEvent, StreamException,
    StreamReader, TailBuffer,
};

#[derive(Arbitrary, Debug)]
enum Event<'a> {
    Chunk(&'a [u8]),
    Complete {
        code: Option<&'a str>,
        details: Option<&'a str>,
        log: Option<&'a [u8]>,
    },
    Exception(&'a str, &'a str),
    Error(&'a str, &'a str),
}

impl Event<'_> {
    fn event(&self) -> StreamEvent {
        let shortened = |text: &str| text.chars().take(4000).collect::<String>();
        match self {
            Self::Chunk(bytes) => StreamEvent::PayloadChunk(bytes.to_vec().into()),
            Self::Complete { code, details, log } => {
                let mut complete = InvokeComplete::with_log(log.map(log_of));
                complete.error_code = code.map(str::to_owned);
                complete.error_details = details.map(str::to_owned);
                StreamEvent::InvokeComplete(complete)
            }
            Self::Exception(code, message) => {
                StreamEvent::Exception(StreamException::new(shortened(code), *message))
            }
            Self::Error(code, message) => {
                StreamEvent::Error(StreamException::new(shortened(code), shortened(message)))
            }
        }
    }
}

/// Any log; sometimes that of a timeout, which only the log reports.
fn log_of(bytes: &[u8]) -> LogTail {
    match bytes.first() {
        Some(first) if first % 8 == 1 => LogTail::last_of(
            b"END RequestId: 4d34\nREPORT RequestId: 4d34\tDuration: 3000.00 ms\t\
              Billed Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\
              Status: timeout\n",
        ),
        _ => LogTail::last_of(bytes),
    }
}

/// Splits bytes into pieces of these lengths, repeated.
fn pieces<'d>(data: &'d [u8], lengths: &[u8]) -> Vec<&'d [u8]> {
    let mut rest = data;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle().take(data.len()) {
        let (piece, after) = rest.split_at(usize::from(*length).max(1).min(rest.len()));
        pieces.push(piece);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    pieces.push(rest);
    pieces
}

/// The events of a stream, the length of its payload, and its end.
type Read = (Vec<StreamEvent>, u64, Result<(), StreamError>);

/// Takes every event that there is.
const ALL: usize = usize::MAX;

/// Reads a stream of which this many events at most are taken after each piece, repeated, and all of
/// them after the last piece.
fn read_stream(pieces: &[&[u8]], takes: &[usize]) -> Read {
    let mut reader = StreamReader::new();
    let mut events = Vec::new();
    for (piece, take) in pieces.iter().zip(takes.iter().cycle()) {
        reader.push(Bytes::copy_from_slice(piece));
        for _ in 0..*take {
            let Ok(Some(event)) = reader.next_event() else {
                break;
            };
            events.push(event);
        }
    }
    let early = reader.finish();
    while let Ok(Some(event)) = reader.next_event() {
        events.push(event);
    }
    let end = reader.finish();
    if !matches!(early, Err(StreamError::UnreadInput { .. })) {
        assert_eq!(early, end, "before all events were taken");
    }
    (events, reader.payload_bytes(), end)
}

/// Reads a stream at once, and checks that it reads the same in pieces of these lengths and in whole
/// messages, however many events are taken between them.
fn read_any_split(wire: &[u8], lengths: &[u8]) -> Read {
    let whole = read_stream(&[wire], &[ALL]);
    for pieces in [pieces(wire, lengths), whole_messages(wire)] {
        for takes in [&[ALL][..], &[0], &[1], &[0, 1], &[0, 2, 1]] {
            assert_eq!(read_stream(&pieces, takes), whole, "{takes:?} taken");
        }
    }
    whole
}

/// Splits a stream between its messages; the rest is the last piece.
fn whole_messages(mut wire: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Ok(Status::Complete(message)) = decode(wire, &Limits::new()) {
        let (piece, rest) = wire.split_at(message.encoded_len());
        pieces.push(piece);
        wire = rest;
    }
    pieces.push(wire);
    pieces
}

/// A stream decodes to the same events and the same end however it is split, and however many events
/// are taken between the pieces. An undamaged stream
/// decodes to the events that were encoded, and only a stream with a successful end succeeds.
///
/// If the first byte is zero, the rest is the stream itself, in pieces of the length in the second
/// byte; other inputs describe events.
pub fn stream_split(data: &[u8]) {
    if let [0, length, wire @ ..] = data {
        drop(read_any_split(wire, &[*length]));
        return;
    }
    #[derive(Arbitrary, Debug)]
    struct Input<'a> {
        lengths: Vec<u8>,
        damage: Option<(u16, u8)>,
        length: Option<u16>,
        rest: &'a [u8],
        events: Vec<Event<'a>>,
    }
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let events: Vec<StreamEvent> = input.events.iter().map(Event::event).collect();
    let mut wire = Vec::new();
    for event in &events {
        event
            .clone()
            .encode(&mut wire)
            .expect("within the limits of a header");
    }
    let undamaged = input.damage.is_none() && input.length.is_none() && input.rest.is_empty();
    if let Some((at, flip)) = input.damage {
        let length = wire.len().max(1);
        if let Some(byte) = wire.get_mut(usize::from(at) % length) {
            *byte ^= flip;
        }
    }
    if let Some(length) = input.length {
        wire.truncate(usize::from(length));
    }
    wire.extend_from_slice(input.rest);

    let whole = read_any_split(&wire, &input.lengths);
    let bytes = |event: &StreamEvent| match event {
        StreamEvent::PayloadChunk(payload) => payload.len() as u64,
        _ => 0,
    };
    assert_eq!(whole.1, whole.0.iter().map(bytes).sum::<u64>());
    let good = |event: &StreamEvent| {
        matches!(event, StreamEvent::InvokeComplete(complete)
        if !complete.has_failed() && complete.log.as_ref().is_none_or(|log| log.failure(None).is_none()))
    };
    if whole.2.is_ok() {
        assert!(whole.0.last().is_some_and(good) && whole_messages(&wire).ends_with(&[&[]]));
    }
    if undamaged {
        let ends = events
            .iter()
            .position(StreamEvent::is_end)
            .map_or(events.len(), |at| at + 1);
        assert_eq!(whole.0, events[..ends]);
        assert_eq!(
            whole.2.is_ok(),
            ends == events.len() && events.last().is_some_and(good)
        );
    }
}

fn split_prelude(
    mut splitter: PreludeSplitter,
    pieces: &[&[u8]],
) -> (Option<HttpPrelude>, Vec<u8>, Option<PreludeError>) {
    let (mut prelude, mut body) = (None, Vec::new());
    let mut take = |splitter: &mut PreludeSplitter| {
        while let Some(Ok(part)) = splitter.next_part() {
            match part {
                Part::Prelude(found) => {
                    assert!(prelude.is_none() && body.is_empty());
                    prelude = Some(found);
                }
                Part::Body(bytes) => body.extend_from_slice(&bytes),
            }
        }
    };
    for piece in pieces {
        splitter.push(Bytes::copy_from_slice(piece));
        take(&mut splitter);
    }
    let end = splitter.finish().err();
    take(&mut splitter);
    (prelude, body, end)
}

/// Whether a stream begins with a prelude and its separator, within the limit. White space before the
/// object makes it a part of the body.
fn has_prelude(stream: &[u8], limit: usize) -> bool {
    let Some(nul) = stream.iter().position(|byte| *byte == 0) else {
        return false;
    };
    stream[0] == b'{'
        && nul + 8 <= limit
        && stream[nul..].starts_with(&[0; 8])
        && HttpPrelude::try_from(&stream[..nul]).is_ok()
}

/// The splitter finds the same prelude however the stream is split, and no byte is lost or added.
pub fn prelude_split(data: &[u8]) {
    // The limit in units of four bytes, the pieces' length, the stream.
    let [limit, length, stream @ ..] = data else {
        return;
    };
    let limit = usize::from(*limit) * 4;
    for required in [false, true] {
        let splitter = if required {
            PreludeSplitter::required()
        } else {
            PreludeSplitter::optional()
        };
        let splitter = splitter.with_limit(limit);
        let whole = split_prelude(splitter.clone(), &[stream]);
        assert_eq!(
            split_prelude(splitter.clone(), &pieces(stream, &[*length])),
            whole
        );
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(split_prelude(splitter, &bytes), whole);

        let (prelude, body, end) = whole;
        let found = prelude.is_some();
        match prelude {
            Some(prelude) => {
                let nul = stream
                    .iter()
                    .position(|byte| *byte == 0)
                    .expect("a separator");
                assert!(nul + 8 <= limit);
                assert_eq!(HttpPrelude::try_from(&stream[..nul]), Ok(prelude));
                assert_eq!(&stream[nul..nul + 8], [0; 8]);
                assert_eq!((&body[..], end), (&stream[nul + 8..], None));
            }
            None if required => assert!(body.is_empty() && end.is_some()),
            None => assert_eq!((&body[..], end), (stream, None)),
        }
        assert!(found || !has_prelude(stream, limit), "a prelude was missed");
    }
}

/// An encoded report decodes to the same value, and the tail of a log is its end.
pub fn report(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    if let Some(report) = line
        .parse::<Report>()
        .ok()
        .filter(|_| line.starts_with("REPORT"))
    {
        let written = report.to_string();
        let again = written.parse::<Report>().expect("a report");
        assert_eq!(again.to_string(), written);
        assert_eq!(again.status, report.status);
        assert_eq!(again.memory_size_mb, report.memory_size_mb);
    }
    let log = LogTail::last_of(data);
    assert!(log.as_bytes().len() <= LogTail::MAX_BYTES && data.ends_with(log.as_bytes()));
    assert!(log.as_bytes().len() + 3 >= data.len().min(LogTail::MAX_BYTES));
    assert_eq!(LogTail::from_base64(log.to_base64()), log);
    let mut buffer = TailBuffer::new();
    data.chunks(7).for_each(|piece| buffer.push(piece));
    assert_eq!(buffer.finish(), log);
    logged_failure(&log);
    let _ = (
        log.start(),
        log.report(),
        LogTail::from_base64(data).report(),
    );
}

/// A log of any bytes is searched without a panic, and a failure is one line of bounded length.
fn logged_failure(log: &LogTail) {
    let report = log.report();
    let id = report.as_ref().map(|report| report.request_id.as_str());
    for id in [None, id, Some("4d34")] {
        let failure = log.failure(id);
        assert_eq!(failure.is_some(), log.outcome(id) == Outcome::Failed);
        if let Some(failure) = failure {
            let text = failure.to_string();
            assert!(!text.is_empty() && text.len() < 32 * 1024 && !text.contains('\n'));
        }
    }
    assert_eq!(log.failure(id), log.failure(None));
}

/// Text decodes to the same result however its bytes are split: all of it, or the part up to the
/// first error.
pub fn text(data: &[u8]) {
    let read = |mut decoder: Utf8Decoder, pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut text = String::new();
        for piece in pieces {
            match decoder.decode(piece) {
                Ok(more) => text.push_str(&more),
                Err(error) => return (text, Some(error)),
            }
        }
        match decoder.finish() {
            Ok(rest) => {
                text.push_str(rest);
                (text, None)
            }
            Err(error) => (text, Some(error)),
        }
    };
    let [length, data @ ..] = data else {
        return;
    };
    let length = usize::from(*length).max(1);
    for (decoder, lossy) in [(Utf8Decoder::new(), false), (Utf8Decoder::lossy(), true)] {
        let whole = read(decoder.clone(), &mut std::iter::once(data));
        assert_eq!(read(decoder.clone(), &mut data.chunks(1)), whole);
        assert_eq!(read(decoder, &mut data.chunks(length)), whole);
        if lossy {
            assert_eq!(whole, (String::from_utf8_lossy(data).into_owned(), None));
            continue;
        }
        match std::str::from_utf8(data) {
            Ok(text) => assert_eq!(whole, (text.to_owned(), None)),
            Err(fault) => {
                let (text, error) = whole;
                let error = error.expect("an error");
                assert_eq!(text.as_bytes(), &data[..fault.valid_up_to()]);
                assert_eq!(error.offset(), fault.valid_up_to() as u64);
                assert_eq!(error.is_at_end(), fault.error_len().is_none());
            }
        }
    }
}
