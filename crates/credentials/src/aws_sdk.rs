//! Adapters for the AWS SDK for Rust (feature `aws-sdk`), in both directions.
//!
//! - [`Chain`] and [`Cached`] implement the SDK's `ProvideCredentials`, so that its clients can
//!   sign with them; [`sdk_config`] makes an SDK configuration from a chain.
//! - [`FromSdk`] adapts a provider of the SDK to `lambda-invoke-sigv4`, for a client of
//!   `lambda-invoke`; [`FromSdk::of_config`] takes the provider of an `SdkConfig`.
//!
//! # Example
//!
//! ```
//! use aws_types::SdkConfig;
//! use lambda_invoke_credentials::aws_sdk::FromSdk;
//!
//! /// The credentials and the region that a program has configured its SDK with.
//! fn of_sdk(config: &SdkConfig) -> Option<(FromSdk, String)> {
//!     Some((FromSdk::of_config(config)?, config.region()?.to_string()))
//! }
//! ```

use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as SdkFuture;
use aws_credential_types::provider::{
    ProvideCredentials as SdkProvider, SharedCredentialsProvider,
};
use aws_types::SdkConfig;
use aws_types::region::Region;
use lambda_invoke_sigv4::{Credentials, CredentialsFuture, ProvideCredentials};

use crate::{Cached, Chain, Error, ErrorKind, Identity};

/// The name of the provider that the SDK shows.
const NAME: &str = "lambda-invoke-credentials";

fn to_sdk(credentials: &Credentials) -> SdkCredentials {
    SdkCredentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        credentials.session_token().map(str::to_owned),
        credentials.expiry().map(Into::into),
        NAME,
    )
}

/// Classifies an error as the SDK does: if there are no credentials, its chains ask the next
/// provider.
fn to_sdk_error(error: Error) -> CredentialsError {
    match error.kind() {
        ErrorKind::NotFound => CredentialsError::not_loaded(error),
        ErrorKind::Configuration => CredentialsError::invalid_configuration(error),
        _ => CredentialsError::provider_error(error),
    }
}

async fn to_sdk_result(
    fetch: impl Future<Output = Result<Identity, Error>>,
) -> Result<SdkCredentials, CredentialsError> {
    let identity = fetch.await.map_err(to_sdk_error)?;
    Ok(to_sdk(identity.credentials()))
}

impl SdkProvider for Chain {
    fn provide_credentials<'a>(&'a self) -> SdkFuture<'a>
    where
        Self: 'a,
    {
        SdkFuture::new(to_sdk_result(self.identity()))
    }
}

impl SdkProvider for Cached {
    fn provide_credentials<'a>(&'a self) -> SdkFuture<'a>
    where
        Self: 'a,
    {
        SdkFuture::new(to_sdk_result(self.identity()))
    }
}

/// Makes an SDK configuration with the credentials and the region of a chain, and nothing else: the
/// caller adds an HTTP client.
///
/// # Errors
///
/// As [`Chain::region`].
pub async fn sdk_config(chain: &Chain) -> Result<SdkConfig, Error> {
    let region = chain.region().await?;
    Ok(SdkConfig::builder()
        .region(Region::new(region.value))
        .credentials_provider(SharedCredentialsProvider::new(chain.clone()))
        .build())
}

/// A provider of the SDK as a provider of `lambda-invoke-sigv4`.
#[derive(Clone, Debug)]
pub struct FromSdk(SharedCredentialsProvider);

impl FromSdk {
    /// Adapts a provider.
    #[must_use]
    pub fn new(provider: impl SdkProvider + 'static) -> Self {
        Self(SharedCredentialsProvider::new(provider))
    }

    /// Adapts the provider of a configuration, if it has one.
    #[must_use]
    pub fn of_config(config: &SdkConfig) -> Option<Self> {
        config.credentials_provider().map(Self)
    }
}

impl ProvideCredentials for FromSdk {
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            let found = self.0.provide_credentials().await?;
            let mut credentials =
                Credentials::new(found.access_key_id(), found.secret_access_key())?;
            if let Some(token) = found.session_token() {
                credentials = credentials.with_session_token(token)?;
            }
            Ok(match found.expiry() {
                Some(expiry) => credentials.with_expiry_time(expiry),
                None => credentials,
            })
        })
    }
}
