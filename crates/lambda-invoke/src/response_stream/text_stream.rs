//! A response stream as text.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use lambda_invoke_protocol::text::{Utf8Decoder, Utf8Error};

use crate::Error;

/// A response stream as text, where no chunk splits a character; see
/// [`ResponseStream::into_text`](crate::ResponseStream::into_text).
///
/// It is a [`Stream`] of `Result<String, Error>`, or an iterator if the stream of bytes is one
/// (feature `blocking`). It ends like the stream of bytes. Bytes that are not UTF-8 are an error of
/// the kind [`Text`](crate::ErrorKind::Text), after the text before them, unless they are replaced:
/// see [`lossy`](Self::lossy).
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// use lambda_invoke::{ResponseStream, TextStream};
///
/// let stream = client.stream("hello").send().await?;
/// let mut text: TextStream<ResponseStream> = stream.into_text().lossy();
/// while let Some(piece) = text.next_chunk().await {
///     print!("{}", piece?);
/// }
/// println!("{} bytes", text.get_ref().received());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct TextStream<S> {
    stream: S,
    text: Text,
}

impl<S> TextStream<S> {
    pub(crate) fn new(stream: S, request_id: Option<String>, attempts: u32) -> Self {
        Self {
            stream,
            text: Text {
                decoder: Utf8Decoder::default(),
                ended: false,
                request_id,
                attempts,
            },
        }
    }

    /// Replaces bytes that are not UTF-8 with U+FFFD. Call this before anything is read.
    pub fn lossy(mut self) -> Self {
        self.text.decoder = Utf8Decoder::lossy();
        self
    }

    /// Returns the underlying stream, which has the head and, after the end, the completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> TextStream<S> {
    /// Waits for the next chunk of text, never empty; `None` after the end. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    ///
    /// As the stream's, and [`Text`](crate::ErrorKind::Text).
    pub async fn next_chunk(&mut self) -> Option<Result<String, Error>> {
        poll_fn(|cx| self.poll_text(cx)).await
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<String, Error>>> {
        loop {
            if let Some(next) = self.text.before() {
                return Poll::Ready(next);
            }
            let piece = ready!(Pin::new(&mut self.stream).poll_next(cx));
            if let Some(next) = self.text.take(piece) {
                return Poll::Ready(next);
            }
        }
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Stream for TextStream<S> {
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_text(cx)
    }
}

#[cfg(feature = "blocking")]
impl<S: Iterator<Item = Result<Bytes, Error>>> Iterator for TextStream<S> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.text.before() {
                return next;
            }
            let piece = self.stream.next();
            if let Some(next) = self.text.take(piece) {
                return next;
            }
        }
    }
}

type Next = Option<Result<String, Error>>;

/// Decodes the pieces of a stream, asynchronous or blocking.
#[derive(Debug)]
struct Text {
    decoder: Utf8Decoder,
    ended: bool,
    /// Of the call, for errors.
    request_id: Option<String>,
    attempts: u32,
}

impl Text {
    fn error(&self, fault: Utf8Error) -> Error {
        Error::text(fault, fault.offset())
            .with_request_id(self.request_id.as_deref())
            .with_attempts(self.attempts)
    }

    /// Returns the next item if it needs no further chunk: the end, or an error after text that was
    /// returned.
    fn before(&mut self) -> Option<Next> {
        if self.ended {
            return Some(None);
        }
        let fault = self.decoder.decode(&[]).err()?;
        Some(self.fail(self.error(fault)))
    }

    /// Decodes a chunk; `None` if it was too short for a character.
    fn take(&mut self, piece: Option<Result<Bytes, Error>>) -> Option<Next> {
        match piece {
            Some(Ok(piece)) => match self.decoder.decode(&piece) {
                Ok(text) if text.is_empty() => None,
                Ok(text) => Some(Some(Ok(text))),
                Err(fault) => Some(self.fail(self.error(fault))),
            },
            Some(Err(error)) => Some(self.fail(error)),
            None => {
                self.ended = true;
                Some(match self.decoder.finish() {
                    Ok("") => None,
                    Ok(rest) => Some(Ok(rest.to_owned())),
                    Err(fault) => Some(Err(self.error(fault))),
                })
            }
        }
    }

    fn fail(&mut self, error: Error) -> Next {
        self.ended = true;
        Some(Err(error))
    }
}
