//! The constructors of errors.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::response::Parts;
use lambda_invoke_error::text::Excerpt;
use lambda_invoke_error::{Execution, ServiceError};
use lambda_invoke_protocol::StreamException;
use lambda_invoke_protocol::retry::GiveUpReason;
use lambda_invoke_transport::{self as transport, Sent, TimeoutKind};

use super::{Detail, Error, ErrorKind, Repr};
use crate::endpoint::EndpointUrl;
use crate::exchange::request_id;
use crate::{BoxError, Collected, FunctionFailure};

/// How much of an unexpected body a message shows, in bytes.
const SHOWN: usize = 120;

impl Error {
    fn new(kind: ErrorKind, detail: Detail, message: impl Into<Cow<'static, str>>) -> Self {
        let execution = detail.as_failure().execution();
        Self(Box::new(Repr {
            kind,
            execution,
            detail,
            message: message.into(),
            advice: None,
            attempts: 0,
            give_up_reason: None,
            request_id: None,
            received: None,
            timeout: None,
            collected: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into().into());
        self
    }

    /// An invalid call, found before anything was sent.
    pub(crate) fn input(source: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Input, Detail::Local, "the call is invalid").with_source(source)
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, Detail::Local, message)
    }

    /// The failure of a fetch, which all calls that waited for it share.
    pub(crate) fn credentials(source: Arc<dyn StdError + Send + Sync>) -> Self {
        let message = "no credentials to sign the request with";
        let mut this = Self::new(ErrorKind::Credentials, Detail::Local, message);
        this.0.source = Some(source);
        this
    }

    /// A clock outside the range of a signature's timestamp.
    pub(crate) fn clock(source: impl Into<BoxError>) -> Self {
        Self::configuration("this machine's clock is wrong").with_source(source)
    }

    pub(crate) fn service(error: ServiceError) -> Self {
        let id = error.request_id().map(Into::into);
        let message = error.to_string();
        let mut this = Self::new(ErrorKind::Service, Detail::Service(error), message);
        this.0.request_id = id;
        this
    }

    /// A response that the operation cannot return; `start` is the beginning of its body.
    pub(crate) fn unexpected(
        endpoint: &EndpointUrl,
        parts: &Parts,
        start: &[u8],
        source: impl Into<BoxError>,
    ) -> Self {
        let mut message = format!(
            "unexpected response from {}: {}",
            endpoint.origin(),
            parts.status
        );
        if let Some(content_type) = parts.headers.get(CONTENT_TYPE) {
            let content_type = String::from_utf8_lossy(content_type.as_bytes());
            message.push_str(&format!(", content type {}", Excerpt(&content_type)));
        }
        if !start.is_empty() {
            let start = start.get(..SHOWN).unwrap_or(start);
            let start = String::from_utf8_lossy(start);
            message.push_str(&format!(", beginning with \"{}\"", Excerpt(start.trim())));
        }
        let detail = Detail::UnexpectedResponse;
        Self::new(ErrorKind::UnexpectedResponse, detail, message)
            .with_advice("check the endpoint's address, and any proxy in between")
            .with_source(source)
            .with_request_id(request_id(&parts.headers))
    }

    /// A timeout that the client itself enforced, with a custom HTTP service.
    pub(crate) fn timed_out(endpoint: &EndpointUrl, kind: TimeoutKind, length: Duration) -> Self {
        let message = timeout_message(Some(endpoint), kind, length);
        let mut this = Self::new(ErrorKind::TimedOut, Detail::NoResponse, message);
        this.0.timeout = Some((kind, Some(length)));
        this
    }

    /// A request without a response. `sent` is about all sends of the request, `error` about the last
    /// one: a layer above the transport may send a request more than once.
    pub(crate) fn no_response(endpoint: &EndpointUrl, error: BoxError, sent: Sent) -> Self {
        let origin = endpoint.origin();
        let known = error.downcast_ref::<transport::Error>();
        let known = known.filter(|known| known.sent() == Sent::Maybe || sent == Sent::No);
        let Some(known) = known else {
            let message = format!("no response from {origin}: the HTTP service failed");
            return Self::new(ErrorKind::Transport, Detail::NoResponse, message).with_source(error);
        };
        let detail = match known.sent() {
            Sent::No => Detail::NotSent,
            Sent::Maybe => Detail::NoResponse,
        };
        let no_connection = || Cow::Owned(format!("no connection to {origin}"));
        let mut advice = None;
        let (kind, detail, message) = match known.kind() {
            transport::ErrorKind::Configuration => (
                ErrorKind::Configuration,
                Detail::Local,
                "the transport cannot be set up".into(),
            ),
            transport::ErrorKind::Request => (
                ErrorKind::Input,
                Detail::Local,
                "the request cannot be sent".into(),
            ),
            // Another attempt would meet the same certificate.
            transport::ErrorKind::Certificate => {
                advice = Some("check the endpoint's address, or trust its certificate authority");
                let message = format!("the certificate of {origin} was rejected");
                (ErrorKind::Connect, Detail::Local, message.into())
            }
            transport::ErrorKind::TimedOut(kind) => {
                let message = match known.limit() {
                    Some(length) => timeout_message(Some(endpoint), kind, length).into(),
                    None => no_connection(),
                };
                (ErrorKind::TimedOut, detail, message)
            }
            _ if known.is_connect() => {
                advice = Some("check the endpoint's address, the region and the network");
                (ErrorKind::Connect, detail, no_connection())
            }
            transport::ErrorKind::Canceled => {
                let message = format!("{origin} closed the connection before the request was sent");
                (ErrorKind::Connect, detail, message.into())
            }
            _ => {
                let message = format!("no response from {origin}");
                (ErrorKind::Transport, detail, message.into())
            }
        };
        let mut this = Self::new(kind, detail, message);
        this.0.advice = advice;
        this.with_timeout_of(known).with_source(error)
    }

