//! The loop of a run, which is polled by the reader of its results.
//!
//! An item goes from the source to `opening`; its record is written; the call is started; the
//! result goes to `closing`; its record is written; then it is yielded. Records are written in
//! groups: those of all calls that have ended when the run is polled, and of those that start in
//! their place. If a thread writes them, because they also have to be synced, the next group is
//! collected in the meantime.

mod callers;
mod mailbox;
mod results;
mod start;

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use lambda_invoke::BoxError;
use smallvec::SmallVec;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use self::callers::{Callers, EndedCall};
use super::attempt::Mode;
use super::order::Order;
use super::progress::Progress;
use super::verdict::Retry;
use super::{Ended, Keep, Map, MaxFailures, Phase, RunError};
use crate::block::Block;
use crate::item::{Event, Finished, Item};
use crate::journal::Settled;
use crate::pace::{Limiter, Rate};
use crate::state::Rerun;
use crate::store::{Journal, JournalError, Later, Reading};

/// No more items are started while this many results wait to be read.
const MAX_READY: usize = 1_024;

pub(super) type ItemSource = Pin<Box<dyn Stream<Item = Result<Item, BoxError>> + Send>>;

/// The settings that do not change.
#[derive(Debug)]
struct Settings {
    mode: Mode,
    batch: usize,
    concurrency: usize,
    retry: Retry,
    max_attempts: u32,
    patience: Duration,
    rerun: Rerun,
    max_failures: Option<MaxFailures>,
    log_tail: bool,
}

/// An item and its place in the source.
#[derive(Debug)]
struct Numbered {
    index: u64,
    /// The checksum of its payload, for the journal.
    check: u32,
    item: Item,
}

/// Items of one invocation. Usually there is one, which needs no allocation.
type Items = SmallVec<[Numbered; 1]>;

/// One invocation: an item, or several.
#[derive(Debug)]
struct Work {
    items: Items,
    /// Attempts that were not throttled.
    made: u32,
    /// Attempts, among these, after which the function certainly did not run.
    certain: u32,
    throttled: u32,
    /// When the first attempt started.
    began: Option<Instant>,
    recover: bool,
}

impl Work {
    /// The durable execution name that is sent: that of an item that has the invocation to itself. A stream
    /// cannot have one.
    fn execution_name(&self, mode: Mode) -> Option<&Arc<str>> {
        match (mode, &self.items[..]) {
            (Mode::Invoke | Mode::Event, [one]) => one.item.execution_name.as_ref(),
            _ => None,
        }
    }
}

/// Records that are being written, and the actions that follow.
#[derive(Debug)]
struct Writing {
    written: Later,
    opening: Vec<Work>,
    closing: Vec<Event>,
}

/// An item of an earlier run whose line is being read from the journal.
#[derive(Debug)]
struct Recalling {
    index: u64,
    settled: Settled,
    reading: Reading,
}

/// Waits for the next change of the phase.
type Changing = Pin<Box<dyn Future<Output = (watch::Receiver<Phase>, Phase)> + Send>>;

type Closing = Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send>>;

pub(super) struct Driver {
    settings: Settings,
    source: ItemSource,
    source_ended: bool,
    /// The index of the next item.
    index: u64,
    /// Items of the next batch.
    gathered: Items,
    gathered_bytes: usize,
    /// The next invocation, if it is complete.
    fresh: Option<Work>,
    /// Invocations to be sent again, by their due times.
    waiting: BTreeMap<(Instant, u64), Work>,
    opening: Vec<Work>,
    writing: Option<Writing>,
    callers: Callers,
    /// Calls that ended; empty except while they are processed.
    ended_calls: Vec<EndedCall>,
    keep: Option<Arc<Keep>>,
    keeping: JoinSet<(Finished, io::Result<Bytes>)>,
    /// The line that is being written.
    line: Vec<u8>,
    lines: Block,
    closing: Vec<Event>,
    order: Option<Order>,
    ready: VecDeque<Event>,
    journal: Option<Journal>,
    recalling: Option<Recalling>,
    /// Whether other tasks have been allowed to run first.
    has_gathered: bool,
    limiter: Limiter,
    rate: Rate,
    /// Whether the rate keeps the next call from starting.
    is_rated: bool,
    began: Instant,
    /// The time at which this round of the loop began. The clock is read once for all calls that end in
    /// it and all that start in their place.
    now: Instant,
    /// Since when calls have been throttled and none was accepted.
    throttled_since: Option<Instant>,
    phase: Phase,
    changing: Option<Changing>,
    ended: Ended,
    /// An error to be yielded once everything has ended.
    failed: Option<RunError>,
    closing_journal: Option<Closing>,
    is_over: bool,
    timer: Option<Pin<Box<Sleep>>>,
    /// The counts; the other values are added on request.
    progress: Progress,
}

