//! The models of the pool.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::thread;

use crate::pool::Pool;
use crate::program::{Death, Program};
use crate::{Event, Failure, FailureKind, InvokeError, Outcome};

/// Calls the function, and returns how the invocation ended.
fn call(pool: &Pool, event: Event) -> Result<Outcome, InvokeError> {
    let response = block_on(pool.invoke(event))?;
    let (_, report) = response.into_buffered().expect("it is not streamed");
    Ok(report.outcome)
}

fn succeed(pool: &Pool, id: &str) {
    assert_eq!(call(pool, Event::new(id, "")), Ok(Outcome::Succeeded));
}

/// Calls the function in another thread and in this one.
fn two(program: Program) {
    let pool = Pool::new(program);
    let shared = pool.clone();
    let other = thread::spawn(move || succeed(&shared, "other"));
    succeed(&pool, "own");
    other.join().unwrap();
    let (program, instances) = (pool.program(), pool.instances());
    assert!((1..=program.concurrency).contains(&instances));
    assert!(program.seen.has_run("own") && program.seen.has_run("other"));
}

pub(crate) fn two_calls_share_an_instance_one_after_the_other() {
    two(Program::new(1));
}

pub(crate) fn no_more_instances_run_than_a_pool_allows() {
    two(Program::new(2));
}

/// The only instance ends, which at most one of two calls notices. Returns whether one did.
fn end(death: Death) -> bool {
    let pool = Pool::new(Program {
        death: Some(death),
        ..Program::new(1)
    });
    let shared = pool.clone();
    let other = thread::spawn(move || call(&shared, Event::new("other", "")).unwrap());
    let own = call(&pool, Event::new("own", "")).unwrap();
    let ends = [own, other.join().unwrap()];
    let failures: Vec<_> = ends.iter().filter_map(Outcome::failure).collect();
    assert!(failures.len() <= 1, "{ends:?}");
    // The pool itself says so, and does not just drop the call.
    let is_told = |failure: &&Failure| failure.kind == FailureKind::Exited;
    assert!(failures.iter().all(is_told), "{ends:?}");
    failures.len() == 1
}

pub(crate) fn a_call_that_waits_gets_a_new_instance_when_one_does_not_start() {
    assert!(end(Death::Starting));
}

pub(crate) fn a_call_that_waits_gets_a_new_instance_when_one_ends_idle() {
    end(Death::Idle);
}

pub(crate) fn a_call_that_waits_gets_a_new_instance_when_one_ends_running() {
    assert!(end(Death::Running));
}

pub(crate) fn a_call_that_waits_gets_the_place_of_another_tenant() {
    let pool = Pool::new(Program::new(1));
    let shared = pool.clone();
    let other = thread::spawn(move || {
        let event = Event::new("other", "").with_tenant_id("blue");
        assert_eq!(call(&shared, event), Ok(Outcome::Succeeded));
    });
    succeed(&pool, "own");
    other.join().unwrap();
    assert_eq!(pool.program().seen.started(), 2);
}

/// Calls the function, and drops the call while it waits.
fn abandon(pool: &Pool, id: &str) {
    let call = pin!(pool.invoke(Event::new(id, "")));
    let mut cx = Context::from_waker(Waker::noop());
    let _ = call.poll(&mut cx);
}

pub(crate) fn a_call_that_is_dropped_takes_no_instance_with_it() {
    let pool = Pool::new(Program::new(1));
    let shared = pool.clone();
    let other = thread::spawn(move || abandon(&shared, "other"));
    succeed(&pool, "own");
    other.join().unwrap();
    succeed(&pool, "last");
}

pub(crate) fn a_call_that_is_dropped_before_its_instance_has_started_is_passed_over() {
    let pool = Pool::new(Program::new(1));
    abandon(&pool, "other");
    succeed(&pool, "own");
}

pub(crate) fn a_pool_that_closes_ends_every_call_and_every_instance() {
    let pool = Pool::new(Program::new(1));
    let shared = pool.clone();
    let other = thread::spawn(move || match call(&shared, Event::new("other", "")) {
        Err(InvokeError::Closed) => assert!(!shared.program().seen.has_run("other")),
        Ok(Outcome::Succeeded) => assert!(shared.program().seen.has_run("other")),
        Ok(Outcome::Failed(failure)) => assert!(matches!(
            failure.kind,
            FailureKind::Shutdown | FailureKind::Exited
        )),
        Err(error) => panic!("{error}"),
    });
    block_on(pool.shutdown());
    assert_eq!((pool.instances(), pool.program().seen.alive()), (0, 0));
    other.join().unwrap();
}

/// All instances are replaced while they run or wait.
pub(crate) fn an_instance_that_is_replaced_loses_no_call() {
    let pool = Pool::new(Program::new(1));
    let shared = pool.clone();
    let other = thread::spawn(move || succeed(&shared, "other"));
    pool.recycle();
    other.join().unwrap();
}
