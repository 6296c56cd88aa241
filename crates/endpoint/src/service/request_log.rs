//! Records of requests, for a log.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use lambda_invoke_error::text::Escaped;

use super::response_body::ends_with_head;
use crate::request_id::RequestId;
use crate::trace::RequestSpan;
use crate::wire::connection::Connection;

/// A request and its response, recorded when the response has been sent or abandoned.
///
/// `Display` writes one line, without control characters and without the signature of a presigned
/// URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestRecord {
    /// The method.
    pub method: Method,
    /// The path and query, as received.
    pub target: Uri,
    /// The response's status; `None` if the caller disconnected before there was one.
    pub status: Option<StatusCode>,
    /// The service's error (`x-amzn-errortype`) or the function's (`x-amz-function-error`), if the
    /// response head has one.
    pub error: Option<String>,
    /// The function's failure as `Type: message`, truncated to 1 KiB, even if the response does not
    /// report it, as with a stream.
    pub failure: Option<String>,
    /// The request id.
    pub request_id: String,
    /// The time from the request's head to the response's; zero without a response.
    pub until_head: Duration,
    /// The time from the request's head to the end of the response body.
    pub until_end: Duration,
    /// The number of body bytes given to the connection.
    pub bytes: u64,
    /// Whether that was the complete body.
    pub whole: bool,
    /// How the response ended.
    pub ending: Ending,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The complete body was given to the connection.
    Whole,
    /// The caller disconnected first.
    CallerGone,
    /// A fault rule ended it.
    Fault,
    /// The function failed mid-stream, and the response had no other way to report that.
    Failed,
    /// The endpoint closed the connection: the grace period was over, or nothing had been sent for
    /// too long.
    Closed,
}

impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URIs and methods contain no control characters.
        write!(f, "{} {}", self.method, self.target.path())?;
        // A presigned query grants access until it expires.
        let is_shown = |parameter: &&str| {
            !parameter.is_empty() && !parameter.to_ascii_lowercase().starts_with("x-amz-")
        };
        let query = self.target.query().unwrap_or_default();
        for (place, parameter) in query.split('&').filter(is_shown).enumerate() {
            write!(f, "{}{parameter}", if place == 0 { '?' } else { '&' })?;
        }
        match self.status {
            Some(status) => write!(f, " {}", status.as_u16())?,
            None => f.write_str(" no response")?,
        }
        match (&self.failure, &self.error) {
            (Some(failure), _) => write!(f, " failed: {}", Escaped::line(failure))?,
            (None, Some(error)) => write!(f, " {}", Escaped::line(error))?,
            (None, None) => {}
        }
        let milliseconds = self.until_end.as_micros() as f64 / 1_000.0;
        let ending = if self.bytes == 1 { "" } else { "s" };
        write!(f, ", {} byte{ending} in {milliseconds:.1} ms", self.bytes)?;
        f.write_str(match self.ending {
            Ending::Whole => "",
            Ending::CallerGone => ", incomplete: the caller disconnected",
            Ending::Fault => ", incomplete: a fault rule",
            Ending::Failed => ", incomplete: the function failed",
            Ending::Closed => ", incomplete: the endpoint closed the connection",
        })?;
        write!(f, " ({})", self.request_id)
    }
}

/// The callback for request records.
#[derive(Clone)]
pub(crate) struct OnResponse(pub(crate) Arc<dyn Fn(&RequestRecord) + Send + Sync>);

impl fmt::Debug for OnResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnResponse")
    }
}

/// Records one request until its end.
pub(crate) struct Watch {
    on_response: Option<OnResponse>,
    pub(crate) span: RequestSpan,
    record: RequestRecord,
    started: Instant,
    connection: Arc<Connection>,
}

impl Watch {
    /// Starts to record a request; `None` if nobody receives the records.
    pub(crate) fn new(
        on_response: Option<&OnResponse>,
        parts: &Parts,
        id: RequestId,
        connection: &Arc<Connection>,
    ) -> Option<Box<Self>> {
        let span = RequestSpan::open(&parts.method, id);
        if on_response.is_none() && !span.is_enabled() {
            return None;
        }
        Some(Box::new(Self {
            on_response: on_response.cloned(),
            span,
            record: RequestRecord {
                method: parts.method.clone(),
                target: own(&parts.uri),
                status: None,
                error: None,
                failure: None,
                request_id: id.to_string(),
                until_head: Duration::ZERO,
                until_end: Duration::ZERO,
                bytes: 0,
                whole: false,
                ending: Ending::CallerGone,
            },
            started: Instant::now(),
            connection: Arc::clone(connection),
        }))
    }

    /// Records the response head.
    pub(crate) fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        self.record.status = Some(status);
        self.record.error = text("x-amzn-errortype").or_else(|| text("x-amz-function-error"));
        self.record.until_head = self.started.elapsed();
    }

    /// Counts more body bytes.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.record.bytes += bytes as u64;
    }

    /// Whether the response ends with its head, so that hyper drops its body.
    fn has_no_body(&self) -> bool {
        let status = self.record.status;
        status.is_some_and(|status| ends_with_head(&self.record.method, status))
    }

    /// Records the end of the body.
    pub(crate) fn end(mut self: Box<Self>, failure: Option<String>, struck: bool, whole: bool) {
        self.record.failure = failure;
        self.record.ending = match () {
            () if struck => Ending::Fault,
            () if whole || self.has_no_body() => Ending::Whole,
            () if self.connection.is_stopped() => Ending::Closed,
            () if self.record.failure.is_some() => Ending::Failed,
            () => Ending::CallerGone,
        };
        self.record.whole = self.record.ending == Ending::Whole;
    }
}

/// Copies a URI, which would otherwise keep the connection's whole read buffer in memory.
fn own(target: &Uri) -> Uri {
    Uri::try_from(target.to_string()).unwrap_or_else(|_| target.clone())
}

/// Reports the record, even if the caller disconnected before there was a response.
impl Drop for Watch {
    fn drop(&mut self) {
        self.record.until_end = self.started.elapsed();
        if self.record.status.is_none() && self.connection.is_stopped() {
            self.record.ending = Ending::Closed;
        }
        self.span.served(&self.record);
        if let Some(OnResponse(on_response)) = &self.on_response {
            on_response(&self.record);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.record).finish()
    }
}
