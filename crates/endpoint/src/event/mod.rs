//! Asynchronous calls (`Event`): a bounded queue, retries, and where an event goes that never worked.

mod dead_letter;
mod entry;
mod queue;
mod record;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use entry::Event;
pub(crate) use queue::Queue;
pub(crate) use worker::work;

/// How the endpoint treats events.
///
/// The defaults are the service's: two retries after one and two minutes, six hours in the queue at
/// the most. The queue's bounds are the endpoint's own: 1,000 events that hold 256 MiB.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{DeadLetter, EventSettings};
/// use std::time::Duration;
///
/// let settings = EventSettings::default()
///     .retry_delays([Duration::from_millis(100), Duration::from_millis(200)])
///     .max_age(Duration::from_secs(60))
///     .dead_letter(DeadLetter::File("failed-events.jsonl".into()));
/// # let _ = settings;
/// ```
#[derive(Clone, Debug)]
pub struct EventSettings {
    pub(crate) length: usize,
    pub(crate) bytes: usize,
    pub(crate) max_age: Duration,
    pub(crate) retry_delays: Vec<Duration>,
    pub(crate) dead_letter: Option<DeadLetter>,
}

/// Where an event goes that failed for good, as a record of the kind that the service sends to an
/// on-failure destination (version 1.0: request context, payload, response context, response).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetter {
    /// A line of JSON is appended to this file, which is opened when the endpoint is built and
    /// stays open. A named pipe must have a reader then.
    File(PathBuf),
    /// This function of the endpoint is called with the record, as an event; if that fails too,
    /// the event is dropped. At the end of the endpoint there is one attempt.
    Function(String),
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            length: 1_000,
            bytes: 256 << 20,
            max_age: Duration::from_secs(6 * 60 * 60),
            retry_delays: vec![Duration::from_secs(60), Duration::from_secs(120)],
            dead_letter: None,
        }
    }
}

impl EventSettings {
    /// How many events may wait or run; a further one is answered 429.
    #[must_use]
    pub fn length(mut self, events: usize) -> Self {
        self.length = events;
        self
    }

    /// How many bytes of memory all events may hold together, the queue's own included; with more, a
    /// further event is answered 429. What a failed attempt said adds up to 16 KiB to its event,
    /// which is not thrown out for that.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// How old an event may be when an attempt begins.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// How long to wait before each retry: as many retries as there are delays.
    #[must_use]
    pub fn retry_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.retry_delays = delays.into_iter().collect();
        self
    }

    /// Where an event goes that failed for good. Without one it is dropped, and counted.
    #[must_use]
    pub fn dead_letter(mut self, to: DeadLetter) -> Self {
        self.dead_letter = Some(to);
        self
    }
}

/// What became of the events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounters {
    /// Answered 202.
    pub accepted: u64,
    /// Answered 429, since the queue was full.
    pub refused: u64,
    /// Wait or run now.
    pub queued: u64,
    /// Attempts that ended well.
    pub succeeded: u64,
    /// Attempts that ended in a function error.
    pub failed: u64,
    /// Put back since no concurrency was left. Not an attempt.
    pub throttled: u64,
    /// Given to the dead letter's file or function.
    pub dead_lettered: u64,
    /// Lost: failed for good, too old or still queued at the end, with nowhere to go; or dropped
    /// when the endpoint's grace was over.
    pub dropped: u64,
}

impl fmt::Display for EventCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            refused,
            queued,
            succeeded,
            failed,
            throttled,
            dead_lettered,
            dropped,
        } = self;
        write!(
            f,
            "{accepted} accepted, {refused} refused, {queued} queued, {succeeded} succeeded, \
             {failed} failed attempts, {throttled} throttled, {dead_lettered} dead-lettered, \
             {dropped} dropped"
        )
    }
}

/// Why an event failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventFailure {
    /// Every attempt failed.
    RetriesExhausted,
    /// It was too old for its next attempt.
    EventAgeExceeded,
    /// The endpoint ended first.
    ShuttingDown,
}

impl EventFailure {
    /// The record's `condition`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ShuttingDown => "ShuttingDown",
        }
    }
}

/// Something that happened outside of any answer, for a person to see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An event is lost.
    EventDropped {
        /// The function that it was for.
        function: String,
        /// Its request id.
        request_id: String,
        /// Why it failed.
        why: EventFailure,
    },
    /// An event that failed for good could not be written to the dead letter's file: it is lost.
    DeadLetterUnwritten {
        /// The file.
        file: PathBuf,
        /// The request id of the event.
        request_id: String,
        /// What the operating system said.
        error: String,
    },
    /// Connections could not be accepted. There is one such notice a second at most.
    AcceptFailed {
        /// What the operating system said, the last time.
        error: String,
        /// How often it happened since the last such notice.
        times: u64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventDropped {
                function,
                request_id,
                why,
            } => write!(
                f,
                "event {request_id} for {function} is dropped: {}",
                match why {
                    EventFailure::RetriesExhausted => "every attempt failed",
                    EventFailure::EventAgeExceeded => "it is too old",
                    EventFailure::ShuttingDown => "the endpoint ends",
                }
            ),
            Self::DeadLetterUnwritten {
                file,
                request_id,
                error,
            } => {
                write!(
                    f,
                    "event {request_id} is lost: cannot write {}: {error}",
                    file.display()
                )
            }
            Self::AcceptFailed { error, times: 1 } => {
                write!(f, "cannot accept a connection: {error}")
            }
            Self::AcceptFailed { error, times } => {
                write!(f, "cannot accept connections, {times} times: {error}")
            }
        }
    }
}
