//! The settings of a client.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::Full;
use lambda_invoke_protocol::retry::{RetryPolicy, TokenBucket};
use lambda_invoke_sigv4::region::{self, Variant};
use lambda_invoke_transport::{Timeouts, Transport};
use tower_service::Service;

use crate::credentials_cache::CredentialsCache;
use crate::exchange::Core;
use crate::headers::{Coverage, ExtraHeaders};
use crate::http_service::HttpService;
use crate::provider::IntoProvider;
use crate::{BoxError, Client, Credentials, EndpointUrl, Error, ProvideCredentials};

/// Configures a [`Client`].
///
/// | setting | default |
/// |---|---|
/// | [`region`](Self::region) | required: every signature names it |
/// | [`credentials`](Self::credentials) | required: every request is signed |
/// | [`endpoint_url`](Self::endpoint_url) | the service's own in the region |
/// | [`use_fips`](Self::use_fips), [`use_dual_stack`](Self::use_dual_stack) | no |
/// | [`retry`](Self::retry) | [`RetryPolicy::default`]: three attempts, never a second one that could run the function twice |
/// | [`timeouts`](Self::timeouts) | [`Timeouts::default`] |
/// | [`transport`](Self::transport) | [`Transport::new`] |
/// | [`max_reply_bytes`](Self::max_reply_bytes) | 32 MiB |
/// | [`header`](Self::header), [`unsigned_header`](Self::unsigned_header) | only the protocol's headers |
///
/// Nothing is read from the environment or from files: neither `AWS_*` and proxy variables nor the
/// shared configuration. The caller passes the values that it needs.
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
///     .header("x-team", "shop")
///     .max_reply_bytes(1 << 20)
///     .build()?;
/// assert_eq!(client.retry_policy(), RetryPolicy::at_least_once());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The endpoint of a region with FIPS over IPv6, unless a URL is set:
///
/// ```
/// # let configured: Option<&str> = None;
/// use lambda_invoke::{Client, ClientBuilder, Credentials};
///
/// let builder: ClientBuilder = Client::builder()
///     .region("us-gov-west-1")
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret")?)
///     .maybe_endpoint_url(configured)
///     .use_fips(true)
///     .use_dual_stack(true)
///     .unsigned_header("x-hop", "1");
/// let client = builder.build()?;
/// assert_eq!(client.endpoint_url(), "https://lambda-fips.us-gov-west-1.api.aws/");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `C` is the client that [`build`](Self::build) makes: [`Client`], or `blocking::Client` (feature
/// `blocking`).
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder<C = Client> {
    region: Option<String>,
    credentials: Option<Box<dyn ProvideCredentials>>,
    endpoint_url: Option<Address>,
    variant: Variant,
    retry: RetryPolicy,
    timeouts: Option<Timeouts>,
    transport: Option<HttpService>,
    max_reply: Option<u64>,
    headers: ExtraHeaders,
    /// The first header that cannot be set.
    invalid: Option<Error>,
    client: PhantomData<fn() -> C>,
}

/// The address of an endpoint as it was set. `Debug` shows it only if it can be used: one that cannot
/// may contain a password.
struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.parse::<EndpointUrl>() {
            Ok(_) => self.0.fmt(f),
            Err(error) => write!(f, "({error})"),
        }
    }
}

/// Several times the largest response of the service (6 MiB).
pub(crate) const MAX_REPLY: u64 = 32 << 20;

impl<C> Default for ClientBuilder<C> {
    fn default() -> Self {
        Self {
            region: None,
            credentials: None,
            endpoint_url: None,
            variant: Variant::default(),
            retry: RetryPolicy::default(),
            timeouts: None,
            transport: None,
            max_reply: None,
            headers: ExtraHeaders::default(),
            invalid: None,
            client: PhantomData,
        }
    }
}

impl<C> ClientBuilder<C> {
    /// Makes a builder for a local endpoint: see [`Client::local`].
    pub(crate) fn local(url: impl Into<String>) -> Result<Self, Error> {
        let keys = Credentials::new("local", "local")
            .map_err(|error| Error::configuration("the keys cannot be used").with_source(error))?;
        Ok(Self::default()
            .region("us-east-1")
            .credentials(keys)
            .endpoint_url(url))
    }

    /// Sets the region that requests are signed for, and whose endpoint they go to.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets where the credentials come from: [`Credentials`](crate::Credentials) that do not
    /// change, a [provider](ProvideCredentials), or a closure that returns a future of them.
    ///
    /// A provider is asked again at the times that [`ProvideCredentials`] lists, such as before the
    /// credentials expire.
    /// [`Credentials::with_expiry_time`](crate::Credentials::with_expiry_time) takes the expiry.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use lambda_invoke::{Client, Credentials};
    ///
    /// let builder = Client::builder().credentials(|| async {
    ///     let expiry = SystemTime::now() + Duration::from_secs(3600);
    ///     Ok(Credentials::new("AKIDEXAMPLE", "secret")?.with_expiry_time(expiry))
    /// });
    /// ```
    pub fn credentials<P, Kind>(mut self, provider: P) -> Self
    where
        P: IntoProvider<Kind>,
    {
        self.credentials = Some(provider.into_provider());
        self
    }

