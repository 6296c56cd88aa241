//! The settings of a transport.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connections::Limits;
use crate::connector::resolver::{Known, Resolver};
use crate::connector::socket::Socket;
use crate::connector::{Connector, CustomDial, Dial, Parts};
use crate::pool::Pool;
use crate::{Proxy, Timeouts, Transport};

/// Sets up a [`Transport`].
///
/// | setting | default |
/// |---|---|
/// | [`timeouts`](Self::timeouts) | those of [`Timeouts::default`] |
/// | [`tcp_keep_alive`](Self::tcp_keep_alive) | probes after 60 s, then every 15 s |
/// | [`pool_idle`](Self::pool_idle) | 20 s |
/// | [`pool_size`](Self::pool_size) | as many idle connections as were ever in use at once |
/// | [`resolve`](Self::resolve) | by the operating system |
/// | [`proxy`](Self::proxy) | none; the environment is not read |
/// | [`bundled_roots`](Self::bundled_roots) | yes |
///
/// `TCP_NODELAY` is always on.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke_transport::{Timeouts, Transport};
///
/// let transport = Transport::builder()
///     .timeouts(Timeouts::default().with_total(Duration::from_secs(120)))
///     .tcp_keep_alive(Duration::from_secs(30), Duration::from_secs(10))
///     .build();
/// ```
#[derive(Clone)]
pub struct TransportBuilder {
    timeouts: Timeouts,
    keep_alive: Option<(Duration, Duration)>,
    pool_idle: Duration,
    pool_size: usize,
    known: Known,
    proxy: Option<Proxy>,
    dial: Option<CustomDial>,
    #[cfg(feature = "tls")]
    roots: crate::connector::tls::Roots,
}

impl Default for TransportBuilder {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            keep_alive: Some((Duration::from_secs(60), Duration::from_secs(15))),
            pool_idle: Duration::from_secs(20),
            pool_size: usize::MAX,
            known: Known::new(),
            proxy: None,
            dial: None,
            #[cfg(feature = "tls")]
            roots: crate::connector::tls::Roots::default(),
        }
    }
}

impl TransportBuilder {
    /// Sets the timeouts of requests that do not set their own.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets TCP keep-alive: a probe after `idle` without data, then one every `interval`.
    ///
    /// NAT gateways and VPC endpoints drop a connection after 350 s without data, and a function
    /// may run for longer than that, so keep `idle` well below 350 s. Both durations are whole
    /// seconds.
    #[must_use]
    pub fn tcp_keep_alive(mut self, idle: Duration, interval: Duration) -> Self {
        self.keep_alive = Some((idle, interval));
        self
    }

    /// Turns TCP keep-alive off.
    #[must_use]
    pub fn no_tcp_keep_alive(mut self) -> Self {
        self.keep_alive = None;
        self
    }

    /// Sets how long an unused connection is kept in the pool.
    #[must_use]
    pub fn pool_idle(mut self, limit: Duration) -> Self {
        self.pool_idle = limit;
        self
    }

