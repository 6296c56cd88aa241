//! Caches credentials, and renews them before they expire, with one fetch at a time.
//!
//! The client of `lambda-invoke` has its own cache, which contains signers and follows the
//! service's clock; this crate knows neither. For other users of a chain, this is the only
//! cache.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_invoke_sigv4::{Credentials, CredentialsFuture, ProvideCredentials, Timestamp};
use tokio::runtime::{self, Handle};
use tokio::sync::watch;

use crate::providers::obtained::expired;
use crate::system::Clock;
use crate::{Error, ErrorKind, Identity, Provider, SystemClock, random, trace};

/// The maximum time before their expiry at which credentials are renewed. Short-lived ones are
/// renewed after half their lifetime.
const AHEAD: Duration = Duration::from_secs(300);

/// The fraction of that time by which a fetch is delayed at random, so that machines do not fetch
/// at the same time.
const JITTER: f64 = 0.2;

/// How long credentials without an expiry are cached. Fetching them again only means reading files.
const UNDATED: Duration = Duration::from_secs(60);

/// How long to wait after a fetch that failed while the old credentials are valid.
const PAUSE: Duration = Duration::from_secs(10);

/// How long the call that renews credentials waits for the fetch before it uses the old
/// credentials.
const PATIENCE: Duration = Duration::from_secs(5);

/// The maximum time for which expired credentials of a metadata service are used before it is asked
/// again; at random, at least half of it.
const EXTENSION: Duration = Duration::from_secs(600);

/// How long one fetch may take, unless set otherwise.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(180);

/// The result of a fetch.
pub(crate) type Fetched = Result<Identity, Error>;

/// Where a cache fetches from.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>>;

    /// See [`ProvideCredentials::invalidate`].
    fn invalidate(&self, _: &Credentials) {}
}

/// Receives notices for the user while calls succeed.
pub(crate) type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// Caches the credentials of a source.
pub(crate) struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    notify: Option<Notify>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    fetching: Option<Fetching>,
    /// Whether the use of expired credentials has been reported.
    has_reported: bool,
}

/// A fetch, and the runtime that runs it. Calls within another runtime do not wait for it: it makes
/// progress only while its own one runs.
#[derive(Clone)]
struct Fetching {
    fetched: watch::Receiver<Option<Fetched>>,
    runtime: runtime::Id,
}

#[derive(Clone)]
struct Current {
    identity: Identity,
    /// `None` means never.
    due: Option<Timestamp>,
}

