//! The span and the events, with the feature.

use http::Method;
use tracing::instrument::Instrumented;
use tracing::{Instrument as _, Span, debug, debug_span};

use crate::request_id::RequestId;
use crate::service::request_log::RequestRecord;

const TARGET: &str = "lambda_invoke_endpoint";

/// The span of a request: open until its response has been sent or abandoned.
#[derive(Clone, Debug)]
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn open(method: &Method, id: RequestId) -> Self {
        Self(debug_span!(
            target: TARGET,
            "request",
            %method,
            request_id = id.as_str(),
        ))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        !self.0.is_disabled()
    }

    /// Runs a future within the span. Not an async function, which would hold the future twice.
    pub(crate) fn run<F: Future>(&self, future: F) -> Instrumented<F> {
        future.instrument(self.0.clone())
    }

    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.in_scope(run)
    }

    /// Reports the response, after its end.
    pub(crate) fn served(&self, record: &RequestRecord) {
        self.0.in_scope(|| {
            debug!(
                target: TARGET,
                status = record.status.map(|status| status.as_u16()),
                error = record.error.as_deref(),
                bytes = record.bytes,
                ending = ?record.ending,
                until_head = ?record.until_head,
                until_end = ?record.until_end,
                "request served"
            );
        });
    }
}

/// Reports that a function is called: by a request, or from the queue of events.
pub(crate) fn called(function: &str, via: &str, id: RequestId, payload_bytes: usize) {
    debug!(
        target: TARGET,
        function,
        via,
        request_id = id.as_str(),
        payload_bytes,
        "function called"
    );
}
