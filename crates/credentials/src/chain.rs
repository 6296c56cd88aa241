//! The chain of providers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambda_invoke_sigv4::{Credentials, CredentialsFuture, ProvideCredentials};
use tokio::sync::OnceCell;

use crate::cache::{Cache, FETCH_TIMEOUT, Fetched, Notify, Source};
use crate::context::Context;
use crate::providers::imds::Imds;
use crate::providers::obtained::Outcome;
use crate::providers::{container, environment, profile, web_identity};
use crate::settings::SettingsBuilder;
use crate::unsaved::Unsaved;
use crate::{Error, ErrorKind, Identity, Provider, Setting, Settings, Tried, trace};

/// The credentials of this machine, from the first of these providers that is configured:
///
/// 1. Keys in the environment, unless a profile is named explicitly.
/// 2. The selected profile: keys, `credential_process`, a role, IAM Identity Center, a console login.
/// 3. A web identity in the environment, unless a profile is named explicitly.
/// 4. The endpoint of a container.
/// 5. Instance metadata of EC2.
///
/// If a configured provider fails, the result is an error; the next provider is asked only if a
/// provider is not configured or has no credentials. Credentials are cached and renewed as
/// [`Cached`](crate::Cached) describes, except that credentials of instance metadata are used past
/// their expiry while it does not renew them; [`ChainBuilder::on_notice`] reports this once. Clones
/// share the cache.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use lambda_invoke_credentials::Chain;
///
/// let chain = Chain::builder().build()?;
/// let identity = chain.identity().await?;
/// println!("{} from {}", identity.credentials().access_key_id(), identity.how());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Chain {
    links: Arc<Links>,
    cache: Arc<Cache>,
}

/// Sets up a [`Chain`].
#[must_use = "a builder does nothing until `build`"]
pub struct ChainBuilder {
    settings: SettingsBuilder,
    loaded: Option<Settings>,
    fallback_region: Option<String>,
    fetch_timeout: Duration,
    notify: Option<Notify>,
}

impl ChainBuilder {
    /// Sets the settings to use. They are loaded again for each fetch except the first.
    pub fn settings(mut self, settings: SettingsBuilder) -> Self {
        self.settings = settings;
        self.loaded = None;
        self
    }

    /// Uses settings that are already loaded for the first fetch.
    pub fn loaded(mut self, settings: Settings) -> Self {
        self.settings = settings.reload();
        self.loaded = Some(settings);
        self
    }

    /// Sets the region of the services that issue credentials, for when no setting has one.
    pub fn fallback_region(mut self, region: impl Into<String>) -> Self {
        self.fallback_region = Some(region.into());
        self
    }

    /// Sets how long one fetch may take, with all its retries and the programs that it runs. The
    /// default is 3 minutes.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// Sets a callback for notices that a user should see although calls succeed: that expired
    /// credentials of instance metadata are in use.
    pub fn on_notice(mut self, notify: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notify = Some(Arc::new(notify));
        self
    }

    /// Loads the settings, and builds the chain. It fetches no credentials yet, but blocks while it
    /// reads the shared files.
    ///
    /// # Errors
    ///
    /// As [`SettingsBuilder::load`].
    pub fn build(self) -> Result<Chain, Error> {
        let settings = match self.loaded {
            Some(settings) => settings,
            None => self.settings.clone().load()?,
        };
        let clock = settings.system().shared_clock();
        let links = Arc::new(Links {
            settings: self.settings,
            first: Mutex::new(Some(settings.clone())),
            current: settings,
            fallback_region: self.fallback_region,
            imds: Arc::new(Imds::default()),
            unsaved: Arc::default(),
        });
        let source = Arc::clone(&links);
        let cache = Cache::new(source, clock, self.fetch_timeout, self.notify);
        Ok(Chain {
            links,
            cache: Arc::new(cache),
        })
    }
}

