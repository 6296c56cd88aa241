//! From the source to the start of a call.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::attempt::{Attempt, Mode};
use super::super::{RunError, batch};
use super::{Driver, MAX_READY, Numbered, Recalling, Work, settled_of};
use crate::item::{Cause, Event, Finished, Item};
use crate::journal::check_of;

/// How many invocations request the log in any case, and how often later ones do.
const FIRST_LOGS: u64 = 100;
const EACH_LOG: u64 = 16;

impl Driver {
    /// Starts everything that may start; returns whether anything happened.
    pub(super) fn start(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progressed = false;
        let before = (self.index, self.source_ended);
        self.is_rated = false;
        let now = self.elapsed();
        while !self.is_stopping() && self.has_room() {
            if self.in_flight() >= self.limiter.limit() {
                if self.is_source_at_hand(cx) {
                    self.limiter.saturated();
                }
                break;
            }
            if self.rate.next(now) > now {
                // Without an item, there is nothing to wait for.
                self.is_rated = self.is_source_at_hand(cx);
                break;
            }
            let work = match self.take_waiting() {
                Some(work) => work,
                None => match self.poll_fresh(cx) {
                    Some(work) => work,
                    None => break,
                },
            };
            progressed = true;
            self.rate.start(now);
            self.open(work);
        }
        // An item may have been taken that does not need to be sent.
        progressed || before != (self.index, self.source_ended)
    }

    /// Whether results are being read.
    fn has_room(&self) -> bool {
        self.ready.len() + self.closing.len() + self.keeping.len() < MAX_READY
            && self.recalling.is_none()
    }

    /// Whether a limit keeps an item from starting.
    fn is_source_at_hand(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.waiting.is_empty() {
            return true;
        }
        if self.fresh.is_none() {
            self.fresh = self.poll_fresh(cx);
        }
        self.fresh.is_some()
    }

