//! The credentials in use: asked for once, kept, renewed in time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_invoke_sigv4::{Credentials, Signer, Timestamp};

use crate::{Error, ProvideCredentials};

/// The name by which Lambda is known in a signature's scope.
const SERVICE: &str = "lambda";

/// How long before their expiry new credentials are asked for.
const AHEAD: Duration = Duration::from_secs(300);
/// How long credentials without expiry are used before the provider is asked again.
const UNDATED: Duration = Duration::from_secs(900);
/// How long after a refusal, or after getting credentials that are about to expire, the provider
/// is asked again while the old ones are still good.
const PAUSE: Duration = Duration::from_secs(10);

/// Credentials with the signer that keeps their key.
pub(crate) struct Session {
    signer: Arc<Signer>,
    /// When to ask again; `None` is never.
    renew: Option<SystemTime>,
}

impl Session {
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.renew.is_some_and(|renew| renew <= now)
    }

    fn is_expired(&self, now: SystemTime) -> bool {
        expiry(self.signer.credentials()).is_some_and(|expiry| expiry <= now)
    }
}

/// The sessions of a client, one after the other.
pub(crate) struct Sessions {
    provider: Box<dyn ProvideCredentials>,
    region: String,
    current: Mutex<Option<Arc<Session>>>,
    /// Whether the last credentials had a session token.
    has_token: AtomicBool,
    /// Held by the one call that asks, while the others wait for what it gets.
    asking: tokio::sync::Mutex<()>,
}

impl Sessions {
    pub(crate) fn new(provider: Box<dyn ProvideCredentials>, region: String) -> Self {
        Self {
            provider,
            region,
            current: Mutex::new(None),
            has_token: AtomicBool::new(false),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Whether requests are likely to get a session token: only a hint.
    pub(crate) fn has_token(&self) -> bool {
        self.has_token.load(Ordering::Relaxed)
    }

    pub(crate) fn can_refresh(&self) -> bool {
        self.provider.can_refresh()
    }

    /// The session to sign with at `now`, by the service's clock; asks for one if need be.
    pub(crate) async fn at(&self, now: SystemTime) -> Result<Arc<Session>, Error> {
        if let Some(session) = self.fresh(now) {
            return Ok(session);
        }
        let _asking = self.asking.lock().await;
        // Another call may have asked while this one waited.
        if let Some(session) = self.fresh(now) {
            return Ok(session);
        }
        let old = self.current();
        let session = match (self.provider.provide().await, old) {
            (Ok(credentials), _) => Session {
                renew: renew_at(now, expiry(&credentials), self.provider.can_refresh()),
                signer: Arc::new(self.signer(credentials)?),
            },
            (Err(_), Some(old)) if !old.is_expired(now) => Session {
                renew: now.checked_add(PAUSE),
                signer: Arc::clone(&old.signer),
            },
            (Err(error), _) => return Err(Error::credentials(error)),
        };
        let session = Arc::new(session);
        let has_token = session.signer.credentials().session_token().is_some();
        self.has_token.store(has_token, Ordering::Relaxed);
        *self.lock() = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The service says that these credentials have expired: ask for others.
    pub(crate) fn refuse(&self, session: &Arc<Session>) {
        let mut current = self.lock();
        // Unless another call has got new ones already.
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.signer, &session.signer))
        {
            *current = None;
        }
    }

    fn signer(&self, credentials: Credentials) -> Result<Signer, Error> {
        Signer::new(credentials, self.region.as_str(), SERVICE)
            .map_err(|error| Error::configuration("the region cannot be signed for").because(error))
    }

    /// The session that is there, if it will do at `now`.
    pub(crate) fn fresh(&self, now: SystemTime) -> Option<Arc<Session>> {
        self.current().filter(|session| !session.is_due(now))
    }

    fn current(&self) -> Option<Arc<Session>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        // Nothing panics while the lock is held, and a session is whole or not there.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
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

/// When to ask a provider again that has just given credentials with this expiry.
fn renew_at(now: SystemTime, expiry: Option<SystemTime>, can_refresh: bool) -> Option<SystemTime> {
    if !can_refresh {
        return None;
    }
    let Some(expiry) = expiry else {
        return now.checked_add(UNDATED);
    };
    // Asking at once would give the same again. What has expired already is for the service to
    // refuse: it is its clock that counts.
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

    /// Gives credentials that expire at its number, counted up; fails where it is 0.
    #[derive(Debug)]
    struct Script {
        expiries: Vec<u64>,
        asked: AtomicU32,
    }

    impl ProvideCredentials for Script {
        fn provide(&self) -> CredentialsFuture<'_> {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                let expiry = self.expiries[asked as usize];
                if expiry == 0 {
                    return Err("the vault is closed".into());
                }
                let expiry = Timestamp::from_secs(expiry)?;
                Ok(Credentials::new(format!("AKID{asked}"), "secret")?.with_expiry(expiry))
            })
        }
    }

    fn sessions(expiries: &[u64]) -> Sessions {
        let script = Script {
            expiries: expiries.to_vec(),
            asked: AtomicU32::new(0),
        };
        Sessions::new(Box::new(script), "eu-west-1".to_owned())
    }

    async fn key(sessions: &Sessions, seconds: u64) -> Result<String, Error> {
        let session = sessions.at(at(seconds)).await?;
        Ok(session.signer().credentials().access_key_id().to_owned())
    }

    #[tokio::test]
    async fn keeps_what_it_got_until_shortly_before_it_expires() {
        let sessions = sessions(&[3600, 7200]);
        assert_eq!(key(&sessions, 0).await.unwrap(), "AKID0");
        assert_eq!(key(&sessions, 3299).await.unwrap(), "AKID0");
        assert_eq!(key(&sessions, 3300).await.unwrap(), "AKID1");
    }

    #[tokio::test]
    async fn uses_the_old_ones_while_asking_fails_and_fails_when_they_are_over() {
        let sessions = sessions(&[3600, 0, 0, 0]);
        assert_eq!(key(&sessions, 0).await.unwrap(), "AKID0");
        assert_eq!(key(&sessions, 3400).await.unwrap(), "AKID0");
        // Not asked again at once.
        assert_eq!(key(&sessions, 3409).await.unwrap(), "AKID0");
        assert_eq!(key(&sessions, 3410).await.unwrap(), "AKID0");
        let error = key(&sessions, 3600).await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Credentials);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "the vault is closed");
    }

    #[tokio::test]
    async fn asks_again_once_they_are_refused_and_only_once() {
        let sessions = sessions(&[3600, 3600]);
        let first = sessions.at(at(0)).await.unwrap();
        sessions.refuse(&first);
        assert_eq!(key(&sessions, 1).await.unwrap(), "AKID1");
        // A late refusal of the first does not throw the second away.
        sessions.refuse(&first);
        assert_eq!(key(&sessions, 2).await.unwrap(), "AKID1");
    }

    #[tokio::test]
    async fn many_calls_at_once_ask_once() {
        let sessions = Arc::new(sessions(&[3600]));
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let sessions = Arc::clone(&sessions);
                tokio::spawn(async move { key(&sessions, 0).await.unwrap() })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), "AKID0");
        }
    }
}
