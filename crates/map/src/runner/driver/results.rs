//! From the end of a call to its result.

use std::mem::take;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lambda_invoke::{Error, Report};

use super::super::attempt::{Mode, Response};
use super::super::batch::{self, BatchResponse};
use super::super::verdict::{Attempts, Verdict, verdict};
use super::super::{Ended, MaxFailures, RunError};
use super::callers::Running;
use super::{Driver, Numbered, Work, Writing};
use crate::StateError;
use crate::block::KEPT;
use crate::item::{Cause, Event, Finished, RequestId, request_id};
use crate::journal::Settled;
use crate::pace::Limit;
use crate::store::{JournalError, Written};

/// How many items must have ended before the share of failures is evaluated.
const MIN_FOR_SHARE: u64 = 100;

/// Allows for the rounding of a share such as 0.29, which is not exact: 29 of 100 are not more than that.
const ROUNDED: f64 = 1.0 + 4.0 * f64::EPSILON;

impl Driver {
    /// Processes the calls that ended; returns whether there were any.
    pub(super) fn poll_called(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progressed = false;
        let mut ended = take(&mut self.ended_calls);
        while self.callers.poll_ended(cx, &mut ended).is_ready() {
            progressed = true;
            for (caller, result) in ended.drain(..) {
                let Some(running) = self.callers.end(caller) else {
                    continue;
                };
                match result {
                    Ok(response) => self.succeeded(running.number, running.work, response),
                    Err(error) => self.failed(running, error),
                }
            }
        }
        self.ended_calls = ended;
        progressed
    }

    fn succeeded(&mut self, number: u64, mut work: Work, response: Response) {
        work.made += 1;
        self.accepted(number);
        self.progress.invocations += 1;
        self.note_report(response.report.as_deref());
        if self.settings.batch == 1 || self.settings.mode == Mode::Event {
            let result = (Settled::Done, response.payload, None);
            let results = std::iter::repeat_n(result, work.items.len());
            return self.settle(work, results, response.request_id, response.report);
        }
        let keys: Vec<_> = work
            .items
            .iter()
            .map(|numbered| numbered.item.key.clone())
            .collect();
        let results: Vec<_> = match batch::read(&response.payload, &keys) {
            BatchResponse::Failed(failed) => failed
                .into_iter()
                .map(|failed| match failed {
                    false => (Settled::Done, Bytes::new(), None),
                    true => (
                        Settled::Started,
                        Bytes::new(),
                        Some(Cause::BatchItemFailure),
                    ),
                })
                .collect(),
            BatchResponse::Results(results) => results
                .into_iter()
                .map(|payload| (Settled::Done, payload, None))
                .collect(),
            BatchResponse::Invalid(why) => {
                let why: Arc<str> = why.into();
                let failed = |_: &_| {
                    (
                        Settled::Started,
                        Bytes::new(),
                        Some(Cause::BatchResponse(why.clone())),
                    )
                };
                keys.iter().map(failed).collect()
            }
        };
        self.settle(work, results, response.request_id, response.report);
    }

