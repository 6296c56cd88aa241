//! Event counters, and notices about events and connections.

use std::fmt;
use std::path::PathBuf;

/// Counters of the event queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounters {
    /// Accepted with 202.
    pub accepted: u64,
    /// Rejected with 429, because the queue was full.
    pub rejected: u64,
    /// Waiting or running now.
    pub queued: u64,
    /// Attempts that succeeded.
    pub succeeded: u64,
    /// Attempts that ended in a function error.
    pub failed: u64,
    /// Put back because a concurrency limit was reached; not counted as attempts.
    pub throttled: u64,
    /// Sent to the dead-letter file or function.
    pub dead_lettered: u64,
    /// Lost: failed for good, too old or still queued at shutdown, without a dead letter; or
    /// dropped when the grace period was over.
    pub dropped: u64,
}

impl fmt::Display for EventCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            rejected,
            queued,
            succeeded,
            failed,
            throttled,
            dead_lettered,
            dropped,
        } = self;
        let ending = if *failed == 1 { "" } else { "s" };
        write!(
            f,
            "{accepted} accepted, {rejected} rejected, {queued} queued, {succeeded} succeeded, \
             {failed} failed attempt{ending}, {throttled} throttled, {dead_lettered} dead-lettered, \
             {dropped} dropped"
        )
    }
}

/// The reason why an event failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventFailure {
    /// Every attempt failed.
    RetriesExhausted,
    /// The event was too old for its next attempt.
    EventAgeExceeded,
    /// The endpoint shut down first.
    ShuttingDown,
}

impl EventFailure {
    /// Returns the `condition` of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ShuttingDown => "ShuttingDown",
        }
    }
}

/// A notice for the user, about something that no response reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An event was lost.
    EventDropped {
        /// The event's function.
        function: String,
        /// The event's request id.
        request_id: String,
        /// The reason.
        why: EventFailure,
    },
    /// An event that failed for good was lost, because it could not be written to the dead-letter
    /// file.
    DeadLetterUnwritten {
        /// The file.
        file: PathBuf,
        /// The event's request id.
        request_id: String,
        /// The operating system's error.
        error: String,
    },
    /// Connections could not be accepted. There is at most one such notice a second.
    AcceptFailed {
        /// The operating system's latest error.
        error: String,
        /// The number of failures since the last such notice.
        times: u64,
    },
    /// The console was opened. Its link worked once.
    ConsoleOpened {
        /// The link that opens it again.
        next: String,
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
                "event {request_id} for {function} was dropped: {}",
                match why {
                    EventFailure::RetriesExhausted => "every attempt failed",
                    EventFailure::EventAgeExceeded => "it was too old",
                    EventFailure::ShuttingDown => "the endpoint shut down",
                }
            ),
            Self::DeadLetterUnwritten {
                file,
                request_id,
                error,
            } => {
                write!(
                    f,
                    "event {request_id} was lost: cannot write {}: {error}",
                    file.display()
                )
            }
            Self::ConsoleOpened { next } => {
                write!(f, "the console was opened; to open it again: {next}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_attempt_is_in_the_singular() {
        let text = |failed| {
            let counters = EventCounters {
                failed,
                ..EventCounters::default()
            };
            counters.to_string()
        };
        assert!(text(1).contains(", 1 failed attempt, "));
        assert!(text(2).contains(", 2 failed attempts, "));
    }
}
