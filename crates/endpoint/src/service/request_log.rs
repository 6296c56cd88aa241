//! Telling of each request that was answered, for a log.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};

use crate::function::error::Failed;
use crate::request_id::RequestId;
use crate::wire::connection::Connection;

/// A request and what became of it, told when its answer has gone out or was given up.
///
/// `Display` is one line, without anything that a terminal would obey, and without what makes a URL
/// a presigned one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answered {
    /// The method.
    pub method: Method,
    /// Path and query, as they came.
    pub target: Uri,
    /// The answer's status; `None` if the caller went away before there was one.
    pub status: Option<StatusCode>,
    /// The service's error (`x-amzn-errortype`) or the function's (`x-amz-function-error`), as far
    /// as the answer's head has one.
    pub error: Option<String>,
    /// How the function failed, as `Type: message`, if it did: also where the response does not say
    /// so, as with a stream. At most 1 KiB of it.
    pub failure: Option<String>,
    /// The request's id.
    pub request_id: String,
    /// From the request's head to the answer's; zero without one.
    pub until_head: Duration,
    /// From the request's head to the end of the answer's body.
    pub until_end: Duration,
    /// How many bytes of body were given to the connection.
    pub bytes: u64,
    /// Whether that was the whole body.
    pub whole: bool,
    /// How the response ended.
    pub ending: Ending,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All of it was given to the connection.
    Whole,
    /// The caller went away first.
    CallerGone,
    /// A fault rule ended it.
    Fault,
    /// The endpoint closed the connection: its grace was over, or nothing had moved for too long.
    Closed,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URI has no control characters, and a method only those of a token.
        write!(f, "{} {}", self.method, self.target.path())?;
        // A presigned query is as good as a key until it expires.
        let is_shown = |parameter: &&str| !parameter.to_ascii_lowercase().starts_with("x-amz-");
        let query = self.target.query().unwrap_or_default();
        for (place, parameter) in query.split('&').filter(is_shown).enumerate() {
            if !parameter.is_empty() {
                write!(f, "{}{parameter}", if place == 0 { '?' } else { '&' })?;
            }
        }
        match self.status {
            Some(status) => write!(f, " {}", status.as_u16())?,
            None => f.write_str(" unanswered")?,
        }
        match (&self.failure, &self.error) {
            (Some(failure), _) => write!(f, " failed: {}", failure.escape_debug())?,
            (None, Some(error)) => write!(f, " {}", error.escape_debug())?,
            (None, None) => {}
        }
        let milliseconds = self.until_end.as_micros() as f64 / 1_000.0;
        write!(f, ", {} bytes in {milliseconds:.1} ms", self.bytes)?;
        f.write_str(match self.ending {
            Ending::Whole => "",
            Ending::CallerGone => ", broken off: the caller went away",
            Ending::Fault => ", broken off: a fault rule",
            Ending::Closed => ", broken off: the endpoint closed the connection",
        })?;
        write!(f, " ({})", self.request_id)
    }
}

/// What is called with each request that was answered.
#[derive(Clone)]
pub(crate) struct OnResponse(pub(crate) Arc<dyn Fn(&Answered) + Send + Sync>);

impl fmt::Debug for OnResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnResponse")
    }
}

/// Follows one request to its end.
pub(crate) struct Watch {
    told: OnResponse,
    answered: Answered,
    begun: Instant,
    connection: Arc<Connection>,
}

impl Watch {
    pub(crate) fn new(
        told: &OnResponse,
        parts: &Parts,
        id: RequestId,
        connection: &Arc<Connection>,
    ) -> Box<Self> {
        Box::new(Self {
            told: told.clone(),
            answered: Answered {
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
            begun: Instant::now(),
            connection: Arc::clone(connection),
        })
    }

    /// The answer's head is there.
    pub(crate) fn head<B>(&mut self, response: &Response<B>) {
        let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        self.answered.status = Some(response.status());
        self.answered.error = text("x-amzn-errortype").or_else(|| text("x-amz-function-error"));
        self.answered.until_head = self.begun.elapsed();
        if let Some(Failed(failure)) = response.extensions().get() {
            self.answered.failure = Some(failure.clone());
        }
    }

    /// So many more bytes of body.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.answered.bytes += bytes as u64;
    }

    /// The body is gone, all of it or not.
    pub(crate) fn end(mut self: Box<Self>, failed: Option<Failed>, struck: bool, whole: bool) {
        if let Some(Failed(failure)) = failed {
            self.answered.failure = Some(failure);
        }
        self.answered.ending = match () {
            () if struck => Ending::Fault,
            () if whole => Ending::Whole,
            () if self.connection.is_stopped() => Ending::Closed,
            () => Ending::CallerGone,
        };
        self.answered.whole = self.answered.ending == Ending::Whole;
    }
}

/// The same in memory of its own: it would else hold the connection's whole read buffer for as long
/// as somebody keeps it.
fn own(target: &Uri) -> Uri {
    Uri::try_from(target.to_string()).unwrap_or_else(|_| target.clone())
}

/// Dropped with the request: also if the caller went away before the answer began.
impl Drop for Watch {
    fn drop(&mut self) {
        self.answered.until_end = self.begun.elapsed();
        if self.answered.status.is_none() && self.connection.is_stopped() {
            self.answered.ending = Ending::Closed;
        }
        (self.told.0)(&self.answered);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.answered).finish()
    }
}
