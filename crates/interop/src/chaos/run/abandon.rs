//! Calls that their callers drop while they connect.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lambda_invoke::{BoxError, Proxy as ProxyRules, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::caller::{Caller, Ours, Reading};
use super::elsewhere::Elsewhere;
use super::listen::listen;
use super::obstacles::full;
use super::site::{Site, payload, whole};
use super::{World, end, id, id_of_next};
use crate::chaos::case::{Case, Over, Waits};
use crate::chaos::oracle::{Ended, Next, Observation};
use crate::chaos::schedule::connect::Stage;

/// When the first packet has certainly been sent, since nothing shows that it was.
const SENT: Duration = Duration::from_millis(100);

/// Runs a case.
pub async fn observe(
    world: &World,
    nth: usize,
    case: &Case,
    stage: Stage,
) -> Result<Observation, BoxError> {
    if stage == Stage::Lookup {
        return look_up(world, nth, case).await;
    }
    let mut way = Way::start(&world.site, stage).await?;
    let transport = way.transport.clone();
    let caller = Ours::new(
        &way.url,
        case.policy,
        transport,
        Reading::of(case),
        case.waits,
    )?;
    let mut seen = world.seen(nth, case.asked);
    let call = caller.call(case.asked, payload(case.asked, &id(nth)));
    seen.ended = tokio::select! {
        biased;
        ended = end(case.waits, call) => ended,
        () = way.is_there(stage) => Ended::Dropped,
    };
    seen.struck = matches!(seen.ended, Ended::Dropped);
    way.clear(world.site.address(Over::Plain))?;
    let again = caller.call(case.asked, payload(case.asked, &id_of_next(nth)));
    seen.next = Some(next(world, nth, case, end(case.waits, again).await));
    Ok(seen)
}

fn next(world: &World, nth: usize, case: &Case, ended: Ended) -> Next {
    let id = id_of_next(nth);
    Next {
        ended,
        expected: whole(case.asked, &id),
        executions: Some(world.site.executions.of(&id)),
    }
}

/// Drops a call whose process waits for the addresses of a host.
async fn look_up(world: &World, nth: usize, case: &Case) -> Result<Observation, BoxError> {
    let _permit = world.elsewhere.acquire().await?;
    let preloaded = world.preloaded(&id(nth), 0).await?;
    preloaded.hold_lookups(true)?;
    let port = world.site.address(Over::Plain).port();
    let url = format!("http://localhost:{port}");
    let mut caller = Elsewhere::start(&world.program, &url, case.policy, Some(&preloaded))?;
    let mut seen = world.seen(nth, case.asked);
    let request = payload(case.asked, &id(nth));
    caller.begin(case.asked, &request, Waits::Never).await?;
    preloaded.held().await?;
    seen.ended = match caller.drop_call().await?.outcome {
        None => Ended::Dropped,
        Some(outcome) => Ended::Outcome(outcome),
    };
    seen.struck = matches!(seen.ended, Ended::Dropped);
    preloaded.hold_lookups(false)?;
    let request = payload(case.asked, &id_of_next(nth));
    let again = caller.call(case.asked, &request, Waits::Never).await?;
    let again = again.outcome.ok_or("the next call was dropped")?;
    seen.next = Some(next(world, nth, case, Ended::Outcome(again)));
    Ok(seen)
}

/// A way to the endpoint that the first connection does not pass.
struct Way {
    url: String,
    transport: Transport,
    /// The first connection has got as far as it gets.
    reached: Arc<Notify>,
    /// A listener with a full queue, and the sockets in it.
    full: Vec<socket2::Socket>,
    tasks: JoinSet<()>,
}

impl Way {
    async fn start(site: &Site, stage: Stage) -> Result<Self, BoxError> {
        let trusting = Transport::builder()
            .bundled_roots(false)
            .ca_pem(site.authority.pem.as_bytes())?;
        let mut way = Self {
            url: String::new(),
            transport: Transport::new(),
            reached: Arc::default(),
            full: Vec::new(),
            tasks: JoinSet::new(),
        };
        if stage == Stage::Tcp {
            let (address, sockets) = full()?;
            way.url = format!("http://{address}");
            way.full = sockets;
            return Ok(way);
        }
        let listener = listen().await?;
        let address = listener.local_addr()?;
        way.transport = match stage {
            Stage::Proxy | Stage::Tunnel => {
                let rules = ProxyRules::builder().https(format!("http://{address}"));
                trusting.proxy(rules.build()?).build()
            }
            _ => trusting.build(),
        };
        way.url = format!("https://localhost:{}", address.port());
        let (reached, endpoint) = (Arc::clone(&way.reached), site.address(Over::Tls));
        way.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let mut first = Some(reached);
            while let Ok((socket, _)) = listener.accept().await {
                let first = first.take();
                connections.spawn(async move {
                    let _ = serve(socket, stage, first, endpoint).await;
                });
            }
        });
        Ok(way)
    }

    /// Waits until the first connection is where the call is to be dropped.
    async fn is_there(&self, stage: Stage) {
        match stage {
            Stage::Tcp => tokio::time::sleep(SENT).await,
            _ => self.reached.notified().await,
        }
    }

    /// Lets further connections pass.
    fn clear(&mut self, endpoint: SocketAddr) -> io::Result<()> {
        if self.full.is_empty() {
            return Ok(());
        }
        let listener = self.full.remove(0);
        self.full.clear();
        listener.listen(128)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener.into())?;
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(async move {
                    let _ = forward(socket, endpoint).await;
                });
            }
        });
        Ok(())
    }
}

/// Serves a connection; the first one only until it is at its stage.
async fn serve(
    mut socket: TcpStream,
    stage: Stage,
    first: Option<Arc<Notify>>,
    endpoint: SocketAddr,
) -> io::Result<()> {
    if stage != Stage::Tls {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if socket.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        if stage == Stage::Tunnel || first.is_none() {
            let accepted = b"HTTP/1.1 200 Connection established\r\n\r\n";
            socket.write_all(accepted).await?;
        }
    }
    match first {
        None => forward(socket, endpoint).await,
        Some(reached) => {
            if stage != Stage::Proxy {
                let _ = socket.read(&mut [0; 512]).await?;
            }
            reached.notify_one();
            std::future::pending().await
        }
    }
}

async fn forward(mut socket: TcpStream, endpoint: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(endpoint).await?;
    tokio::io::copy_bidirectional(&mut socket, &mut server).await?;
    Ok(())
}
