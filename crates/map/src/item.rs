//! Items that are sent, and how they ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::{Error, Report};
use smallvec::SmallVec;

use crate::journal::Settled;

/// A payload, and the names that identify it.
///
/// # Example
///
/// ```
/// use lambda_invoke_map::Item;
///
/// let item = Item::new(r#"{"id":7}"#).with_key("seven");
/// assert_eq!(item.key.as_deref(), Some("seven"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The payload that the function is called with, which is JSON.
    pub payload: Bytes,
    /// The item's name in results.
    pub key: Option<Arc<str>>,
    /// The name under which a durable function runs once, however often it is called.
    pub execution_name: Option<Arc<str>>,
}

impl Item {
    /// Creates an item without a name.
    #[must_use]
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self {
            payload: payload.into(),
            key: None,
            execution_name: None,
        }
    }

    /// Sets the item's name in results.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the durable execution name. The item is then sent again even if it may have run, except in a
    /// batch of several items and in a stream, which cannot have a name.
    #[must_use]
    pub fn with_execution_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.execution_name = Some(name.into());
        self
    }
}

/// The text of a request id. Those of Lambda have 36 characters, and need no allocation.
pub(crate) type RequestId = SmallVec<[u8; 36]>;

pub(crate) fn request_id(text: &str) -> RequestId {
    // `into` would copy byte by byte.
    RequestId::from_slice(text.as_bytes())
}

/// An item that ended in this run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The index of the item, from 0.
    pub index: u64,
    /// The item's key, if it has one.
    pub key: Option<Arc<str>>,
    /// How it ended.
    pub settled: Settled,
    /// The function's result; empty if there was no response, for events, and for items of a batch
    /// if the function did not return an array.
    pub payload: Bytes,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// How many times it was sent, or was about to be.
    pub attempts: u32,
    /// How many of these the service throttled.
    pub throttled: u32,
    /// The time from the first attempt to the end, in this run.
    pub duration: Duration,
    pub(crate) request_id: Option<RequestId>,
    /// The platform's report, if the log was requested. In a batch, of the first item only.
    pub report: Option<Box<Report>>,
}

impl Finished {
    /// Returns the request id of the last attempt's response, if there was one. All items of a batch have
    /// the same.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        std::str::from_utf8(self.request_id.as_deref()?).ok()
    }
}

/// Why an item failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The call failed, or the function did.
    Call(Arc<Error>),
    /// The function reported the item in `batchItemFailures`.
    BatchItemFailure,
    /// The function's response to a batch is invalid; the text says why.
    BatchResponse(Arc<str>),
    /// The run was stopped while the item was running.
    Stopped,
    /// An earlier run ended before the item's result was recorded.
    NotRecorded,
}

/// A run's report about an item.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an item ended in this run or an earlier one"
)]
pub enum Event {
    /// It ended in this run.
    Finished(Finished, Bytes),
    /// It ended in an earlier run, which recorded the line.
    Recorded {
        /// The index of the item, from 0.
        index: u64,
        /// How it ended.
        settled: Settled,
        /// The line of the earlier run.
        line: Bytes,
    },
}

impl Event {
    /// Returns which item it is.
    #[must_use]
    pub fn index(&self) -> u64 {
        match self {
            Self::Finished(finished, _) => finished.index,
            Self::Recorded { index, .. } => *index,
        }
    }

    /// Returns how it ended.
    #[must_use]
    pub fn settled(&self) -> Settled {
        match self {
            Self::Finished(finished, _) => finished.settled,
            Self::Recorded { settled, .. } => *settled,
        }
    }

    /// Returns its line, without a line end.
    #[must_use]
    pub fn line(&self) -> &Bytes {
        match self {
            Self::Finished(_, line) | Self::Recorded { line, .. } => line,
        }
    }
}
