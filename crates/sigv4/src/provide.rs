//! `ProvideCredentials`, the source of a client's access key: a trait without I/O.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use crate::Credentials;

/// Any error, as providers return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The future that [`ProvideCredentials::provide`] returns.
pub type CredentialsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, BoxError>> + Send + 'a>>;

/// Fetches the credentials that requests are signed with.
///
/// A provider only fetches: it needs no cache, lock or timer. The client of `lambda-invoke`
/// caches the credentials, fetches them once however many calls wait, and fetches them again
/// - five minutes before they expire (while that fails, the old ones are used until they expire),
/// - after 15 minutes, if they have no expiry,
/// - as soon as the service says that they have expired; a provider with its own cache learns
///   of this through [`invalidate`](Self::invalidate).
///
/// While one call fetches new credentials and waits at most five seconds for them, the others use
/// the old ones. Expired credentials are not sent: a provider that returns them has failed, as has
/// one that returns nothing within five minutes.
///
/// [`Credentials`] is itself a provider, of credentials that never change.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use lambda_invoke_sigv4::{Credentials, CredentialsFuture, ProvideCredentials};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl ProvideCredentials for Vault {
///     fn provide(&self) -> CredentialsFuture<'_> {
///         Box::pin(async {
///             // Here it would ask the vault.
///             let expiry = SystemTime::now() + Duration::from_secs(3600);
///             Ok(Credentials::new("AKIDEXAMPLE", "secret")?
///                 .with_session_token("token")?
///                 .with_expiry_time(expiry))
///         })
///     }
/// }
/// ```
pub trait ProvideCredentials: fmt::Debug + Send + Sync {
    /// Fetches the credentials.
    ///
    /// # Errors
    ///
    /// The future's error becomes the [`source`](std::error::Error::source) of the caller's error,
    /// and should say what was looked for, and where. It must not show a secret.
    fn provide(&self) -> CredentialsFuture<'_>;

    /// Returns whether the credentials can change. If they cannot, a client fetches them only once.
    fn can_refresh(&self) -> bool {
        true
    }

    /// Learns that the service says these credentials have expired, before they are fetched again.
    /// A provider with its own cache should then not return them from it. By default, nothing
    /// happens.
    fn invalidate(&self, expired: &Credentials) {
        let _ = expired;
    }
}

impl ProvideCredentials for Credentials {
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(ready(Ok(self.clone())))
    }

    fn can_refresh(&self) -> bool {
        false
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<P: ProvideCredentials + ?Sized> ProvideCredentials for $pointer<P> {
            fn provide(&self) -> CredentialsFuture<'_> {
                (**self).provide()
            }

            fn can_refresh(&self) -> bool {
                (**self).can_refresh()
            }

            fn invalidate(&self, expired: &Credentials) {
                (**self).invalidate(expired);
            }
        }
    )*};
}

forward!(Arc, Box);
