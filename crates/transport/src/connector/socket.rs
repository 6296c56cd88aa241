//! The lowest layer of a connection.

use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::net::TcpStream;

/// Anything that can stand in for a TCP connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The lowest layer: TCP, or the caller's own connection.
pub(crate) enum Socket {
    Tcp(Tcp),
    Custom(Box<dyn Duplex>),
}

/// Calls a method of what the socket writes to.
macro_rules! on_writer {
    ($this:expr, $io:ident => $call:expr) => {
        match $this.get_mut() {
            Socket::Tcp(tcp) => {
                let $io = Pin::new(tcp.stream.get_mut());
                $call
            }
            Socket::Custom(io) => {
                let $io = Pin::new(io);
                $call
            }
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => tcp.poll_read(cx, buf),
            Self::Custom(custom) => {
                // hyper would take a panic for the end of a chunked body.
                let read = AssertUnwindSafe(|| Pin::new(custom).poll_read(cx, buf));
                catch_unwind(read).unwrap_or_else(|_| {
                    let error = "the caller's connection panicked while reading";
                    Poll::Ready(Err(io::Error::other(error)))
                })
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_writer!(self, io => io.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_writer!(self, io => io.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.stream.get_ref().is_write_vectored(),
            Self::Custom(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_writer!(self, io => io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_writer!(self, io => io.poll_shutdown(cx))
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        // Nobody asks: it is only needed by the connector for TLS.
        Connected::new()
    }
}

/// The maximum number of bytes of one read, while fewer wait to be read.
const READ: usize = 192 * 1024;

/// The maximum number of bytes of one read, while more wait to be read.
pub(crate) const READ_FLOODED: usize = 400 * 1024;

/// After how many reads in a row of `READ` bytes or more the larger maximum applies.
const FLOODED: u8 = 8;

/// A TCP connection that reads more at once while the peer is ahead of the reader.
///
/// Large reads mean few system calls, and few acknowledgments, each of which can wake a sender on the
/// same processor. But their data leaves the processor's second-level cache before it is processed,
/// which is worse as long as the sender is on another processor and the reader keeps up with it.
/// docs/performance.md has the measurements.
pub(crate) struct Tcp {
    stream: Take<TcpStream>,
    /// How many reads in a row had `READ` bytes or more.
    full: u8,
}

impl Tcp {
    fn is_flooded(&self) -> bool {
        self.full >= FLOODED
    }

    /// Reads what has arrived, up to the maximum.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = if self.is_flooded() {
            READ_FLOODED
        } else {
            READ
        };
        self.stream.set_limit(most as u64);
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.full = match buf.filled().len() - before >= READ {
            true => self.full.saturating_add(1),
            false => 0,
        };
        Poll::Ready(Ok(()))
    }

    #[cfg(test)]
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}

impl From<TcpStream> for Tcp {
    fn from(stream: TcpStream) -> Self {
        Self {
            stream: stream.take(0),
            full: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::mem::MaybeUninit;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// A buffer that takes more than any read may have.
    const ROOM: usize = 2 * READ_FLOODED;

    /// Reads once and returns how many bytes there were.
    async fn read(tcp: &mut Tcp) -> usize {
        let mut memory = vec![MaybeUninit::uninit(); ROOM];
        let mut buf = ReadBuf::uninit(&mut memory);
        poll_fn(|cx| tcp.poll_read(cx, &mut buf)).await.unwrap();
        buf.filled().len()
    }

    /// The next read has all that was sent before, so the sizes do not depend on the scheduler.
    #[tokio::test]
    async fn reads_grow_while_the_peer_is_ahead_and_shrink_when_it_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, connected) = tokio::join!(listener.accept(), connecting);
        let (mut peer, mut tcp) = (accepted.unwrap().0, Tcp::from(connected.unwrap()));
        let writing = tokio::spawn(async move {
            peer.write_all(&vec![7; 16 << 20]).await.unwrap();
            peer
        });
        let mut sizes = Vec::new();
        let mut received = 0;
        while received < 16 << 20 {
            let (was_flooded, size) = (tcp.is_flooded(), read(&mut tcp).await);
            assert!(size <= if was_flooded { READ_FLOODED } else { READ });
            sizes.push(size);
            let last: Vec<usize> = sizes.iter().rev().take(8).copied().collect();
            let all_full = last.len() == 8 && last.iter().all(|size| *size >= READ);
            assert_eq!(tcp.is_flooded(), all_full);
            received += size;
        }
        let mut peer = writing.await.unwrap();
        peer.write_all(b"short").await.unwrap();
        assert_eq!(read(&mut tcp).await, 5);
        assert!(!tcp.is_flooded());
        drop(peer);
        assert_eq!(read(&mut tcp).await, 0);
    }
}
