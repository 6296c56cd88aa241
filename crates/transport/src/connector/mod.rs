//! Connects to the host of a URI, directly or through a proxy, with or without TLS.

mod once;
pub(crate) mod path;
pub(crate) mod resolver;
pub(crate) mod socket;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use self::once::Once;
use self::path::{Hop, Path};
use self::resolver::Resolver;
use self::socket::Socket;
use crate::error::BoxError;
use crate::trace::Connecting;
use crate::{Error, ErrorKind, Proxy, TimeoutKind};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type CustomDial = Arc<dyn Fn(Uri) -> BoxFuture<io::Result<Socket>> + Send + Sync>;

/// How to connect the lowest layer.
#[derive(Clone)]
pub(crate) enum Dial {
    Tcp(HttpConnector<Resolver>),
    Custom(CustomDial),
}

/// The connector under the pool. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) dial: Dial,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) limit: Option<Duration>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Arc<self::tls::Tls>,
}

impl Connector {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }

    /// Connects to the host that `to` names.
    pub(crate) async fn connect(&self, to: &Uri) -> Result<Path, Error> {
        let connecting = Connecting::begin();
        let result = match self.0.limit {
            None => self.0.establish(to.clone()).await,
            Some(limit) => tokio::time::timeout(limit, self.0.establish(to.clone()))
                .await
                .unwrap_or_else(|_| {
                    let (which, sent) = (TimeoutKind::Connect, crate::Sent::No);
                    Err(Error::timeout(which, limit, sent, false))
                }),
        };
        connecting.end(to, self.proxy(), &result);
        result
    }
}

impl Parts {
    async fn establish(&self, to: Uri) -> Result<Path, Error> {
        let secure = to.scheme() == Some(&Scheme::HTTPS);
        let via = match &self.proxy {
            Some(proxy) => proxy.intercept(&to)?,
            None => None,
        };
        let Some(via) = via else {
            let socket = self.dial(&to).await.map_err(|cause| {
                let message = format!("could not connect to {}", authority(&to));
                Error::no_connection(connect_kind(&*cause), message, cause)
            })?;
            let hop = self.first_hop(socket, to).await?;
            return Ok(Path::from(hop));
        };

        let proxy = via.uri();
        let socket = self.dial(proxy).await.map_err(|cause| {
            let message = format!("could not connect to the proxy {}", authority(proxy));
            Error::no_connection(ErrorKind::Proxy, message, cause)
        })?;
        let hop = self.first_hop(socket, proxy.clone()).await?;
        if !secure {
            return Ok(Path::from(hop));
        }
        let mut tunnel = Tunnel::new(proxy.clone(), Once(Some(hop)));
        if let Some(authorization) = via.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let hop = tunnel.call(to.clone()).await.map_err(|cause| {
            let message = format!(
                "the proxy {} did not open a tunnel to {}",
                authority(proxy),
                authority(&to)
            );
            Error::no_connection(ErrorKind::Proxy, message, cause.into())
        })?;
        self.through_tunnel(hop, to).await
    }

    /// The lowest layer of a connection to the host that `to` names.
    async fn dial(&self, to: &Uri) -> Result<Socket, BoxError> {
        match &self.dial {
            Dial::Tcp(tcp) => Ok(Socket::Tcp(
                tcp.clone().call(to.clone()).await?.into_inner().into(),
            )),
            Dial::Custom(dial) => Ok(dial(to.clone()).await?),
        }
    }

    #[cfg(feature = "tls")]
    async fn first_hop(&self, socket: Socket, to: Uri) -> Result<Hop, Error> {
        if to.scheme() == Some(&Scheme::HTTPS) {
            self.tls.handshake(TokioIo::new(socket), to).await
        } else {
            Ok(Hop::Http(TokioIo::new(socket)))
        }
    }

    #[cfg(feature = "tls")]
    async fn through_tunnel(&self, hop: Hop, to: Uri) -> Result<Path, Error> {
        Ok(Path::Tls(Box::new(self.tls.handshake(hop, to).await?)))
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "with the feature `tls`, it awaits")]
    async fn first_hop(&self, socket: Socket, to: Uri) -> Result<Hop, Error> {
        if to.scheme() == Some(&Scheme::HTTPS) {
            return Err(without_tls());
        }
        Ok(TokioIo::new(socket))
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "with the feature `tls`, it awaits")]
    async fn through_tunnel(&self, _: Hop, _: Uri) -> Result<Path, Error> {
        Err(without_tls())
    }
}

#[cfg(not(feature = "tls"))]
fn without_tls() -> Error {
    Error::configuration("https needs the feature `tls` of lambda-invoke-transport")
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Connector");
        f.field("proxy", &self.0.proxy)
            .field("limit", &self.0.limit);
        #[cfg(feature = "tls")]
        f.field("tls", &self.0.tls);
        f.finish_non_exhaustive()
    }
}

pub(crate) fn authority(uri: &Uri) -> &str {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    // Without a user's name and password.
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

/// A timeout of the operating system, or of a single address, counts as a timeout too.
fn connect_kind(error: &(dyn std::error::Error + 'static)) -> ErrorKind {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return ErrorKind::TimedOut(TimeoutKind::Connect);
        }
        next = error.source();
    }
    ErrorKind::Connect
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use socket2::SockRef;
    #[cfg(feature = "tls")]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{Transport, TransportBuilder};

    async fn socket_of(builder: TransportBuilder, address: SocketAddr) -> tokio::net::TcpStream {
        let to = format!("http://{address}/").parse().unwrap();
        match builder.build().connector().0.dial(&to).await.unwrap() {
            Socket::Tcp(tcp) => tcp.into_stream(),
            Socket::Custom(_) => panic!("not a TCP socket"),
        }
    }

    #[tokio::test]
    async fn the_socket_options_are_set() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();

        let tcp = socket_of(Transport::builder(), address).await;
        let socket = SockRef::from(&tcp);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(
            socket.tcp_keepalive_time().unwrap(),
            Duration::from_secs(60)
        );
        assert_eq!(
            socket.tcp_keepalive_interval().unwrap(),
            Duration::from_secs(15)
        );

        let own = Duration::from_secs(33);
        let tcp = socket_of(Transport::builder().tcp_keep_alive(own, own / 3), address).await;
        let socket = SockRef::from(&tcp);
        assert_eq!(socket.tcp_keepalive_time().unwrap(), own);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), own / 3);

        let tcp = socket_of(Transport::builder().no_tcp_keep_alive(), address).await;
        assert!(!SockRef::from(&tcp).keepalive().unwrap());
    }

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn tls_is_set_up_for_the_first_https_connection_and_not_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        });
        let transport = Transport::new();
        let send = |scheme: &str| {
            let uri = format!("{scheme}://{address}/");
            transport.send(http::Request::post(uri).body(Default::default()).unwrap())
        };
        send("http").await.unwrap();
        assert!(!transport.connector().0.tls.is_set_up());
        send("https").await.unwrap_err();
        assert!(transport.connector().0.tls.is_set_up());
    }

    #[test]
    fn an_authority_is_shown_without_a_password() {
        assert_eq!(authority(&Uri::from_static("http://a:b@host:1/")), "host:1");
        assert_eq!(authority(&Uri::from_static("http://host/")), "host");
    }
}
