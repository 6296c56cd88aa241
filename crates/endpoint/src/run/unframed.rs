//! The consumer that passes a response on without framing, for function URLs.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::execution::{Execution, Next};
use super::platform_log;
use crate::function::invocation::Invocation;
use crate::wire::stage::{Messages, Stage, TruncatedOnPurpose};

/// The chunks of a response, unframed. If the function fails, the response is truncated, since HTTP
/// has no other way to report that.
///
/// The function runs while this is polled. If it is dropped, the function's next write fails.
#[derive(Debug)]
pub(crate) struct FunctionChunks {
    /// The chunks that were already read, which follow the response head.
    first: VecDeque<Bytes>,
    /// `None` once it has ended.
    execution: Option<Execution>,
    invocation: Invocation,
    failure: Option<String>,
}

impl FunctionChunks {
    pub(crate) fn new(
        first: VecDeque<Bytes>,
        execution: Execution,
        invocation: Invocation,
    ) -> Self {
        Self {
            first,
            execution: Some(execution),
            invocation,
            failure: None,
        }
    }
}

impl Stage for FunctionChunks {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        if let Some(execution) = &mut self.execution {
            execution.run_on(cx);
        }
    }

    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }
}

impl Messages for FunctionChunks {
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<Option<Result<(), TruncatedOnPurpose>>> {
        if let Some(chunk) = self.first.pop_front() {
            pieces.push_back(chunk);
            return Poll::Ready(Some(Ok(())));
        }
        let Some(execution) = &mut self.execution else {
            return Poll::Ready(None);
        };
        let outcome = match ready!(execution.poll_next(cx)) {
            Next::Chunk(chunk) => {
                pieces.push_back(chunk);
                return Poll::Ready(Some(Ok(())));
            }
            Next::End(outcome) => outcome,
        };
        self.execution = None;
        platform_log::finish(&self.invocation, &outcome);
        Poll::Ready(outcome.err().map(|error| {
            self.failure = Some(error.summary());
            Err(TruncatedOnPurpose)
        }))
    }

    fn is_end(&self) -> bool {
        self.first.is_empty() && self.execution.is_none() && self.failure.is_none()
    }
}