    fn failed(&mut self, running: Running, error: Error) {
        let Running {
            number,
            others,
            mut work,
        } = running;
        let is_throttled = error.is_throttled() && !error.may_have_run();
        match is_throttled {
            true => {
                work.throttled += 1;
                self.throttled_since.get_or_insert(self.now);
            }
            false => work.made += 1,
        }
        if !is_throttled && !error.may_have_run() {
            work.certain += 1;
        }
        let attempts = Attempts {
            retry: self.settings.retry,
            made: work.made,
            max: self.settings.max_attempts,
            throttled: work.throttled,
            durable: work.execution_name(self.settings.mode).is_some(),
            starved: self
                .throttled_since
                .is_some_and(|since| self.now.duration_since(since) > self.settings.patience),
        };
        let random = random();
        let verdict = verdict(&error, attempts, SystemTime::now(), random);
        if is_throttled {
            let reason = error.service_error().and_then(|service| service.reason());
            self.progress
                .throttled(reason.map(|reason| reason.as_str()));
            let limit = Limit::of(reason);
            let now = self.elapsed();
            match limit {
                Limit::Concurrency => self.limiter.throttled(number, others),
                Limit::Rate => self.rate.throttled(now),
            }
        } else if error.may_have_run() || error.service_error().is_some() {
            self.accepted(number);
        }
        match verdict {
            Verdict::Throttled { after } => self.again(work, after, true),
            Verdict::Again {
                after,
                overloaded,
                recover,
            } => {
                if overloaded {
                    self.limiter.overloaded(number);
                }
                work.recover = recover;
                self.again(work, after, !error.may_have_run());
            }
            Verdict::Failed { settled, fatal } => {
                // An earlier attempt may have run the function.
                let settled = match settled {
                    Settled::NotStarted if work.made > work.certain => Settled::Unknown,
                    settled => settled,
                };
                let error = Arc::new(error);
                if fatal && matches!(self.ended, Ended::Complete) {
                    self.ended = Ended::Rejected(Arc::clone(&error));
                }
                let failure = error.function_failure();
                if settled == Settled::Started {
                    self.progress.invocations += 1;
                    let log = failure.and_then(|failure| failure.log.as_ref());
                    self.note_report(log.and_then(|log| log.report()).as_ref());
                }
                let payload = failure
                    .map(|failure| failure.payload.clone())
                    .unwrap_or_default();
                let result = (settled, payload, Some(Cause::Call(Arc::clone(&error))));
                let results = std::iter::repeat_n(result, work.items.len());
                let request_id = error.request_id().map(request_id);
                self.settle(work, results, request_id, None);
            }
        }
    }

    /// Records that the service accepted a call.
    fn accepted(&mut self, number: u64) {
        self.throttled_since = None;
        self.limiter.succeeded(number);
        let now = self.elapsed();
        self.rate.accepted(now);
    }

    fn note_report(&mut self, report: Option<&Report>) {
        let Some(report) = report else { return };
        let Some(billed) = report.billed_duration else {
            return;
        };
        let progress = &mut self.progress;
        progress.reports += 1;
        progress.billed = progress.billed.saturating_add(billed);
        progress.memory_mb = report.memory_size_mb.or(progress.memory_mb);
    }

    /// Sends an invocation again, later. If it certainly did not run, the journal records it as not
    /// started until then.
    fn again(&mut self, work: Work, after: Duration, is_certain: bool) {
        let is_known = is_certain && work.made == work.certain;
        if let (true, Some(journal)) = (is_known, &mut self.journal) {
            for Numbered { index, .. } in &work.items {
                if let Err(error) = journal.settled(*index, Settled::NotStarted, &[]) {
                    return self.fail(error.into());
                }
            }
        }
        let first = work.items.first().map_or(0, |first| first.index);
        self.waiting.insert((self.now + after, first), work);
    }

    fn settle(
        &mut self,
        work: Work,
        results: impl IntoIterator<Item = (Settled, Bytes, Option<Cause>)>,
        request_id: Option<RequestId>,
        mut report: Option<Box<Report>>,
    ) {
        let began = work.began.unwrap_or(self.now);
        let duration = self.now.duration_since(began);
        let request_ids = std::iter::repeat_n(request_id, work.items.len());
        let results = results.into_iter().zip(request_ids);
        for (numbered, (result, request_id)) in work.items.into_iter().zip(results) {
            let Numbered { index, item, .. } = numbered;
            let (settled, payload, cause) = result;
            let finished = Finished {
                index,
                key: item.key,
                settled,
                payload,
                cause,
                attempts: work.made + work.throttled,
                throttled: work.throttled,
                duration,
                request_id,
                report: report.take(),
            };
            match &self.keep {
                Some(keep) => {
                    let keep = Arc::clone(keep);
                    self.keeping.spawn_blocking(move || {
                        let line = keep(&finished);
                        (finished, line)
                    });
                }
                None => {
                    finished.write_line(None, &mut self.line);
                    let line = self.lines.keep(&self.line);
                    self.line.clear();
                    self.line.shrink_to(KEPT);
                    self.finish(finished, line);
                }
            }
        }
    }

