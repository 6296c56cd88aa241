//! What is reported of events and connections: counters and notices.

use std::fmt;
use std::path::PathBuf;

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
