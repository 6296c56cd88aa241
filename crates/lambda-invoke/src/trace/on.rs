//! The span and the events, with the feature.

use std::time::{Duration, Instant, SystemTime};

use http::response::Parts;
use lambda_invoke_protocol::Request;
use lambda_invoke_protocol::operation::InvokeOperation;
use lambda_invoke_protocol::retry::{ClockOffset, GiveUpReason, Recovery, Retry};
use lambda_invoke_sigv4::{Credentials, Signer, Timestamp};
use tracing::instrument::{Instrumented, WithDispatch, WithSubscriber as _};
use tracing::{Instrument as _, Level, Span, debug, event, field, info};

use crate::exchange::request_id;
use crate::{EndpointUrl, Error, ErrorKind, Execution};

/// The target of the span and of all events.
const TARGET: &str = "lambda_invoke";

/// The span of a call: open until its response is complete, or has failed or been dropped.
#[derive(Debug)]
pub(crate) struct CallSpan {
    span: Span,
    started: Option<Instant>,
}

impl CallSpan {
    /// Opens the span of a call.
    pub(crate) fn open<Op: InvokeOperation>(
        request: &Request<'_, Op>,
        endpoint: &EndpointUrl,
        region: &str,
    ) -> Self {
        let span = tracing::span!(
            target: TARGET,
            Level::INFO,
            "lambda_invoke",
            operation = %Op::OPERATION,
            function = %request.target.name(),
            qualifier = request.target.qualifier().map(field::display),
            endpoint = %endpoint.uri(),
            region,
            request_bytes = request.payload.len(),
            request_id = field::Empty,
            status = field::Empty,
            attempts = field::Empty,
        );
        let started = (!span.is_disabled()).then(Instant::now);
        Self { span, started }
    }

    /// Runs a future within the span. Not an async function, which would hold the future twice.
    pub(crate) fn run<F: Future>(&self, future: F) -> Instrumented<F> {
        future.instrument(self.span.clone())
    }

    /// Records the head of the final response.
    pub(crate) fn responded(&self, parts: &Parts, attempts: u32) {
        if self.started.is_none() {
            return;
        }
        self.span.record("status", parts.status.as_u16());
        self.span.record("attempts", attempts);
        if let Some(id) = request_id(&parts.headers) {
            self.span.record("request_id", id);
        }
    }

    /// Reports that the response is complete.
    pub(crate) fn complete(&self, received: u64) {
        let Some(started) = self.started else { return };
        self.span.in_scope(|| {
            debug!(
                target: TARGET,
                received,
                elapsed = ?started.elapsed(),
                "response complete"
            );
        });
    }

    /// Reports a failure after the head of the response.
    pub(crate) fn failed(&self, error: &Error) {
        let Some(started) = self.started else { return };
        self.span.in_scope(|| {
            debug!(
                target: TARGET,
                kind = ?error.kind(),
                received = error.received(),
                elapsed = ?started.elapsed(),
                "response failed"
            );
        });
    }
}

/// Lets a future in a separate task report to the same subscriber as its call.
pub(crate) fn inherited<F: Future>(future: F) -> WithDispatch<Instrumented<F>> {
    future.in_current_span().with_current_subscriber()
}

/// Reports credentials that the provider returned.
pub(crate) fn credentials_fetched(credentials: &Credentials) {
    debug!(
        target: TARGET,
        access_key_id = credentials.access_key_id(),
        has_session_token = credentials.session_token().is_some(),
        expiry = credentials.expiry().map(field::display),
        "credentials fetched"
    );
}

/// Reports that the provider failed and the old credentials are used again.
pub(crate) fn credentials_kept(credentials: &Credentials) {
    event!(
        target: TARGET,
        Level::WARN,
        access_key_id = credentials.access_key_id(),
        expiry = credentials.expiry().map(field::display),
        "credentials could not be renewed; the old ones are still valid"
    );
}

/// Reports a request that is about to be sent.
pub(crate) fn signed(attempt: u32, signer: &Signer, time: Timestamp, path: &str, bytes: usize) {
    debug!(
        target: TARGET,
        attempt,
        path,
        bytes,
        access_key_id = signer.credentials().access_key_id(),
        scope = %Scope { signer, time },
        "request signed"
    );
}

/// The scope of a signature, as in the `Authorization` header.
struct Scope<'s> {
    signer: &'s Signer,
    time: Timestamp,
}

impl std::fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = self.time.to_string();
        let day = time.split('T').next().unwrap_or_default();
        let (region, service) = (self.signer.region(), self.signer.service());
        write!(f, "{day}/{region}/{service}/aws4_request")
    }
}

/// Reports the head of a response, of a success or an error.
pub(crate) fn received(attempt: u32, parts: &Parts, sent: SystemTime, received: SystemTime) {
    debug!(
        target: TARGET,
        attempt,
        status = parts.status.as_u16(),
        request_id = request_id(&parts.headers),
        elapsed = ?received.duration_since(sent).unwrap_or_default(),
        "response received"
    );
}

/// Reports that an attempt failed and another follows.
pub(crate) fn retrying(attempt: u32, max_attempts: u32, error: &Error, retry: &Retry) {
    info!(
        target: TARGET,
        attempt,
        max_attempts,
        delay_ms = milliseconds(retry.after),
        reason = reason(error, retry.recovery),
        code = code(error),
        execution = execution(error),
        "retrying"
    );
}

/// Reports that an attempt failed and none follows.
pub(crate) fn gave_up(attempt: u32, error: &Error, why: GiveUpReason) {
    debug!(
        target: TARGET,
        attempt,
        kind = ?error.kind(),
        code = code(error),
        execution = execution(error),
        why = %why,
        "call failed"
    );
}

/// Reports a new correction of the clock.
pub(crate) fn clock_corrected(clock: ClockOffset) {
    info!(
        target: TARGET,
        offset_secs = clock.as_secs(),
        "clock corrected"
    );
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn code(error: &Error) -> Option<&str> {
    error.service_error()?.code()
}

fn execution(error: &Error) -> &'static str {
    match error.execution() {
        Execution::NotStarted => "not started",
        Execution::Started => "started",
        // `Execution` is non_exhaustive: a value that this version does not know counts as unknown.
        _ => "unknown",
    }
}

/// Why there is another attempt, in words for a log line.
fn reason(error: &Error, recovery: Recovery) -> &'static str {
    match (recovery, error.kind()) {
        (Recovery::CorrectClock(_), _) => "the clock was wrong",
        (Recovery::RefreshCredentials, _) => "the credentials were expired",
        _ if error.is_throttled() => "throttled",
        (_, ErrorKind::Service) => "the service failed",
        (_, ErrorKind::Connect) => "no connection",
        (_, ErrorKind::TimedOut) => "timed out",
        (_, ErrorKind::Transport) => "the connection failed",
        (_, ErrorKind::UnexpectedResponse) => "an unexpected response",
        _ => "the attempt failed",
    }
}
