//! Sets up what prevents a connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke::{BoxError, Proxy as ProxyRules, Transport};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::listen::listen;
use super::proxy::reset;
use super::site::{Authority, Site};
use crate::chaos::schedule::connect::{Obstacle, Proxy, Tls};

/// An obstacle that has been set up: the URL that the client calls, and the transport that it uses.
pub struct Way {
    pub url: String,
    pub transport: Transport,
    tasks: JoinSet<()>,
    /// Sockets that must stay open.
    held: Vec<Socket>,
}

impl Way {
    /// Sets an obstacle up.
    pub async fn start(site: &Site, obstacle: Obstacle) -> Result<Self, BoxError> {
        let mut way = Self {
            url: String::new(),
            transport: Transport::builder()
                .bundled_roots(false)
                .ca_pem(site.authority.pem.as_bytes())?
                .build(),
            tasks: JoinSet::new(),
            held: Vec::new(),
        };
        match obstacle {
            Obstacle::Refused => way.url = format!("http://{}", way.unused()?),
            Obstacle::UnknownHost => way.url = "http://nothing.invalid:9001".to_owned(),
            Obstacle::BlackHole => {
                let (address, sockets) = full()?;
                way.held = sockets;
                way.url = format!("http://{address}");
            }
            Obstacle::ForwardProxyRefused => {
                let rules = ProxyRules::builder().http(format!("http://{}", way.unused()?));
                way.transport = Transport::builder().proxy(rules.build()?).build();
                way.url = "http://lambda.example:9001".to_owned();
            }
            Obstacle::Tls(tls) => {
                let address = way.tls(site, tls).await?;
                way.url = format!("https://localhost:{}", address.port());
            }
            Obstacle::Proxy(proxy) => {
                let address = way.proxy(proxy).await?;
                let rules = ProxyRules::builder().https(format!("http://{address}"));
                way.transport = Transport::builder()
                    .bundled_roots(false)
                    .ca_pem(site.authority.pem.as_bytes())?
                    .proxy(rules.build()?)
                    .build();
                way.url = "https://lambda.example:443".to_owned();
            }
        }
        Ok(way)
    }

    async fn tls(&mut self, site: &Site, tls: Tls) -> Result<SocketAddr, BoxError> {
        let acceptor = match tls {
            Tls::Untrusted => Some(Authority::new("another")?.acceptor("localhost")?),
            Tls::OtherHost => Some(site.authority.acceptor("other.example")?),
            Tls::AsksForCertificate => Some(site.authority.demanding_acceptor("localhost")?),
            _ => None,
        };
        let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
        let page: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        self.serve(move |mut socket| {
            let acceptor = acceptor.clone();
            async move {
                if let Some(acceptor) = acceptor {
                    let mut io = acceptor.accept(socket).await?;
                    tokio::io::copy(&mut io, &mut tokio::io::sink()).await?;
                    return Ok(());
                }
                let mut hello = [0; 512];
                let _ = socket.read(&mut hello).await?;
                match tls {
                    Tls::Alert => end(socket, alert).await,
                    Tls::PlainHttp => end(socket, page).await,
                    Tls::Garbage => end(socket, &[0xa5; 300]).await,
                    Tls::Hangs => std::future::pending().await,
                    Tls::Resets => {
                        reset(&socket);
                        Ok(())
                    }
                    _ => end(socket, b"").await,
                }
            }
        })
        .await
    }

    async fn proxy(&mut self, proxy: Proxy) -> Result<SocketAddr, BoxError> {
        if proxy == Proxy::Refused {
            return Ok(self.unused()?);
        }
        self.serve(move |mut socket| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if socket.read_buf(&mut head).await? == 0 {
                    return Ok(());
                }
            }
            let accepted = b"HTTP/1.1 200 Connection established\r\n\r\n";
            match proxy {
                Proxy::Status(status) => {
                    let text = format!("HTTP/1.1 {status} No\r\ncontent-length: 2\r\n\r\nno");
                    end(socket, text.as_bytes()).await
                }
                Proxy::Resets => {
                    reset(&socket);
                    Ok(())
                }
                Proxy::Hangs => std::future::pending().await,
                Proxy::Garbage => end(socket, &[0xa5; 300]).await,
                Proxy::EndlessHead => {
                    socket.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                    let lines = "x-a: b\r\n".repeat(512);
                    loop {
                        socket.write_all(lines.as_bytes()).await?;
                    }
                }
                Proxy::AcceptsAndCloses => end(socket, accepted).await,
                Proxy::AcceptsAndLies => {
                    socket.write_all(accepted).await?;
                    end(socket, &[0xa5; 300]).await
                }
                Proxy::Closes | Proxy::Refused => end(socket, b"").await,
            }
        })
        .await
    }

    /// An address on which nothing listens, and which nothing else can take.
    fn unused(&mut self) -> io::Result<SocketAddr> {
        let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&any.into())?;
        let address = socket.local_addr()?.as_socket().unwrap_or(any);
        self.held.push(socket);
        Ok(address)
    }

    async fn serve<F, R>(&mut self, each: F) -> Result<SocketAddr, BoxError>
    where
        F: Fn(TcpStream) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = listen().await?;
        let address = listener.local_addr()?;
        let each = Arc::new(each);
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let each = Arc::clone(&each);
                connections.spawn(async move {
                    let _ = each(socket).await;
                });
            }
        });
        Ok(address)
    }
}

/// Writes, and closes gracefully.
async fn end(mut socket: TcpStream, bytes: &[u8]) -> io::Result<()> {
    socket.write_all(&Bytes::copy_from_slice(bytes)).await?;
    socket.shutdown().await?;
    tokio::io::copy(&mut socket, &mut tokio::io::sink()).await?;
    Ok(())
}

/// An address whose queue of connections is full: the first packet of any further connection is
/// dropped.
pub(super) fn full() -> io::Result<(SocketAddr, Vec<Socket>)> {
    let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&any.into())?;
    listener.listen(0)?;
    let address = listener.local_addr()?.as_socket().unwrap_or(any);
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        let _ = socket.connect(&address.into());
        sockets.push(socket);
    }
    Ok((address, sockets))
}