    /// Sets how many unused connections are kept for each host. With 0, every request has its
    /// own connection.
    #[must_use]
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// Sets the addresses of a host, in place of those that the operating system finds, for example
    /// for a VPC endpoint without private DNS or a test's server. The port still comes from the
    /// URI, and the `host` header and TLS still use the host's name. A proxy's host can be given
    /// too.
    ///
    /// The family of the first address is preferred. If the host has addresses of both, those of the
    /// other are tried as well after 300 ms (RFC 8305, "happy eyeballs"). Addresses of one family are
    /// tried in order, each for its share of [`Timeouts::connect`].
    ///
    /// Setting a host again replaces its addresses. Without any, connecting to it fails.
    ///
    /// # Example
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use lambda_invoke_transport::Transport;
    ///
    /// let transport = Transport::builder()
    ///     .resolve("lambda.eu-west-1.amazonaws.com", [Ipv4Addr::new(10, 0, 3, 17).into()])
    ///     .build();
    /// ```
    #[must_use]
    pub fn resolve(
        mut self,
        host: impl Into<String>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let host = host.into();
        self.known
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&host));
        self.known.push((host, addresses.into_iter().collect()));
        self
    }

    /// Sends requests through proxies, according to these rules.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Connects with `dial` instead of TCP: a Unix socket, or a pipe to a server in the same
    /// process. It is called with the URI of the server, or of the proxy; TLS and a proxy's tunnel
    /// run over the connection that it returns. The settings for TCP do not apply.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_transport::Transport;
    /// use tokio::io::duplex;
    ///
    /// let transport = Transport::builder()
    ///     .connect_with(|_uri| async {
    ///         let (client, server) = duplex(64 * 1024);
    ///         // Here a server would begin to read from its end.
    ///         drop(server);
    ///         Ok(client)
    ///     })
    ///     .build();
    /// ```
    #[must_use]
    pub fn connect_with<F, R, T>(mut self, dial: F) -> Self
    where
        F: Fn(Uri) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.dial = Some(Arc::new(move |uri| {
            let connecting = dial(uri);
            Box::pin(async move { Ok(Socket::Custom(Box::new(connecting.await?))) })
        }));
        self
    }

    /// Sets whether to trust Mozilla's certificate authorities, which are compiled in. Turn this
    /// off to trust only the authorities of [`ca_pem`](Self::ca_pem).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn bundled_roots(mut self, trusted: bool) -> Self {
        self.roots.bundled = trusted;
        self
    }

    /// Sets whether to trust the platform's certificate authorities too. They are read on the first
    /// https connection.
    #[cfg(feature = "native-roots")]
    #[must_use]
    pub fn native_roots(mut self, trusted: bool) -> Self {
        self.roots.native = trusted;
        self
    }

    /// Also trusts the certificate authorities in a PEM text: a private CA, or the CA of a proxy
    /// that intercepts TLS.
    ///
    /// # Errors
    ///
    /// If the text contains no certificate, or an unreadable one; the error says which.
    #[cfg(feature = "tls")]
    pub fn ca_pem(mut self, pem: &[u8]) -> Result<Self, crate::Error> {
        self.roots.add_pem(pem)?;
        Ok(self)
    }

    /// Builds the transport. It neither connects nor sets up TLS before the first request.
    #[must_use]
    pub fn build(self) -> Transport {
        let connector = Connector::new(Parts {
            dial: match self.dial {
                Some(dial) => Dial::Custom(dial),
                None => Dial::Tcp(tcp(
                    Resolver::new(self.known),
                    self.keep_alive,
                    self.timeouts.connect,
                )),
            },
            proxy: self.proxy,
            limit: self.timeouts.connect,
            #[cfg(feature = "tls")]
            tls: Arc::new(crate::connector::tls::Tls::new(self.roots)),
        });
        let limits = Limits {
            idle: self.pool_idle,
            size: self.pool_size,
        };
        Transport::assemble(Pool::new(connector, limits), self.timeouts)
    }
}

fn tcp(
    resolver: Resolver,
    keep_alive: Option<(Duration, Duration)>,
    limit: Option<Duration>,
) -> HttpConnector<Resolver> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(keep_alive.map(|(idle, _)| idle));
    tcp.set_keepalive_interval(keep_alive.map(|(_, interval)| interval));
    // Divided among the addresses of a name, so that an unreachable one does not use all of it.
    tcp.set_connect_timeout(limit);
    tcp
}

impl std::fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("TransportBuilder");
        f.field("timeouts", &self.timeouts)
            .field("keep_alive", &self.keep_alive)
            .field("pool_idle", &self.pool_idle)
            .field("pool_size", &self.pool_size)
            .field("known", &self.known)
            .field("proxy", &self.proxy);
        #[cfg(feature = "tls")]
        f.field("roots", &self.roots);
        f.finish_non_exhaustive()
    }
}