impl Current {
    fn is_valid(&self, now: Timestamp) -> bool {
        let expiry = self.identity.credentials.expiry();
        expiry.is_none_or(|expiry| now < expiry)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

impl Cache {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
        notify: Option<Notify>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                source,
                clock,
                timeout,
                notify,
                state: Mutex::default(),
            }),
        }
    }

    /// Returns credentials that are valid now.
    ///
    /// Valid credentials are returned at once, except to the one call that renews them, which waits
    /// for a short time. Without valid credentials, all calls within a runtime wait for the same fetch.
    /// A fetch continues if its call is canceled.
    pub(crate) async fn get(&self) -> Fetched {
        // A fetch ends without a result if its runtime was shut down, or if the provider panicked.
        // In the first case, another fetch helps.
        for _ in 0..2 {
            let (mut fetch, old) = {
                let mut state = self.shared.state();
                let now = self.shared.now();
                let old = state
                    .current
                    .clone()
                    .filter(|current| current.is_valid(now));
                // A fetch whose runtime was shut down leaves its channel closed.
                let fetching = state
                    .fetching
                    .clone()
                    .filter(|fetching| fetching.fetched.has_changed().is_ok());
                match (old, fetching) {
                    (Some(old), None) if old.is_due(now) => (self.start(&mut state), Some(old)),
                    (Some(old), _) => return Ok(old.identity),
                    (None, Some(fetching)) if fetching.runtime == Handle::current().id() => {
                        (fetching.fetched, None)
                    }
                    (None, _) => (self.start(&mut state), None),
                }
            };
            let mut waiting = pin!(async {
                let fetched = fetch.wait_for(Option::is_some).await;
                fetched.ok().and_then(|fetched| fetched.clone())
            });
            let result = match &old {
                Some(old) => match tokio::time::timeout(PATIENCE, waiting.as_mut()).await {
                    Ok(result) => result,
                    Err(_) if old.is_valid(self.shared.now()) => return Ok(old.identity.clone()),
                    // They have expired in the meantime.
                    Err(_) => waiting.await,
                },
                None => waiting.await,
            };
            match result {
                Some(Ok(identity)) => return Ok(identity),
                Some(Err(error)) => {
                    let now = self.shared.now();
                    return match old.filter(|old| old.is_valid(now)) {
                        Some(old) => Ok(old.identity),
                        None => Err(error),
                    };
                }
                None => {
                    if let Some(identity) = self.kept() {
                        return Ok(identity);
                    }
                }
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "fetching the credentials ended without a result: the provider panicked",
        ))
    }

    /// Returns the current credentials after a fetch that failed, if they are valid, and fetches again
    /// only after a pause.
    fn kept(&self) -> Option<Identity> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        let current = state
            .current
            .as_mut()
            .filter(|current| current.is_valid(now))?;
        if current.is_due(now) {
            current.due = Some(now.saturating_add(PAUSE));
        }
        Some(current.identity.clone())
    }

    /// As [`get`](Self::get), for [`ProvideCredentials::provide`].
    pub(crate) fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            let identity = self.get().await?;
            Ok(identity.credentials)
        })
    }

    /// Fetches again at the next call, if these credentials are the cached ones. While that fails, they
    /// stay in use until they expire by the clock: the service may be wrong.
    pub(crate) fn invalidate(&self, expired: &Credentials) {
        let now = self.shared.now();
        {
            let mut state = self.shared.state();
            match &mut state.current {
                Some(current) if is_same_key(&current.identity.credentials, expired) => {
                    current.due = Some(now);
                }
                _ => return,
            }
        }
        self.shared.source.invalidate(expired);
    }

    fn start(&self, state: &mut State) -> watch::Receiver<Option<Fetched>> {
        let (sender, receiver) = watch::channel(None);
        state.fetching = Some(Fetching {
            fetched: receiver.clone(),
            runtime: Handle::current().id(),
        });
        let shared = Arc::clone(&self.shared);
        tokio::spawn(trace::fetch(async move {
            let fetching = tokio::time::timeout(shared.timeout, shared.source.fetch());
            let result = match fetching.await {
                Ok(result) => result,
                Err(_) => Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("no credentials within {:?}", shared.timeout),
                )),
            };
            let result = shared.finish(result, &sender.subscribe());
            // Perhaps nobody is waiting any more.
            let _ = sender.send(Some(result));
        }));
        receiver
    }
}

impl Shared {
    /// Caches the result of a fetch, and returns the result for the calls that wait for it.
    fn finish(&self, result: Fetched, fetch: &watch::Receiver<Option<Fetched>>) -> Fetched {
        let now = self.now();
        let mut state = self.state();
        // A call within another runtime may have begun a fetch of its own.
        let is_this = |fetching: &mut Fetching| fetching.fetched.same_channel(fetch);
        let _ = state.fetching.take_if(is_this);
        let fresh = match result {
            Ok(identity) => match identity.credentials.expiry() {
                Some(expiry) if expiry <= now => {
                    Err((expired(&identity.how, expiry, now), Some(identity)))
                }
                _ => Ok(identity),
            },
            Err(error) => Err((error, None)),
        };
        let (error, stale) = match fresh {
            Ok(identity) => {
                trace::fetched(&identity);
                state.has_reported = false;
                state.current = Some(Current {
                    due: due(&identity, now),
                    identity: identity.clone(),
                });
                return Ok(identity);
            }
            Err(failed) => failed,
        };
        trace::failed(&error);
        // Credentials that are still valid stay in use; they are fetched again after a pause.
        // Extended ones are extended again.
        if let Some(current) = state
            .current
            .as_mut()
            .filter(|current| current.is_valid(now) && current.identity.expired.is_none())
        {
            trace::kept(&current.identity);
            let pause = PAUSE.mul_f64(1.0 + random::fraction());
            current.due = Some(now.saturating_add(pause));
            return Err(error);
        }
        let stale = stale.or_else(|| state.current.take().map(|current| current.identity));
        state.current = None;
        let Some(mut identity) = stale.filter(|identity| identity.is_of_metadata) else {
            return Err(error);
        };
        let extension = EXTENSION.mul_f64(0.5 + random::fraction() / 2.0);
        let due = now.saturating_add(extension);
        identity.expired = identity.expiry();
        // Longer, so that calls use them while the service is asked.
        identity.credentials = identity.credentials.with_expiry(due.saturating_add(AHEAD));
        trace::kept(&identity);
        state.current = Some(Current {
            identity: identity.clone(),
            due: Some(due),
        });
        let is_first = !std::mem::replace(&mut state.has_reported, true);
        drop(state);
        if let Some(notify) = self.notify.as_ref().filter(|_| is_first) {
            notify(&format!(
                "the credentials of {} have expired, and instance metadata does not renew them; they \
                 are used until it does, and the service decides whether it accepts them",
                identity.how
            ));
        }
        Ok(identity)
    }

