//! The retry loop and the end of a stream as state machines, driven through every sequence of events
//! up to a depth.

#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lambda_invoke_error::{Execution, ServiceError, known_errors};
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_protocol::retry::{
    CallRetries, ClockOffset, Decision, Failure, RetryContext, RetryPolicy, TokenBucket,
};
use lambda_invoke_protocol::{InvokeComplete, LogTail, StreamEvent, StreamException, StreamReader};

/// One error of each kind that the decision distinguishes.
fn service_errors() -> Vec<ServiceError> {
    let mut kinds = Vec::new();
    let mut errors: Vec<ServiceError> = Vec::new();
    let unknown = [400, 410, 429, 502].map(|status| ServiceError::parse(status, |_| None, b""));
    let wait = |seconds| move |name: &str| (name == "retry-after").then_some(seconds);
    let waiting = ["1", "3600"].map(|seconds| ServiceError::parse(503, wait(seconds), b""));
    let known = known_errors().iter().map(|known| known.error("no"));
    for error in known.chain(unknown).chain(waiting) {
        let kind = (error.execution(), error.retry_class(), error.retry_after());
        if !kinds.contains(&kind) {
            kinds.push(kind);
            errors.push(error);
        }
    }
    errors
}

/// What a call depends on, apart from its failures.
#[derive(Clone, Copy, Debug)]
struct Settings {
    policy: RetryPolicy,
    durable: bool,
    tokens: u32,
    remaining: Option<Duration>,
    offset: Option<ClockOffset>,
    can_refresh: bool,
}

fn settings() -> Vec<Settings> {
    let mut all = Vec::new();
    for policy in [
        RetryPolicy::default(),
        RetryPolicy::default().with_max_attempts(5),
        RetryPolicy::at_least_once(),
        RetryPolicy::none(),
    ] {
        for durable in [false, true] {
            for tokens in [5, 30, 500] {
                for remaining in [None, Some(Duration::from_millis(60))] {
                    for (offset, can_refresh) in [(None, false), (Some(3600), true)] {
                        all.push(Settings {
                            policy,
                            durable,
                            tokens,
                            remaining,
                            offset: offset.map(ClockOffset::from_secs),
                            can_refresh,
                        });
                    }
                }
            }
        }
    }
    all
}

/// Makes the attempts of a call that has these failures, and returns whether there would be another
/// attempt.
fn attempts(failures: &[Failure<'_>], settings: Settings) -> bool {
    let bucket = TokenBucket::with_tokens(settings.tokens);
    let mut call = CallRetries::new(settings.policy, &bucket);
    // Assume the worst service: wherever a failure allows that the function ran, it ran.
    let (mut runs, mut spent) = (0, 0);
    for (before, failure) in failures.iter().enumerate() {
        let what = || format!("{settings:?} {:?}", &failures[..=before]);
        runs += u32::from(failure.execution() != Execution::NotStarted);
        let mut context = RetryContext::new(*failure, 1, SystemTime::UNIX_EPOCH, 1.0);
        context.durable = settings.durable;
        context.remaining = settings.remaining;
        context.clock_offset = settings.offset;
        context.can_refresh_credentials = settings.can_refresh;
        let Decision::Retry(retry) = call.failed(context) else {
            return false;
        };
        // By default nothing is sent again after `Unknown`, and after `Started` never.
        let execution = failure.execution();
        assert_ne!(execution, Execution::Started, "{}", what());
        if !settings.durable && !settings.policy.retries_unknown() {
            assert_eq!((execution, runs), (Execution::NotStarted, 0), "{}", what());
        }
        let made = u32::try_from(before).unwrap() + 1;
        assert!(made < settings.policy.max_attempts(), "{}", what());
        assert_eq!(call.attempt(), made + 1, "{}", what());
        assert!(
            settings.remaining.is_none_or(|left| retry.after < left),
            "{}",
            what()
        );
        spent += retry.cost;
        assert!(retry.cost > 0 && spent <= settings.tokens, "{}", what());
        assert_eq!(bucket.available(), settings.tokens - spent, "{}", what());
    }
    true
}

/// Checks all sequences of failures that begin with these, and returns their number.
fn explore<'e>(
    failures: &mut Vec<Failure<'e>>,
    all: &[Failure<'e>],
    settings: Settings,
    depth: usize,
) -> usize {
    let mut count = 0;
    for next in all {
        failures.push(*next);
        count += 1;
        if attempts(failures, settings) && depth > 1 {
            count += explore(failures, all, settings, depth - 1);
        }
        failures.pop();
    }
    count
}

#[test]
fn nothing_is_sent_again_after_it_may_have_run_in_any_sequence_of_failures() {
    let errors = service_errors();
    let mut all = vec![
        Failure::Local,
        Failure::NotSent,
        Failure::NoResponse,
        Failure::UnexpectedResponse,
        Failure::IncompleteResponse,
        Failure::FunctionFailed,
    ];
    all.extend(errors.iter().map(Failure::Service));
    assert!(all.len() > 14, "{all:?}");
    let mut count = 0;
    for settings in settings() {
        count += explore(&mut Vec::new(), &all, settings, 6);
    }
    assert!(count > 50_000, "{count} sequences");
}

/// A piece of a body, and what it means for the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Chunk,
    EmptyChunk,
    Unknown,
    /// The two halves of a chunk.
    FirstHalf,
    SecondHalf,
    Complete,
    Failed,
    LoggedFailure,
    Exception,
    Error,
    Damaged,
}