    /// Processes results that were stored; returns whether there were any.
    pub(super) fn poll_kept(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progressed = false;
        while let Poll::Ready(Some(joined)) = self.keeping.poll_join_next(cx) {
            progressed = true;
            match joined {
                Ok((finished, Ok(line))) => self.finish(finished, line),
                Ok((_, Err(error))) => self.fail(RunError::Keep(error)),
                Err(error) => self.fail(RunError::Keep(std::io::Error::other(error))),
            }
        }
        progressed
    }

    /// Records a result; without a journal, delivers it.
    fn finish(&mut self, finished: Finished, line: Bytes) {
        let (index, settled) = (finished.index, finished.settled);
        self.progress.finished.add(settled);
        let is_running = matches!(self.ended, Ended::Complete);
        if is_running && settled != Settled::Done && self.has_too_many_failures() {
            self.ended = Ended::TooManyFailures;
        }
        let event = Event::Finished(finished, line);
        let Some(journal) = &mut self.journal else {
            return self.deliver(event);
        };
        match journal.settled(index, settled, event.line()) {
            Ok(()) => self.closing.push(event),
            Err(error) => {
                // Nobody can report a result later that is not recorded.
                if matches!(
                    error,
                    JournalError::TooLong(_) | JournalError::State(StateError::Full)
                ) {
                    self.deliver(event);
                }
                self.fail(error.into());
            }
        }
    }

    fn has_too_many_failures(&self) -> bool {
        let finished = self.progress.finished;
        match self.settings.max_failures {
            None => false,
            Some(MaxFailures::Count(most)) => finished.failed() > most,
            Some(MaxFailures::Share(share)) => {
                finished.all() >= MIN_FOR_SHARE
                    && finished.failed() as f64 > share * finished.all() as f64 * ROUNDED
            }
        }
    }

    pub(super) fn deliver(&mut self, event: Event) {
        let Some(order) = &mut self.order else {
            return self.ready.push_back(event);
        };
        order.push(event);
        while let Some(event) = order.pop() {
            self.ready.push_back(event);
        }
    }

    /// Writes the collected records, or starts to, unless the last ones are still being written.
    pub(super) fn write(&mut self) -> bool {
        if self.writing.is_some() {
            return false;
        }
        let Some(journal) = &mut self.journal else {
            return false;
        };
        match journal.write() {
            Ok(Written::Nothing) => return false,
            Ok(Written::Now) => {
                let (mut opening, mut closing) = (take(&mut self.opening), take(&mut self.closing));
                self.written(&mut opening, &mut closing);
                // Their memory is used again.
                (self.opening, self.closing) = (opening, closing);
            }
            Ok(Written::Later(written)) => {
                self.writing = Some(Writing {
                    written,
                    opening: take(&mut self.opening),
                    closing: take(&mut self.closing),
                });
            }
            Err(error) => self.fail(error.into()),
        }
        true
    }

    /// Continues with the records that were written; returns whether there were any.
    pub(super) fn poll_written(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(writing) = &mut self.writing else {
            return false;
        };
        let Poll::Ready(written) = writing.written.poll(cx) else {
            return false;
        };
        let Some(mut writing) = self.writing.take() else {
            return false;
        };
        if let Err(error) = written {
            self.fail(error.into());
            return true;
        }
        self.written(&mut writing.opening, &mut writing.closing);
        true
    }

    /// Does what follows the records that were written.
    fn written(&mut self, opening: &mut Vec<Work>, closing: &mut Vec<Event>) {
        for event in closing.drain(..) {
            self.deliver(event);
        }
        for work in opening.drain(..) {
            self.launch(work);
        }
    }