    fn now(&self) -> Timestamp {
        Timestamp::saturating_from(self.clock.now())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and each change is complete.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether these are the same credentials, even if one has an extended expiry.
fn is_same_key(one: &Credentials, other: &Credentials) -> bool {
    (one.access_key_id(), one.session_token()) == (other.access_key_id(), other.session_token())
}

/// When to renew the credentials.
fn due(identity: &Identity, now: Timestamp) -> Option<Timestamp> {
    let Some(expiry) = identity.credentials.expiry() else {
        return match identity.is_of_process {
            true => None,
            false => Some(now.saturating_add(UNDATED)),
        };
    };
    let life = Duration::from_secs(expiry.as_secs().saturating_sub(now.as_secs()));
    let ahead = AHEAD.min(life / 2);
    let ahead = ahead.mul_f64(1.0 - JITTER * random::fraction());
    Some(expiry.saturating_sub(ahead))
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("source", &self.shared.source)
            .finish_non_exhaustive()
    }
}

/// Caches the credentials of any provider, as a [`Chain`](crate::Chain) does for itself. Clones
/// share the cache.
///
/// - Credentials are renewed between 5 and 4 minutes before they expire (short-lived ones after
///   half their lifetime), by one call, while the others use the old ones. Credentials without an
///   expiry are renewed after a minute.
/// - If a fetch fails or hangs, valid credentials stay in use, and the fetch is tried again after
///   10 to 20 seconds. Failures are not cached otherwise.
/// - Without valid credentials, all calls within a tokio runtime wait for one fetch, and get its
///   credentials or its error.
/// - Credentials that the service calls expired ([`ProvideCredentials::invalidate`]) are fetched again
///   at the next call.
/// - Expired credentials are never returned; they are an error.
///
/// It needs a tokio runtime with time enabled.
///
/// # Example
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use lambda_invoke_credentials::{Cached, Credentials, ProvideCredentials};
///
/// let cached = Cached::new(Credentials::new("AKIDEXAMPLE", "secret")?);
/// assert_eq!(cached.provide().await?.access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).map_err(|error| error.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cached {
    cache: Arc<Cache>,
}

impl Cached {
    /// Caches the credentials of a provider, by the clock of this machine.
    #[must_use]
    pub fn new(provider: impl ProvideCredentials + 'static) -> Self {
        Self::with_clock(provider, SystemClock, FETCH_TIMEOUT)
    }

    /// Caches the credentials of a provider, by this clock. A fetch may take `timeout`.
    #[must_use]
    pub fn with_clock(
        provider: impl ProvideCredentials + 'static,
        clock: impl Clock + 'static,
        timeout: Duration,
    ) -> Self {
        let source = Arc::new(Custom(provider));
        Self {
            cache: Arc::new(Cache::new(source, Arc::new(clock), timeout, None)),
        }
    }
}

impl Cached {
    /// Returns the credentials and where they came from, fetched if necessary.
    ///
    /// # Errors
    ///
    /// If the provider fails, takes too long, or returns credentials that have expired.
    pub async fn identity(&self) -> Result<Identity, Error> {
        self.cache.get().await
    }
}

impl ProvideCredentials for Cached {
    fn provide(&self) -> CredentialsFuture<'_> {
        self.cache.provide()
    }

    fn invalidate(&self, expired: &Credentials) {
        self.cache.invalidate(expired);
    }
}

#[derive(Debug)]
struct Custom<P>(P);

impl<P: ProvideCredentials> Source for Custom<P> {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>> {
        Box::pin(async {
            let credentials = self.0.provide().await.map_err(|error| {
                Error::new(ErrorKind::Unavailable, "the provider of credentials failed")
                    .with_source(error)
            })?;
            Ok(Identity {
                credentials,
                provider: Provider::Custom,
                how: "the provider".to_owned(),
                expired: None,
                is_of_metadata: false,
                is_of_process: false,
            })
        })
    }

    fn invalidate(&self, expired: &Credentials) {
        self.0.invalidate(expired);
    }
}
