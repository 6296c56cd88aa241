//! A response stream as an `AsyncRead`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Error, ErrorKind};

/// A response stream as an [`AsyncRead`] and [`AsyncBufRead`]; see
/// [`ResponseStream::into_reader`](crate::ResponseStream::into_reader).
///
/// It reads as ended (no bytes) only where the stream ended without an error. Any other end is an
/// error whose inner error is an [`Error`]; reading on after it is an error again, so that a loop
/// that ignores errors does not take an incomplete stream for a complete one.
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct Reader<S> {
    stream: S,
    chunk: Bytes,
    failed: Option<ErrorKind>,
}

impl<S> Reader<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            chunk: Bytes::new(),
            failed: None,
        }
    }

    /// Returns the underlying stream: for its head, and after the end its completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> AsyncBufRead for Reader<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if let Some(kind) = this.failed {
            return Poll::Ready(Err(again(kind)));
        }
        while this.chunk.is_empty() {
            match ready!(Pin::new(&mut this.stream).poll_next(cx)) {
                Some(Ok(chunk)) => this.chunk = chunk,
                Some(Err(error)) => {
                    this.failed = Some(error.kind());
                    return Poll::Ready(Err(error.into()));
                }
                None => break,
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        let chunk = &mut self.get_mut().chunk;
        chunk.advance(count.min(chunk.len()));
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> AsyncRead for Reader<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = available.len().min(buffer.remaining());
        buffer.put_slice(available.get(..count).unwrap_or_default());
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

pub(crate) fn again(kind: ErrorKind) -> io::Error {
    io::Error::new(io_kind(kind), "the response stream has already failed")
}

fn io_kind(kind: ErrorKind) -> io::ErrorKind {
    match kind {
        ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
        ErrorKind::Corrupt | ErrorKind::Text => io::ErrorKind::InvalidData,
        ErrorKind::TimedOut => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    }
}

/// For readers and copies: a truncated stream is [`io::ErrorKind::UnexpectedEof`], a corrupt one
/// [`io::ErrorKind::InvalidData`], a timeout [`io::ErrorKind::TimedOut`].
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(io_kind(error.kind()), error)
    }
}
