//! A response stream as an `AsyncRead` or a `Read`.

use std::fmt;
use std::io;
#[cfg(feature = "blocking")]
use std::io::{BufRead, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Error, ErrorKind};

/// A response stream as an [`AsyncRead`] and [`AsyncBufRead`], or, if the stream is an iterator
/// (feature `blocking`), as a `Read` and `BufRead`; see
/// [`ResponseStream::into_reader`](crate::ResponseStream::into_reader).
///
/// A read returns no bytes, which marks the end, only if the stream ended without an error. Any
/// other end is an error whose inner error is an [`Error`]. Further reads fail again, so that a
/// loop that ignores errors does not take an incomplete stream for a complete one.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use lambda_invoke::{Reader, ResponseStream};
///
/// let stream = client.stream("export").send().await?;
/// let mut reader: Reader<ResponseStream> = stream.into_reader();
/// tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
/// println!("{:?}", reader.get_ref().completion());
/// # Ok(())
/// # }
/// ```
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

    /// Returns the underlying stream, which has the head and, after the end, the completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Fails again if the stream has failed.
    fn check(&self) -> io::Result<()> {
        match self.failed {
            Some(kind) => Err(io::Error::new(
                io_kind(kind),
                "the response stream has already failed",
            )),
            None => Ok(()),
        }
    }

    /// Takes the stream's next item, and returns whether it was a chunk and not the end.
    fn take(&mut self, next: Option<Result<Bytes, Error>>) -> io::Result<bool> {
        match next {
            Some(Ok(chunk)) => {
                self.chunk = chunk;
                Ok(true)
            }
            Some(Err(error)) => {
                self.failed = Some(error.kind());
                Err(error.into())
            }
            None => Ok(false),
        }
    }

    fn advance(&mut self, count: usize) {
        self.chunk.advance(count.min(self.chunk.len()));
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> AsyncBufRead for Reader<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        this.check()?;
        while this.chunk.is_empty() {
            let next = ready!(Pin::new(&mut this.stream).poll_next(cx));
            if !this.take(next)? {
                break;
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().advance(count);
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

#[cfg(feature = "blocking")]
impl<S: Iterator<Item = Result<Bytes, Error>>> BufRead for Reader<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        while self.chunk.is_empty() {
            let next = self.stream.next();
            if !self.take(next)? {
                break;
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

#[cfg(feature = "blocking")]
impl<S: Iterator<Item = Result<Bytes, Error>>> Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.fill_buf()?.read(buffer)?;
        self.advance(count);
        Ok(count)
    }
}

/// Without the chunk that is being read: only its length.
impl<S: fmt::Debug> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("stream", &self.stream)
            .field("unread", &self.chunk.len())
            .field("failed", &self.failed)
            .finish()
    }
}

fn io_kind(kind: ErrorKind) -> io::ErrorKind {
    match kind {
        ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
        ErrorKind::Corrupt | ErrorKind::Text => io::ErrorKind::InvalidData,
        ErrorKind::TimedOut => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    }
}

/// Converts the error for readers: a truncated stream is [`io::ErrorKind::UnexpectedEof`], a
/// corrupt stream [`io::ErrorKind::InvalidData`], and a timeout [`io::ErrorKind::TimedOut`].
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(io_kind(error.kind()), error)
    }
}
