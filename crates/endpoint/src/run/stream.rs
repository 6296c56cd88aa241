//! The consumer that passes a response on as events, for `InvokeWithResponseStream`.

use std::task::{Context, Poll, ready};

use lambda_invoke_protocol::{InvokeComplete, StreamEvent};

use super::execution::{Execution, Next};
use super::platform_log;
use super::running::Outcome;
use crate::function::invocation::Invocation;
use crate::wire::stage::{Events, Stage};

/// The events of a streamed response: an event for each chunk, then `InvokeComplete`.
///
/// The function runs while this is polled. If it is dropped, the function's next write fails.
#[derive(Debug)]
pub(crate) struct FunctionEvents {
    /// `None` once it has ended.
    execution: Option<Execution>,
    invocation: Invocation,
    /// Whether `InvokeComplete` reports a failure.
    error_code: bool,
    failure: Option<String>,
}

impl FunctionEvents {
    pub(crate) fn new(execution: Execution, invocation: Invocation, error_code: bool) -> Self {
        Self {
            execution: Some(execution),
            invocation,
            error_code,
            failure: None,
        }
    }

    fn complete(&mut self, outcome: &Outcome) -> InvokeComplete {
        let log = platform_log::finish(&self.invocation, outcome);
        let mut complete = InvokeComplete::with_log(log);
        if let Err(error) = outcome {
            self.failure = Some(error.summary());
            if self.error_code {
                let details = error.payload(self.invocation.request_id());
                complete.error_code = Some(error.error_type().to_owned());
                complete.error_details = Some(String::from_utf8_lossy(&details).into_owned());
            }
        }
        complete
    }
}

impl Stage for FunctionEvents {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        if let Some(execution) = &mut self.execution {
            execution.run_on(cx);
        }
    }

    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }
}

impl Events for FunctionEvents {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        let Some(execution) = &mut self.execution else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match ready!(execution.poll_next(cx)) {
            Next::Chunk(chunk) => StreamEvent::PayloadChunk(chunk.into()),
            Next::End(outcome) => {
                self.execution = None;
                StreamEvent::InvokeComplete(self.complete(&outcome))
            }
        }))
    }

    fn is_end(&self) -> bool {
        self.execution.is_none()
    }
}
