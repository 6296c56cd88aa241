//! Sends the items of a source, and yields how they ended.

mod attempt;
mod batch;
mod driver;
mod order;
mod progress;
mod verdict;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use lambda_invoke::{BoxError, Client, Error, FunctionName};
use tokio::sync::watch;

pub use self::attempt::{Mode, Target};
use self::driver::Driver;
pub use self::progress::{BySettled, Progress};
pub use self::verdict::Retry;
use crate::item::{Event, Finished, Item};
use crate::state::Rerun;
use crate::store::{Journal, JournalError};

/// When a run stops starting items because too many failed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a number or a share")]
pub enum MaxFailures {
    /// More than this many failed.
    Count(u64),
    /// More than this share (0 to 1) of the ended items failed, once 100 have ended.
    Share(f64),
}

/// Turns a result into its line, and may store the payload elsewhere; called on a thread that may
/// block.
pub type Keep = dyn Fn(&Finished) -> io::Result<Bytes> + Send + Sync;

/// Settings of a run: many payloads through one function.
///
/// | setting | default |
/// |---|---|
/// | [`mode`](Self::mode) | Invoke |
/// | [`concurrency`](Self::concurrency) | at most 1,000 calls at once |
/// | [`rate`](Self::rate) | no bound |
/// | [`batch`](Self::batch) | one item an invocation |
/// | [`retry`](Self::retry), [`max_attempts`](Self::max_attempts) | only what certainly did not run, five attempts besides those that were throttled |
/// | [`patience`](Self::patience) | five minutes in which everything is throttled |
/// | [`journal`](Self::journal) | none |
/// | [`rerun`](Self::rerun) | what is pending, and what certainly did not run |
/// | [`ordered`](Self::ordered) | in the order in which items end |
/// | [`max_failures`](Self::max_failures) | no bound |
/// | [`log_tail`](Self::log_tail) | for the first 100 invocations and each 16th after them |
///
/// # Example
///
/// ```
/// use lambda_invoke::Client;
/// use lambda_invoke_endpoint::Endpoint;
/// use lambda_invoke_map::{Item, Map, iter};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = Endpoint::builder().builtins().bind_local().await?;
/// let client = Client::local(server.url())?;
/// let items = (0..100).map(|n| Item::new(format!(r#"{{"n":{n}}}"#)));
/// let mut run = Map::new(client, "echo".try_into()?).run(iter(items));
/// let mut done = 0;
/// while let Some(event) = run.next().await {
///     done += u64::from(event?.settled() == lambda_invoke_map::journal::Settled::Done);
/// }
/// assert_eq!(done, 100);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[must_use = "nothing is sent until `run`"]
pub struct Map {
    client: Client,
    target: Target,
    mode: Mode,
    concurrency: usize,
    rate: Option<f64>,
    batch: usize,
    retry: Retry,
    max_attempts: u32,
    patience: Duration,
    journal: Option<Journal>,
    rerun: Rerun,
    ordered: Option<u64>,
    max_failures: Option<MaxFailures>,
    log_tail: bool,
    total: Option<u64>,
    keep: Option<Arc<Keep>>,
}

impl Map {
    /// Starts with the default settings.
    pub fn new(client: Client, function: FunctionName<'static>) -> Self {
        Self::of(client, Target::new(function))
    }

    /// Starts with a target that has options.
    pub fn of(client: Client, target: Target) -> Self {
        Self {
            client,
            target,
            mode: Mode::default(),
            concurrency: 1_000,
            rate: None,
            batch: 1,
            retry: Retry::default(),
            max_attempts: 5,
            patience: Duration::from_secs(300),
            journal: None,
            rerun: Rerun::default(),
            ordered: None,
            max_failures: None,
            log_tail: false,
            total: None,
            keep: None,
        }
    }