    /// Sets an endpoint other than the service's own: a local one, a VPC endpoint, a gateway. The
    /// address is `http://` or `https://`, a host, and optionally a port and a path, as
    /// [`EndpointUrl::try_from`] parses it.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(Address(url.into()));
        self
    }

    /// The same as [`endpoint_url`](Self::endpoint_url), if there is a value.
    pub fn maybe_endpoint_url(self, url: Option<impl Into<String>>) -> Self {
        match url {
            Some(url) => self.endpoint_url(url),
            None => self,
        }
    }

    /// Sets a header of every request, and replaces a header of the same name; a call's header
    /// replaces the client's. The signature covers it, unless it is one that signatures never cover
    /// ([`NEVER_SIGNED`](lambda_invoke_sigv4::NEVER_SIGNED): `user-agent` and `x-amzn-trace-id`,
    /// for example).
    ///
    /// [`build`](Self::build) rejects headers that the client sets itself: `authorization`, `host`,
    /// `content-length`, `content-type`, all that begin with `x-amz-`, and the connection's
    /// headers.
    pub fn header(
        self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        self.set_header(name, value, Coverage::Signed)
    }

    /// Like [`header`](Self::header), for a header that the signature does not cover, because
    /// proxies or gateways rewrite or remove it on the way.
    pub fn unsigned_header(
        self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        self.set_header(name, value, Coverage::Unsigned)
    }

    fn set_header(
        mut self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
        coverage: Coverage,
    ) -> Self {
        if let Err(error) = self.headers.set(name, value, coverage) {
            let error = Error::configuration("a header cannot be set").with_source(error);
            self.invalid.get_or_insert(error);
        }
        self
    }

    /// Chooses the region's endpoint with cryptographic modules validated under FIPS 140
    /// (`lambda-fips.{region}..`), or the ordinary one.
    pub fn use_fips(mut self, yes: bool) -> Self {
        self.variant = self.variant.with_fips(yes);
        self
    }

    /// Chooses the region's endpoint that is reachable over IPv6 as well, or the ordinary one.
    pub fn use_dual_stack(mut self, yes: bool) -> Self {
        self.variant = self.variant.with_dual_stack(yes);
        self
    }

    /// Sets the policy that says after which failures a call is sent again, and how often. A call
    /// can have its own policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets how long each part of a call may take; a call can have its own timeouts. `total` covers
    /// all attempts and the delays between them.
    ///
    /// The time in which credentials are fetched does not count. A call without valid credentials
    /// waits for them for at most five minutes, the limit of a fetch; set a shorter limit in the
    /// provider, or around the call. If its call is canceled, a fetch continues for other calls.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Sets the service that sends the requests: a configured [`Transport`] (proxy, certificates,
    /// keep-alive), or any [`tower_service::Service`].
    ///
    /// Each request is sent through a clone of the service. Timeouts that the client or the call
    /// sets are among the request's extensions, as [`Timeouts`] or, if only
    /// [`Call::timeout`](crate::Call::timeout) is set, as
    /// [`TotalTimeout`](lambda_invoke_transport::TotalTimeout); a [`Transport`] below layers finds
    /// them there, and otherwise applies its own. Until the head of the response arrives, the
    /// first-byte and total timeouts are enforced even if the service ignores them; without a
    /// setting, those of [`Timeouts::default`].
    ///
    /// The service's errors mean that the request may have arrived, unless they are a
    /// [`lambda_invoke_transport::Error`] that says otherwise. A layer that sends a request more than
    /// once may return such an error about the last send only; [`Sends`](lambda_invoke_transport::Sends)
    /// among the extensions counts the earlier ones. So a layer must keep the request's extensions in the
    /// copies that it sends, and must not send a request by other means as well.
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

    /// Sets the maximum size in bytes of a buffered response ([`Client::invoke`]), which is kept in
    /// memory. A larger response is an error. Streams have no such maximum.
    pub fn max_reply_bytes(mut self, bytes: u64) -> Self {
        self.max_reply = Some(bytes);
        self
    }

    fn build_core(self) -> Result<Core, Error> {
        if let Some(error) = self.invalid {
            return Err(error);
        }
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
            Some(Address(url)) => url.parse()?,
            None => EndpointUrl::of_region(&region, self.variant)?,
        };
        if endpoint.is_https() && cfg!(not(feature = "tls")) && self.transport.is_none() {
            return Err(missing(
                "no TLS for an https:// endpoint: build with the feature `tls`",
            ));
        }
        Ok(Core {
            endpoint,
            http_service: self
                .transport
                .unwrap_or_else(|| HttpService::new(Transport::new())),
            credentials: Arc::new(CredentialsCache::new(credentials, region)),
            timeouts: self.timeouts,
            retry: self.retry,
            bucket: TokenBucket::default(),
            clock: AtomicI64::new(0),
            max_reply: self.max_reply.unwrap_or(MAX_REPLY),
            headers: self.headers,
        })
    }
}

impl ClientBuilder<Client> {
    /// Builds the client, which does not connect or fetch credentials yet.
    ///
    /// # Errors
    ///
    /// If the region or the credentials are missing, the region, the endpoint's address or a header
    /// is invalid, or an address is set together with FIPS or dual stack, which select one of the
    /// service's own; the error says which value is wrong and how it should look.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client::new(Arc::new(self.build_core()?)))
    }
}

#[cfg(feature = "blocking")]
impl ClientBuilder<crate::blocking::Client> {
    /// Builds the client and starts the thread that drives its connections.
    ///
    /// # Errors
    ///
    /// As the asynchronous [`build`](ClientBuilder::<Client>::build), and if the system cannot
    /// start a thread.
    pub fn build(self) -> Result<crate::blocking::Client, Error> {
        crate::blocking::Client::new(Client::new(Arc::new(self.build_core()?)))
    }
}

fn missing(what: &str) -> Error {
    Error::configuration(format!("the client has {what}"))
}
