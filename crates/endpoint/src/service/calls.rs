//! The recorded calls of an endpoint, for tests.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lambda_invoke_error::Operation;
use serde::de::DeserializeOwned;

use crate::function::info::FunctionInfo;
use crate::function::invocation::Call;

/// A call that an endpoint has accepted: a function was started, or an event was queued.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::Endpoint;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Endpoint::builder().builtins().bind_local().await?;
/// // The code under test calls `echo` here.
/// for call in server.calls("echo") {
///     let payload: serde_json::Value = call.json().unwrap();
///     println!("{}: {payload}", call.request_id);
/// }
/// # Ok::<(), lambda_invoke_endpoint::BuildError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The payload as the function received it: `{}` if the caller sent none; for a request to the
    /// function's URL, the event.
    pub payload: Bytes,
    /// How the call reached the endpoint.
    pub via: Via,
    /// Whether the call is asynchronous (`Event`).
    pub is_event: bool,
    /// The qualifier that the caller used, if any.
    pub qualifier: Option<String>,
    /// The client context as JSON, if the caller sent one.
    pub client_context: Option<Vec<u8>>,
    /// The tenant id, if the caller sent one.
    pub tenant_id: Option<String>,
    /// The request id.
    pub request_id: String,
}

/// How a call reached the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Via {
    /// By an operation of the API; an event of the old InvokeAsync is an `Invoke`.
    Api(Operation),
    /// By the function's URL.
    Url,
    /// From the console.
    Console,
}

impl Via {
    /// Returns the text that the console shows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Api(operation) => operation.as_str(),
            Self::Url => "URL",
            Self::Console => "Console",
        }
    }
}

impl RecordedCall {
    /// Deserializes the payload.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }

    /// The memory that it takes, in bytes.
    fn held(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        size_of::<(Arc<FunctionInfo>, Self)>()
            + self.payload.len()
            + text(&self.qualifier)
            + text(&self.tenant_id)
            + self.client_context.as_ref().map_or(0, Vec::capacity)
            + self.request_id.capacity()
    }
}

/// The latest calls, up to a number of bytes of memory.
#[derive(Debug)]
pub(crate) struct Calls {
    most: usize,
    recorded: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    calls: VecDeque<(Arc<FunctionInfo>, RecordedCall)>,
    bytes: usize,
}

impl Calls {
    /// The default bound, in bytes.
    pub(crate) const DEFAULT: usize = 16 << 20;

    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            recorded: Mutex::default(),
        }
    }

    /// Records a call. The oldest calls are dropped to make room for it.
    pub(crate) fn record(&self, via: Via, call: &Call, payload: &Bytes) {
        if self.most == 0 {
            return;
        }
        let recorded = RecordedCall {
            payload: payload.clone(),
            via,
            is_event: call.event,
            qualifier: call.qualifier.clone(),
            client_context: call.client_context.clone(),
            tenant_id: call.tenant_id.clone(),
            request_id: call.request_id.to_string(),
        };
        let held = recorded.held();
        let mut all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        all.bytes += held;
        all.calls.push_back((Arc::clone(&call.function), recorded));
        while all.bytes > self.most {
            let Some((_, oldest)) = all.calls.pop_front() else {
                break;
            };
            all.bytes -= oldest.held();
        }
    }

    /// Removes a call that was not started after all.
    pub(crate) fn forget(&self, request_id: &str) {
        let mut all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(_, call): &(_, RecordedCall)| call.request_id == request_id;
        // It is among the most recent.
        if let Some((_, call)) = all
            .calls
            .iter()
            .rposition(is_it)
            .and_then(|at| all.calls.remove(at))
        {
            all.bytes -= call.held();
        }
    }

    /// Returns the recorded calls of a function, oldest first.
    pub(crate) fn of(&self, function: &str) -> Vec<RecordedCall> {
        let all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let of_function = all.calls.iter().filter(|(info, _)| info.name == function);
        of_function.map(|(_, call)| call.clone()).collect()
    }
}
