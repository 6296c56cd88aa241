//! What an instance takes, when it counts as starting, idle or settling, and whose its lines are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::api::Subscriptions;
use crate::{Event, Outcome};

struct Nobody;

impl Owner for Nobody {
    fn ready(&self, _: &Instance) {}
    fn ended(&self, _: &Instance, _: Option<&dyn Fn(&str) -> Failure>) {}
}

/// Counts how often an instance could take a call.
#[derive(Default)]
struct Readies(AtomicUsize);

impl Owner for Readies {
    fn ready(&self, _: &Instance) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn ended(&self, _: &Instance, _: Option<&dyn Fn(&str) -> Failure>) {}
}

fn program() -> Program {
    let program = Program::command(["true"]).unwrap();
    program.timeout(Duration::from_secs(10))
}

fn instance_of(program: Program, sink: Option<LogSink>) -> Instance {
    let owner: Weak<dyn Owner> = Weak::<Nobody>::new();
    Instance::new(1, Group::default(), Arc::new(program), owner, sink, 0)
}

fn instance() -> Instance {
    instance_of(program(), None)
}

type Request = tokio::sync::oneshot::Receiver<Delivery>;

/// A request of the runtime for an event, which waits until it is dropped.
fn ask(instance: &Instance) -> Request {
    let mut state = instance.lock();
    let poll = state.next_poll;
    state.next_poll += 1;
    state.ready |= state.machine.poll(poll).unwrap();
    let (sender, request) = tokio::sync::oneshot::channel();
    state.polls.add(poll, sender);
    request
}

fn ready() -> (Instance, Request) {
    let instance = instance();
    let request = ask(&instance);
    (instance, request)
}

fn made(event: Event) -> (Box<Call>, call::Caller) {
    let program = program();
    let permit = Permit::take(&Arc::default(), 1).unwrap();
    Call::new(&program, &Headers::of(&program), event, permit).unwrap()
}

fn call(event: Event) -> Box<Call> {
    made(event).0
}

#[test]
fn an_instance_is_shown_by_its_number() {
    assert_eq!(format!("{:?}", instance()), "Instance { number: 1, .. }");
}

#[test]
fn an_instance_starts_waits_runs_and_settles() {
    let is = |instance: &Instance| {
        [
            instance.is_starting(),
            instance.is_idle(),
            instance.is_settling(),
        ]
    };
    let none = [false; 3];
    let instance = instance();
    assert_eq!(is(&instance), [true, false, false]);
    for phase in ["waits", "runs", "settles"] {
        let (instance, _request) = ready();
        let expected = match phase {
            "waits" => [false, true, false],
            "runs" => {
                assert!(instance.hand(call(Event::new("id", "{}"))).is_ok());
                none
            }
            _ => {
                assert!(instance.hand(call(Event::new("id", "{}"))).is_ok());
                instance.finish("id", Outcome::Succeeded, None);
                [false, false, true]
            }
        };
        assert_eq!(is(&instance), expected, "{phase}");
        let retires = instance.retire_if_idle();
        assert_eq!(retires, phase == "waits", "{phase}");
        instance.retire();
        assert_eq!(is(&instance), none, "{phase}, but retired");
        assert!(!instance.retire_if_idle(), "{phase}: it ends already");
        instance.lock().retired = false;
        instance.stop();
        assert!(!instance.is_settling(), "{phase}, but stopped");
    }
    instance.retire();
    assert_eq!(is(&instance), none);
    instance.lock().retired = false;
    instance.stop();
    assert_eq!(is(&instance), none);
}

#[test]
fn a_request_that_waits_already_gets_the_call_that_waits_when_another_ends() {
    let owner = Arc::new(Readies::default());
    let weak: Weak<dyn Owner> = Arc::downgrade(&owner) as _;
    let instance = Instance::new(1, Group::default(), Arc::new(program()), weak, None, 0);
    for waiting in [1, 2] {
        let _requests: Vec<Request> = (0..waiting).map(|_| ask(&instance)).collect();
        assert!(instance.hand(call(Event::new("id", "{}"))).is_ok());
        assert!(!instance.can_take());
        instance.finish("id", Outcome::Succeeded, None);
        let readies = owner.0.swap(0, Ordering::Relaxed);
        assert_eq!(readies, waiting - 1, "{waiting} requests");
        assert_eq!(instance.can_take(), waiting == 2);
    }
}

#[test]
fn an_instance_that_ends_takes_no_call() {
    let (retired, _request) = ready();
    retired.retire();
    let (stopped, _request) = ready();
    stopped.stop();
    for instance in [retired, stopped, instance()] {
        let call = instance.hand(call(Event::new("id", "{}"))).unwrap_err();
        assert_eq!(&*call.request_id, "id");
        assert_eq!(instance.lock().machine.running(), 0);
    }
}

