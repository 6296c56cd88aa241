//! The settings of the event queue.

use std::path::PathBuf;
use std::time::Duration;

/// The settings of the event queue.
///
/// The defaults are the service's: two retries, after one and two minutes, and at most six hours in
/// the queue. The queue's limits are the endpoint's own: 1,000 events and 256 MiB.
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

/// The destination of events that failed for good. It receives the record that the service sends to
/// an on-failure destination (version 1.0: request context, payload, response context, response).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadLetter {
    /// A file, to which the record is appended as a line of JSON. It is opened when the endpoint is
    /// built and stays open; a named pipe must have a reader by then.
    File(PathBuf),
    /// A function of the endpoint, which is called with the record as an event. If that call fails
    /// too, the event is dropped. During shutdown there is only one attempt.
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
    /// Limits the number of events that wait or run; further ones are rejected with 429.
    #[must_use]
    pub fn length(mut self, events: usize) -> Self {
        self.length = events;
        self
    }

    /// Limits the memory that all events use, including the queue's own; further events are
    /// rejected with 429. The error of a failed attempt adds up to 16 KiB to its event; an event is
    /// never dropped because of that.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Limits the age of an event at the start of an attempt.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the delay before each retry. There are as many retries as delays.
    #[must_use]
    pub fn retry_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.retry_delays = delays.into_iter().collect();
        self
    }

    /// Sets the destination of events that failed for good. Without one they are dropped and
    /// counted.
    #[must_use]
    pub fn dead_letter(mut self, to: DeadLetter) -> Self {
        self.dead_letter = Some(to);
        self
    }
}