impl fmt::Debug for ChainBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainBuilder")
            .field("settings", &self.settings)
            .field("fetch_timeout", &self.fetch_timeout)
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// Returns a builder, with the settings of this machine.
    pub fn builder() -> ChainBuilder {
        ChainBuilder {
            settings: Settings::builder(),
            loaded: None,
            fallback_region: None,
            fetch_timeout: FETCH_TIMEOUT,
            notify: None,
        }
    }

    /// Returns the credentials and where they came from, fetched if necessary.
    ///
    /// # Errors
    ///
    /// If no provider has credentials, or the first one that is configured fails.
    pub async fn identity(&self) -> Result<Identity, Error> {
        self.cache.get().await
    }

    /// Returns the region that [`Settings::region`] finds, or else the region of the instance.
    ///
    /// # Errors
    /// If there is no region, or a setting is invalid.
    pub async fn region(&self) -> Result<Setting<String>, Error> {
        let settings = self.settings();
        if let Some(region) = settings.region()? {
            return Ok(region);
        }
        let why = match self.links.imds.region(settings).await? {
            Ok(region) => return Ok(Setting::new(region, "instance metadata")),
            Err(why) => why,
        };
        let mut tried = settings.region_tried();
        tried.push(Tried::new("instance metadata", why));
        let notes = settings.other_profiles();
        Err(Error::not_found("no region was found", tried).with_notes(notes))
    }

    /// Returns the settings that the chain was built with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.links.current
    }
}

impl ProvideCredentials for Chain {
    fn provide(&self) -> CredentialsFuture<'_> {
        self.cache.provide()
    }

    fn invalidate(&self, expired: &Credentials) {
        self.cache.invalidate(expired);
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.links.fmt(f)
    }
}

/// The providers, in their order.
struct Links {
    settings: SettingsBuilder,
    /// The settings of the first fetch.
    first: Mutex<Option<Settings>>,
    current: Settings,
    fallback_region: Option<String>,
    imds: Arc<Imds>,
    unsaved: Arc<Unsaved>,
}

impl Links {
    async fn load(&self) -> Result<Settings, Error> {
        let first = {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            first.take()
        };
        if let Some(settings) = first {
            return Ok(settings);
        }
        // The files may have changed: another program may renew keys in them.
        let settings = self.settings.clone();
        let loaded = tokio::task::spawn_blocking(move || settings.load()).await;
        loaded.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the settings could not be read").with_source(error)
        })?
    }

    async fn walk(&self) -> Fetched {
        let context = Context {
            settings: self.load().await?,
            fallback_region: self.fallback_region.clone(),
            imds: Arc::clone(&self.imds),
            unsaved: Arc::clone(&self.unsaved),
            client: OnceCell::new(),
            direct: OnceCell::new(),
        };
        let settings = &context.settings;
        let mut tried = Vec::new();
        for provider in [
            Provider::Environment,
            Provider::Profile,
            Provider::WebIdentity,
            Provider::Container,
            Provider::InstanceMetadata,
        ] {
            let outcome = match provider {
                Provider::Environment if settings.is_explicit_profile() => {
                    let why = "not searched, since a profile is named explicitly";
                    Outcome::Nothing(vec![Tried::new("environment", why)])
                }
                Provider::Environment => environment::provide(settings)?,
                Provider::WebIdentity if settings.is_explicit_profile() => {
                    let why = "not searched, since a profile is named explicitly";
                    Outcome::Nothing(vec![Tried::new("web identity in the environment", why)])
                }
                Provider::Profile => profile::provide(&context).await?,
                Provider::WebIdentity => web_identity::provide(&context).await?,
                Provider::Container => container::provide(&context).await?,
                _ => context.imds.credentials(settings).await?,
            };
            match outcome {
                Outcome::Found(obtained) => {
                    return Ok(Identity {
                        credentials: obtained.credentials,
                        provider,
                        how: obtained.how,
                        expired: None,
                        is_of_metadata: obtained.is_of_metadata,
                        is_of_process: obtained.is_of_process,
                    });
                }
                Outcome::Nothing(more) => {
                    trace::skipped(provider);
                    tried.extend(more.into_iter().map(|mut one| {
                        let name = provider.to_string();
                        if !one.what.starts_with(&name) {
                            one.what = format!("{name}: {}", one.what);
                        }
                        one
                    }));
                }
            }
        }
        let notes = settings.other_profiles();
        Err(Error::not_found("no credentials were found", tried).with_notes(notes))
    }
}

impl Source for Links {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>> {
        Box::pin(self.walk())
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("settings", &self.current)
            .finish_non_exhaustive()
    }
}