const PIECES: [Piece; 11] = [
    Piece::Chunk,
    Piece::EmptyChunk,
    Piece::Unknown,
    Piece::FirstHalf,
    Piece::SecondHalf,
    Piece::Complete,
    Piece::Failed,
    Piece::LoggedFailure,
    Piece::Exception,
    Piece::Error,
    Piece::Damaged,
];

impl Piece {
    fn bytes(self) -> Bytes {
        let chunk = encode(StreamEvent::PayloadChunk("a chunk".into()));
        let exception = StreamException::new("ServiceException", "no");
        match self {
            Self::Chunk => chunk,
            Self::EmptyChunk => encode(StreamEvent::PayloadChunk(Bytes::new().into())),
            Self::FirstHalf => chunk.slice(..30),
            Self::SecondHalf => chunk.slice(30..),
            Self::Complete => encode(StreamEvent::InvokeComplete(InvokeComplete::default())),
            Self::Failed => encode(StreamEvent::InvokeComplete(InvokeComplete::failed(
                "E", "no",
            ))),
            Self::LoggedFailure => {
                let log = b"END RequestId: 1\nREPORT RequestId: 1\tStatus: timeout\n";
                let complete = InvokeComplete::with_log(Some(LogTail::last_of(log)));
                encode(StreamEvent::InvokeComplete(complete))
            }
            Self::Exception => encode(StreamEvent::Exception(exception)),
            Self::Error => encode(StreamEvent::Error(exception)),
            Self::Unknown => {
                let text = |value| HeaderValue::String(value);
                let headers = [
                    (":event-type", text("Later")),
                    (":message-type", text("event")),
                ];
                let headers = HeaderBlock::from_headers(headers).unwrap();
                encode(StreamEvent::Unknown(Message::new(headers, "x")))
            }
            Self::Damaged => {
                let mut bytes = chunk.to_vec();
                bytes[40] ^= 1;
                bytes.into()
            }
        }
    }
}

fn encode(event: StreamEvent) -> Bytes {
    let mut bytes = Vec::new();
    event.encode(&mut bytes).unwrap();
    bytes.into()
}

/// Defines a complete and successful stream: whole messages that report no failure, and exactly one
/// InvokeComplete, which is the last.
fn is_proved(pieces: &[Piece]) -> bool {
    let Some((Piece::Complete, mut rest)) = pieces.split_last() else {
        return false;
    };
    loop {
        rest = match rest {
            [] => return true,
            [Piece::Chunk | Piece::EmptyChunk | Piece::Unknown, rest @ ..]
            | [Piece::FirstHalf, Piece::SecondHalf, rest @ ..] => rest,
            _ => return false,
        };
    }
}

#[test]
fn a_stream_succeeds_only_with_proof_in_any_sequence_of_messages() {
    let bytes = PIECES.map(Piece::bytes);
    let bytes_of =
        |piece: Piece| bytes[PIECES.iter().position(|other| *other == piece).unwrap()].clone();
    let mut sequences: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut good = 0;
    for _ in 0..=4 {
        let mut longer = Vec::new();
        for sequence in &sequences {
            // Events are taken as they arrive, or all at the end.
            for at_once in [false, true] {
                let mut reader = StreamReader::new();
                for piece in sequence {
                    reader.push(bytes_of(*piece));
                    while !at_once && matches!(reader.next_event(), Ok(Some(_))) {}
                }
                while matches!(reader.next_event(), Ok(Some(_))) {}
                let end = reader.finish();
                assert_eq!(end.is_ok(), is_proved(sequence), "{sequence:?}: {end:?}");
                // The end does not change, whatever is asked or pushed afterwards.
                assert_eq!(reader.finish(), end);
                if end.is_err() {
                    reader.push(bytes_of(Piece::Complete));
                    while matches!(reader.next_event(), Ok(Some(_))) {}
                    assert!(reader.finish().is_err(), "{sequence:?}");
                }
                good += usize::from(end.is_ok());
            }
            longer.extend(PIECES.iter().map(|piece| {
                let mut next = sequence.clone();
                next.push(*piece);
                next
            }));
        }
        sequences = longer;
    }
    assert!(good > 50, "only {good} good streams");
}
