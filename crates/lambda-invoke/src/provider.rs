//! The argument of [`ClientBuilder::credentials`](crate::ClientBuilder::credentials).

use std::fmt;
use std::future::Future;

use crate::{BoxError, Credentials, CredentialsFuture, ProvideCredentials};

/// A provider of credentials, or a closure that returns a future of them.
///
/// `Kind` is inferred: [`Provider`] or [`Closure`].
///
/// # Example
///
/// ```
/// use lambda_invoke::{Client, Credentials};
///
/// let client = Client::builder()
///     .region("eu-central-1")
///     .credentials(|| async {
///         // Here it would ask a vault.
///         Ok(Credentials::new("AKIDEXAMPLE", "secret")?.with_session_token("token")?)
///     })
///     .build()?;
/// # Ok::<(), lambda_invoke::Error>(())
/// ```
pub trait IntoProvider<Kind> {
    /// Boxes the provider.
    fn into_provider(self) -> Box<dyn ProvideCredentials>;
}

/// The kind of a type that implements [`ProvideCredentials`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a marker without values")]
pub enum Provider {}

/// The kind of a closure, or a function, that returns a future of [`Credentials`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a marker without values")]
pub enum Closure {}

impl<P: ProvideCredentials + 'static> IntoProvider<Provider> for P {
    fn into_provider(self) -> Box<dyn ProvideCredentials> {
        Box::new(self)
    }
}

impl<F, Fut> IntoProvider<Closure> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credentials, BoxError>> + Send + 'static,
{
    fn into_provider(self) -> Box<dyn ProvideCredentials> {
        Box::new(FromClosure(self))
    }
}

struct FromClosure<F>(F);

impl<F, Fut> ProvideCredentials for FromClosure<F>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<Credentials, BoxError>> + Send + 'static,
{
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin((self.0)())
    }
}

impl<F> fmt::Debug for FromClosure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure")
    }
}
