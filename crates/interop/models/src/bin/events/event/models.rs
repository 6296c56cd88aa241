//! The models of the event queue.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use loom::future::block_on;
use loom::thread;
use tokio::sync::Notify;
use tokio::time;

use super::entry::Event;
use super::notice::{EventFailure, Notice};
use super::owned::{Open, Owned};
use super::queue::Queue;
use super::settings::EventSettings;
use crate::function::Handler;
use crate::function::invocation::Call;
use crate::run::concurrency::Limits;

const DAY: Duration = Duration::from_secs(86_400);

/// Events are due a while before the clock of the model says so: they are queued at real times.
const SOON: Duration = Duration::from_secs(3_600);

/// A queue, and the events that have ended.
#[derive(Clone)]
struct World {
    queue: Arc<Queue>,
    ends: Arc<Mutex<Vec<String>>>,
    /// Notified when an event has succeeded.
    succeeded: Arc<Notify>,
    attempts: Arc<Mutex<Vec<thread::JoinHandle<()>>>>,
}

/// With one retry, after a day.
fn settings() -> EventSettings {
    let settings = EventSettings::default().max_age(365 * DAY);
    settings.retry_delays([DAY])
}

fn event(id: &str) -> Event {
    let limits = Limits {
        function: None,
        account: None,
    };
    Event::new(Bytes::new(), Call::new(id), Handler, limits)
}

impl World {
    fn new(settings: EventSettings) -> Self {
        time::begin(Instant::now());
        let ends = Arc::<Mutex<Vec<String>>>::default();
        let lost = Arc::clone(&ends);
        let notice = move |notice| {
            if let Notice::EventDropped { request_id, .. } = notice {
                lost.lock().unwrap().push(request_id);
            }
        };
        Self {
            queue: Arc::new(Queue::new(settings, Arc::new(notice)).expect("there is no file")),
            ends,
            succeeded: Arc::default(),
            attempts: Arc::default(),
        }
    }

    fn accept(&self, id: &str) -> bool {
        self.queue.accept(vec![event(id)])
    }

    /// Starts a worker, which runs the events until `drained`, and loses those that still wait.
    fn worker(
        &self,
        drained: &Arc<Notify>,
        start: impl Fn(&Self, Owned) + 'static,
    ) -> thread::JoinHandle<()> {
        let (world, drained) = (self.clone(), Arc::clone(drained));
        let mut open = Open::new(&self.queue);
        thread::spawn(move || {
            let start_due = || {
                let mut due = Vec::new();
                let next_due = world.queue.take_due(time::now() + SOON, &mut due);
                for (owned, permit) in due {
                    assert!(permit.is_some(), "no event is too old");
                    start(&world, owned);
                }
                next_due
            };
            block_on(world.queue.watch(drained.notified(), start_due));
            for event in open.close() {
                event.lose(EventFailure::ShuttingDown);
            }
        })
    }

    fn succeed(&self, owned: Owned) {
        let id = owned
            .event
            .as_ref()
            .map(|event| event.call().request_id.clone());
        self.ends.lock().unwrap().extend(id);
        owned.settle();
        self.succeeded.notify_one();
    }

    /// Makes the first attempt of an event in another thread, where it ends like this. The second attempt
    /// succeeds, and that of a dead letter.
    fn attempt(&self, mut owned: Owned, end: fn(&Self, Owned)) {
        let event = owned.event.as_mut().expect("it was taken");
        event.attempts += 1;
        // A throttled attempt does not count.
        let is_first = event.last_error.is_none();
        event.last_error.get_or_insert_default();
        if !is_first || event.last_resort {
            return self.succeed(owned);
        }
        let world = self.clone();
        let attempt = thread::spawn(move || end(&world, owned));
        self.attempts.lock().unwrap().push(attempt);
    }

    fn wait(&self) {
        block_on(self.succeeded.notified());
    }

    /// Waits for the attempts, and returns how often an event has ended. Nothing is left of them.
    fn ends(&self) -> usize {
        let attempts = std::mem::take(&mut *self.attempts.lock().unwrap());
        for attempt in attempts {
            attempt.join().unwrap();
        }
        let state = self.queue.lock();
        assert_eq!((state.events, state.bytes, state.workers), (0, 0, 0));
        assert!(state.waiting.is_empty());
        self.ends.lock().unwrap().len()
    }
}

/// An event that fails is queued for its next attempt, or is lost.
fn fail(_: &World, mut owned: Owned) {
    if let Some(why) = owned.put_back(Bytes::from_static(b"error")) {
        owned.lose(why);
    }
}

fn throttle(_: &World, owned: Owned) {
    if let Some(owned) = owned.put_back_throttled() {
        owned.lose(EventFailure::ShuttingDown);
    }
}

