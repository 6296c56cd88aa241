//! Reading what a runtime client posts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::mpsc;

use crate::event::Part;
use crate::outcome::{Failure, FailureReason};

const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    TooLarge,
    Truncated,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn whole(mut body: Incoming, limit: usize) -> Result<Bytes, Broken> {
    let stated = body.size_hint().exact().unwrap_or(0);
    if usize::try_from(stated).map_or(true, |stated| stated > limit) {
        return Err(Broken::TooLarge);
    }
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Broken::Truncated);
        };
        if let Ok(data) = frame.into_data() {
            if all.len() + data.len() > limit {
                return Err(Broken::TooLarge);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

/// Passes the chunks of a streamed response on, and returns the error that it ended with, if any:
/// in trailers, declared or not, or in the two lines that the Rust runtime sends as its last chunk.
pub(crate) async fn stream(
    mut body: Incoming,
    mut parts: Option<mpsc::Sender<Part>>,
) -> Result<Option<Failure>, Broken> {
    // A chunk that may be such lines is held back until it is known to be the last.
    let mut held: Option<Bytes> = None;
    let mut failure = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Broken::Truncated)?;
        let frame = match frame.into_data() {
            Ok(data) => {
                if let Some(held) = held.take() {
                    pass(&mut parts, held).await;
                }
                if error_lines(&data).is_some() {
                    held = Some(data);
                } else {
                    pass(&mut parts, data).await;
                }
                continue;
            }
            Err(frame) => frame,
        };
        if let Ok(trailers) = frame.into_trailers() {
            let text = |name| trailers.get(name)?.to_str().ok();
            if let Some(error_type) = text(ERROR_TYPE) {
                failure = Some(failed(error_type, text(ERROR_BODY).unwrap_or_default()));
            }
        }
    }
    if let Some(held) = held {
        match error_lines(&held) {
            Some((error_type, body)) if failure.is_none() => {
                failure = Some(failed(error_type, body));
            }
            _ => pass(&mut parts, held).await,
        }
    }
    Ok(failure)
}

/// Hands a chunk to the caller, and waits until there is room. Once the caller is gone, chunks are
/// discarded, so that the function does not wait for ever.
async fn pass(parts: &mut Option<mpsc::Sender<Part>>, data: Bytes) {
    if data.is_empty() {
        return;
    }
    if let Some(sender) = parts {
        if sender.send(Part::Chunk(data)).await.is_err() {
            *parts = None;
        }
    }
}

/// Parses the last chunk of the Rust runtime after an error: exactly two lines, of which the
/// second is base64.
fn error_lines(chunk: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(chunk).ok()?;
    let mut lines = text.strip_suffix("\r\n").unwrap_or(text).split("\r\n");
    let first = value(lines.next()?, ERROR_TYPE)?;
    let second = value(lines.next()?, ERROR_BODY)?;
    let ends = lines.next().is_none() && STANDARD.decode(second).is_ok();
    ends.then_some((first, second))
}

fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(':')?;
    before.eq_ignore_ascii_case(name).then(|| after.trim())
}

/// Makes the failure of an error type and a body in base64, which is JSON or plain text.
fn failed(error_type: &str, body: &str) -> Failure {
    let body = STANDARD
        .decode(body)
        .unwrap_or_else(|_| body.as_bytes().to_owned());
    Failure::reported(FailureReason::Function, Some(error_type), body.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exactly_the_two_lines_are_an_error() {
        let lines: &[u8] = b"Lambda-Runtime-Function-Error-Type: Boom\r\n\
            Lambda-Runtime-Function-Error-Body: Ym9vbQ==\r\n";
        assert_eq!(error_lines(lines), Some(("Boom", "Ym9vbQ==")));
        let failure = failed("Boom", "Ym9vbQ==");
        assert_eq!((&*failure.error_type, &*failure.message), ("Boom", "boom"));
        for not in [
            &b"Lambda-Runtime-Function-Error-Type: Boom\r\n"[..],
            b"Lambda-Runtime-Function-Error-Type: Boom\r\nLambda-Runtime-Function-Error-Body: **\r\n",
            b"data",
            b"",
        ] {
            assert_eq!(error_lines(not), None);
        }
    }
}
