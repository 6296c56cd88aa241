//! The cache with providers that fail, hang, panic or take their time.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::CredentialsFuture;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn renewal_is_ahead_of_the_expiry_and_never_at_once() {
    assert_eq!(renew_at(at(0), None, false), None);
    assert_eq!(renew_at(at(0), Some(at(1)), false), None);
    assert_eq!(renew_at(at(0), None, true), Some(at(900)));
    assert_eq!(renew_at(at(0), Some(at(3600)), true), Some(at(3300)));
    assert_eq!(renew_at(at(1000), Some(at(1200)), true), Some(at(1010)));
    assert_eq!(renew_at(at(1000), Some(at(900)), true), Some(at(1010)));
}

/// Returns credentials with the next of these expiries; fails if that is 0.
#[derive(Debug)]
struct Script {
    expiries: Vec<u64>,
    fetches: AtomicU32,
}

impl ProvideCredentials for Script {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let expiry = self.expiries[number as usize];
            if expiry == 0 {
                return Err("the vault is closed".into());
            }
            let expiry = Timestamp::from_secs(expiry)?;
            Ok(Credentials::new(format!("AKID{number}"), "secret")?.with_expiry(expiry))
        })
    }
}

fn cache_of(expiries: &[u64]) -> Arc<CredentialsCache> {
    let script = Script {
        expiries: expiries.to_vec(),
        fetches: AtomicU32::new(0),
    };
    cache_with(script)
}

fn cache_with(provider: impl ProvideCredentials + 'static) -> Arc<CredentialsCache> {
    let cache = CredentialsCache::new(Box::new(provider), "eu-west-1".to_owned());
    Arc::new(cache)
}

async fn key(cache: &Arc<CredentialsCache>, seconds: u64) -> Result<String, Error> {
    let signer = cache.signer_at(at(seconds)).await?;
    Ok(signer.signer().credentials().access_key_id().to_owned())
}

#[tokio::test]
async fn keeps_credentials_until_shortly_before_they_expire() {
    let cache = cache_of(&[3600, 7200]);
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    assert_eq!(key(&cache, 3299).await.unwrap(), "AKID0");
    assert_eq!(key(&cache, 3300).await.unwrap(), "AKID1");
}

#[tokio::test]
async fn uses_the_old_ones_while_fetching_fails_until_they_expire() {
    let cache = cache_of(&[3600, 0, 0, 0]);
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    assert_eq!(key(&cache, 3400).await.unwrap(), "AKID0");
    // Not fetched again at once.
    assert_eq!(key(&cache, 3409).await.unwrap(), "AKID0");
    assert_eq!(key(&cache, 3410).await.unwrap(), "AKID0");
    let error = key(&cache, 3600).await.unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Credentials);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the vault is closed");
}

#[tokio::test]
async fn credentials_that_have_expired_are_an_error_and_do_not_replace_valid_ones() {
    let cache = cache_of(&[100, 50, 50]);
    let error = key(&cache, 100).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("the key AKID0 expired at"), "{source}");
    let cache = cache_of(&[100, 50]);
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    assert_eq!(key(&cache, 60).await.unwrap(), "AKID0");
    // Credentials that cannot be renewed do not outlive their expiry either.
    let fixed = Credentials::new("AKID", "secret").unwrap();
    let fixed = fixed.with_expiry(Timestamp::from_secs(100).unwrap());
    let cache = cache_with(fixed);
    assert_eq!(key(&cache, 99).await.unwrap(), "AKID");
    key(&cache, 100).await.unwrap_err();
}

/// Waits for its second fetch until the test lets it continue.
#[derive(Debug, Default)]
struct Gated {
    fetches: AtomicU32,
    gate: Arc<tokio::sync::Notify>,
}

impl ProvideCredentials for Gated {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if number > 0 {
                self.gate.notified().await;
            }
            let expiry = Timestamp::from_secs(3600 * (u64::from(number) + 1))?;
            Ok(Credentials::new(format!("AKID{number}"), "secret")?.with_expiry(expiry))
        })
    }
}

#[tokio::test]
async fn calls_use_the_old_ones_while_another_fetches_and_none_past_the_expiry() {
    let gated = Gated::default();
    let gate = Arc::clone(&gated.gate);
    let cache = cache_with(gated);
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    let call = |seconds| {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move { key(&cache, seconds).await.unwrap() })
    };
    let leader = call(3400);
    tokio::task::yield_now().await;
    for _ in 0..1000 {
        assert_eq!(key(&cache, 3400).await.unwrap(), "AKID0");
    }
    let late: Vec<_> = (0..1000).map(|_| call(3600)).collect();
    tokio::task::yield_now().await;
    gate.notify_one();
    assert_eq!(leader.await.unwrap(), "AKID1");
    for call in late {
        assert_eq!(call.await.unwrap(), "AKID1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_delays_no_call_for_long_while_credentials_are_valid() {
    let cache = cache_with(Gated::default());
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    let start = tokio::time::Instant::now();
    assert_eq!(key(&cache, 3400).await.unwrap(), "AKID0");
    assert_eq!(start.elapsed(), PATIENCE);
    assert_eq!(key(&cache, 3401).await.unwrap(), "AKID0");
    assert_eq!(start.elapsed(), PATIENCE);
    // After the expiry, all calls wait for the fetch until it has taken too long.
    let error = key(&cache, 3600).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("none within"), "{source}");
}

