//! A proxy that forwards bytes between a client and a server, and damages a connection at a byte
//! offset.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::listen::listen;
use crate::chaos::case::{Connections, Damage, Direction, Strike};

/// How many of the bytes that a client receives on a connection are kept for the oracle.
const KEPT: usize = 256 * 1024;

/// How long a closed connection is still read, so that unread bytes do not turn FIN into RST.
const LINGER: Duration = Duration::from_millis(100);

/// What a proxy does to its connections.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub strike: Option<Strike>,
    /// Notifies the test when this many bytes have passed in a direction of the first connection. It is
    /// also notified of damage.
    pub tell: Option<(Direction, u64)>,
}

/// What passed through the proxy, and the notification.
#[derive(Debug)]
pub struct Seen {
    connections: AtomicUsize,
    /// The most bytes that one connection sent to the server, and to the client.
    requests: AtomicU64,
    responses: AtomicU64,
    strikes: AtomicUsize,
    /// What the client received, by connection.
    delivered: Mutex<Vec<Vec<u8>>>,
    /// Whether offsets count yet: on a pooled connection, they begin with the second request.
    armed: watch::Sender<bool>,
    pub told: Notify,
}

impl Seen {
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn request_bytes(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn response_bytes(&self) -> u64 {
        self.responses.load(Ordering::SeqCst)
    }

    pub fn strikes(&self) -> usize {
        self.strikes.load(Ordering::SeqCst)
    }

    /// What the client received, by connection; what is longer than [`KEPT`] is left out.
    pub fn delivered(&self) -> Vec<Vec<u8>> {
        let delivered = self.delivered.lock();
        delivered.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts counting offsets, and forgets what was delivered before.
    pub fn arm(&self) {
        let mut delivered = self
            .delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        delivered.iter_mut().for_each(Vec::clear);
        drop(delivered);
        self.armed.send_replace(true);
    }

    fn keep(&self, connection: usize, bytes: &[u8]) {
        let mut delivered = self
            .delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(all) = delivered.get_mut(connection)
            && all.len() + bytes.len() <= KEPT
        {
            all.extend_from_slice(bytes);
        }
    }
}

/// A proxy on a loopback port. It ends, with all its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    pub seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy that forwards the nth connection to the nth of these servers, and all further
    /// ones to the last. With an acceptor, clients speak TLS to the proxy, and it damages what TLS
    /// carries.
    pub async fn start(
        servers: Vec<SocketAddr>,
        acceptor: Option<TlsAcceptor>,
        plan: Plan,
    ) -> io::Result<Self> {
        let listener = listen().await?;
        let address = listener.local_addr()?;
        let pooled = plan
            .strike
            .is_some_and(|strike| strike.on == Connections::Pooled);
        let seen = Arc::new(Seen {
            connections: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            responses: AtomicU64::new(0),
            strikes: AtomicUsize::new(0),
            delivered: Mutex::default(),
            armed: watch::Sender::new(!pooled),
            told: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let nth = shared.connections.fetch_add(1, Ordering::SeqCst);
                let delivered = shared.delivered.lock();
                delivered
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Vec::new());
                let server = servers[nth.min(servers.len() - 1)];
                let link = Link {
                    nth,
                    plan: plan.clone(),
                    seen: Arc::clone(&shared),
                };
                let acceptor = acceptor.clone();
                links.spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else {
                        return;
                    };
                    let _ = client.set_nodelay(true);
                    match acceptor {
                        None => link.run(client, server).await,
                        Some(acceptor) => {
                            if let Ok(client) = acceptor.accept(client).await {
                                link.run(client, server).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self {
            address,
            seen,
            _tasks: tasks,
        })
    }
}

/// A client's connection, as far as a [`Link`] needs it.
trait Connection: AsyncRead + AsyncWrite + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Connection for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

struct Link {
    nth: usize,
    plan: Plan,
    seen: Arc<Seen>,
}

enum End {
    Eof,
    Failed,
    Struck(Damage),
}

impl Link {
    fn strike(&self, direction: Direction) -> Option<Strike> {
        let strike = self.plan.strike?;
        let here = strike.on == Connections::Every || self.nth == 0;
        (here && strike.direction == direction).then_some(strike)
    }

    async fn run(self, mut client: impl Connection, mut server: TcpStream) {
        let _ = server.set_nodelay(true);
        let damage = {
            let (mut from_client, mut to_client) = tokio::io::split(&mut client);
            let (mut from_server, mut to_server) = server.split();
            let mut up =
                std::pin::pin!(self.pump(Direction::Request, &mut from_client, &mut to_server));
            let mut down =
                std::pin::pin!(self.pump(Direction::Response, &mut from_server, &mut to_client));
            let (mut up_ended, mut down_ended) = (false, false);
            loop {
                let end = tokio::select! {
                    end = &mut up, if !up_ended => { up_ended = true; end }
                    end = &mut down, if !down_ended => { down_ended = true; end }
                    else => break None,
                };
                match end {
                    // The pump has already forwarded the end.
                    End::Eof => {}
                    End::Failed => break None,
                    End::Struck(damage) => break Some(damage),
                }
            }
        };
        if damage.is_some() {
            self.seen.strikes.fetch_add(1, Ordering::SeqCst);
            self.seen.told.notify_one();
        }
        match damage {
            None => {}
            Some(Damage::Reset) => reset(client.socket()),
            Some(Damage::Stall) => std::future::pending().await,
            Some(Damage::HangUp) => self.hang_up(&mut client, &mut server).await,
            // A flip does not end the pump.
            Some(Damage::Close | Damage::Flip(_)) => {
                let _ = tokio::join!(client.shutdown(), server.shutdown());
                let drain = async { tokio::join!(drain(&mut client), drain(&mut server)) };
                let _ = tokio::time::timeout(LINGER, drain).await;
            }
        }
        // A reset leaves no local port in TIME_WAIT.
        reset(&server);
    }

    /// Closes the client's side, but still forwards its request.
    async fn hang_up(&self, client: &mut impl Connection, server: &mut TcpStream) {
        let _ = client.shutdown().await;
        let (mut from_client, _closed) = tokio::io::split(client);
        let (mut from_server, mut to_server) = server.split();
        let request = tokio::io::copy(&mut from_client, &mut to_server);
        let mut nowhere = tokio::io::sink();
        let response = tokio::io::copy(&mut from_server, &mut nowhere);
        let _ = tokio::join!(request, response);
    }

    /// Forwards bytes until the end or the damage.
    async fn pump(
        &self,
        direction: Direction,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> End {
        let strike = self.strike(direction);
        let mut armed = self.seen.armed.subscribe();
        let mut counts = *armed.borrow_and_update();
        let mut passed = 0;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            // A request is damaged as soon as this many bytes have passed. A response is damaged
            // only when more of it arrives, so that at offset 0 its function has run.
            if let Some(strike) = strike.filter(|strike| counts && passed >= strike.at) {
                let is_request = direction == Direction::Request;
                if is_request && !matches!(strike.damage, Damage::Flip(_)) {
                    return End::Struck(strike.damage);
                }
            }
            let mut struck = None;
            let length = tokio::select! {
                read = from.read(&mut buffer) => match read {
                    Ok(0) => {
                        let _ = to.shutdown().await;
                        return End::Eof;
                    }
                    Ok(length) => length,
                    Err(_) => return End::Failed,
                },
                changed = armed.changed(), if !counts => {
                    counts = changed.is_ok();
                    continue;
                }
            };
            counts |= *armed.borrow();
            let mut bytes = &mut buffer[..length];
            if let Some(strike) = strike.filter(|_| counts) {
                let left = strike.at.saturating_sub(passed);
                match usize::try_from(left).ok().filter(|left| *left < length) {
                    Some(at) if passed <= strike.at => match strike.damage {
                        Damage::Flip(bit) => {
                            bytes[at] ^= 1 << bit;
                            self.seen.strikes.fetch_add(1, Ordering::SeqCst);
                        }
                        damage => {
                            bytes = &mut bytes[..at];
                            struck = Some(damage);
                        }
                    },
                    _ => {}
                }
            }
            // Recorded first: once the client has the bytes, the next call may begin.
            if direction == Direction::Response {
                self.seen.keep(self.nth, bytes);
            }
            if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
                return End::Failed;
            }
            if counts {
                passed += bytes.len() as u64;
            }
            self.count(direction, passed);
            if let Some(damage) = struck {
                return End::Struck(damage);
            }
        }
    }

    fn count(&self, direction: Direction, passed: u64) {
        let most = match direction {
            Direction::Request => &self.seen.requests,
            Direction::Response => &self.seen.responses,
        };
        most.fetch_max(passed, Ordering::SeqCst);
        if self.nth == 0
            && self
                .plan
                .tell
                .is_some_and(|(of, at)| of == direction && passed >= at)
        {
            self.seen.told.notify_one();
        }
    }
}

pub(super) fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

async fn drain(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
