//! Response streams as text: no character is split, wherever messages and reads are split.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use lambda_invoke::{Error, ErrorKind, Execution};
use lambda_invoke_protocol::StreamEvent;
use support::{LAST_CHUNK, Server, Step, complete, events, http_chunk, stream_head};

const TEXT: &str = "für 🦀 – ä\u{301}";

fn chunks(pieces: &[&[u8]]) -> impl Iterator<Item = StreamEvent> {
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    pieces
        .into_iter()
        .map(|piece| StreamEvent::PayloadChunk(piece.into()))
}

/// Starts a server that streams these pieces, each as a message, and then ends or breaks off.
async fn streaming(pieces: &[&[u8]], ends: bool) -> Server {
    let mut bytes = [stream_head(&[]), events(chunks(pieces))].concat();
    if ends {
        bytes.extend(events([complete()]));
    }
    bytes.extend(LAST_CHUNK);
    Server::start(move |_, _| vec![Step::Write(bytes.clone()), Step::Close]).await
}

async fn read(server: &Server, lossy: bool) -> (Vec<String>, Option<Error>) {
    let stream = server.client().stream("f").send().await.unwrap();
    let mut text = match lossy {
        true => stream.into_text().lossy(),
        false => stream.into_text(),
    };
    let mut pieces = Vec::new();
    let end = loop {
        match text.next_chunk().await {
            Some(Ok(piece)) => {
                assert!(!piece.is_empty());
                pieces.push(piece);
            }
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    for _ in 0..3 {
        assert!(
            text.next_chunk().await.is_none(),
            "there is nothing after the end"
        );
    }
    (pieces, end)
}

#[tokio::test]
async fn a_character_split_at_any_byte_is_joined() {
    let bytes = TEXT.as_bytes();
    for at in 0..=bytes.len() {
        let server = streaming(&[&bytes[..at], &bytes[at..]], true).await;
        let (pieces, end) = read(&server, false).await;
        assert!(end.is_none());
        assert_eq!(pieces.concat(), TEXT, "split at {at}");
        let before = &TEXT[..(0..=at)
            .rev()
            .find(|at| TEXT.is_char_boundary(*at))
            .unwrap()];
        assert_eq!(
            pieces[0],
            if before.is_empty() { TEXT } else { before },
            "split at {at}"
        );
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    let (pieces, end) = read(&streaming(&single, true).await, false).await;
    assert!(end.is_none());
    assert_eq!(pieces, TEXT.chars().map(String::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_body_split_at_any_byte_is_the_same_text() {
    let body = support::event_bytes(chunks(&[TEXT.as_bytes()]).chain([complete()]));
    for at in (1..body.len()).step_by(3) {
        let bytes = [
            stream_head(&[]),
            http_chunk(&body[..at]),
            http_chunk(&body[at..]),
            LAST_CHUNK.to_vec(),
        ]
        .concat();
        let server = Server::start(move |_, _| vec![Step::Write(bytes.clone())]).await;
        let (pieces, end) = read(&server, false).await;
        assert!(end.is_none());
        assert_eq!(pieces.concat(), TEXT, "split at {at}");
    }
}

#[tokio::test]
async fn what_is_not_utf8_is_an_error_after_the_text_before_it_or_is_replaced() {
    let pieces: &[&[u8]] = &[b"good \xf0\x9f", b"x\xff", b"more"];
    let server = streaming(pieces, true).await;
    let (text, end) = read(&server, false).await;
    assert_eq!(text, ["good "]);
    let error = end.unwrap();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Text, Execution::Started)
    );
    assert_eq!((error.attempts(), error.request_id()), (1, Some("the-id")));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("byte 5"), "{source}");

    let (text, end) = read(&server, true).await;
    assert!(end.is_none());
    assert_eq!(text.concat(), "good \u{fffd}x\u{fffd}more");
}

#[tokio::test]
async fn the_streams_own_error_precedes_an_incomplete_character() {
    let cut: &[&[u8]] = &[b"f\xc3"];
    let (text, end) = read(&streaming(cut, true).await, false).await;
    assert_eq!(text, ["f"]);
    assert_eq!(end.unwrap().kind(), ErrorKind::Text);
    let (text, end) = read(&streaming(cut, true).await, true).await;
    assert_eq!((text.concat().as_str(), end.is_none()), ("f\u{fffd}", true));
    for lossy in [false, true] {
        let (text, end) = read(&streaming(cut, false).await, lossy).await;
        assert_eq!(text, ["f"]);
        assert_eq!(end.unwrap().kind(), ErrorKind::Truncated);
    }
}

#[cfg(feature = "blocking")]
#[test]
fn the_blocking_stream_is_text_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let single: Vec<&[u8]> = TEXT.as_bytes().chunks(1).collect();
    let server = runtime.block_on(streaming(&single, true));
    let client = lambda_invoke::blocking::Client::new(server.client()).unwrap();
    let mut text = client.stream("f").send().unwrap().into_text();
    let pieces: Result<Vec<String>, Error> = text.by_ref().collect();
    assert_eq!(pieces.unwrap().concat(), TEXT);
    assert!(text.next().is_none());
    assert!(text.get_ref().completion().is_some());
}