/// While an event ends, two calls compete for its place.
fn compete(settings: EventSettings) {
    let world = World::new(settings);
    let _open = Open::new(&world.queue);
    assert!(world.accept("first"));
    let mut due = Vec::new();
    world.queue.take_due(time::now() + SOON, &mut due);
    let (first, _permit) = due.pop().expect("it is due");
    let (ending, other) = (world.clone(), world.clone());
    let ends = thread::spawn(move || ending.succeed(first));
    let other = thread::spawn(move || other.accept("other"));
    let own = world.accept("own");
    let other = other.join().unwrap();
    ends.join().unwrap();
    assert!(!(own && other));
    let left = usize::from(own || other);
    assert_eq!(world.queue.lock().events, left);
    assert_eq!(world.queue.lock().bytes, left * event("").held());
    assert_eq!(world.accept("last"), left == 0);
}

pub(crate) fn no_more_events_are_accepted_than_the_queue_holds() {
    compete(settings().length(1));
}

pub(crate) fn no_more_bytes_are_accepted_than_the_queue_holds() {
    compete(settings().bytes(event("").held()));
}

pub(crate) fn all_events_of_a_call_are_accepted_or_none() {
    let world = World::new(settings().length(3));
    let _open = Open::new(&world.queue);
    let other = world.clone();
    let other = thread::spawn(move || other.queue.accept(event("other").times(2)));
    let own = world.queue.accept(event("own").times(2));
    assert_ne!(own, other.join().unwrap());
    let state = world.queue.lock();
    assert_eq!((state.events, state.waiting.len()), (2, 2));
}

pub(crate) fn every_accepted_event_is_started() {
    let (world, drained) = (World::new(settings()), Arc::default());
    let worker = world.worker(&drained, World::succeed);
    let other = world.clone();
    let other = thread::spawn(move || assert!(other.accept("other")));
    assert!(world.accept("own"));
    while world.ends.lock().unwrap().len() < 2 {
        world.wait();
    }
    drained.notify_one();
    other.join().unwrap();
    worker.join().unwrap();
    assert_eq!(world.ends(), 2);
}

/// An event whose first attempt ends like this succeeds in the end.
fn again(end: fn(&World, Owned)) {
    let (world, drained) = (World::new(settings()), Arc::default());
    let worker = world.worker(&drained, move |world, owned| world.attempt(owned, end));
    assert!(world.accept("event"));
    world.wait();
    drained.notify_one();
    worker.join().unwrap();
    assert_eq!(world.ends(), 1);
}

pub(crate) fn an_event_that_failed_is_started_again() {
    again(fail);
}

pub(crate) fn an_event_that_was_throttled_is_started_again() {
    again(throttle);
}

/// Two servers of an endpoint have a worker each. One of them shuts down while an event that failed waits
/// for its second attempt.
pub(crate) fn the_event_of_a_worker_that_leaves_is_started_by_another() {
    let (world, leaves, drained) = (World::new(settings()), Arc::default(), Arc::default());
    let first = Open::new(&world.queue);
    assert!(world.accept("event"));
    let mut due = Vec::new();
    world.queue.take_due(time::now() + SOON, &mut due);
    drop(first);
    let (mut event, _permit) = due.pop().expect("it is due");
    event.event.as_mut().expect("it was taken").attempts += 1;
    let first = world.worker(&leaves, World::succeed);
    let second = world.worker(&drained, World::succeed);
    assert_eq!(event.put_back(Bytes::new()), None);
    leaves.notify_one();
    world.wait();
    drained.notify_one();
    first.join().unwrap();
    second.join().unwrap();
    assert_eq!(world.ends(), 1);
}

/// The queue closes at any time after its only event was accepted.
fn close(settings: EventSettings, end: fn(&World, Owned)) {
    let (world, drained) = (World::new(settings), Arc::default());
    let worker = world.worker(&drained, move |world, owned| world.attempt(owned, end));
    assert!(world.accept("event"));
    drained.notify_one();
    worker.join().unwrap();
    assert_eq!(world.ends(), 1);
}

pub(crate) fn an_event_that_fails_while_the_queue_closes_ends_once() {
    close(settings(), fail);
}

pub(crate) fn an_event_that_a_program_cannot_take_while_the_queue_closes_ends_once() {
    close(settings(), throttle);
}

pub(crate) fn an_event_that_is_dropped_while_the_queue_closes_is_lost_once() {
    close(settings(), |_, owned| drop(owned));
}

pub(crate) fn a_dead_letter_takes_the_place_of_its_event_while_the_queue_closes() {
    close(settings().retry_delays([]), |world, mut owned| {
        let why = owned.put_back(Bytes::from_static(b"error"));
        assert_eq!(why, Some(EventFailure::RetriesExhausted));
        let mut letter = event("letter");
        letter.last_resort = true;
        if let Some(letter) = owned.hand_over(letter) {
            world.succeed(letter);
        }
    });
}

pub(crate) fn an_event_is_accepted_or_rejected_while_the_queue_closes() {
    let (world, drained) = (World::new(settings()), Arc::<Notify>::default());
    drained.notify_one();
    let worker = world.worker(&drained, World::succeed);
    let accepted = world.accept("event");
    worker.join().unwrap();
    assert!(!world.accept("late"));
    assert_eq!(world.ends(), usize::from(accepted));
}