    /// Gives up the items that wait to be sent again; returns whether any of them has a result. Those that
    /// certainly did not run are treated as if they had not been sent.
    pub(super) fn give_up(&mut self) -> bool {
        let waiting = take(&mut self.waiting).into_values();
        let unknown: Vec<Work> = waiting.filter(|work| work.made > work.certain).collect();
        let has_results = !unknown.is_empty();
        unknown.into_iter().for_each(|work| self.stopped(work));
        has_results
    }

    /// Ends an invocation whose outcome is unknown.
    fn stopped(&mut self, work: Work) {
        let result = (Settled::Unknown, Bytes::new(), Some(Cause::Stopped));
        let results = std::iter::repeat_n(result, work.items.len());
        self.settle(work, results, None, None);
    }

    /// Abandons the running calls, whose outcome is then unknown, and those that were about to start.
    pub(super) fn abandon(&mut self) {
        let running = self.callers.abort().into_iter();
        let mut running: Vec<Work> = running.map(|running| running.work).collect();
        running.sort_by_key(|work| work.items.first().map(|first| first.index));
        for mut work in running {
            work.made += 1;
            self.stopped(work);
        }
        // These were not sent, except for those that an earlier attempt may have run.
        let writing = self
            .writing
            .as_mut()
            .map(|writing| take(&mut writing.opening));
        let unsent = writing
            .unwrap_or_default()
            .into_iter()
            .chain(self.opening.drain(..));
        let (unknown, unsent): (Vec<Work>, Vec<Work>) =
            unsent.partition(|work| work.made > work.certain);
        unknown.into_iter().for_each(|work| self.stopped(work));
        for Numbered { index, .. } in unsent.iter().flat_map(|work| &work.items) {
            if let Some(journal) = &mut self.journal {
                if let Err(error) = journal.settled(*index, Settled::NotStarted, &[]) {
                    return self.fail(error.into());
                }
            }
        }
    }
}

/// A random number from 0 to 1, so that retries do not happen all at once.
fn random() -> f64 {
    use std::hash::BuildHasher as _;
    let bits = std::hash::RandomState::new().hash_one(0u8) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::item::Item;
    use crate::journal::{Header, check_of};
    use crate::runner::{Map, Phase, iter};
    use crate::store::Journal;

    #[tokio::test]
    async fn a_stop_does_not_forget_an_earlier_attempt_that_may_have_run() {
        let name = format!("lambda-invoke-stop-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let journal = Journal::open(&path, &Header::new("echo"), Journal::WINDOW).unwrap();
        let client = lambda_invoke::Client::local("http://127.0.0.1:9").unwrap();
        let map = Map::new(client, "echo".try_into().unwrap()).journal(journal);
        let (_phases, changes) = watch::channel(Phase::Running);
        let source = Box::pin(crate::runner::Source(Box::pin(iter([]))));
        let mut driver = Driver::new(map, source, changes);
        // The attempts of each item, and those that certainly did not run.
        for (index, made, certain) in [(0, 0, 0), (1, 1, 0), (2, 2, 2)] {
            let item = Item::new("1");
            let check = check_of(&item.payload);
            let journal = driver.journal.as_mut().unwrap();
            journal.sent(index, check).unwrap();
            let items = std::iter::once(Numbered { index, check, item }).collect();
            driver.opening.push(Work {
                items,
                made,
                certain,
                throttled: 0,
                began: None,
                recover: false,
            });
        }
        driver.abandon();
        let state = driver.journal.as_ref().unwrap().state();
        let statuses = [0, 1, 2].map(|index| state.status(index));
        let settled = [Settled::NotStarted, Settled::Unknown, Settled::NotStarted];
        assert_eq!(statuses, settled.map(crate::Status::Settled));
        let reported: Vec<_> = driver.closing.iter().map(Event::index).collect();
        assert_eq!(reported, [1]);
        let _ = std::fs::remove_file(&path);
    }
}
