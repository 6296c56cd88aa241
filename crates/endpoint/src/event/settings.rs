//! The settings of the event queue.

use std::path::PathBuf;
use std::time::Duration;

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
