//! The credentials in use: fetched once, cached, renewed in time.
//!
//! `lambda-invoke-credentials` has its own cache, since neither crate depends on the other and the
//! two cache different things. This one holds signers, by the service's clock and until the
//! service reports that they have expired; that one holds credentials and where they came from, by
//! the clock of the machine.

use std::error::Error as StdError;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_invoke_sigv4::{Credentials, Signer, Timestamp};
use tokio::runtime::{self, Handle};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

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

/// The result of a fetch. The error is shared, since all calls that wait for a fetch get it.
type Fetched = Result<Arc<CurrentSigner>, Arc<dyn StdError + Send + Sync>>;

/// Caches the provider's credentials as a signer, and fetches new ones when they are due.
pub(crate) struct CredentialsCache {
    provider: Box<dyn ProvideCredentials>,
    region: String,
    state: Mutex<State>,
    /// Whether the last credentials had a session token.
    has_token: AtomicBool,
}

#[derive(Default)]
struct State {
    current: Option<Arc<CurrentSigner>>,
    /// The fetch that is running, if one is.
    fetching: Option<Fetching>,
}

/// A fetch, and the runtime that runs it. Calls within another runtime do not wait for it: it makes
/// progress only while its own one runs.
#[derive(Clone)]
struct Fetching {
    fetched: watch::Receiver<Option<Fetched>>,
    runtime: runtime::Id,
}

