//! How a client is set up.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use lambda_invoke_protocol::region::{self, Variant};
use lambda_invoke_protocol::retry::{RetryPolicy, TokenBucket};
use lambda_invoke_transport::{Timeouts, Transport};
use tower_service::Service;

use crate::credentials_cache::CredentialsCache;
use crate::exchange::Core;
use crate::http_service::HttpService;
use crate::{BoxError, Client, EndpointUrl, Error, ProvideCredentials};

/// Sets up a [`Client`].
///
/// | setting | default |
/// |---|---|
/// | [`region`](Self::region) | none: it must be set, since every signature names it |
/// | [`credentials`](Self::credentials) | none: they must be set, since every request is signed |
/// | [`endpoint_url`](Self::endpoint_url) | the service's own in the region |
/// | [`use_fips`](Self::use_fips), [`use_dual_stack`](Self::use_dual_stack) | no |
/// | [`retry`](Self::retry) | [`RetryPolicy::default`]: three attempts, nothing twice that may have run |
/// | [`limits`](Self::timeouts) | [`Timeouts::default`] |
/// | [`transport`](Self::transport) | [`Transport::new`] |
/// | [`max_reply_bytes`](Self::max_reply_bytes) | 32 MiB |
///
/// Nothing is read from the environment or from files: neither `AWS_*` variables nor the shared
/// files nor proxy variables. What they say is the caller's to pass on.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke::{Client, Credentials, Timeouts, RetryPolicy};
///
/// let client = Client::builder()
///     .region("us-east-1")
///     .credentials(Credentials::new("local", "local")?)
///     .endpoint_url("http://127.0.0.1:9001")
///     .retry(RetryPolicy::at_least_once())
///     .timeouts(Timeouts::default().with_total(Duration::from_secs(60)))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    region: Option<String>,
    credentials: Option<Box<dyn ProvideCredentials>>,
    endpoint_url: Option<String>,
    variant: Variant,
    retry: RetryPolicy,
    timeouts: Option<Timeouts>,
    transport: Option<HttpService>,
    max_reply: Option<u64>,
}

/// Several times what the service itself answers at most (6 MiB).
const MAX_REPLY: u64 = 32 << 20;

impl ClientBuilder {
    /// The region that requests are signed for, and whose endpoint they go to.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where the keys come from: [`Credentials`](crate::Credentials) that do not change, or a
    /// provider.
    pub fn credentials(mut self, provider: impl ProvideCredentials + 'static) -> Self {
        self.credentials = Some(Box::new(provider));
        self
    }

    /// Another endpoint than the service's own: a local one, a VPC endpoint, a gateway. `http://`
    /// or `https://`, a host, perhaps a port and a path, as [`EndpointUrl::parse`] reads it.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Whether to use the region's endpoint whose cryptographic modules are validated under FIPS
    /// 140: `lambda-fips.{region}..`.
    pub fn use_fips(mut self, yes: bool) -> Self {
        self.variant = self.variant.with_fips(yes);
        self
    }

    /// Whether to use the region's endpoint that is reached over IPv6 as well.
    pub fn use_dual_stack(mut self, yes: bool) -> Self {
        self.variant = self.variant.with_dual_stack(yes);
        self
    }

    /// What is sent again when it fails; a call can have its own.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long each part of a call may take; a call can have its own. `total` counts over all
    /// attempts and the waiting between them.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// What carries the requests: a [`Transport`] set up by hand (proxy, certificates,
    /// keep-alive), or any [`tower_service::Service`].
    ///
    /// A service is called on a clone of its own. It finds the call's [`Timeouts`] among the
    /// request's extensions; those for the first byte and in all are held until the head of the
    /// answer comes, whether it looks at them or not. Its errors count as "the request may have
    /// arrived", unless they are a [`lambda_invoke_transport::Error`] that says otherwise.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke::{Client, Transport};
    ///
    /// let transport = Transport::builder().pool_size(4).build();
    /// let builder = Client::builder().transport(transport);
    /// ```
    pub fn transport<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.transport = Some(HttpService::new(service));
        self
    }

    /// The most bytes of a buffered answer ([`Client::invoke`]) that are kept in memory. A larger
    /// one is an error. Streams have no such limit, since they are not kept.
    pub fn max_reply_bytes(mut self, bytes: u64) -> Self {
        self.max_reply = Some(bytes);
        self
    }

    /// The client. Connects to nothing and asks for no credentials yet.
    ///
    /// # Errors
    ///
    /// If the region or the credentials are missing, the region or the address of the endpoint
    /// cannot be used, or an address is set together with FIPS or dual stack, which choose among
    /// the service's own; the error says which and how it should look.
    pub fn build(self) -> Result<Client, Error> {
        let (region, credentials) = match (self.region, self.credentials) {
            (Some(region), Some(credentials)) => (region, credentials),
            (None, Some(_)) => return Err(missing("no region: set one with `region(..)`")),
            (Some(_), None) => {
                return Err(missing("no credentials: set them with `credentials(..)`"));
            }
            (None, None) => {
                return Err(missing(
                    "no region and no credentials: set them with `region(..)` and \
                     `credentials(..)`",
                ));
            }
        };
        region::check(&region).map_err(|error| {
            Error::configuration("the region cannot be used").with_source(error)
        })?;
        let endpoint = match &self.endpoint_url {
            // The two errors of `endpoint-rule-set-1.json`.
            Some(_) if self.variant.is_fips() => {
                return Err(Error::configuration(
                    "FIPS and an endpoint's URL cannot be set together",
                ));
            }
            Some(_) if self.variant.is_dual_stack() => {
                return Err(Error::configuration(
                    "dual stack and an endpoint's URL cannot be set together",
                ));
            }
            Some(url) => EndpointUrl::parse(url)?,
            None => EndpointUrl::of_region(&region, self.variant)?,
        };
        if endpoint.is_https() && cfg!(not(feature = "tls")) && self.transport.is_none() {
            return Err(missing(
                "no TLS for an https:// endpoint: build with the feature `tls`",
            ));
        }
        Ok(Client::new(Arc::new(Core {
            endpoint,
            http_service: self
                .transport
                .unwrap_or_else(|| HttpService::new(Transport::new())),
            credentials: CredentialsCache::new(credentials, region),
            timeouts: self.timeouts,
            retry: self.retry,
            bucket: TokenBucket::default(),
            clock: AtomicI64::new(0),
            max_reply: self.max_reply.unwrap_or(MAX_REPLY),
        })))
    }
}

fn missing(what: &str) -> Error {
    Error::configuration(format!("the client has {what}"))
}
