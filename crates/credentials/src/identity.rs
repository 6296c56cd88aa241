//! Credentials together with where they came from.

use std::fmt;

use lambda_invoke_sigv4::{Credentials, Timestamp};

/// A provider of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Keys in environment variables.
    Environment,
    /// The selected profile in the shared files.
    Profile,
    /// A web identity in environment variables.
    WebIdentity,
    /// The endpoint of a container.
    Container,
    /// Instance metadata of EC2.
    InstanceMetadata,
    /// A provider that is not part of the chain.
    Custom,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::Profile => "profile",
            Self::WebIdentity => "web identity",
            Self::Container => "container",
            Self::InstanceMetadata => "instance metadata",
            Self::Custom => "custom",
        })
    }
}

/// Credentials, and where they came from. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) credentials: Credentials,
    pub(crate) provider: Provider,
    pub(crate) how: String,
    /// When the credentials expired, if they are still in use.
    pub(crate) expired: Option<Timestamp>,
    pub(crate) is_of_metadata: bool,
    pub(crate) is_of_process: bool,
}

impl Identity {
    /// Returns the credentials.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns when the credentials expire, or expired; `None` means never.
    ///
    /// Credentials of instance metadata may be used past their expiry. This time is then in the
    /// past, while the expiry of [`credentials`](Self::credentials) is five minutes after the time at
    /// which instance metadata is asked again.
    #[must_use]
    pub fn expiry(&self) -> Option<Timestamp> {
        self.expired.or(self.credentials.expiry())
    }

    /// Returns the provider.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Describes how the provider obtained the credentials, such as `the role arn:.. with the keys
    /// of profile 'base' in ..`. The text contains no secret.
    #[must_use]
    pub fn how(&self) -> &str {
        &self.how
    }
}
