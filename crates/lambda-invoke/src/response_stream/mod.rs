//! A function's response while it is being written.

mod collected;
mod completion;
mod http_stream;
mod linger;
mod reader;
mod text_stream;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, StatusCode};
use lambda_invoke_error::Execution;
use lambda_invoke_event_stream::{Payload, PayloadIter};
use lambda_invoke_protocol::{
    Expected, ReportedVersion, StreamError, StreamEvent, StreamHead, StreamReader,
};

use crate::exchange::HttpResponse;
use crate::http_service::ResponseBody;
use crate::trace::CallSpan;
use crate::{BoxError, Error, FunctionFailure};
use collected::Pieces;
use linger::Linger;

pub use collected::Collected;
pub use completion::Completion;
pub use http_stream::HttpStream;
pub use reader::Reader;
pub use text_stream::TextStream;

/// A function's response, while it is being written: see
/// [`StreamCall::send`](crate::StreamCall::send).
///
/// It is a [`Stream`] of `Result<Bytes, Error>`. Without a stream library it can be read chunk by
/// chunk with [`next_chunk`](Self::next_chunk), as an `AsyncRead`
/// ([`into_reader`](Self::into_reader)), as text ([`into_text`](Self::into_text)), as an HTTP
/// response ([`into_http`](Self::into_http)), or whole ([`collect_all`](Self::collect_all)).
///
/// - It ends without an error only if the service has reported that the function is done and no
///   failure was reported. A truncated stream ends with an error that says after how many bytes. If
///   the function fails, the stream ends with an error after everything that the function wrote.
///   `None` follows an error.
/// - Chunks are returned as they arrive, checked but not copied. One write of the function may
///   arrive in several chunks. No chunk is empty.
/// - Nothing is read ahead. Data that nobody asks for stays in the socket; when that is full, the
///   function has to wait. Memory is bounded by the largest message (24 MiB).
/// - Dropping it closes the connection. The function continues, and is billed, until it notices.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// let mut stream = client.stream("hello").payload(r#"{"name":"Ada"}"#).send().await?;
/// let mut bytes = 0;
/// while let Some(piece) = stream.next_chunk().await {
///     bytes += piece?.len();
/// }
/// # Ok(())
/// # }
/// ```
///
/// What is known before the first byte, and after the last:
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use lambda_invoke_endpoint::Endpoint;
/// # let server = Endpoint::builder().builtins().bind_local().await?;
/// # let client = lambda_invoke::Client::local(server.url())?;
/// use lambda_invoke::Outcome;
///
/// let mut stream = client.stream("count").payload(r#"{"n":2}"#).send().await?;
/// assert!(stream.head().request_id.is_some());
/// println!("{:?}, version {:?}", stream.request_id(), stream.executed_version());
/// println!("the function writes {:?}", stream.remapped_content_type());
/// while let Some(piece) = stream.next_chunk().await {
///     piece?;
/// }
/// assert_eq!(stream.received(), 4);
/// let completion = stream.completion().ok_or("no end")?;
/// assert_ne!(completion.outcome(), Outcome::Failed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "only the end of a stream proves that it is complete"]
pub struct ResponseStream {
    head: StreamHead,
    attempts: u32,
    /// What the head proves.
    execution: Execution,
    /// The total timeout of the call.
    total: Option<Duration>,
    reader: StreamReader,
    /// `None` once the stream has ended, successfully or not.
    body: Option<ResponseBody>,
    /// The slices of a message that are not returned yet.
    pieces: Option<PayloadIter>,
    completion: Option<Completion>,
    linger: Linger,
    span: CallSpan,
}

impl ResponseStream {
    pub(crate) fn new(head: StreamHead, response: HttpResponse) -> Self {
        Self {
            attempts: response.attempts,
            execution: Expected::Stream.execution(&response.parts),
            total: response.total,
            reader: StreamReader::new().with_request_id(head.request_id.clone()),
            head,
            body: Some(response.body),
            pieces: None,
            completion: None,
            linger: Linger::default(),
            span: response.span,
        }
    }

    /// Returns the head of the response.
    #[must_use]
    pub fn head(&self) -> &StreamHead {
        &self.head
    }

