//! The credentials in use: fetched once, cached, renewed in time.
//!
//! `lambda-invoke-credentials` has a cache of its own, since neither crate depends on the other and
//! the two cache different things. This one holds signers, by the service's clock and until the
//! service reports that they have expired; that one holds credentials and where they came from, by
//! the clock of the machine.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_invoke_sigv4::{Credentials, Signer, Timestamp};

use crate::{BoxError, Error, ProvideCredentials, trace};

/// Lambda's name in a signature's scope.
const SERVICE: &str = "lambda";

/// How long before their expiry credentials are renewed.
const AHEAD: Duration = Duration::from_secs(300);
/// How long credentials without expiry are used before they are fetched again.
const UNDATED: Duration = Duration::from_secs(900);
/// How long to wait before fetching again after a failure while the old credentials are still valid,
/// or after receiving credentials that are about to expire.
const PAUSE: Duration = Duration::from_secs(10);
/// How long the call that renews credentials waits for the fetch before it uses the old ones.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the provider may take, so that a provider that hangs does not block calls forever.
const FETCH_TIMEOUT: Duration = Duration::from_secs(300);

/// The signer with the credentials in use, and when to renew them.
pub(crate) struct CurrentSigner {
    signer: Arc<Signer>,
    /// `None` means never.
    renew: Option<SystemTime>,
}

impl CurrentSigner {
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.renew.is_some_and(|renew| renew <= now) || self.is_expired(now)
    }

    fn is_expired(&self, now: SystemTime) -> bool {
        expiry(self.signer.credentials()).is_some_and(|expiry| expiry <= now)
    }
}

/// Caches the provider's credentials as a signer, and fetches new ones when they are due.
pub(crate) struct CredentialsCache {
    provider: Box<dyn ProvideCredentials>,
    region: String,
    current: Mutex<Option<Arc<CurrentSigner>>>,
    /// Whether the last credentials had a session token.
    has_token: AtomicBool,
    /// Held by the fetch that is running, while calls without valid credentials wait for its
    /// result.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

impl CredentialsCache {
    pub(crate) fn new(provider: Box<dyn ProvideCredentials>, region: String) -> Self {
        Self {
            provider,
            region,
            current: Mutex::new(None),
            has_token: AtomicBool::new(false),
            fetching: Arc::default(),
        }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Whether requests are likely to need a session token: only a hint.
    pub(crate) fn has_token(&self) -> bool {
        self.has_token.load(Ordering::Relaxed)
    }

    pub(crate) fn can_refresh(&self) -> bool {
        self.provider.can_refresh()
    }

    /// Returns the signer to use at `now`, by the service's clock; fetches credentials if
    /// necessary.
    pub(crate) async fn signer_at(
        self: &Arc<Self>,
        now: SystemTime,
    ) -> Result<Arc<CurrentSigner>, Error> {
        if let Some(signer) = self.fresh(now) {
            return Ok(signer);
        }
        let fetching = match Arc::clone(&self.fetching).try_lock_owned() {
            Ok(fetching) => fetching,
            // Another call renews the credentials before they expire; this call need not wait for
            // it.
            Err(_) => match self.valid(now) {
                Some(old) => return Ok(old),
                None => Arc::clone(&self.fetching).lock_owned().await,
            },
        };
        // Another call may have fetched them while this one waited.
        if let Some(signer) = self.fresh(now) {
            return Ok(signer);
        }
        let Some(old) = self.valid(now) else {
            return self.renew(now).await;
        };
        // In a task of its own, so that it continues if this call stops waiting or is canceled.
        let cache = Arc::clone(self);
        let renewing = tokio::spawn(trace::inherited(async move {
            let _fetching = fetching;
            cache.renew(now).await
        }));
        match tokio::time::timeout(PATIENCE, renewing).await {
            Ok(Ok(renewed)) => renewed,
            // The provider panicked, or the runtime is shutting down.
            Ok(Err(_)) => Ok(self.keep(&old, now)),
            Err(_) => Ok(old),
        }
    }

    /// Fetches credentials, and makes their signer the current one. If that fails, keeps the old
    /// signer as long as it is valid.
    async fn renew(&self, now: SystemTime) -> Result<Arc<CurrentSigner>, Error> {
        match self.fetch(now).await {
            Ok(credentials) => {
                trace::credentials_fetched(&credentials);
                Ok(self.set(CurrentSigner {
                    renew: renew_at(now, expiry(&credentials), self.provider.can_refresh()),
                    signer: Arc::new(self.signer(credentials)?),
                }))
            }
            Err(error) => match self.valid(now) {
                Some(old) => Ok(self.keep(&old, now)),
                None => Err(Error::credentials(error)),
            },
        }
    }

    /// Keeps a signer, and renews it after a pause.
    fn keep(&self, old: &CurrentSigner, now: SystemTime) -> Arc<CurrentSigner> {
        trace::credentials_kept(old.signer.credentials());
        self.set(CurrentSigner {
            renew: now.checked_add(PAUSE),
            signer: Arc::clone(&old.signer),
        })
    }

    fn set(&self, signer: CurrentSigner) -> Arc<CurrentSigner> {
        let signer = Arc::new(signer);
        let has_token = signer.signer.credentials().session_token().is_some();
        self.has_token.store(has_token, Ordering::Relaxed);
        *self.lock() = Some(Arc::clone(&signer));
        signer
    }

    /// Asks the provider for credentials that are valid at `now`.
    async fn fetch(&self, now: SystemTime) -> Result<Credentials, BoxError> {
        let fetching = tokio::time::timeout(FETCH_TIMEOUT, self.provider.provide());
        let credentials = fetching
            .await
            .map_err(|_| format!("the provider returned none within {FETCH_TIMEOUT:?}"))??;
        match credentials.expiry() {
            Some(end) if time(end) <= now => Err(format!(
                "the credentials of the key {} expired at {end}; they are not sent",
                credentials.access_key_id()
            )
            .into()),
            _ => Ok(credentials),
        }
    }

    /// Drops credentials that the service has reported as expired.
    pub(crate) fn invalidate(&self, signer: &Arc<CurrentSigner>) {
        let mut current = self.lock();
        // Unless another call has fetched new ones already.
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.signer, &signer.signer))
        {
            *current = None;
        }
    }

