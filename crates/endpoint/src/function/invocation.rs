//! One call of a function, as the function sees it.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_invoke_protocol::{LogTail, TailBuffer};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::function::error::FunctionError;
use crate::function::info::FunctionInfo;
use crate::request_id::RequestId;

/// One call of a function: what it was called with, and what it can tell and ask of its platform.
///
/// Cheap to clone; the clones are the same invocation.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Function, FunctionError};
///
/// let who = Function::buffered("who", |invocation| async move {
///     invocation.log("someone asked");
///     Ok::<_, FunctionError>(format!("{:?}", invocation.request_id()))
/// });
/// # assert_eq!(who.name(), "who");
/// ```
#[derive(Clone)]
pub struct Invocation {
    payload: Bytes,
    shared: Arc<Shared>,
}

/// What a call is made with besides its payload.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) function: Arc<FunctionInfo>,
    /// The qualifier that the caller used, if any: it ends the invoked ARN.
    pub(crate) qualifier: Option<String>,
    /// The version that runs: `None` is `$LATEST`.
    pub(crate) version: Option<u64>,
    pub(crate) request_id: RequestId,
    pub(crate) client_context: Option<Vec<u8>>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) durable_execution_name: Option<String>,
    pub(crate) event: bool,
    pub(crate) tail: bool,
}

impl Call {
    /// The ARN that the caller invoked.
    pub(crate) fn function_arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function.arn),
            None => self.function.arn.clone(),
        }
    }

    /// The version that runs: `$LATEST` or a number.
    pub(crate) fn executed_version(&self) -> String {
        match self.version {
            None => "$LATEST".to_owned(),
            Some(number) => number.to_string(),
        }
    }
}

/// A time so much later, or, where there is no such time, decades later.
pub(crate) fn later(time: Instant, duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 86_400);
    let later = time.checked_add(duration);
    later.or_else(|| time.checked_add(DECADES)).unwrap_or(time)
}

struct Shared {
    call: Call,
    started: Instant,
    log: Option<Mutex<TailBuffer>>,
    gone: AtomicBool,
    gone_told: Notify,
}

impl Invocation {
    pub(crate) fn new(payload: Bytes, call: Call) -> Self {
        let log = call.tail.then(Mutex::default);
        let shared = Arc::new(Shared {
            call,
            started: Instant::now(),
            log,
            gone: AtomicBool::new(false),
            gone_told: Notify::new(),
        });
        Self { payload, shared }
    }

    /// The payload, JSON as the service demands it; a call without one has `{}`.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload as a typed value.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON of that type: what was wrong and where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FunctionError> {
        serde_json::from_slice(&self.payload)
            .map_err(|error| FunctionError::new("InvalidPayload", error.to_string()))
    }

    /// The invocation's id, which the caller reads in `x-amzn-RequestId` and in the log.
    pub fn request_id(&self) -> &str {
        self.shared.call.request_id.as_str()
    }

    /// The function's name.
    pub fn function_name(&self) -> &str {
        &self.shared.call.function.name
    }

    /// The ARN that the caller invoked: it ends in the alias or version if the caller used one.
    pub fn function_arn(&self) -> String {
        self.shared.call.function_arn()
    }

    /// The version that runs: `$LATEST` or a number.
    pub fn version(&self) -> String {
        self.shared.call.executed_version()
    }

    /// The client context's JSON, if the caller sent one; synchronous calls only.
    pub fn client_context(&self) -> Option<&[u8]> {
        self.shared.call.client_context.as_deref()
    }

    /// The tenant that the call is for, if the caller named one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.shared.call.tenant_id.as_deref()
    }

    /// The durable execution's name, if the caller gave one. The endpoint hands it on and does not
    /// itself keep executions apart by it.
    pub fn durable_execution_name(&self) -> Option<&str> {
        self.shared.call.durable_execution_name.as_deref()
    }

    /// Whether the call came through the queue (`Event`): nobody reads the answer.
    pub fn is_event(&self) -> bool {
        self.shared.call.event
    }

    /// When the endpoint will end the function.
    pub fn deadline(&self) -> Instant {
        let timeout = self.shared.call.function.timeout;
        later(self.shared.started, timeout)
    }

    /// How long the function may still run.
    pub fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Writes a line of the function's log. The caller reads the last 4 KB with `X-Amz-Log-Type:
    /// Tail`; otherwise nobody does.
    pub fn log(&self, line: impl AsRef<str>) {
        if let Some(log) = &self.shared.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(line.as_ref().as_bytes());
            log.push(b"\n");
        }
    }

    /// Whether the caller has gone away: nobody will read the answer.
    pub fn is_caller_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Acquire)
    }

    /// Waits until the caller has gone away. Never ends if it stays, or for an event.
    ///
    /// The function is not ended then, as the service does not end it: it runs on to its own end or
    /// its time limit. To stop early, wait for this beside the work:
    ///
    /// ```
    /// use lambda_invoke_endpoint::{Function, FunctionError};
    ///
    /// async fn work() -> &'static str { "done" }
    ///
    /// let careful = Function::buffered("careful", |invocation| async move {
    ///     tokio::select! {
    ///         answer = work() => Ok(answer),
    ///         () = invocation.caller_gone() => Err(FunctionError::new("Abandoned", "nobody waits")),
    ///     }
    /// });
    /// # assert_eq!(careful.name(), "careful");
    /// ```
    pub async fn caller_gone(&self) {
        let mut told = pin!(self.shared.gone_told.notified());
        // Registered before the flag is read, so that a notice between the two is not lost.
        poll_fn(|_| {
            told.as_mut().enable();
            std::task::Poll::Ready(())
        })
        .await;
        if !self.is_caller_gone() {
            told.await;
        }
    }

    pub(crate) fn tell_caller_gone(&self) {
        self.shared.gone.store(true, Ordering::Release);
        self.shared.gone_told.notify_waiters();
    }

    pub(crate) fn call(&self) -> &Call {
        &self.shared.call
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.shared.started.elapsed()
    }

    /// Whether the caller asked for the end of the log.
    pub(crate) fn wants_tail(&self) -> bool {
        self.shared.log.is_some()
    }

    /// The log with a last line from the platform; `None` if the caller did not ask for it. Lines
    /// that the function writes later go nowhere.
    pub(crate) fn finish_log(&self, last: &str) -> Option<LogTail> {
        self.log(last);
        let log = self.shared.log.as_ref()?;
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut *log).finish())
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("function_arn", &self.function_arn())
            .field("version", &self.version())
            .field("request_id", &self.request_id())
            .field("payload_bytes", &self.payload.len())
            .field("is_event", &self.is_event())
            .field("is_caller_gone", &self.is_caller_gone())
            .finish_non_exhaustive()
    }
}
