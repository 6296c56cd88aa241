//! The recorded calls of an endpoint, for tests.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lambda_invoke_error::Operation;
use serde::de::DeserializeOwned;

use crate::function::info::FunctionInfo;
use crate::function::invocation::Call;
use crate::request_id::RequestId;

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
}

/// A payload of at most this many bytes is kept within its entry, so that its allocation can be reused by
/// the next call.
const SHORT: usize = 62;

/// A recorded call as it is kept: in as few bytes as possible, because each call writes one to memory
/// that is not in a cache.
#[derive(Debug)]
struct Entry {
    function: Arc<FunctionInfo>,
    request_id: RequestId,
    via: Via,
    is_event: bool,
    payload: Payload,
    /// `None` for a call without any of them.
    optional: Option<Box<Optional>>,
}

#[derive(Debug)]
enum Payload {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Bytes),
}

/// The parameters that few calls have.
#[derive(Debug, Clone, Default)]
struct Optional {
    qualifier: Option<String>,
    client_context: Option<Vec<u8>>,
    tenant_id: Option<String>,
}

impl Payload {
    fn new(payload: &Bytes) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..payload.len()), u8::try_from(payload.len())) {
            (Some(own), Ok(length)) => {
                own.copy_from_slice(payload);
                Self::Short { length, bytes }
            }
            _ => Self::Long(payload.clone()),
        }
    }

    fn to_bytes(&self) -> Bytes {
        match self {
            Self::Short { length, bytes } => {
                let own = bytes.get(..usize::from(*length)).unwrap_or_default();
                Bytes::copy_from_slice(own)
            }
            Self::Long(bytes) => bytes.clone(),
        }
    }

    /// The memory that it takes outside of its entry, in bytes.
    fn held(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => bytes.len(),
        }
    }
}

impl Optional {
    fn of(call: &Call) -> Option<Box<Self>> {
        let is_plain =
            call.qualifier.is_none() && call.client_context.is_none() && call.tenant_id.is_none();
        (!is_plain).then(|| {
            Box::new(Self {
                qualifier: call.qualifier.clone(),
                client_context: call.client_context.clone(),
                tenant_id: call.tenant_id.clone(),
            })
        })
    }

    fn held(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        size_of::<Self>()
            + text(&self.qualifier)
            + text(&self.tenant_id)
            + self.client_context.as_ref().map_or(0, Vec::capacity)
    }
}

impl Entry {
    /// The memory that it takes, in bytes.
    fn held(&self) -> usize {
        let optional = self.optional.as_ref().map_or(0, |optional| optional.held());
        size_of::<Self>() + self.payload.held() + optional
    }

    fn to_call(&self) -> RecordedCall {
        let Optional {
            qualifier,
            client_context,
            tenant_id,
        } = self.optional.as_deref().cloned().unwrap_or_default();
        RecordedCall {
            payload: self.payload.to_bytes(),
            via: self.via,
            is_event: self.is_event,
            qualifier,
            client_context,
            tenant_id,
            request_id: self.request_id.to_string(),
        }
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
    calls: VecDeque<Entry>,
    bytes: usize,
}

impl Recorded {
    /// Removes the oldest calls until the rest takes at most this many bytes.
    fn shrink_to(&mut self, most: usize) {
        while self.bytes > most {
            let Some(oldest) = self.calls.pop_front() else {
                break;
            };
            self.bytes -= oldest.held();
        }
    }
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
        let entry = Entry {
            function: Arc::clone(&call.function),
            request_id: call.request_id,
            via,
            is_event: call.event,
            payload: Payload::new(payload),
            optional: Optional::of(call),
        };
        let mut all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        all.bytes += entry.held();
        all.calls.push_back(entry);
        all.shrink_to(self.most);
    }

    /// Removes a call that was not started after all.
    pub(crate) fn forget(&self, request_id: &str) {
        let mut all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |call: &Entry| call.request_id.as_str() == request_id;
        // It is among the most recent.
        if let Some(call) = all
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
        let of_function = all
            .calls
            .iter()
            .filter(|call| call.function.name == function);
        of_function.map(Entry::to_call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_of_any_length_is_kept_unchanged() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 300] {
            let payload = Bytes::from(vec![b'x'; length]);
            let kept = Payload::new(&payload);
            assert_eq!(kept.to_bytes(), payload);
            assert_eq!(kept.held(), if length > SHORT { length } else { 0 });
        }
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 128);
    }
}
