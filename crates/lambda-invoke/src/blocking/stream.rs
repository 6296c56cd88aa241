//! Response streams for blocking callers.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::runtime::Runtime;
use crate::{Collected, Error, Reader, TextStream};

/// A function's response, while it is being written: an iterator of `Result<Bytes, Error>`.
///
/// It yields the same chunks as [`lambda_invoke::ResponseStream`](crate::ResponseStream), and ends
/// in the same way. It dereferences to that stream, for the head, the completion and everything
/// else that needs no waiting.
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

    /// Reads the stream as text: an iterator of `Result<String, Error>`, where no chunk splits a
    /// character. See [`crate::ResponseStream::into_text`].
    pub fn into_text(self) -> TextStream<Self> {
        let request_id = self.request_id().map(str::to_owned);
        let attempts = self.attempts();
        TextStream::new(self, request_id, attempts)
    }

    /// Reads the stream as a [`Read`](std::io::Read) and [`BufRead`](std::io::BufRead).
    pub fn into_reader(self) -> Reader<Self> {
        Reader::new(self)
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

/// The response of a function behind a function URL, with an iterator as its body. It dereferences
/// to [`lambda_invoke::HttpStream`](crate::HttpStream), for status, headers and cookies.
///
/// # Example
///
/// ```no_run
/// # fn example(client: lambda_invoke::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use lambda_invoke::blocking::HttpStream;
///
/// let page: HttpStream = client.stream("page").send()?.into_http()?;
/// println!("{}", page.status());
/// std::io::copy(&mut page.into_reader(), &mut std::io::stdout())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "only the end of a stream proves that it is complete"]
pub struct HttpStream {
    stream: crate::HttpStream,
    runtime: Arc<Runtime>,
}

impl HttpStream {
    /// Reads the body as text: see [`ResponseStream::into_text`].
    pub fn into_text(self) -> TextStream<Self> {
        let request_id = self.stream().request_id().map(str::to_owned);
        let attempts = self.stream().attempts();
        TextStream::new(self, request_id, attempts)
    }

    /// Reads the body as a [`Read`](std::io::Read) and [`BufRead`](std::io::BufRead).
    pub fn into_reader(self) -> Reader<Self> {
        Reader::new(self)
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