    fn signer(&self, credentials: Credentials) -> Result<Signer, Error> {
        Signer::new(credentials, self.region.as_str(), SERVICE).map_err(|error| {
            Error::configuration("the region cannot be signed for").with_source(error)
        })
    }

    /// Returns the current signer, unless it is due for renewal at `now`.
    pub(crate) fn fresh(&self, now: SystemTime) -> Option<Arc<CurrentSigner>> {
        self.current().filter(|signer| !signer.is_due(now))
    }

    /// Returns the current signer, even if it is due for renewal, unless it has expired at `now`.
    fn valid(&self, now: SystemTime) -> Option<Arc<CurrentSigner>> {
        self.current().filter(|signer| !signer.is_expired(now))
    }

    fn current(&self) -> Option<Arc<CurrentSigner>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<CurrentSigner>>> {
        // Nothing panics while the lock is held, and it holds a complete signer or none.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CredentialsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsCache")
            .field("provider", &self.provider)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

fn expiry(credentials: &Credentials) -> Option<SystemTime> {
    credentials.expiry().map(time)
}

fn time(timestamp: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(timestamp.as_secs())
}

/// When to renew credentials that were just fetched and have this expiry.
fn renew_at(now: SystemTime, expiry: Option<SystemTime>, can_refresh: bool) -> Option<SystemTime> {
    if !can_refresh {
        return None;
    }
    let Some(expiry) = expiry else {
        return now.checked_add(UNDATED);
    };
    // Fetching again at once would return the same credentials.
    Some(expiry.checked_sub(AHEAD)?.max(now.checked_add(PAUSE)?))
}

#[cfg(test)]
mod tests {
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
        while cache.fetching.try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        gate.notify_one();
        let _fetched = cache.fetching.lock().await;
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
}
