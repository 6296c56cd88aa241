//! A function's answer while it is being written.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, StatusCode};
use lambda_invoke_event_stream::{Payload, PayloadIter};
use lambda_invoke_protocol::{
    FunctionError, InvokeComplete, LogTail, LoggedFailure, Outcome, Report, ReportedVersion,
    StreamError, StreamEvent, StreamHead, StreamReader,
};
use tokio::time::Sleep;

use crate::carrier::ResponseBody;
use crate::collected::Pieces;
use crate::exchange::Answer;
use crate::function_failure::short_code;
use crate::{BoxError, Collected, Error, FunctionFailure, HttpStream, Reader, TextStream};

/// How long the end of the body is waited for after `InvokeComplete`, so that the connection can be
/// used again. The answer is whole by then; a server that keeps the body open must not hold it up.
const LINGER: Duration = Duration::from_secs(1);

/// What a function answers, while it writes it: see [`StreamCall::send`](crate::StreamCall::send).
///
/// A [`Stream`] of `Result<Bytes, Error>`, also to be had one by one with
/// [`next`](Self::next), as an `AsyncRead` ([`into_reader`](Self::into_reader)), as an HTTP answer
/// ([`into_http`](Self::into_http)), or whole ([`collect`](Self::collect)).
///
/// - It ends well, with `None`, only after the service has said that the function is done and did
///   not fail. A stream that is cut is an error that says after how many bytes; a function that
///   fails is an error after all that it had written. After either, it gives `None`.
/// - Pieces come as they come off the connection, uncopied and checked: what the function wrote at
///   once may come in several, and is never empty.
/// - Nothing is read ahead. What is not asked for stays in the socket, and stops the function when
///   that is full. Memory is bounded by the largest message (24 MiB), whatever the function sends.
/// - Dropping it closes the connection. The function runs on, and is billed, until it notices.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// let mut stream = client.stream("hello").payload(r#"{"name":"Ada"}"#).send().await?;
/// let mut bytes = 0;
/// while let Some(piece) = stream.next().await {
///     bytes += piece?.len();
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream gives nothing unless it is read, and only its end tells whether it is whole"]
pub struct ResponseStream {
    head: StreamHead,
    attempts: u32,
    reader: StreamReader,
    /// `None` once the stream has ended, well or not.
    body: Option<ResponseBody>,
    /// The slices of a message that are not given out yet.
    pieces: Option<PayloadIter>,
    completion: Option<Completion>,
    linger: Option<Pin<Box<Sleep>>>,
}

impl ResponseStream {
    pub(crate) fn new(head: StreamHead, answer: Answer) -> Self {
        Self {
            attempts: answer.attempts,
            reader: StreamReader::new().with_request_id(head.request_id.clone()),
            head,
            body: Some(answer.body),
            pieces: None,
            completion: None,
            linger: None,
        }
    }

    /// All that is known before the first piece.
    #[must_use]
    pub fn head(&self) -> &StreamHead {
        &self.head
    }

    /// The status: 200.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The version that runs.
    #[must_use]
    pub fn executed_version(&self) -> Option<&ReportedVersion> {
        self.head.executed_version.as_ref()
    }