    /// Returns the status: 200.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the version that runs.
    #[must_use]
    pub fn executed_version(&self) -> Option<&ReportedVersion> {
        self.head.executed_version.as_ref()
    }

    /// Returns the response's own content type, which is always that of an event stream.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        text(self.head.content_type.as_ref())
    }

    /// Returns the content type that the function set for its stream, if any.
    #[must_use]
    pub fn remapped_content_type(&self) -> Option<&str> {
        text(self.head.remapped_content_type.as_ref())
    }

    /// Returns the request's id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id.as_deref()
    }

    /// Returns how many attempts were made, including those without a connection.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Waits for the next chunk of the function's output; `None` after the end.
    ///
    /// Dropping the future loses nothing, so it can be used in a `select!`.
    ///
    /// # Errors
    ///
    /// - [`Truncated`](crate::ErrorKind::Truncated) if the stream ends before the function is
    ///   done,
    /// - [`FunctionFailed`](crate::ErrorKind::FunctionFailed) if the service or the log reports that
    ///   it failed,
    /// - [`StreamException`](crate::ErrorKind::StreamException) if the service ends the stream with
    ///   an exception,
    /// - [`Corrupt`](crate::ErrorKind::Corrupt) if a checksum is wrong or a message is malformed,
    /// - [`TimedOut`](crate::ErrorKind::TimedOut) if a timeout was reached.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Returns how the execution ended; `None` before the end of the stream, or if it ended without
    /// `InvokeComplete`.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// Returns what the response proves so far about the execution: that the function has started, if the
    /// response has one of Lambda's headers or a chunk has arrived.
    #[must_use]
    pub fn execution(&self) -> Execution {
        match self.received() {
            0 => self.execution,
            _ => Execution::Started,
        }
    }

    /// Returns how many bytes of the function's response have arrived so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.reader.payload_bytes()
    }

    /// Reads the whole response into memory.
    ///
    /// The service sends up to 200 MiB by default; see [`collect_at_most`](Self::collect_at_most).
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk). The part that had arrived is in [`Error::collected`].
    pub async fn collect_all(self) -> Result<Collected, Error> {
        self.collect_at_most(u64::MAX).await
    }

    /// Reads the whole response into memory, if it has at most `max` bytes.
    ///
    /// The chunks are copied into one buffer, whose capacity may be twice its length. Together with
    /// the lengths of the chunks, this takes at most four times `max` bytes, in addition to the
    /// message that is being read.
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk), and [`TooLarge`](crate::ErrorKind::TooLarge). The part
    /// that had arrived is in [`Error::collected`].
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// let page = client.stream("page").send().await?.collect_at_most(1 << 20).await?;
    /// println!("{} bytes", page.to_bytes().len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn collect_at_most(mut self, max: u64) -> Result<Collected, Error> {
        let mut pieces = Pieces::default();
        let failed = loop {
            match poll_fn(|cx| self.poll_payload(cx)).await {
                None => break None,
                Some(Ok(_)) if self.received() > max => {
                    break Some(self.failed(Error::too_large(max, self.received())));
                }
                Some(Ok(payload)) => pieces.push(&payload),
                Some(Err(error)) => break Some(error),
            }
        };
        let complete = failed.is_none();
        let execution = self.execution();
        let collected = Collected::new(
            self.head,
            self.attempts,
            execution,
            pieces,
            self.completion,
            complete,
        );
        match failed {
            None => Ok(collected),
            Some(error) => Err(error.with_collected(collected)),
        }
    }

    /// Reads the stream as text, where no chunk splits a character. Bytes that are not UTF-8 are an
    /// error, or are replaced: see [`TextStream::lossy`].
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// use std::io::Write;
    ///
    /// let mut text = client.stream("hello").payload(r#"{"name":"Zoë"}"#).send().await?.into_text();
    /// while let Some(piece) = text.next_chunk().await {
    ///     print!("{}", piece?);
    ///     let _ = std::io::stdout().flush();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_text(self) -> TextStream<Self> {
        let request_id = self.request_id().map(str::to_owned);
        let attempts = self.attempts();
        TextStream::new(self, request_id, attempts)
    }

    /// Reads the stream as an `AsyncRead` and `AsyncBufRead`.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// let stream = client.stream("lines").send().await?;
    /// let mut lines = stream.into_reader().lines();
    /// while let Some(line) = lines.next_line().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_reader(self) -> Reader<Self> {
        Reader::new(self)
    }

    /// Reads the stream as the HTTP response of a function behind a function URL: waits for the
    /// prelude with status, headers and cookies; the body can then be read. If neither the content
    /// type announces a prelude nor the stream begins with one, the whole stream is the body, with
    /// status 200.
    ///
    /// # Errors
    ///
    /// As [`next_chunk`](Self::next_chunk), and [`Corrupt`](crate::ErrorKind::Corrupt) if the
    /// content type announces a prelude and the stream does not begin with one.
    pub async fn into_http(self) -> Result<HttpStream, Error> {
        HttpStream::new(self).await
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(piece) = self.pieces.as_mut().and_then(Iterator::next) {
                return Poll::Ready(Some(Ok(piece)));
            }
            match self.poll_payload(cx) {
                Poll::Ready(Some(Ok(payload))) => self.pieces = Some(payload.into_iter()),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Polls for the next chunk, which is not empty.
    fn poll_payload(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Payload, Error>>> {
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            match self.reader.next_event() {
                Ok(Some(StreamEvent::PayloadChunk(payload))) if payload.is_empty() => continue,
                Ok(Some(StreamEvent::PayloadChunk(payload))) => {
                    return Poll::Ready(Some(Ok(payload)));
                }
                Ok(Some(StreamEvent::InvokeComplete(complete))) => {
                    let id = self.head.request_id.as_deref();
                    self.completion = Some(Completion::new(complete, id));
                    continue;
                }
                // Exceptions are reported by `finish`; unknown events are skipped.
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.stream_error(error)))),
            }
            match body.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => self.reader.push(data),
                // The response is complete: what the connection does afterwards does not matter.
                Poll::Ready(Some(Err(_))) if self.reader.has_ended() => return self.finish(),
                Poll::Ready(Some(Err(error))) => {
                    let error = Error::broken(error, self.received()).of_total(None, self.total);
                    return Poll::Ready(Some(Err(self.failed(error))));
                }
                Poll::Ready(None) => return self.finish(),
                Poll::Pending if self.reader.has_ended() => {
                    return match self.linger.poll(cx) {
                        Poll::Ready(()) => self.finish(),
                        Poll::Pending => Poll::Pending,
                    };
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn finish(&mut self) -> Poll<Option<Result<Payload, Error>>> {
        match self.reader.finish() {
            Ok(()) => {
                self.body = None;
                self.span.complete(self.received());
                Poll::Ready(None)
            }
            Err(error) => Poll::Ready(Some(Err(self.stream_error(error)))),
        }
    }

    fn stream_error(&mut self, error: StreamError) -> Error {
        let received = self.received();
        let error = match error {
            StreamError::FunctionFailed { complete, logged } => {
                let failure = FunctionFailure::of_stream(*complete, logged.map(|logged| *logged));
                Error::function_failed(failure, received)
            }
            StreamError::Exception(exception) => Error::stream_exception_of(*exception, received),
            StreamError::Truncated { .. } => Error::truncated(error, received),
            StreamError::Decode(error) => Error::corrupt(error, received),
            StreamError::Event(error) => Error::corrupt(error, received),
            _ => Error::corrupt(error, received),
        };
        self.failed(error)
    }

    /// Ends the stream, and adds the request to the error.
    fn failed(&mut self, error: Error) -> Error {
        self.body = None;
        self.pieces = None;
        let error = error.with_proof(self.execution());
        self.span.failed(&error);
        error
            .with_request_id(self.head.request_id.as_deref())
            .with_attempts(self.attempts)
    }

    /// Ends the stream because the function's output is malformed.
    pub(crate) fn corrupt(&mut self, source: impl Into<BoxError>) -> Error {
        let received = self.received();
        self.failed(Error::corrupt(source, received))
    }
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

impl Stream for ResponseStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

impl fmt::Debug for ResponseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream")
            .field("head", &self.head)
            .field("attempts", &self.attempts)
            .field("received", &self.received())
            .field("ended", &self.body.is_none())
            .field("completion", &self.completion)
            .finish_non_exhaustive()
    }
}