    /// Returns the time at which something may start again.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let is_full = self.in_flight() >= self.limiter.limit() || !self.has_room();
        if self.is_stopping() || is_full {
            return None;
        }
        if self.is_rated {
            return Some(self.began + self.rate.next(self.elapsed()));
        }
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    fn take_waiting(&mut self) -> Option<Work> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= self.now).then(|| first.remove())
    }

    /// Takes the next invocation from the source.
    fn poll_fresh(&mut self, cx: &mut Context<'_>) -> Option<Work> {
        if let Some(work) = self.fresh.take() {
            return Some(work);
        }
        // Throttled invocations wait in memory, so there must not be more of them than may run.
        if self.waiting.len() + self.in_flight() >= self.settings.concurrency {
            return None;
        }
        loop {
            let is_full = self.gathered.len() >= self.settings.batch;
            if is_full || (self.source_ended && !self.gathered.is_empty()) {
                return Some(self.gathered_work());
            }
            let is_admitted = self
                .order
                .as_ref()
                .is_none_or(|order| order.admits(self.index));
            if self.source_ended || self.recalling.is_some() {
                return None;
            }
            if !is_admitted {
                return self.partial();
            }
            match self.source.as_mut().poll_next(cx) {
                Poll::Pending => return self.partial(),
                Poll::Ready(None) => self.end_source(),
                Poll::Ready(Some(Err(error))) => {
                    self.source_ended = true;
                    self.fail(RunError::Source(error));
                    return None;
                }
                Poll::Ready(Some(Ok(item))) => {
                    if let Some(work) = self.take(item) {
                        return Some(work);
                    }
                }
            }
            if self.is_stopping() {
                return None;
            }
        }
    }

    /// Returns an incomplete batch, if no call is running during which more items could arrive.
    fn partial(&mut self) -> Option<Work> {
        let is_waiting = !self.gathered.is_empty() && self.in_flight() == 0;
        is_waiting.then(|| self.gathered_work())
    }

    fn end_source(&mut self) {
        self.source_ended = true;
        self.progress.total = Some(self.index);
        let count = self.index;
        let ended = self.journal.as_mut().map(|journal| journal.ended(count));
        if let Some(Err(error)) = ended {
            self.fail(error.into());
        }
    }

    /// Takes an item, to send it or to report the result of an earlier run. Returns a batch that
    /// has to be sent first, if the item does not fit into it.
    fn take(&mut self, mut item: Item) -> Option<Work> {
        let index = self.index;
        self.index += 1;
        let Some(journal) = &self.journal else {
            return self.gather(Numbered {
                index,
                check: 0,
                item,
            });
        };
        let mut rerun = self.settings.rerun;
        // With the same settings as in the earlier run, which sent the name then as well.
        let has_name = self.settings.batch == 1 && self.settings.mode != Mode::Stream;
        rerun.unknown |= has_name && item.execution_name.is_some();
        let check = check_of(&item.payload);
        match journal.state().is_to_be_sent(index, check, rerun) {
            Ok(true) => return self.gather(Numbered { index, check, item }),
            Ok(false) => {}
            Err(error) => {
                self.fail(RunError::Journal(error.into()));
                return None;
            }
        }
        let settled = settled_of(journal.state().status(index));
        let reading = journal.read(index);
        self.progress.recorded.add(settled);
        match reading {
            Some(reading) => {
                self.recalling = Some(Recalling {
                    index,
                    settled,
                    reading,
                });
            }
            // An earlier run ended while it ran.
            None => {
                let line = Finished {
                    index,
                    key: item.key.take(),
                    settled,
                    payload: Bytes::new(),
                    cause: Some(Cause::NotRecorded),
                    attempts: 0,
                    throttled: 0,
                    duration: Duration::ZERO,
                    request_id: None,
                    report: None,
                }
                .line();
                self.deliver(Event::Recorded {
                    index,
                    settled,
                    line,
                });
            }
        }
        None
    }

    /// Processes a line that was read from the journal; returns whether there was one.
    pub(super) fn poll_recalled(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(recalling) = &mut self.recalling else {
            return false;
        };
        let Poll::Ready(line) = recalling.reading.poll(cx) else {
            return false;
        };
        let (index, settled) = (recalling.index, recalling.settled);
        self.recalling = None;
        match line {
            Ok(line) => self.deliver(Event::Recorded {
                index,
                settled,
                line,
            }),
            Err(error) => self.fail(error.into()),
        }
        true
    }

    fn gather(&mut self, numbered: Numbered) -> Option<Work> {
        let bytes = numbered.item.payload.len() + 1;
        let is_too_large = !self.gathered.is_empty()
            && self.gathered_bytes + bytes + 1 > batch::max_bytes(self.settings.mode);
        let full = is_too_large.then(|| self.gathered_work());
        self.gathered_bytes += bytes;
        self.gathered.push(numbered);
        full
    }

    fn gathered_work(&mut self) -> Work {
        self.gathered_bytes = 0;
        Work {
            items: std::mem::take(&mut self.gathered),
            made: 0,
            certain: 0,
            throttled: 0,
            began: None,
            recover: false,
        }
    }

    /// Records that an invocation is about to be sent; without a journal, sends it.
    fn open(&mut self, work: Work) {
        let Some(journal) = &mut self.journal else {
            return self.launch(work);
        };
        for Numbered { index, check, .. } in &work.items {
            if let Err(error) = journal.sent(*index, *check) {
                return self.fail(error.into());
            }
        }
        self.opening.push(work);
    }

    /// Starts a call.
    pub(super) fn launch(&mut self, mut work: Work) {
        work.began.get_or_insert(self.now);
        let number = self.limiter.start();
        let settings = &self.settings;
        let is_sampled = number < FIRST_LOGS || number % EACH_LOG == 0;
        let payload = match (settings.batch, &work.items[..]) {
            (1, [one]) => one.item.payload.clone(),
            (_, items) => batch::join(items.iter().map(|numbered| &numbered.item.payload)),
        };
        let attempt = Attempt {
            mode: settings.mode,
            payload,
            log_tail: settings.mode == Mode::Invoke && (settings.log_tail || is_sampled),
            recover: work.recover,
            execution_name: work.execution_name(settings.mode).cloned(),
        };
        self.progress.attempts += 1;
        self.callers.start(number, work, attempt);
    }
}
