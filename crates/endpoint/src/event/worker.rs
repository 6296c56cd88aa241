//! Runs the events of a queue: attempts, retries and dead letters.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use super::entry::Event;
use super::notice::{EventFailure, Notice};
use super::owned::{Open, Owned};
use super::queue::{Queue, THROTTLED};
use super::record::record;
use super::settings::DeadLetter;
use crate::function::channel::ResponseLimits;
use crate::function::invocation::{Call, Invocation};
use crate::journal::Journal;
use crate::request_id::RequestIds;
use crate::run::concurrency::Permit;
use crate::run::discard::discard;
use crate::run::execution::Execution;
use crate::run::registry::Registry;
use crate::wire::shutdown::Running;

/// How many bytes of a failed attempt's error are kept for the dead letter.
const ERROR: usize = 16 * 1024;

/// Opens a queue and runs its events when they are due, until the endpoint shuts down.
pub(crate) fn work(
    queue: &Arc<Queue>,
    registry: &Arc<Registry>,
    ids: &Arc<RequestIds>,
    journal: Option<Arc<Journal>>,
    running: Running,
) -> impl Future<Output = ()> + Send + use<> {
    let mut open = Open::new(queue);
    let worker = Worker {
        queue: Arc::clone(queue),
        registry: Arc::clone(registry),
        ids: Arc::clone(ids),
        journal,
        running: Arc::new(running),
    };
    async move {
        let drained = worker.running.drain();
        worker.queue.watch(drained, || worker.start_due()).await;
        // Sequentially, since the dead-letter file is written sequentially.
        for event in open.close() {
            let give_up = worker.give_up(event, EventFailure::ShuttingDown);
            unless_stopped(&worker.running, give_up).await;
        }
    }
}

/// Runs events.
#[derive(Clone)]
struct Worker {
    queue: Arc<Queue>,
    registry: Arc<Registry>,
    ids: Arc<RequestIds>,
    journal: Option<Arc<Journal>>,
    running: Arc<Running>,
}

impl Worker {
    /// Starts the events that are due, and returns the time at which the next one is due.
    fn start_due(&self) -> Option<Instant> {
        let mut due = Vec::new();
        let next_due = self.queue.take_due(Instant::now(), &mut due);
        for (event, permit) in due {
            let worker = self.clone();
            tokio::spawn(async move {
                let running = Arc::clone(&worker.running);
                let work = async {
                    match permit {
                        Some(permit) => {
                            if let Some(busy) = worker.attempt(event, permit).await {
                                worker.busy_at_the_end(busy).await;
                            }
                        }
                        None => worker.give_up(event, EventFailure::EventAgeExceeded).await,
                    }
                };
                unless_stopped(&running, work).await;
            });
        }
        next_due
    }

    /// Makes one attempt, and returns the permit at its end. If a program could not take the event, and the
    /// queue is closed, the event is returned.
    async fn attempt(&self, mut owned: Owned, permit: Permit) -> Option<Owned> {
        let event = owned.event.as_mut()?;
        event.attempts += 1;
        // Each attempt is a new invocation with its own timeout and the same request id.
        let entry = self
            .journal
            .as_ref()
            .map(|journal| journal.begin(event.call().start("Event"), event.payload()));
        let invocation = Invocation::new(event.payload().clone(), event.call().clone(), entry);
        let (handler, limits) = (&event.handler, ResponseLimits::NONE);
        let execution = Execution::start(handler, &invocation, permit, &self.running, limits);
        match discard(execution).await {
            Ok(()) => {
                let succeeded = &self.queue.counts.succeeded;
                succeeded.fetch_add(1, Ordering::Relaxed);
                owned.settle();
            }
            Err(error) if error.throttle_reason().is_some() => {
                return owned.put_back_throttled();
            }
            Err(error) => {
                let request_id = &owned.event.as_ref()?.call().request_id;
                let error = error.shortened(ERROR).payload(request_id.as_str());
                if let Some(why) = owned.put_back(error) {
                    self.give_up(owned, why).await;
                }
            }
        }
        None
    }

    /// An event that a program could not take, after the queue was closed. It goes to the dead letter; a
    /// dead letter itself waits for its function.
    async fn busy_at_the_end(&self, owned: Owned) {
        if owned.event.as_ref().is_some_and(|event| event.last_resort) {
            self.last_call(owned).await;
        } else {
            self.give_up(owned, EventFailure::ShuttingDown).await;
        }
    }