#[tokio::test]
async fn a_call_wakes_its_instance_only_for_an_earlier_deadline_or_the_memory() {
    let now = Instant::now();
    let (earlier, later) = (now, now + Duration::from_secs(60));
    for (armed, without_memory, samples, woken) in [
        (None, true, false, true),
        (Some(later), true, false, true),
        (Some(later), false, true, true),
        (Some(earlier), true, false, false),
        (Some(earlier), true, true, false),
        (Some(earlier), false, true, false),
        (Some(earlier), false, false, true),
    ] {
        let (instance, _request) = ready();
        instance.lock().armed = armed;
        instance.lock().samples = samples;
        let mut event = Event::new("id", "{}");
        event.without_memory = without_memory;
        assert!(instance.hand(call(event)).is_ok());
        let wakes = tokio::time::timeout(Duration::ZERO, instance.wake.notified());
        let wakes = wakes.await.is_ok();
        assert_eq!(wakes, woken, "{armed:?} {without_memory} {samples}");
        assert!(instance.lock().calls[0].deadline > Some(now + Duration::from_secs(9)));
    }
}

#[test]
fn after_a_call_an_instance_with_no_request_must_ask_for_an_event_in_time() {
    for (slots, requests) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let instance = instance_of(program().multi_concurrency(slots), None);
        let _requests: Vec<_> = (0..requests).map(|_| ask(&instance)).collect();
        assert!(instance.hand(call(Event::new("id", "{}"))).is_ok());
        let deadline = instance.lock().calls[0].deadline;
        instance.finish("id", Outcome::Succeeded, None);
        let settle = instance.lock().settle;
        let expected = deadline.filter(|_| requests == 1);
        assert_eq!(settle, expected, "{slots} {requests}");
    }
}

#[tokio::test]
async fn an_instance_that_closes_its_last_request_must_ask_again_in_time() {
    for slots in [1, 2] {
        let program = program().multi_concurrency(slots);
        let instance = Arc::new(instance_of(program, None));
        let limit = Instant::now() + instance.program.init_limit();
        let wakes = async |instance: &Instance| {
            let wakes = tokio::time::timeout(Duration::ZERO, instance.wake.notified());
            wakes.await.is_ok()
        };
        let [first, second] = [(); 2].map(|()| waiting::poll(&instance).ok().unwrap());
        drop(first);
        assert_eq!(instance.lock().settle, None, "another request waits");
        assert!(!wakes(&instance).await);
        drop(second);
        assert!(instance.lock().settle.unwrap() >= limit);
        assert!(wakes(&instance).await);
        let request = waiting::poll(&instance).ok().unwrap();
        assert_eq!(instance.lock().settle, None, "it has asked");
        assert!(instance.hand(call(Event::new("id", "{}"))).is_ok());
        drop(request);
        assert_eq!(instance.lock().settle, None, "the call has a deadline");
    }
}

/// A request that is repeated while an extension holds the instance up does not extend its time.
#[test]
fn an_extension_must_ask_in_time_however_often_its_runtime_does() {
    let instance = Arc::new(instance());
    let invoke = Subscriptions {
        invoke: true,
        shutdown: false,
    };
    assert!(instance.lock().machine.register(invoke).is_ok());
    let request = waiting::poll(&instance).ok().unwrap();
    let settle = instance.lock().settle;
    assert!(settle.is_some());
    drop(request);
    let _request = waiting::poll(&instance).ok().unwrap();
    assert_eq!(instance.lock().settle, settle);
}

#[tokio::test]
async fn a_line_belongs_to_the_only_call_or_to_the_initialization() {
    let seen: Arc<Mutex<Vec<LogLine>>> = Arc::default();
    let lines = Arc::clone(&seen);
    let sink = LogSink(Arc::new(move |line: &LogLine| {
        lines.lock().unwrap().push(line.clone());
    }));
    let instance = instance_of(program().multi_concurrency(2), Some(sink));
    instance.line("starts".to_owned());
    let requests = [ask(&instance), ask(&instance)];
    instance.line("idle".to_owned());
    let mut callers = Vec::new();
    for (id, line) in [("first", "of the first"), ("second", "of either")] {
        let (call, caller) = made(Event::new(id, "{}"));
        assert!(instance.hand(call).is_ok());
        instance.line(line.to_owned());
        callers.push(caller);
    }
    let ids = |line: &LogLine| line.request_id.as_deref().map(str::to_owned);
    let ids: Vec<_> = seen.lock().unwrap().iter().map(ids).collect();
    assert_eq!(ids, [None, None, Some("first".to_owned()), None]);
    for (id, lines) in [
        ("first", vec!["starts", "of the first"]),
        ("second", vec![]),
    ] {
        instance.finish(id, Outcome::Succeeded, None);
        let report = callers.remove(0).response().await.finish().await;
        let texts: Vec<_> = report.log.iter().map(|line| &line.text).collect();
        assert_eq!(texts, lines, "{id}");
    }
    drop(requests);
}
