//! Caching and renewing credentials: under load, and with providers that fail, hang or return
//! expired credentials.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_invoke_credentials::{
    Cached, Clock, Credentials, CredentialsFuture, Error, ErrorKind, ProvideCredentials,
};
use lambda_invoke_sigv4::Timestamp;
use tokio::sync::Semaphore;

/// A clock that the test sets, in seconds.
#[derive(Clone, Debug, Default)]
struct SetClock(Arc<Mutex<u64>>);

impl SetClock {
    fn set(&self, seconds: u64) {
        *self.0.lock().unwrap() = seconds;
    }
}

impl Clock for SetClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(*self.0.lock().unwrap())
    }
}

/// What a fetch does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Returns credentials that expire at this time.
    Until(u64),
    Fail,
    Hang,
}

/// A provider that follows a script: each fetch takes the next step, and the last step repeats. A
/// fetch waits until the test releases it.
#[derive(Clone, Debug)]
struct Script {
    steps: Arc<Vec<Step>>,
    fetches: Arc<AtomicU32>,
    gate: Arc<Semaphore>,
    /// The keys that were reported as expired.
    invalidated: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn of(steps: &[Step]) -> Self {
        let script = Self::gated(steps);
        script.gate.add_permits(1_000_000);
        script
    }

    fn gated(steps: &[Step]) -> Self {
        Self {
            steps: Arc::new(steps.to_vec()),
            fetches: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            invalidated: Arc::default(),
        }
    }

    fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl ProvideCredentials for Script {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.fetches.fetch_add(1, Ordering::SeqCst);
        let step = self.steps[(number as usize).min(self.steps.len() - 1)];
        Box::pin(async move {
            self.gate.acquire().await?.forget();
            match step {
                Step::Until(expiry) => {
                    let credentials = Credentials::new(format!("AKID{number}"), "hunter2")?;
                    Ok(credentials.with_expiry(Timestamp::from_secs(expiry)?))
                }
                Step::Fail => Err("the vault is closed".into()),
                Step::Hang => std::future::pending().await,
            }
        })
    }

    fn invalidate(&self, expired: &Credentials) {
        let key = expired.access_key_id().to_owned();
        self.invalidated.lock().unwrap().push(key);
    }
}

fn cached(script: &Script, timeout: Duration) -> (Cached, SetClock) {
    let clock = SetClock::default();
    let cached = Cached::with_clock(script.clone(), clock.clone(), timeout);
    (cached, clock)
}

const LONG: Duration = Duration::from_secs(60);

async fn key(cached: &Cached) -> Result<String, Error> {
    match cached.provide().await {
        Ok(credentials) => Ok(credentials.access_key_id().to_owned()),
        Err(error) => Err(*error.downcast().unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_at_an_expiry_make_one_fetch_and_never_get_expired_credentials() {
    let script = Script::gated(&[Step::Until(3600), Step::Until(7200)]);
    let (cached, clock) = cached(&script, LONG);
    // All calls wait for the first fetch.
    let start = |count: usize| -> Vec<_> {
        let calls = (0..count).map(|_| {
            let cached = cached.clone();
            tokio::spawn(async move { key(&cached).await.unwrap() })
        });
        calls.collect()
    };
    let calls = start(1000);
    while script.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    script.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), "AKID0");
    }
    assert_eq!(script.fetches(), 1);

    // Shortly before the expiry, one call fetches, and the others use the old credentials in the
    // meantime.
    clock.set(3599);
    let leader = start(1).remove(0);
    while script.fetches() == 1 {
        tokio::task::yield_now().await;
    }
    for call in start(1000) {
        assert_eq!(call.await.unwrap(), "AKID0");
    }
    // After the expiry, all calls wait for that same fetch.
    clock.set(3600);
    let calls = start(1000);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(calls.iter().all(|call| !call.is_finished()));
    script.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), "AKID1");
    }
    assert_eq!(leader.await.unwrap(), "AKID1");
    assert_eq!(script.fetches(), 2);
}