    /// The answer's own content type: always that of an event stream.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        text(self.head.content_type.as_ref())
    }

    /// The content type that the function gave its stream, if it gave one.
    #[must_use]
    pub fn remapped_content_type(&self) -> Option<&str> {
        text(self.head.remapped_content_type.as_ref())
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id.as_deref()
    }

    /// How many times the request was sent, or tried to be.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The next piece of what the function writes; `None` after the end.
    ///
    /// Dropping the future loses nothing, so it can stand in a `select!`.
    ///
    /// # Errors
    ///
    /// - [`Truncated`](crate::ErrorKind::Truncated) if the stream ends before the function is
    ///   done,
    /// - [`FunctionFailed`](crate::ErrorKind::FunctionFailed) if it failed after what came, as the
    ///   service or the log tells,
    /// - [`Corrupt`](crate::ErrorKind::Corrupt) if a checksum is wrong or a message is none,
    /// - [`TimedOut`](crate::ErrorKind::TimedOut) if a time limit was reached.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// How the execution ended; `None` before the stream has given its `None`, or if it ended
    /// without.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// How many bytes of the function's have come so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.reader.payload_bytes()
    }

    /// The whole answer, kept in memory.
    ///
    /// The service sends up to 200 MiB unless told otherwise; see
    /// [`collect_at_most`](Self::collect_at_most).
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next). What had come is [`Error::collected`].
    pub async fn collect(self) -> Result<Collected, Error> {
        self.collect_at_most(u64::MAX).await
    }

    /// The whole answer, kept in memory, if it has at most so many bytes.
    ///
    /// The pieces are copied into one buffer, which may have been grown to twice what it holds.
    /// With the length of each piece beside them, they take at most four times `max` bytes, and on
    /// top of that what the message that is being read does.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and [`TooLarge`](crate::ErrorKind::TooLarge). What had come is
    /// [`Error::collected`].
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
        let collected = Collected::new(self.head, pieces, self.completion);
        match failed {
            None => Ok(collected),
            Some(error) => Err(error.with_collected(collected)),
        }
    }

    /// The stream as text, of which no piece splits a character. Bytes that are not UTF-8 are an
    /// error, or are replaced: see [`TextStream::lossy`].
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// use std::io::Write;
    ///
    /// let mut text = client.stream("hello").payload(r#"{"name":"Zoë"}"#).send().await?.into_text();
    /// while let Some(piece) = text.next().await {
    ///     print!("{}", piece?);
    ///     let _ = std::io::stdout().flush();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_text(self) -> TextStream<Self> {
        TextStream::new(self)
    }

    /// The stream as an `AsyncRead` and `AsyncBufRead`.
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
    #[must_use]
    pub fn into_reader(self) -> Reader<Self> {
        Reader::new(self)
    }

    /// The stream as the HTTP answer that a function behind a URL means: waits for the prelude with
    /// status, headers and cookies, and leaves the body to be read. A stream that has no prelude,
    /// and does not say by its content type that it has one, is a body with status 200.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and [`Corrupt`](crate::ErrorKind::Corrupt) if the stream says that
    /// it begins with a prelude and does not.
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

    /// What the function wrote at once; never empty.
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
                // What ends the stream badly is told by `finish`; what is unknown passes.
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.stream_error(error)))),
            }
            match body.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => self.reader.push(data),
                // The answer is whole: what the connection does after it does not matter.
                Poll::Ready(Some(Err(_))) if self.reader.has_ended() => return self.finish(),
                Poll::Ready(Some(Err(error))) => {
                    let error = Error::broken(error, self.received());
                    return Poll::Ready(Some(Err(self.failed(error))));
                }
                Poll::Ready(None) => return self.finish(),
                Poll::Pending if self.reader.has_ended() => {
                    let linger = &mut self.linger;
                    let sleep = linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
                    return match sleep.as_mut().poll(cx) {
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
            StreamError::Truncated { .. } | StreamError::Exception(_) => {
                Error::truncated(error, received)
            }
            _ => Error::corrupt(error, received),
        };
        self.failed(error)
    }

    /// Ends the stream, and says of whose answer the error is.
    fn failed(&mut self, error: Error) -> Error {
        self.body = None;
        self.pieces = None;
        error
            .with_request_id(self.head.request_id.as_deref())
            .answered(self.attempts)
    }

    /// Ends the stream because what the function wrote is not what it should be.
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

/// How an execution ended: see [`ResponseStream::completion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    complete: InvokeComplete,
    report: Option<Report>,
    outcome: Outcome,
}

impl Completion {
    fn new(complete: InvokeComplete, request_id: Option<&str>) -> Self {
        let log = complete.log.as_ref();
        let report = log.and_then(LogTail::report);
        let outcome = match log {
            _ if complete.has_failed() => Outcome::Failed,
            Some(log) => log.outcome(request_id),
            None => Outcome::NotReported,
        };
        Self {
            complete,
            report,
            outcome,
        }
    }

    /// What is known of how the execution ended.
    ///
    /// A stream that has ended well is mostly [`NotReported`](Outcome::NotReported): neither the
    /// service nor the log tells of a failure, which is as much as is ever told of a function that
    /// went well, unless its log is in the JSON format. The failure of a custom runtime in the
    /// midst of a stream has been seen to be told nowhere, and without a log
    /// ([`StreamCall::without_log`](crate::StreamCall::without_log)) so has every other.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// That the function failed, and how, in the service's words.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.complete.error_code.as_deref()
    }

    /// What the function said about it.
    #[must_use]
    pub fn error_details(&self) -> Option<&str> {
        self.complete.error_details.as_deref()
    }

    /// The end of the log, decoded, if it was asked for.
    #[must_use]
    pub fn log(&self) -> Option<&LogTail> {
        self.complete.log.as_ref()
    }

    /// What the log's last line says of time, memory and success.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}

impl FunctionFailure {
    fn of_stream(complete: InvokeComplete, logged: Option<LoggedFailure>) -> Self {
        let details = complete.error_details;
        let told = details.as_deref().map(FunctionError::from_details);
        let error = told.or_else(|| Some(logged.as_ref()?.error.clone()));
        Self {
            code: complete.error_code.as_deref().map(short_code),
            error: error.unwrap_or_default(),
            details,
            logged,
            payload: Bytes::new(),
            log: complete.log,
        }
    }
}
