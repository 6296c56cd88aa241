//! The response of an invocation, while it arrives, and the report of its end.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{Failure, LogLine, Outcome};

/// How a runtime sent its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "as a whole or piece by piece")]
pub enum Mode {
    /// As a whole: at most one chunk.
    Buffered,
    /// Piece by piece.
    Streaming,
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// How the response is sent.
    pub mode: Mode,
    /// The content type that the runtime declared.
    pub content_type: Option<String>,
}

impl Head {
    /// The content type of responses that begin with a JSON prelude and eight NULs.
    pub const HTTP_INTEGRATION: &'static str =
        "application/vnd.awslambda.http-integration-response";

    pub(crate) const fn buffered() -> Self {
        Self {
            mode: Mode::Buffered,
            content_type: None,
        }
    }

    /// Whether the chunks begin with the prelude of an HTTP response: JSON and eight NULs, which
    /// are passed on unchanged.
    #[must_use]
    pub fn is_http_integration(&self) -> bool {
        self.content_type
            .as_deref()
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(Self::HTTP_INTEGRATION))
    }
}

/// The chunks of a response, and the report of its end.
#[derive(Debug)]
pub(crate) enum Body {
    /// At most one chunk, of an invocation that has ended already.
    Whole {
        bytes: Option<Bytes>,
        report: Report,
    },
    /// Chunks as they arrive.
    Live {
        chunks: mpsc::Receiver<Bytes>,
        report: oneshot::Receiver<Report>,
    },
}

/// The response of an invocation.
///
/// Dropping it does not stop the function: the rest of the response is discarded.
#[derive(Debug)]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Body,
    pub(crate) request_id: String,
}

impl Response {
    /// The head. Its mode is `Buffered` if the invocation failed before its response.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Receives the next chunk, as the runtime wrote it. `None` after the last.
    ///
    /// Cancel-safe. While nobody receives, the runtime has to wait.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        match &mut self.body {
            Body::Whole { bytes, .. } => bytes.take(),
            Body::Live { chunks, .. } => chunks.recv().await,
        }
    }

    /// Takes a buffered response and the report of its invocation, which has ended.
    ///
    /// # Errors
    ///
    /// The response itself, if it is a streaming one.
    #[expect(
        clippy::result_large_err,
        reason = "both variants are, and are moved once"
    )]
    pub fn into_buffered(self) -> Result<(Bytes, Report), Self> {
        match (self.head.mode, self.body) {
            (Mode::Buffered, Body::Whole { bytes, report }) => {
                Ok((bytes.unwrap_or_default(), report))
            }
            (_, body) => Err(Self { body, ..self }),
        }
    }

    /// Discards the chunks that are left and waits for the end of the invocation.
    pub async fn finish(mut self) -> Report {
        while self.chunk().await.is_some() {}
        let report = match self.body {
            Body::Whole { report, .. } => return report,
            Body::Live { report, .. } => report.await,
        };
        // An error: the tokio runtime that ran the function has shut down.
        let shut_down = |_| Report::new(Outcome::Failed(Failure::shut_down(&self.request_id)));
        report.unwrap_or_else(shut_down)
    }
}

/// What is known about an invocation after its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The time from delivering the event to the runtime to the end of its response.
    pub duration: Duration,
    /// The time from the start of the process to its first request for an event, if this invocation
    /// was the first of its instance.
    pub init_duration: Option<Duration>,
    /// The peak memory that the instance's processes have used so far, in bytes. `None` if the
    /// event asked to omit it, or no process ran.
    pub max_memory: Option<u64>,
    /// The last 64 KiB of the function's output during the invocation. Empty if invocations share
    /// an instance, so that a line cannot be attributed to one of them.
    pub log: Vec<LogLine>,
}

impl Report {
    pub(crate) const fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            duration: Duration::ZERO,
            init_duration: None,
            max_memory: None,
            log: Vec::new(),
        }
    }
}
