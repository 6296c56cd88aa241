//! One invocation, as the function sees it.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use lambda_invoke_protocol::{LogTail, TailBuffer};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::function::error::FunctionError;
use crate::function::info::FunctionInfo;
use crate::function::usage::Usage;
use crate::journal::{Entry, Start};
use crate::request_id::RequestId;

/// One invocation of a function: its input, its log, and the state of its caller.
///
/// Cloning is cheap; clones refer to the same invocation.
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

/// The parameters of a call, without its payload.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) function: Arc<FunctionInfo>,
    /// The qualifier that the caller used, if any; it is the last part of the invoked ARN.
    pub(crate) qualifier: Option<String>,
    /// The version that runs; `None` means `$LATEST`.
    pub(crate) version: Option<u64>,
    pub(crate) request_id: RequestId,
    pub(crate) client_context: Option<Vec<u8>>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) durable_execution_name: Option<String>,
    /// The X-Ray trace header that the caller sent.
    pub(crate) trace_id: Option<String>,
    pub(crate) event: bool,
    pub(crate) tail: bool,
}

impl Call {
    /// Creates a synchronous call of `$LATEST` without optional parameters.
    pub(crate) fn new(function: &Arc<FunctionInfo>, request_id: RequestId) -> Self {
        Self {
            function: Arc::clone(function),
            qualifier: None,
            version: None,
            request_id,
            client_context: None,
            tenant_id: None,
            durable_execution_name: None,
            trace_id: None,
            event: false,
            tail: false,
        }
    }

    /// Returns what the journal records of the call.
    pub(crate) fn start(&self, via: &'static str) -> Start {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let time = time.map_or(0, |since| since.as_millis());
        Start {
            id: self.request_id.to_string(),
            function: self.function.name.clone(),
            via,
            time: u64::try_from(time).unwrap_or(u64::MAX),
        }
    }

    /// Returns the ARN that the caller invoked.
    pub(crate) fn function_arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function.arn),
            None => self.function.arn.clone(),
        }
    }

    /// Returns the version that runs: `$LATEST` or a number.
    pub(crate) fn executed_version(&self) -> String {
        match self.version {
            None => "$LATEST".to_owned(),
            Some(number) => number.to_string(),
        }
    }
}

/// Adds a duration to a time; if that overflows, returns a time decades later.
pub(crate) fn later(time: Instant, duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 86_400);
    let later = time.checked_add(duration);
    later.or_else(|| time.checked_add(DECADES)).unwrap_or(time)
}

struct Shared {
    call: Box<Call>,
    /// `None` if no console shows the call.
    entry: Option<Arc<Entry>>,
    started: Instant,
    log: Option<Mutex<TailBuffer>>,
    usage: OnceLock<Usage>,
    caller_gone: AtomicBool,
    caller_gone_notify: Notify,
}

impl Invocation {
    pub(crate) fn new(
        payload: Bytes,
        call: impl Into<Box<Call>>,
        entry: Option<Arc<Entry>>,
    ) -> Self {
        let call = call.into();
        let log = call.tail.then(Mutex::default);
        let shared = Arc::new(Shared {
            call,
            entry,
            started: Instant::now(),
            log,
            usage: OnceLock::new(),
            caller_gone: AtomicBool::new(false),
            caller_gone_notify: Notify::new(),
        });
        Self { payload, shared }
    }

