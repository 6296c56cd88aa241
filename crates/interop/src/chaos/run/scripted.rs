//! A server that follows a script, and behaves in the worst way that the script allows: it runs
//! whatever it is asked to run.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::listen::listen;
use super::proxy::reset;
use crate::chaos::case::Asked;
use crate::chaos::schedule::scripts::{Script, Step};
use crate::chaos::schedule::text::success;

/// How much of what was sent on the first connection is kept.
const KEPT: usize = 64 * 1024;

#[derive(Debug, Default)]
pub struct Seen {
    pub executions: Arc<AtomicU32>,
    requests: AtomicUsize,
    was_good: AtomicBool,
    was_early: AtomicBool,
    sent: Mutex<Vec<u8>>,
}

impl Seen {
    /// Whether a request arrived for which there is a step, or the first steps came before any.
    pub fn was_reached(&self) -> bool {
        self.was_early.load(Ordering::SeqCst) || self.requests.load(Ordering::SeqCst) > 0
    }

    pub fn was_good(&self) -> bool {
        self.was_good.load(Ordering::SeqCst)
    }

    /// Returns what was sent on the first connection.
    pub fn sent(&self) -> Vec<u8> {
        let sent = self.sent.lock();
        sent.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Debug)]
pub struct Scripted {
    pub address: SocketAddr,
    pub seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

impl Scripted {
    pub async fn start(asked: Asked, script: Script) -> io::Result<Self> {
        let listener = listen().await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let mut nth = 0;
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let connection = Connection {
                    nth,
                    asked,
                    script: script.clone(),
                    seen: Arc::clone(&shared),
                    socket,
                };
                connections.spawn(async move {
                    let _ = connection.serve().await;
                });
                nth += 1;
            }
        });
        Ok(Self {
            address,
            seen,
            _tasks: tasks,
        })
    }
}

struct Connection {
    nth: usize,
    asked: Asked,
    script: Script,
    seen: Arc<Seen>,
    socket: TcpStream,
}

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        let mut received = Vec::new();
        if self.script.early && self.nth == 0 {
            return self.early(&mut received).await;
        }
        loop {
            request(&mut self.socket, &mut received).await?;
            let before = self.seen.requests.fetch_add(1, Ordering::SeqCst);
            if before == 0 && !self.script.early {
                self.run(self.script.runs);
                self.follow().await?;
            } else {
                self.run(true);
                self.seen.was_good.store(true, Ordering::SeqCst);
                self.write(&success(self.asked)).await?;
            }
        }
    }

    /// Responds first, and then reads the request and runs it.
    async fn early(&mut self, received: &mut Vec<u8>) -> io::Result<()> {
        self.seen.was_early.store(true, Ordering::SeqCst);
        for step in Arc::clone(&self.script.steps).iter() {
            match step {
                Step::Close => self.socket.shutdown().await?,
                Step::Hang => break,
                step => self.step(step).await?,
            }
        }
        request(&mut self.socket, received).await?;
        self.run(self.script.runs);
        std::future::pending().await
    }

    fn run(&self, runs: bool) {
        let only_checks = matches!(self.asked, Asked::DryRun | Asked::StreamDryRun);
        if runs && !only_checks {
            self.seen.executions.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.nth == 0 {
            let mut sent = self
                .seen
                .sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if sent.len() + bytes.len() <= KEPT {
                sent.extend_from_slice(bytes);
            }
        }
        self.socket.write_all(bytes).await
    }

    async fn follow(&mut self) -> io::Result<()> {
        for step in Arc::clone(&self.script.steps).iter() {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Write(bytes) => self.write(bytes).await,
            Step::Repeat(bytes, None) => loop {
                self.socket.write_all(bytes).await?;
            },
            Step::Repeat(bytes, Some(count)) => {
                for _ in 0..*count {
                    self.socket.write_all(bytes).await?;
                }
                Ok(())
            }
            Step::Drip(bytes, pause) => self.drip(bytes, *pause).await,
            Step::Close => {
                self.socket.shutdown().await?;
                // Read first, since unread bytes would turn FIN into RST.
                let mut nowhere = tokio::io::sink();
                let drain = tokio::io::copy(&mut self.socket, &mut nowhere);
                let _ = tokio::time::timeout(Duration::from_millis(100), drain).await;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Step::Reset => {
                reset(&self.socket);
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Step::Hang => std::future::pending().await,
        }
    }

    async fn drip(&mut self, bytes: &Bytes, pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.write(&[*byte]).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}

/// Reads one request; `received` keeps what follows it.
pub(super) async fn request(socket: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    loop {
        if let Some(length) = length(received) {
            received.drain(..length);
            return Ok(());
        }
        if socket.read_buf(received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Returns the length of a complete request at the beginning of these bytes.
fn length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    (bytes.len() >= head + body).then_some(head + body)
}