impl Driver {
    pub(super) fn new(map: Map, source: ItemSource, phases: watch::Receiver<Phase>) -> Self {
        let now = Instant::now();
        Self {
            settings: Settings {
                mode: map.mode,
                batch: map.batch,
                concurrency: map.concurrency,
                retry: map.retry,
                max_attempts: map.max_attempts,
                patience: map.patience,
                rerun: map.rerun,
                max_failures: map.max_failures,
                log_tail: map.log_tail,
            },
            source,
            source_ended: false,
            index: 0,
            gathered: Items::new(),
            gathered_bytes: 0,
            fresh: None,
            waiting: BTreeMap::new(),
            opening: Vec::new(),
            writing: None,
            callers: Callers::new(map.client, map.target),
            ended_calls: Vec::new(),
            keep: map.keep,
            keeping: JoinSet::new(),
            line: Vec::new(),
            lines: Block::new(),
            closing: Vec::new(),
            order: map.ordered.map(Order::new),
            ready: VecDeque::new(),
            journal: map.journal,
            recalling: None,
            has_gathered: false,
            limiter: Limiter::new(map.concurrency),
            rate: Rate::new(map.rate),
            is_rated: false,
            began: now,
            now,
            throttled_since: None,
            phase: Phase::Running,
            changing: Some(changing(phases)),
            ended: Ended::Complete,
            failed: None,
            closing_journal: None,
            is_over: false,
            timer: None,
            progress: Progress {
                total: map.total,
                ..Progress::default()
            },
        }
    }

    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    /// Takes a result that is ready.
    pub(super) fn take_ready(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Yields the next result.
    pub(super) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Event, RunError>>> {
        loop {
            if let Some(event) = self.take_ready() {
                return Poll::Ready(Some(Ok(event)));
            }
            self.now = Instant::now();
            self.poll_phase(cx);
            if self.is_over {
                return Poll::Ready(None);
            }
            if self.closing_journal.is_some() {
                return self.poll_close(cx);
            }
            if self.gathers() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut progressed = self.poll_recalled(cx);
            progressed |= self.poll_called(cx);
            progressed |= self.poll_kept(cx);
            progressed |= self.start(cx);
            progressed |= self.write();
            progressed |= self.poll_written(cx);
            if self.is_stopping() {
                progressed |= self.give_up();
            }
            if self.is_idle() {
                self.close();
                continue;
            }
            if !progressed && self.ready.is_empty() {
                ready!(self.poll_timer(cx));
            }
        }
    }

    /// Whether to let other tasks run first, which is true every second time: calls that are about
    /// to end then share one write to the journal.
    fn gathers(&mut self) -> bool {
        self.has_gathered =
            !self.has_gathered && self.journal.is_some() && self.callers.running() > 1;
        self.has_gathered
    }

    /// The time since the run began.
    fn elapsed(&self) -> Duration {
        self.now.duration_since(self.began)
    }

    /// How many invocations are between their start and their end.
    fn in_flight(&self) -> usize {
        let writing = self
            .writing
            .as_ref()
            .map_or(0, |writing| writing.opening.len());
        self.callers.running() + self.opening.len() + writing
    }

    fn is_stopping(&self) -> bool {
        self.phase != Phase::Running
            || !matches!(self.ended, Ended::Complete)
            || self.failed.is_some()
    }

    /// Whether nothing can happen any more.
    fn is_idle(&self) -> bool {
        let has_more = !self.is_stopping()
            && (!self.source_ended
                || self.fresh.is_some()
                || !self.gathered.is_empty()
                || !self.waiting.is_empty());
        !has_more
            && self.in_flight() == 0
            && self.writing.is_none()
            && self.closing.is_empty()
            && self.keeping.is_empty()
            && self.recalling.is_none()
    }

    fn poll_phase(&mut self, cx: &mut Context<'_>) {
        while let Some(future) = &mut self.changing {
            let Poll::Ready((phases, phase)) = future.as_mut().poll(cx) else {
                return;
            };
            self.phase = phase;
            self.changing = Some(changing(phases));
            if matches!(self.ended, Ended::Complete) {
                self.ended = Ended::Interrupted;
            }
            if phase == Phase::Stopping {
                // Calls that have ended are no longer running, even if nobody has asked for their results.
                self.poll_called(cx);
                self.abandon();
                self.changing = None;
            }
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.wake_at() else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }

    pub(super) fn progress(&self) -> Progress {
        Progress {
            read: self.index,
            in_flight: self.in_flight(),
            limit: self.limiter.limit(),
            rate: self.rate.per_second(),
            waiting: self.waiting.len(),
            ..self.progress.clone()
        }
    }

    /// Begins to end the run: nothing more can happen.
    fn close(&mut self) {
        while let Some(event) = self.order.as_mut().and_then(Order::pop_any) {
            self.ready.push_back(event);
        }
        let journal = self.journal.take();
        self.closing_journal = Some(Box::pin(async move {
            match journal {
                Some(journal) => journal.close().await,
                None => Ok(()),
            }
        }));
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, RunError>>> {
        if let Some(closing) = &mut self.closing_journal {
            let closed = ready!(closing.as_mut().poll(cx));
            self.closing_journal = None;
            self.is_over = true;
            let error = self.failed.take().or(closed.err().map(RunError::Journal));
            return Poll::Ready(error.map(Err));
        }
        Poll::Ready(None)
    }

    /// Ends the run because of an error. Calls in flight may finish if their results can still be
    /// recorded, which is also the case after an item that contradicts the journal, and after a result
    /// that is too long for it.
    fn fail(&mut self, error: RunError) {
        let is_lost = match &error {
            RunError::Journal(error) => {
                !matches!(error, JournalError::State(_) | JournalError::TooLong(_))
            }
            _ => false,
        };
        if is_lost {
            self.journal = None;
            drop(self.callers.abort());
            self.opening.clear();
            self.writing = None;
            self.closing.clear();
            self.waiting.clear();
        }
        self.failed.get_or_insert(error);
    }
}

fn changing(mut phases: watch::Receiver<Phase>) -> Changing {
    Box::pin(async move {
        match phases.changed().await {
            Ok(()) => {
                let phase = *phases.borrow_and_update();
                (phases, phase)
            }
            // Nobody can end the run early any more.
            Err(_) => std::future::pending().await,
        }
    })
}

/// The result of an item with this status, unless it is sent again.
fn settled_of(status: crate::state::Status) -> Settled {
    match status {
        crate::state::Status::Settled(settled) => settled,
        crate::state::Status::Sent | crate::state::Status::Pending => Settled::Unknown,
    }
}
