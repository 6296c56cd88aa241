//! The credentials in use: fetched once, cached, renewed in time.

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
/// How long the provider may take, so that one that hangs does not hold calls for good.
const FETCH_TIMEOUT: Duration = Duration::from_secs(300);

/// The signer with the credentials in use, and when to renew them.
pub(crate) struct CurrentSigner {
    signer: Arc<Signer>,
    /// `None` is never.
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
    /// Held by the one call that fetches, while the others wait for its result.
    fetching: tokio::sync::Mutex<()>,
}

impl CredentialsCache {
    pub(crate) fn new(provider: Box<dyn ProvideCredentials>, region: String) -> Self {
        Self {
            provider,
            region,
            current: Mutex::new(None),
            has_token: AtomicBool::new(false),
            fetching: tokio::sync::Mutex::new(()),
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

    /// Returns the signer to use at `now`, by the service's clock; fetches credentials if need be.
    pub(crate) async fn signer_at(&self, now: SystemTime) -> Result<Arc<CurrentSigner>, Error> {
        if let Some(signer) = self.fresh(now) {
            return Ok(signer);
        }
        let _fetching = match self.fetching.try_lock() {
            Ok(fetching) => fetching,
            // Another call fetches ahead of the expiry; this one need not wait for it.
            Err(_) => match self.current().filter(|old| !old.is_expired(now)) {
                Some(old) => return Ok(old),
                None => self.fetching.lock().await,
            },
        };
        // Another call may have fetched them while this one waited.
        if let Some(signer) = self.fresh(now) {
            return Ok(signer);
        }
        let old = self.current();
        let signer = match (self.fetch(now).await, old) {
            (Ok(credentials), _) => {
                trace::credentials_fetched(&credentials);
                CurrentSigner {
                    renew: renew_at(now, expiry(&credentials), self.provider.can_refresh()),
                    signer: Arc::new(self.signer(credentials)?),
                }
            }
            (Err(_), Some(old)) if !old.is_expired(now) => {
                trace::credentials_kept(old.signer.credentials());
                CurrentSigner {
                    renew: now.checked_add(PAUSE),
                    signer: Arc::clone(&old.signer),
                }
            }
            (Err(error), _) => return Err(Error::credentials(error)),
        };
        let signer = Arc::new(signer);
        let has_token = signer.signer.credentials().session_token().is_some();
        self.has_token.store(has_token, Ordering::Relaxed);
        *self.lock() = Some(Arc::clone(&signer));
        Ok(signer)
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
    // Fetching again at once would return the same.
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

    /// Returns credentials with the next of these expiries; fails where that is 0.
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

    fn cache_of(expiries: &[u64]) -> CredentialsCache {
        let script = Script {
            expiries: expiries.to_vec(),
            fetches: AtomicU32::new(0),
        };
        CredentialsCache::new(Box::new(script), "eu-west-1".to_owned())
    }

    async fn key(cache: &CredentialsCache, seconds: u64) -> Result<String, Error> {
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
        // Nor do those that cannot be renewed outlive their expiry.
        let fixed = Credentials::new("AKID", "secret").unwrap();
        let fixed = fixed.with_expiry(Timestamp::from_secs(100).unwrap());
        let cache = CredentialsCache::new(Box::new(fixed), "eu-west-1".to_owned());
        assert_eq!(key(&cache, 99).await.unwrap(), "AKID");
        key(&cache, 100).await.unwrap_err();
    }

    /// Waits for its second fetch until the test lets it go on.
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
        let cache = Arc::new(CredentialsCache::new(
            Box::new(gated),
            "eu-west-1".to_owned(),
        ));
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
        let cache = Arc::new(cache_of(&[3600]));
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