    /// A response that failed after `received` bytes of the function's output.
    pub(crate) fn broken(error: BoxError, received: u64) -> Self {
        let known = error.downcast_ref::<transport::Error>();
        let Some((known, kind)) = known.and_then(|known| Some((known, known.timed_out()?))) else {
            return Self::truncated(error, received);
        };
        let message = match known.limit() {
            Some(length) => timeout_message(None, kind, length).into(),
            None => Cow::Borrowed("the connection timed out"),
        };
        Self::started(ErrorKind::TimedOut, message, received)
            .with_timeout_of(known)
            .with_source(error)
    }

    /// Names the call's total timeout, if it was reached: a later attempt had only the rest of it.
    pub(crate) fn of_total(
        mut self,
        endpoint: Option<&EndpointUrl>,
        total: Option<Duration>,
    ) -> Self {
        if let (Some((kind @ TimeoutKind::Total, Some(_))), Some(total)) = (self.0.timeout, total) {
            self.0.message = timeout_message(endpoint, kind, total).into();
            self.0.timeout = Some((kind, Some(total)));
        }
        self
    }

    /// A response that ended without proof that it was complete.
    pub(crate) fn truncated(source: impl Into<BoxError>, received: u64) -> Self {
        let message = "the response is incomplete";
        Self::started(ErrorKind::Truncated, message, received).with_source(source)
    }

    pub(crate) fn corrupt(source: impl Into<BoxError>, received: u64) -> Self {
        let message = "the response is corrupt";
        Self::started(ErrorKind::Corrupt, message, received).with_source(source)
    }

    pub(crate) fn stream_exception_of(exception: StreamException, received: u64) -> Self {
        let message = format!("the service ended the response stream with {exception}");
        let detail = Detail::StreamException(exception);
        let mut this = Self::new(ErrorKind::StreamException, detail, message);
        this.0.received = Some(received);
        this
    }

    pub(crate) fn too_large(limit: u64, received: u64) -> Self {
        let allowed = match limit {
            1 => "1 byte that is".to_owned(),
            _ => format!("{limit} bytes that are"),
        };
        let message = format!("the response is larger than the {allowed} allowed");
        Self::unusable(ErrorKind::TooLarge, message, received)
    }

    pub(crate) fn json(source: impl Into<BoxError>, received: u64) -> Self {
        let message = "the function's response is not JSON of the expected type";
        Self::unusable(ErrorKind::Json, message, received).with_source(source)
    }

    pub(crate) fn text(source: impl Into<BoxError>, received: u64) -> Self {
        let message = "the function's response is not UTF-8";
        Self::unusable(ErrorKind::Text, message, received).with_source(source)
    }

    fn started(kind: ErrorKind, message: impl Into<Cow<'static, str>>, received: u64) -> Self {
        let mut this = Self::new(kind, Detail::IncompleteResponse, message);
        this.0.received = Some(received);
        this
    }

    fn unusable(kind: ErrorKind, message: impl Into<Cow<'static, str>>, received: u64) -> Self {
        let mut this = Self::new(kind, Detail::Unusable, message);
        this.0.received = Some(received);
        this
    }

    pub(crate) fn function_failed(failure: FunctionFailure, received: u64) -> Self {
        let message = match (&failure.code, &failure.details) {
            (None, None) => format!("the function failed, as its log reports: {failure}"),
            _ => format!("the function failed: {failure}"),
        };
        let detail = Detail::FunctionFailed(Box::new(failure));
        let mut this = Self::new(ErrorKind::FunctionFailed, detail, message);
        this.0.received = Some(received);
        this
    }

    fn with_advice(mut self, advice: &'static str) -> Self {
        self.0.advice = Some(advice);
        self
    }

    fn with_timeout_of(mut self, error: &transport::Error) -> Self {
        self.0.timeout = error.timed_out().map(|kind| (kind, error.limit()));
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        if self.0.request_id.is_none() {
            self.0.request_id = id.map(Into::into);
        }
        self
    }

    /// Sets what the response's head and its body so far prove about the execution, for an error that
    /// shows only that the rest of the response is missing or of no use.
    pub(crate) fn with_proof(mut self, execution: Execution) -> Self {
        if matches!(
            self.0.detail,
            Detail::IncompleteResponse | Detail::Unusable | Detail::StreamException(_)
        ) {
            self.0.execution = execution;
        }
        self
    }

    /// Adds the outcome of earlier attempts: one of them may have run the function.
    pub(crate) fn given_up(
        mut self,
        attempts: u32,
        earlier: Execution,
        reason: Option<GiveUpReason>,
    ) -> Self {
        self.0.attempts = attempts;
        self.0.give_up_reason = reason;
        self.0.execution = self.0.execution.max(earlier);
        self
    }

    /// Adds the number of attempts to an error of the response that the last of them received.
    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_collected(mut self, collected: Collected) -> Self {
        self.0.collected = Some(Box::new(collected));
        self
    }
}

fn timeout_message(endpoint: Option<&EndpointUrl>, kind: TimeoutKind, length: Duration) -> String {
    let what = match kind {
        TimeoutKind::Connect => "no connection",
        TimeoutKind::FirstByte => "no response",
        TimeoutKind::Idle => "no further data",
        _ => "no complete response",
    };
    let from = match (endpoint, kind) {
        (None, _) => String::new(),
        (Some(endpoint), TimeoutKind::Connect) => format!(" to {}", endpoint.origin()),
        (Some(endpoint), _) => format!(" from {}", endpoint.origin()),
    };
    format!("{what}{from} within {length:?}, the {kind} timeout")
}