    /// Sends an event to the dead letter, or counts it as lost.
    async fn give_up(&self, owned: Owned, why: EventFailure) {
        let queue = &self.queue;
        let Some(event) = owned.event.as_ref().filter(|event| !event.last_resort) else {
            return owned.lose(why);
        };
        match (&queue.settings.dead_letter, &queue.file) {
            (Some(DeadLetter::Function(name)), _) => {
                let Some(letter) = self.letter(event, why, name) else {
                    return owned.lose(why);
                };
                queue.counts.dead_lettered.fetch_add(1, Ordering::Relaxed);
                if let Some(letter) = owned.hand_over(letter) {
                    self.last_call(letter).await;
                }
            }
            (Some(DeadLetter::File(_)), Some(file)) => {
                let line = || record(event, why, SystemTime::now());
                match file.append(line).await {
                    Ok(()) => {
                        queue.counts.dead_lettered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        queue.counts.dropped.fetch_add(1, Ordering::Relaxed);
                        (queue.notice)(Notice::DeadLetterUnwritten {
                            file: file.path().to_owned(),
                            request_id: event.call().request_id.to_string(),
                            error: error.to_string(),
                        });
                    }
                }
                owned.settle();
            }
            (Some(DeadLetter::File(_)) | None, _) => owned.lose(why),
        }
    }

    /// Makes the only attempt of a dead letter during the shutdown, as soon as its function can take it.
    async fn last_call(&self, mut letter: Owned) {
        while let Some(event) = &letter.event {
            letter = match Permit::acquire(&event.limits) {
                // Boxed, because a failed attempt gives up recursively.
                Ok(permit) => match Box::pin(self.attempt(letter, permit)).await {
                    Some(busy) => busy,
                    None => return,
                },
                Err(_) => letter,
            };
            tokio::time::sleep(THROTTLED).await;
        }
    }

    /// Creates the event that calls the dead-letter function.
    fn letter(&self, event: &Event, why: EventFailure, name: &str) -> Option<Event> {
        let function = self.registry.get(name)?;
        let resolved = function.resolve(None)?;
        let call = Call {
            // The trace continues.
            trace_id: event.call().trace_id.clone(),
            event: true,
            ..Call::new(function.info(), self.ids.next())
        };
        let record = record(event, why, SystemTime::now());
        let payload = Bytes::from(record.into_bytes().into_boxed_slice());
        let mut letter = Event::new(
            payload,
            call,
            resolved.handler.clone(),
            function.limits().clone(),
        );
        letter.last_resort = true;
        Some(letter)
    }
}

/// Waits for `work`, unless the endpoint drops everything that still runs.
async fn unless_stopped(running: &Running, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = running.stop() => {}
    }
}

#[cfg(all(test, feature = "runtime"))]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use http::Request;
    use http_body_util::Empty;
    use tokio::sync::{Notify, mpsc};
    use tower_service::Service as _;

    use super::*;
    use crate::{Endpoint, EventSettings, Function, FunctionError};

    #[tokio::test]
    async fn an_event_that_a_program_cannot_take_at_shutdown_goes_to_the_dead_letter() {
        let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let busy = {
            let (started, release) = (Arc::clone(&started), Arc::clone(&release));
            Function::buffered("busy", move |_| {
                let (started, release) = (Arc::clone(&started), Arc::clone(&release));
                async move {
                    started.notify_one();
                    release.notified().await;
                    Err::<String, _>(FunctionError::throttled())
                }
            })
        };
        // It is busy as well when it is first called.
        let (report, mut letters) = mpsc::unbounded_channel();
        let was_busy = AtomicBool::new(false);
        let letter = Function::buffered("letter", move |invocation| {
            let result = match was_busy.swap(true, Ordering::Relaxed) {
                true => Ok(report
                    .send(invocation.payload().clone())
                    .is_ok()
                    .to_string()),
                false => Err(FunctionError::throttled()),
            };
            async { result }
        });
        let dead_letter = DeadLetter::Function("letter".to_owned());
        let mut memory = Endpoint::builder()
            .functions([busy, letter])
            .events(EventSettings::default().dead_letter(dead_letter))
            .verify(false)
            .build()
            .unwrap()
            .in_memory();
        let request = Request::post("http://x/2015-03-31/functions/busy/invocations")
            .header("x-amz-invocation-type", "Event")
            .body(Empty::<Bytes>::new())
            .unwrap();
        assert_eq!(memory.call(request).await.unwrap().status(), 202);
        started.notified().await;
        let shutdown = tokio::spawn({
            let memory = memory.clone();
            async move { memory.shutdown(Duration::from_secs(60)).await }
        });
        // Long enough for the queue to close, since this test has one thread.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        release.notify_one();
        assert!(shutdown.await.unwrap());
        let letter: serde_json::Value =
            serde_json::from_slice(&letters.try_recv().unwrap()).unwrap();
        let context = &letter["requestContext"];
        assert_eq!(context["condition"], "ShuttingDown");
        assert_eq!(context["approximateInvokeCount"], 0);
        let counters = memory.endpoint().event_counters();
        assert_eq!((counters.dead_lettered, counters.dropped), (1, 0));
        assert_eq!((counters.throttled, counters.succeeded), (2, 1));
    }
}
