//! From a running function to the response of its URL.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use lambda_invoke_error::text::truncate;
use lambda_invoke_protocol::function_url::{UrlHead, UrlResponse, UrlResponseError, failure};
use lambda_invoke_protocol::prelude::{
    HTTP_INTEGRATION_CONTENT_TYPE, Part, PreludeError, PreludeSplitter,
};

use crate::fault::Plan;
use crate::function::channel::{Mode, ResponseHead};
use crate::function::error::LONGEST_SUMMARY;
use crate::function::invocation::Invocation;
use crate::function::url::UrlMode;
use crate::run::collect::{Collected, collect};
use crate::run::discard::discard;
use crate::run::execution::{Execution, Next};
use crate::run::platform_log;
use crate::run::unframed::FunctionChunks;
use crate::service::response_body::{Content, ends_with_head};
use crate::service::stream_body::StreamBody;
use crate::wire::bandwidth::Bandwidth;
use crate::wire::connection::Connection;
use crate::wire::shutdown;

/// A function that runs for a URL.
pub(super) struct Running<'a> {
    pub(super) execution: Execution,
    pub(super) invocation: Invocation,
    pub(super) connection: &'a Arc<Connection>,
    pub(super) method: &'a Method,
    pub(super) bandwidth: Option<Bandwidth>,
    pub(super) plan: &'a Plan,
}

impl Running<'_> {
    /// Waits for the response's head; the body follows as the function writes it.
    pub(super) async fn respond(mut self, mode: Option<UrlMode>) -> Response<Content> {
        if mode == Some(UrlMode::Buffered) {
            return self.buffered().await;
        }
        let head = poll_fn(|cx| self.execution.poll_head(cx)).await;
        if mode.is_none() && head.mode == Mode::Buffered {
            return self.buffered().await;
        }
        self.streamed(head).await
    }

    async fn buffered(mut self) -> Response<Content> {
        self.execution.drain_when_dropped();
        let collected = collect(&mut self.execution).await;
        platform_log::finish(&self.invocation, &collected.outcome);
        if let Err(error) = &collected.outcome {
            return failed(error.summary());
        }
        match converted(collected) {
            Ok(response) => response.into_response().map(Content::whole),
            Err(error) => rejected(&self.invocation, explained(&error)),
        }
    }

    async fn streamed(mut self, head: ResponseHead) -> Response<Content> {
        let mut first = VecDeque::new();
        let mut splitter = is_integration(&head).then(PreludeSplitter::required);
        let head = loop {
            let Some(splitter) = &mut splitter else {
                // A function that has ended may have failed before its first byte.
                if head.started && !self.execution.has_ended() {
                    break without_prelude(&head);
                }
                match self.execution.next().await {
                    Next::Chunk(chunk) => first.push_back(chunk),
                    Next::End(outcome) => {
                        platform_log::finish(&self.invocation, &outcome);
                        return match outcome {
                            Ok(()) => {
                                without_prelude(&head).into_response(Content::whole(Bytes::new()))
                            }
                            Err(error) => failed(error.summary()),
                        };
                    }
                }
                break without_prelude(&head);
            };
            match splitter.next_part() {
                Some(Ok(Part::Prelude(prelude))) => match UrlHead::try_from(prelude) {
                    Ok(head) => {
                        while let Some(Ok(Part::Body(chunk))) = splitter.next_part() {
                            first.push_back(chunk);
                        }
                        break head;
                    }
                    Err(error) => return rejected(&self.invocation, explained(&error)),
                },
                Some(Err(error)) => return rejected(&self.invocation, error.to_string()),
                // A required prelude comes before any body.
                Some(Ok(_)) => {}
                None => match self.execution.next().await {
                    Next::Chunk(chunk) => splitter.push(chunk),
                    Next::End(outcome) => {
                        platform_log::finish(&self.invocation, &outcome);
                        return match (outcome, splitter.finish()) {
                            (Err(error), _) => failed(error.summary()),
                            (Ok(()), Err(error)) => rejected(&self.invocation, error.to_string()),
                            (Ok(()), Ok(())) => failed(String::new()),
                        };
                    }
                },
            }
        };
        let head = head.into_response(());
        if ends_with_head(self.method, head.status()) {
            run_on(self.execution, self.invocation, self.connection.running());
            return head.map(|()| Content::Omitted);
        }
        let chunks = FunctionChunks::new(first, self.execution, self.invocation);
        let connection = Arc::clone(self.connection);
        let chunks = self.plan.chunks(Box::new(chunks));
        let body = StreamBody::new(chunks, connection, self.bandwidth);
        head.map(|()| Content::Frames(Box::new(body)))
    }
}

/// Runs a function whose response has no body to its end: what it writes is discarded.
fn run_on(execution: Execution, invocation: Invocation, running: &shutdown::Running) {
    let stop = running.stop();
    tokio::spawn(async move {
        tokio::select! {
            outcome = discard(execution) => {
                platform_log::finish(&invocation, &outcome);
            }
            () = stop => {}
        }
    });
}

fn is_integration(head: &ResponseHead) -> bool {
    let content_type = head.content_type.as_deref().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(HTTP_INTEGRATION_CONTENT_TYPE)
}

/// Returns the head of a response without a prelude: the unconverted result of a function that does
/// not stream is JSON.
fn without_prelude(head: &ResponseHead) -> UrlHead {
    let own = head.content_type.as_deref();
    let json = (head.mode == Mode::Buffered).then_some("application/json");
    UrlHead::without_prelude(own.or(json))
}

/// Converts a collected response: JSON by the published rules; the output of a streaming function,
/// with or without a prelude, unchanged.
fn converted(collected: Collected) -> Result<UrlResponse, UrlResponseError> {
    let Collected { head, response, .. } = collected;
    if !is_integration(&head) {
        let converted = UrlResponse::try_from(response.clone());
        let is_body = match &converted {
            Err(UrlResponseError::NotJson(_)) => true,
            // Without a status, the JSON is the body. A type that the function has set stays.
            Ok(converted) => head.content_type.is_some() && converted.body == response,
            Err(_) => false,
        };
        return match head.mode {
            Mode::Streaming if is_body => Ok(UrlResponse::new(without_prelude(&head), response)),
            _ => converted,
        };
    }
    let mut splitter = PreludeSplitter::required();
    splitter.push(response);
    let end = splitter.finish();
    let Some(Ok(Part::Prelude(prelude))) = splitter.next_part() else {
        let missing = PreludeError::Truncated { length: 0 };
        return Err(end.err().unwrap_or(missing).into());
    };
    let body = match splitter.next_part() {
        Some(Ok(Part::Body(body))) => body,
        _ => Bytes::new(),
    };
    Ok(UrlResponse::new(UrlHead::try_from(prelude)?, body))
}

/// Returns the response for a function whose result is not a response, and notes why in the console.
fn rejected(invocation: &Invocation, mut why: String) -> Response<Content> {
    // The name of a header in it may be long.
    let end = truncate(&why, LONGEST_SUMMARY).len();
    if end < why.len() {
        why.truncate(end);
        why.push_str("...");
    }
    if let Some(entry) = invocation.entry() {
        entry.reject(&why);
    }
    failed(why)
}

/// Returns the response for a function that failed, with the reason for the request log only.
fn failed(why: String) -> Response<Content> {
    failure().map(|body| Content::whole(body).of_failed(Some(why)))
}

/// Returns an error with its source, on one line.
fn explained(error: &UrlResponseError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