impl CredentialsCache {
    pub(crate) fn new(provider: Box<dyn ProvideCredentials>, region: String) -> Self {
        Self {
            provider,
            region,
            state: Mutex::default(),
            has_token: AtomicBool::new(false),
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
    ///
    /// Valid credentials are returned at once, except to the one call that renews them, which waits
    /// for a short time. Without valid credentials, all calls within a runtime wait for the same fetch; if
    /// the provider panics, so does the call that began the fetch. A fetch continues if its call is
    /// canceled.
    pub(crate) async fn signer_at(
        self: &Arc<Self>,
        now: SystemTime,
    ) -> Result<Arc<CurrentSigner>, Error> {
        let start = Instant::now();
        let later = || now.checked_add(start.elapsed()).unwrap_or(now);
        // A fetch ends without a result if its runtime was shut down, or if the provider panicked.
        // In the first case, another fetch helps; it also helps if the result of a fetch that an
        // earlier call began has expired by now.
        for _ in 0..2 {
            let (mut fetch, task, old) = {
                let mut state = self.lock();
                if let Some(signer) = state.fresh(now) {
                    return Ok(signer);
                }
                // A fetch whose runtime was shut down leaves its channel closed.
                let fetching = state
                    .fetching
                    .clone()
                    .filter(|fetching| fetching.fetched.has_changed().is_ok());
                match (state.valid(now), fetching) {
                    // Another call renews the credentials before they expire.
                    (Some(old), Some(_)) => return Ok(old),
                    (None, Some(fetching)) if fetching.runtime == Handle::current().id() => {
                        (fetching.fetched, None, None)
                    }
                    (old, _) => {
                        let (fetch, task) = self.start(&mut state, now);
                        (fetch, Some(task), old)
                    }
                }
            };
            let mut waiting = pin!(async {
                let fetched = fetch.wait_for(Option::is_some).await;
                fetched.ok().and_then(|fetched| fetched.clone())
            });
            let result = match &old {
                Some(old) => match tokio::time::timeout(PATIENCE, waiting.as_mut()).await {
                    Ok(result) => result,
                    Err(_) if !old.is_expired(later()) => return Ok(Arc::clone(old)),
                    // It has expired in the meantime.
                    Err(_) => waiting.await,
                },
                None => waiting.await,
            };
            match (result, old.filter(|old| !old.is_expired(later()))) {
                (Some(Ok(signer)), _) if !signer.is_expired(now) => return Ok(signer),
                (Some(Err(_)), Some(old)) => return Ok(old),
                (None, Some(old)) => return Ok(self.keep(&mut self.lock(), &old, now)),
                (Some(Err(error)), None) => return Err(Error::credentials(error)),
                (Some(Ok(_)), _) => {}
                (None, None) => {
                    if let Some(task) = task {
                        // As if the call had asked the provider itself.
                        if let Some(Ok(panic)) = task.await.err().map(JoinError::try_into_panic) {
                            resume_unwind(panic);
                        }
                    }
                }
            }
        }
        let why = "fetching them ended without a result: the provider panicked";
        Err(Error::credentials(BoxError::from(why).into()))
    }

    /// Starts to fetch credentials, in a task of its own: it continues if the call stops waiting or
    /// is canceled.
    fn start(
        self: &Arc<Self>,
        state: &mut State,
        now: SystemTime,
    ) -> (watch::Receiver<Option<Fetched>>, JoinHandle<()>) {
        let (sender, receiver) = watch::channel(None);
        state.fetching = Some(Fetching {
            fetched: receiver.clone(),
            runtime: Handle::current().id(),
        });
        let cache = Arc::clone(self);
        let task = tokio::spawn(trace::inherited(async move {
            let start = Instant::now();
            let result = cache.fetch(now).await;
            let now = now.checked_add(start.elapsed()).unwrap_or(now);
            let fetched = cache.finish(result, now, &sender.subscribe());
            // Perhaps nobody is waiting any more.
            let _ = sender.send(Some(fetched));
        }));
        (receiver, task)
    }

    /// Makes fetched credentials the current ones, and returns their signer for the calls that wait
    /// for it. If the fetch failed, keeps the old signer as long as it is valid.
    fn finish(
        &self,
        result: Result<Credentials, BoxError>,
        now: SystemTime,
        fetch: &watch::Receiver<Option<Fetched>>,
    ) -> Fetched {
        let signer = result.and_then(|credentials| {
            trace::credentials_fetched(&credentials);
            let renew = renew_at(now, expiry(&credentials), self.provider.can_refresh());
            let signer = Signer::new(credentials, self.region.as_str(), SERVICE)?;
            Ok(CurrentSigner {
                renew,
                signer: Arc::new(signer),
            })
        });
        let mut state = self.lock();
        // A call within another runtime may have begun a fetch of its own.
        let is_this = |fetching: &mut Fetching| fetching.fetched.same_channel(fetch);
        let _ = state.fetching.take_if(is_this);
        match signer {
            Ok(signer) => Ok(self.set(&mut state, signer)),
            Err(error) => {
                if let Some(old) = state.valid(now) {
                    self.keep(&mut state, &old, now);
                }
                Err(error.into())
            }
        }
    }

    /// Keeps a signer, and renews it after a pause.
    fn keep(&self, state: &mut State, old: &CurrentSigner, now: SystemTime) -> Arc<CurrentSigner> {
        trace::credentials_kept(old.signer.credentials());
        let kept = CurrentSigner {
            renew: now.checked_add(PAUSE),
            signer: Arc::clone(&old.signer),
        };
        self.set(state, kept)
    }

    fn set(&self, state: &mut State, signer: CurrentSigner) -> Arc<CurrentSigner> {
        let signer = Arc::new(signer);
        let has_token = signer.signer.credentials().session_token().is_some();
        self.has_token.store(has_token, Ordering::Relaxed);
        state.current = Some(Arc::clone(&signer));
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
        {
            let current = &mut self.lock().current;
            // Unless another call has fetched new ones already.
            match current {
                Some(current) if Arc::ptr_eq(&current.signer, &signer.signer) => {}
                _ => return,
            }
            *current = None;
        }
        self.provider.invalidate(signer.signer.credentials());
    }

    /// Returns the current signer, unless it is due for renewal at `now`.
    pub(crate) fn fresh(&self, now: SystemTime) -> Option<Arc<CurrentSigner>> {
        self.lock().fresh(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and each change is complete.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the current signer, unless it is due for renewal at `now`.
    fn fresh(&self, now: SystemTime) -> Option<Arc<CurrentSigner>> {
        let current = self.current.as_ref();
        current.filter(|signer| !signer.is_due(now)).cloned()
    }

    /// Returns the current signer, even if it is due for renewal, unless it has expired at `now`.
    fn valid(&self, now: SystemTime) -> Option<Arc<CurrentSigner>> {
        let current = self.current.as_ref();
        current.filter(|signer| !signer.is_expired(now)).cloned()
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
mod tests;
