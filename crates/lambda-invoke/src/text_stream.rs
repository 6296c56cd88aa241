//! A response stream as text.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use lambda_invoke_protocol::text::Utf8Decoder;

use crate::Error;

/// A response stream as text, of which no piece splits a character; see
/// [`ResponseStream::into_text`](crate::ResponseStream::into_text).
///
/// A [`Stream`] of `Result<String, Error>`. It ends as the stream of bytes does. Bytes that are not
/// UTF-8 are an error of the kind [`Text`](crate::ErrorKind::Text), after the text before them,
/// unless they are to be replaced: see [`lossy`](Self::lossy).
#[derive(Debug)]
#[must_use = "a stream gives nothing unless it is read"]
pub struct TextStream<S> {
    stream: S,
    text: Text,
}

impl<S> TextStream<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            text: Text::default(),
        }
    }

    /// The same with U+FFFD in the place of what is not UTF-8. For a stream of which nothing has
    /// been read.
    pub fn lossy(self) -> Self {
        Self {
            text: Text::lossy(),
            ..self
        }
    }

    /// The stream that is read: for its head, and after the end its completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> TextStream<S> {
    /// The next piece of text, never empty; `None` after the end. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    ///
    /// As the stream's, and [`Text`](crate::ErrorKind::Text).
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
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

type Next = Option<Result<String, Error>>;

/// What both kinds of stream share: the decoder, and whether the end has been given.
#[derive(Debug, Default)]
pub(crate) struct Text {
    decoder: Utf8Decoder,
    ended: bool,
}

impl Text {
    pub(crate) fn lossy() -> Self {
        Self {
            decoder: Utf8Decoder::lossy(),
            ended: false,
        }
    }

    /// What comes without a further piece: the end, or a fault behind text that was given.
    pub(crate) fn before(&mut self) -> Option<Next> {
        if self.ended {
            return Some(None);
        }
        let fault = self.decoder.decode(&[]).err()?;
        Some(self.fail(Error::text(fault)))
    }

    /// What comes of a piece; `None` if it was too short for a character.
    pub(crate) fn take(&mut self, piece: Option<Result<Bytes, Error>>) -> Option<Next> {
        match piece {
            Some(Ok(piece)) => match self.decoder.decode(&piece) {
                Ok(text) if text.is_empty() => None,
                Ok(text) => Some(Some(Ok(text))),
                Err(fault) => Some(self.fail(Error::text(fault))),
            },
            Some(Err(error)) => Some(self.fail(error)),
            None => {
                self.ended = true;
                Some(match self.decoder.finish() {
                    Ok("") => None,
                    Ok(rest) => Some(Ok(rest.to_owned())),
                    Err(fault) => Some(Err(Error::text(fault))),
                })
            }
        }
    }

    fn fail(&mut self, error: Error) -> Next {
        self.ended = true;
        Some(Err(error))
    }
}