#[tokio::test]
async fn credentials_are_renewed_four_to_five_minutes_before_they_expire() {
    for _ in 0..50 {
        let script = Script::of(&[Step::Until(3600), Step::Until(7200)]);
        let (cached, clock) = cached(&script, LONG);
        assert_eq!(key(&cached).await.unwrap(), "AKID0");
        clock.set(3600 - 301);
        assert_eq!(key(&cached).await.unwrap(), "AKID0");
        clock.set(3600 - 239);
        assert_eq!(key(&cached).await.unwrap(), "AKID1");
    }
    // Credentials that are valid for a minute are renewed after half that time, and not at each
    // call.
    let script = Script::of(&[Step::Until(60), Step::Until(120)]);
    let (cached, clock) = cached(&script, LONG);
    for (now, expected) in [(0, "AKID0"), (29, "AKID0"), (37, "AKID1"), (60, "AKID1")] {
        clock.set(now);
        assert_eq!(key(&cached).await.unwrap(), expected, "{now}");
    }
}

#[tokio::test]
async fn the_time_of_renewal_is_random() {
    let mut moments = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let script = Script::of(&[Step::Until(3600), Step::Until(7200)]);
        let (cached, clock) = cached(&script, LONG);
        key(&cached).await.unwrap();
        let moment = (3299..3361).find(|now| {
            clock.set(*now);
            let found = futures_block(key(&cached)).unwrap();
            found == "AKID1"
        });
        moments.insert(moment.unwrap());
    }
    assert!(moments.len() > 5, "{moments:?}");
}

/// Runs a future on a runtime of its own.
fn futures_block<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(future)
        });
        run.join().unwrap()
    })
}