    /// Sets how the function is called.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the maximum number of concurrent calls. The number adapts below it: see
    /// [`Limiter`](crate::pace::Limiter).
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.max(1);
        self
    }

    /// Sets the maximum number of calls that start per second. The number adapts below it: see
    /// [`Rate`](crate::pace::Rate).
    pub fn rate(mut self, most: Option<f64>) -> Self {
        self.rate = most;
        self
    }

    /// Sets how many items one invocation has: with more than one, the payload is a JSON array. 0 counts
    /// as 1. A batch has fewer items if more would exceed 6 MiB (1 MiB for events), or if a slow source has no more yet.
    pub fn batch(mut self, items: usize) -> Self {
        self.batch = items.max(1);
        self
    }

    /// Sets which failed items are sent again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the maximum number of attempts of an item, besides those that the service throttled. 0
    /// means 1.
    pub fn max_attempts(mut self, most: u32) -> Self {
        self.max_attempts = most.max(1);
        self
    }

    /// Sets how long everything may be throttled before throttled items fail.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the journal. Items that it records as done are not sent again.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Sets which items of earlier runs are sent again.
    pub fn rerun(mut self, rerun: Rerun) -> Self {
        self.rerun = rerun;
        self
    }

    /// Yields results in the order of the items; at most this many items start ahead of the next
    /// result. `None` means the order in which items end.
    pub fn ordered(mut self, window: Option<u64>) -> Self {
        self.ordered = window;
        self
    }

    /// Sets how many items may fail before no more are started.
    pub fn max_failures(mut self, most: Option<MaxFailures>) -> Self {
        self.max_failures = most;
        self
    }

    /// Requests the end of the log for every invocation: all reports, and failures that only the log
    /// reports.
    pub fn log_tail(mut self, always: bool) -> Self {
        self.log_tail = always;
        self
    }

    /// Sets how many items the source has, for [`Progress`].
    pub fn total(mut self, items: Option<u64>) -> Self {
        self.total = items;
        self
    }

    /// Sets the function that turns a result into the line to record and report, in place of
    /// [`Finished::line`]. An error ends the run; the item counts as unknown in the journal.
    pub fn keep(mut self, keep: Arc<Keep>) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Starts to send the items of a source.
    ///
    /// Nothing happens unless the run is polled, except for calls that were started.
    pub fn run<S, E>(self, source: S) -> Run
    where
        S: Stream<Item = Result<Item, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let (control, phases) = watch::channel(Phase::Running);
        let source = Box::pin(Source(Box::pin(source)));
        Run {
            driver: Box::new(Driver::new(self, source, phases)),
            control: Control(Arc::new(control)),
        }
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("target", &self.target)
            .field("mode", &self.mode)
            .field("concurrency", &self.concurrency)
            .field("rate", &self.rate)
            .field("batch", &self.batch)
            .field("journal", &self.journal.as_ref().map(Journal::path))
            .finish_non_exhaustive()
    }
}

/// A source of items whose errors have one type.
struct Source<S>(Pin<Box<S>>);

impl<S, E> Stream for Source<S>
where
    S: Stream<Item = Result<Item, E>>,
    E: Into<BoxError>,
{
    type Item = Result<Item, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.as_mut().poll_next(cx);
        next.map(|item| item.map(|item| item.map_err(Into::into)))
    }
}

/// How a run continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Draining,
    Stopping,
}

/// Ends a run early.
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<Phase>>);

impl Control {
    /// Starts no more items; the running ones may finish.
    pub fn drain(&self) {
        self.0.send_if_modified(|phase| {
            let is_first = *phase == Phase::Running;
            if is_first {
                *phase = Phase::Draining;
            }
            is_first
        });
    }

    /// Ends the run at once: running items are reported as unknown.
    pub fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }
}

/// Why no more items are started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// All items ended.
    Complete,
    /// [`Control::drain`] or [`Control::stop`].
    Interrupted,
    /// More items failed than [`Map::max_failures`] allows.
    TooManyFailures,
    /// A call failed in a way that every other call would: no permission, no such function, no
    /// credentials, or nothing but throttling.
    Rejected(Arc<Error>),
}

/// Why a run failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The journal cannot be written, or contradicts the source.
    Journal(JournalError),
    /// The source returned an error.
    Source(BoxError),
    /// [`Map::keep`] returned an error.
    Keep(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
            Self::Keep(error) => write!(f, "a result cannot be stored: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<JournalError> for RunError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// A run: a stream of the items' results.
///
/// After an error of the source, the running items finish before the stream ends; after an error of
/// the journal, nothing more is known about them.
#[must_use = "a run does nothing unless it is polled"]
pub struct Run {
    driver: Box<Driver>,
    control: Control,
}

impl Run {
    /// Waits for the next item to end; `None` when the run has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Event, RunError>> {
        std::future::poll_fn(|cx| self.driver.poll_event(cx)).await
    }

    /// Takes an item that has ended, if one is ready, without waiting. For items that end at the same time
    /// this is faster than [`next`](Self::next). `None` does not mean that the run has ended.
    #[must_use = "the item is not reported again"]
    pub fn take_ready(&mut self) -> Option<Event> {
        self.driver.take_ready()
    }

    /// Returns the handle that can end the run early.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Returns how far the run is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.driver.progress()
    }

    /// Returns why no more items are started; [`Ended::Complete`] also while items are still being
    /// started.
    #[must_use]
    pub fn ended(&self) -> Ended {
        self.driver.ended()
    }
}

impl Stream for Run {
    type Item = Result<Event, RunError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.driver.poll_event(cx)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("progress", &self.progress())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}

/// Makes a source from an iterator. It must not block, since it runs where the run is polled.
pub fn iter<I>(items: I) -> impl Stream<Item = Result<Item, BoxError>> + Send
where
    I: IntoIterator<Item = Item>,
    I::IntoIter: Send + Unpin,
{
    Iter(items.into_iter())
}

struct Iter<I>(I);

impl<I: Iterator<Item = Item> + Unpin> Stream for Iter<I> {
    type Item = Result<Item, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}
