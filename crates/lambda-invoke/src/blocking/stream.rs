//! Response streams for blocking callers.

use std::io::{self, BufRead, Read};
use std::ops::Deref;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};

use super::runtime::Runtime;
use crate::reader::again;
use crate::text_stream::Text;
use crate::{Collected, Error, ErrorKind};

/// A function's response, while it is being written: an iterator of `Result<Bytes, Error>`.
///
/// It yields what [`lambda_invoke::ResponseStream`](crate::ResponseStream) yields, and ends as that
/// does. It dereferences to that stream, for the head, the completion and all else that needs no
/// waiting.
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct ResponseStream {
    stream: crate::ResponseStream,
    runtime: Arc<Runtime>,
}

impl ResponseStream {
    pub(super) fn new(stream: crate::ResponseStream, runtime: Arc<Runtime>) -> Self {
        Self { stream, runtime }
    }

    /// Reads the whole response into memory.
    ///
    /// # Errors
    ///
    /// As [`crate::ResponseStream::collect_all`].
    pub fn collect_all(self) -> Result<Collected, Error> {
        self.runtime.wait(self.stream.collect_all())
    }

    /// Reads the whole response into memory, if it has at most `max` bytes.
    ///
    /// # Errors
    ///
    /// As [`crate::ResponseStream::collect_at_most`].
    pub fn collect_at_most(self, max: u64) -> Result<Collected, Error> {
        self.runtime.wait(self.stream.collect_at_most(max))
    }

    /// Reads the stream as text: see [`crate::ResponseStream::into_text`].
    pub fn into_text(self) -> TextStream<Self> {
        TextStream::new(self)
    }

    /// Reads the stream as a [`Read`] and [`BufRead`].
    pub fn into_reader(self) -> Reader<Self> {
        Reader {
            stream: self,
            chunk: Bytes::new(),
            failed: None,
        }
    }

    /// Reads the stream as the HTTP response of a function behind a function URL.
    ///
    /// # Errors
    ///
    /// As [`crate::ResponseStream::into_http`].
    pub fn into_http(self) -> Result<HttpStream, Error> {
        let stream = self.runtime.wait(self.stream.into_http())?;
        Ok(HttpStream {
            stream,
            runtime: self.runtime,
        })
    }
}

impl Deref for ResponseStream {
    type Target = crate::ResponseStream;

    fn deref(&self) -> &crate::ResponseStream {
        &self.stream
    }
}

impl Iterator for ResponseStream {
    type Item = Result<Bytes, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.wait(self.stream.next_chunk())
    }
}

/// The response of a function behind a function URL, its body an iterator. It dereferences to
/// [`lambda_invoke::HttpStream`](crate::HttpStream), for status, headers and cookies.
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct HttpStream {
    stream: crate::HttpStream,
    runtime: Arc<Runtime>,
}

impl HttpStream {
    /// Reads the body as text: see [`crate::ResponseStream::into_text`].
    pub fn into_text(self) -> TextStream<Self> {
        TextStream::new(self)
    }

    /// Reads the body as a [`Read`] and [`BufRead`].
    pub fn into_reader(self) -> Reader<Self> {
        Reader {
            stream: self,
            chunk: Bytes::new(),
            failed: None,
        }
    }
}

impl Deref for HttpStream {
    type Target = crate::HttpStream;

    fn deref(&self) -> &crate::HttpStream {
        &self.stream
    }
}

impl Iterator for HttpStream {
    type Item = Result<Bytes, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.wait(self.stream.next_chunk())
    }
}

/// A response stream as text, of which no chunk splits a character: an iterator of
/// `Result<String, Error>`. See [`lambda_invoke::TextStream`](crate::TextStream).
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct TextStream<S> {
    stream: S,
    text: Text,
}

impl<S> TextStream<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            text: Text::default(),
        }
    }

    /// Replaces bytes that are not UTF-8 by U+FFFD. To be called before anything is read.
    pub fn lossy(self) -> Self {
        Self {
            text: Text::lossy(),
            ..self
        }
    }

    /// Returns the underlying stream: for its head, and after the end its completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

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

/// A response stream as a [`Read`] and [`BufRead`].
///
/// It reads as ended only where the stream ended without an error; any other end is an error, and so
/// is every further read after it.
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct Reader<S> {
    stream: S,
    chunk: Bytes,
    failed: Option<ErrorKind>,
}

impl<S> Reader<S> {
    /// Returns the underlying stream: for its head, and after the end its completion.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Iterator<Item = Result<Bytes, Error>>> BufRead for Reader<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(kind) = self.failed {
            return Err(again(kind));
        }
        while self.chunk.is_empty() {
            match self.stream.next() {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => {
                    self.failed = Some(error.kind());
                    return Err(error.into());
                }
                None => break,
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.chunk.advance(count.min(self.chunk.len()));
    }
}

impl<S: Iterator<Item = Result<Bytes, Error>>> Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