#[tokio::test]
async fn a_fetch_that_fails_keeps_valid_credentials_and_is_tried_again_after_a_pause() {
    let script = Script::of(&[Step::Until(3600), Step::Fail, Step::Until(7200), Step::Fail]);
    let (cached, clock) = cached(&script, LONG);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    clock.set(3400);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    assert_eq!(script.fetches(), 2);
    clock.set(3409);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    assert_eq!(script.fetches(), 2);
    clock.set(3421);
    assert_eq!(key(&cached).await.unwrap(), "AKID2");
    // Once the credentials have expired, the caller gets the error.
    clock.set(7200);
    let error = key(&cached).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the vault is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn credentials_that_the_service_calls_expired_are_fetched_again() {
    let script = Script::of(&[Step::Until(3600), Step::Until(7200), Step::Fail]);
    let invalidated = Arc::clone(&script.invalidated);
    let (cached, _) = cached(&script, LONG);
    let first = cached.provide().await.unwrap();
    cached.invalidate(&first);
    assert_eq!(key(&cached).await.unwrap(), "AKID1");
    // A late report about the first does not concern the second.
    cached.invalidate(&first);
    assert_eq!(key(&cached).await.unwrap(), "AKID1");
    assert_eq!(script.fetches(), 2);
    // The second may still be valid: it is used if nothing else can be fetched.
    let second = cached.provide().await.unwrap();
    Arc::new(cached.clone()).invalidate(&second);
    assert_eq!(key(&cached).await.unwrap(), "AKID1");
    assert_eq!(script.fetches(), 3);
    // The provider below may have a cache, too.
    assert_eq!(*invalidated.lock().unwrap(), ["AKID0", "AKID1"]);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let script = Script::of(&[Step::Fail, Step::Fail, Step::Until(3600)]);
    let (cached, _) = cached(&script, LONG);
    key(&cached).await.unwrap_err();
    key(&cached).await.unwrap_err();
    assert_eq!(key(&cached).await.unwrap(), "AKID2");
}

#[tokio::test]
async fn all_calls_that_wait_for_a_fetch_get_its_error() {
    let script = Script::gated(&[Step::Fail]);
    let (cached, _) = cached(&script, LONG);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let cached = cached.clone();
            tokio::spawn(async move { key(&cached).await.unwrap_err() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    script.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(script.fetches(), 1);
}

#[tokio::test]
async fn credentials_that_have_already_expired_are_an_error_and_never_returned() {
    let script = Script::of(&[Step::Until(100), Step::Until(50), Step::Until(200)]);
    let (cached, clock) = cached(&script, LONG);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    // Expired credentials from the provider do not replace valid ones.
    clock.set(60);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    let script = Script::of(&[Step::Until(100)]);
    let (cached, clock) = self::cached(&script, LONG);
    clock.set(100);
    let error = key(&cached).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Expired);
    assert!(error.to_string().contains("expired at"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_provider_that_hangs_delays_no_call_for_long_while_credentials_are_valid() {
    let script = Script::of(&[Step::Until(3600), Step::Hang]);
    let (cached, clock) = cached(&script, Duration::from_secs(8));
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    clock.set(3500);
    let start = Instant::now();
    // The call that fetches waits for five seconds, and the others do not wait at all.
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    assert!(
        (4..7).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    let start = Instant::now();
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    assert!(start.elapsed() < Duration::from_secs(1));
    // Without valid credentials, only the timeout of the fetch itself applies.
    clock.set(3600);
    let error = key(&cached).await.unwrap_err();
    assert!(
        error.to_string().contains("no credentials within 8s"),
        "{error}"
    );
    assert_eq!(script.fetches(), 2);
}

#[tokio::test]
async fn a_fetch_continues_when_its_call_is_canceled() {
    let script = Script::gated(&[Step::Until(3600)]);
    let (cached, _) = cached(&script, LONG);
    let call = tokio::spawn({
        let cached = cached.clone();
        async move { key(&cached).await }
    });
    while script.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    script.gate.add_permits(1);
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    assert_eq!(script.fetches(), 1);
}

#[derive(Debug)]
struct Panics;

impl ProvideCredentials for Panics {
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(async { panic!("on purpose") })
    }
}

#[tokio::test]
async fn a_provider_that_panics_is_an_error() {
    let error = key(&Cached::new(Panics)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("panicked"), "{error}");
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn a_fetch_whose_runtime_is_gone_is_begun_again() {
    let script = Script::gated(&[Step::Until(3600)]);
    let (cached, _) = cached(&script, LONG);
    runtime().block_on(async {
        let call = tokio::time::timeout(Duration::from_millis(20), key(&cached)).await;
        call.unwrap_err();
    });
    script.gate.add_permits(1);
    assert_eq!(runtime().block_on(key(&cached)).unwrap(), "AKID1");
    assert_eq!(script.fetches(), 2);
}

#[test]
fn a_call_does_not_wait_for_a_fetch_of_a_runtime_that_does_not_run() {
    let script = Script::of(&[Step::Hang, Step::Until(3600)]);
    let (cached, _) = cached(&script, LONG);
    let within = |time| {
        let call = key(&cached);
        async move { tokio::time::timeout(time, call).await }
    };
    let stopped = runtime();
    let call = stopped.block_on(within(Duration::from_millis(20)));
    call.unwrap_err();
    let call = runtime().block_on(within(Duration::from_secs(10)));
    assert_eq!(call.unwrap().unwrap(), "AKID1");
    drop(stopped);
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_while_a_call_waits_for_others_are_not_returned() {
    let script = Script::of(&[Step::Until(3600), Step::Hang]);
    let (cached, clock) = cached(&script, Duration::from_secs(8));
    assert_eq!(key(&cached).await.unwrap(), "AKID0");
    clock.set(3598);
    let call = tokio::spawn({
        let cached = cached.clone();
        async move { key(&cached).await }
    });
    while script.fetches() == 1 {
        tokio::task::yield_now().await;
    }
    clock.set(3603);
    let error = call.await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("no credentials within 8s"),
        "{error}"
    );
}

/// Returns credentials once.
#[derive(Debug, Default)]
struct PanicsLater(AtomicU32);

impl ProvideCredentials for PanicsLater {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            assert_eq!(number, 0, "on purpose");
            let end = Timestamp::from_secs(3600)?;
            Ok(Credentials::new("AKID0", "hunter2")?.with_expiry(end))
        })
    }
}

#[tokio::test]
async fn a_provider_that_panics_leaves_valid_credentials_in_use() {
    let clock = SetClock::default();
    let cached = Cached::with_clock(PanicsLater::default(), clock.clone(), LONG);
    for now in [0, 3400, 3405] {
        clock.set(now);
        assert_eq!(key(&cached).await.unwrap(), "AKID0", "{now}");
    }
}