    /// Returns the payload, which is valid JSON; `{}` if the caller sent none.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Deserializes the payload.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON of that type; the message says what was wrong and where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FunctionError> {
        serde_json::from_slice(&self.payload)
            .map_err(|error| FunctionError::new("InvalidPayload", error.to_string()))
    }

    /// Returns the request id, which the caller finds in `x-amzn-RequestId` and in the log.
    pub fn request_id(&self) -> &str {
        self.shared.call.request_id.as_str()
    }

    /// Returns the function's name.
    pub fn function_name(&self) -> &str {
        &self.shared.call.function.name
    }

    /// Returns the ARN that the caller invoked. It ends in the alias or version if the caller used
    /// one.
    pub fn function_arn(&self) -> String {
        self.shared.call.function_arn()
    }

    /// Returns the ARN that the caller invoked, if it is not the function's own.
    #[cfg(feature = "runtime")]
    pub(crate) fn qualified_arn(&self) -> Option<String> {
        let call = &self.shared.call;
        call.qualifier.as_ref().map(|_| call.function_arn())
    }

    /// Returns the version that runs: `$LATEST` or a number.
    pub fn version(&self) -> String {
        self.shared.call.executed_version()
    }

    /// Returns the version that runs, if it is not `$LATEST`.
    #[cfg(feature = "runtime")]
    pub(crate) fn published_version(&self) -> Option<String> {
        self.shared.call.version.map(|number| number.to_string())
    }

    /// Returns the client context as JSON, if the caller sent one; synchronous calls only.
    pub fn client_context(&self) -> Option<&[u8]> {
        self.shared.call.client_context.as_deref()
    }

    /// Returns the tenant id, if the caller sent one.
    pub fn tenant_id(&self) -> Option<&str> {
        self.shared.call.tenant_id.as_deref()
    }

    /// Returns the durable execution's name, if the caller sent one. The endpoint only passes it
    /// on; it does not manage durable executions.
    pub fn durable_execution_name(&self) -> Option<&str> {
        self.shared.call.durable_execution_name.as_deref()
    }

    /// Whether the call is asynchronous (`Event`): nobody reads the response.
    pub fn is_event(&self) -> bool {
        self.shared.call.event
    }

    /// Returns the time at which the invocation times out.
    pub fn deadline(&self) -> Instant {
        let timeout = self.shared.call.function.timeout;
        later(self.shared.started, timeout)
    }

    /// Returns the time that is left before the invocation times out.
    pub fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Writes a line to the function's log. A caller that sends `X-Amz-Log-Type: Tail` receives the
    /// last 4 KB of it. Each line also goes to the observer of the endpoint
    /// ([`EndpointBuilder::on_log`](crate::EndpointBuilder::on_log)).
    pub fn log(&self, line: impl AsRef<str>) {
        let function = &self.shared.call.function;
        if let Some(on_log) = &function.on_log {
            on_log.report(&function.name, Some(self.request_id()), line.as_ref());
        }
        self.log_to_tail(line);
    }

    /// Writes a line to the tail only.
    pub(crate) fn log_to_tail(&self, line: impl AsRef<str>) {
        if let Some(log) = &self.shared.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(line.as_ref().as_bytes());
            log.push(b"\n");
        }
    }

    /// Whether the caller has disconnected, so that nobody will read the response.
    pub fn is_caller_gone(&self) -> bool {
        self.shared.caller_gone.load(Ordering::Acquire)
    }

    /// Waits until the caller has disconnected. Never completes if it stays connected, or for an
    /// event.
    ///
    /// As in the service, this does not stop the function, which runs until it returns or times
    /// out. To stop early, wait for this alongside the work:
    ///
    /// ```
    /// use lambda_invoke_endpoint::{Function, FunctionError};
    ///
    /// async fn work() -> &'static str { "done" }
    ///
    /// let careful = Function::buffered("careful", |invocation| async move {
    ///     tokio::select! {
    ///         result = work() => Ok(result),
    ///         () = invocation.caller_gone() => Err(FunctionError::new("Abandoned", "no caller")),
    ///     }
    /// });
    /// # assert_eq!(careful.name(), "careful");
    /// ```
    pub async fn caller_gone(&self) {
        let mut notified = pin!(self.shared.caller_gone_notify.notified());
        // Registered before the flag is read, so that a notification between the two is not lost.
        poll_fn(|_| {
            notified.as_mut().enable();
            std::task::Poll::Ready(())
        })
        .await;
        if !self.is_caller_gone() {
            notified.await;
        }
    }

    pub(crate) fn set_caller_gone(&self) {
        self.shared.caller_gone.store(true, Ordering::Release);
        self.shared.caller_gone_notify.notify_waiters();
    }

    pub(crate) fn entry(&self) -> Option<&Arc<Entry>> {
        self.shared.entry.as_ref()
    }

    pub(crate) fn call(&self) -> &Call {
        &self.shared.call
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.shared.started.elapsed()
    }

    /// Returns the X-Ray trace header: the caller's, or one for this invocation.
    #[cfg(feature = "runtime")]
    pub(crate) fn trace_id(&self) -> String {
        let call = &self.shared.call;
        let own = || call.request_id.trace(SystemTime::now());
        call.trace_id.clone().unwrap_or_else(own)
    }

    /// Sets the resources that the invocation has used, instead of the resources of this process.
    #[cfg(feature = "runtime")]
    pub(crate) fn set_usage(&self, usage: Usage) {
        // It is set only once, at the end.
        let _ = self.shared.usage.set(usage);
    }

    pub(crate) fn usage(&self) -> Option<&Usage> {
        self.shared.usage.get()
    }

    /// Whether anybody reads the log: the caller (its tail) or a console.
    pub(crate) fn wants_log(&self) -> bool {
        self.shared.log.is_some() || self.shared.entry.is_some()
    }

    /// Writes a line of the platform, for the caller and the console.
    pub(crate) fn log_of_platform(&self, line: impl AsRef<str>) {
        if let Some(entry) = &self.shared.entry {
            entry.log(line.as_ref());
        }
        self.log_to_tail(line);
    }

    /// Appends the platform's last line and returns the log's tail; `None` if the caller did not
    /// request it. Lines that the function writes later are discarded.
    pub(crate) fn finish_log(&self, last: &str) -> Option<LogTail> {
        self.log_of_platform(last);
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