#[tokio::test]
async fn a_renewal_goes_on_when_its_call_is_canceled() {
    let gated = Gated::default();
    let gate = Arc::clone(&gated.gate);
    let cache = cache_with(gated);
    assert_eq!(key(&cache, 0).await.unwrap(), "AKID0");
    let leader = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { key(&cache, 3400).await }
    });
    while cache.lock().fetching.is_none() {
        tokio::task::yield_now().await;
    }
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.notify_one();
    while cache.lock().fetching.is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(key(&cache, 3400).await.unwrap(), "AKID1");
}

/// Panics when it is asked a second time.
#[derive(Debug, Default)]
struct Panics(AtomicU32);

impl ProvideCredentials for Panics {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            assert!(number == 0, "the vault is on fire");
            let expiry = Timestamp::from_secs(3600)?;
            Ok(Credentials::new("AKID0", "secret")?.with_expiry(expiry))
        })
    }
}

#[tokio::test]
async fn a_provider_that_panics_leaves_valid_keys_in_use() {
    let cache = cache_with(Panics::default());
    for seconds in [0, 3400, 3409] {
        assert_eq!(key(&cache, seconds).await.unwrap(), "AKID0");
    }
}

#[tokio::test]
async fn without_valid_keys_a_panic_of_the_provider_is_one_of_the_call_and_an_error_of_the_others()
{
    let cache = cache_with(Panics(AtomicU32::new(1)));
    let mut calls = Vec::new();
    for _ in 0..8 {
        let cache = Arc::clone(&cache);
        calls.push(tokio::spawn(async move { key(&cache, 0).await }));
    }
    let mut panics = 0;
    for call in calls {
        match call.await {
            Err(ended) => {
                let panic = ended.into_panic();
                assert_eq!(panic.downcast_ref(), Some(&"the vault is on fire"));
                panics += 1;
            }
            Ok(result) => {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), crate::ErrorKind::Credentials);
                assert!(error.to_string().contains("panicked"), "{error}");
            }
        }
    }
    assert!((1..8).contains(&panics), "{panics}");
}

#[tokio::test]
async fn fetches_again_after_invalidation_and_only_once() {
    let cache = cache_of(&[3600, 3600]);
    let first = cache.signer_at(at(0)).await.unwrap();
    cache.invalidate(&first);
    assert_eq!(key(&cache, 1).await.unwrap(), "AKID1");
    // A late report about the first does not drop the second.
    cache.invalidate(&first);
    assert_eq!(key(&cache, 2).await.unwrap(), "AKID1");
}

#[tokio::test]
async fn a_provider_learns_which_credentials_have_expired() {
    #[derive(Debug, Default)]
    struct Keeps(Mutex<Option<String>>);

    impl ProvideCredentials for Keeps {
        fn provide(&self) -> CredentialsFuture<'_> {
            let expired = self.0.lock().unwrap().clone();
            Box::pin(async move {
                let key = expired.map_or("AKID0".to_owned(), |expired| expired + "-renewed");
                Ok(Credentials::new(key, "secret")?)
            })
        }

        fn invalidate(&self, expired: &Credentials) {
            *self.0.lock().unwrap() = Some(expired.access_key_id().to_owned());
        }
    }

    // Through both kinds of pointers.
    let provider: Arc<dyn ProvideCredentials> = Arc::new(Keeps::default());
    let cache = cache_with(Box::new(provider));
    let first = cache.signer_at(at(0)).await.unwrap();
    cache.invalidate(&first);
    cache.invalidate(&first);
    assert_eq!(key(&cache, 1).await.unwrap(), "AKID0-renewed");
}

#[tokio::test]
async fn concurrent_calls_fetch_once() {
    let cache = cache_of(&[3600]);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { key(&cache, 0).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "AKID0");
    }
}

/// Hangs within the first runtime.
#[derive(Debug)]
struct HangsOnce(AtomicU32);

impl ProvideCredentials for HangsOnce {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if number == 0 {
                std::future::pending::<()>().await;
            }
            Ok(Credentials::new("AKID", "secret")?)
        })
    }
}

#[test]
fn a_call_does_not_wait_for_a_fetch_of_a_runtime_that_does_not_run() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let cache = cache_with(HangsOnce(AtomicU32::new(0)));
    let (stopped, other) = (runtime(), runtime());
    let second = Duration::from_secs(1);
    let canceled = async { tokio::time::timeout(second, key(&cache, 0)).await };
    assert!(stopped.block_on(canceled).is_err());
    let fetched = async { tokio::time::timeout(second, key(&cache, 0)).await };
    assert_eq!(other.block_on(fetched).unwrap().unwrap(), "AKID");
    assert!(cache.lock().fetching.is_none());
}
