//! Where the keys come from that requests are signed with.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use lambda_invoke_sigv4::Credentials;

/// Any error, as providers and transports give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What [`ProvideCredentials::provide`] gives.
pub type CredentialsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, BoxError>> + Send + 'a>>;

/// Fetches the keys that requests are signed with.
///
/// The client keeps what it got and asks again
/// - five minutes before the keys expire (while asking fails, the old ones are used to their end),
/// - every 15 minutes, if they have no expiry,
/// - as soon as the service says that they have expired.
///
/// However many calls there are at once, it asks once. So a provider just fetches: it needs no
/// cache, no lock and no timer of its own.
///
/// [`Credentials`] themselves are a provider: of keys that never change.
///
/// # Example
///
/// ```
/// use lambda_invoke::{Credentials, CredentialsFuture, ProvideCredentials};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl ProvideCredentials for Vault {
///     fn provide(&self) -> CredentialsFuture<'_> {
///         Box::pin(async {
///             // Here it would ask the vault.
///             Ok(Credentials::new("AKIDEXAMPLE", "secret")?.with_session_token("token")?)
///         })
///     }
/// }
///
/// let client = lambda_invoke::Client::builder()
///     .region("eu-central-1")
///     .credentials(Vault)
///     .build()?;
/// # Ok::<(), lambda_invoke::Error>(())
/// ```
pub trait ProvideCredentials: fmt::Debug + Send + Sync {
    /// Fetches the keys.
    ///
    /// # Errors
    ///
    /// The future's error is the caller's [`Error::source`](std::error::Error::source), and should
    /// say what was looked for, and where. It must show no secret.
    fn provide(&self) -> CredentialsFuture<'_>;

    /// Whether asking again can give other keys. The client does not ask again if not.
    fn can_refresh(&self) -> bool {
        true
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
        }
    )*};
}

forward!(Arc, Box);
