//! The layers of a connection above its socket: TLS, once or twice, or none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt;
use hyper_util::rt::TokioIo;

use super::socket::Socket;

/// A connection to the first hop, which is the server itself or a proxy, with or without TLS.
#[cfg(feature = "tls")]
pub(crate) type Hop = hyper_rustls::MaybeHttpsStream<TokioIo<Socket>>;
#[cfg(not(feature = "tls"))]
pub(crate) type Hop = TokioIo<Socket>;

/// A connection to the server: to the first hop, or TLS through the tunnel of a proxy.
///
/// TLS is boxed: otherwise every connection without TLS would also take the memory of both layers.
pub(crate) enum Path {
    Plain(TokioIo<Socket>),
    #[cfg(feature = "tls")]
    Tls(Box<dyn Secure>),
}

/// TLS, once or twice.
#[cfg(feature = "tls")]
pub(crate) trait Secure: rt::Read + rt::Write + Send + Unpin {}
#[cfg(feature = "tls")]
impl<T: rt::Read + rt::Write + Send + Unpin> Secure for T {}

impl From<Hop> for Path {
    #[cfg(feature = "tls")]
    fn from(hop: Hop) -> Self {
        match hop {
            Hop::Http(socket) => Self::Plain(socket),
            secure @ Hop::Https(_) => Self::Tls(Box::new(secure)),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn from(hop: Hop) -> Self {
        Self::Plain(hop)
    }
}

/// Calls a method of the path's variant.
macro_rules! on_path {
    ($path:expr, $io:ident => $call:expr) => {
        match $path {
            Path::Plain($io) => $call,
            #[cfg(feature = "tls")]
            Path::Tls($io) => $call,
        }
    };
}

impl rt::Read for Path {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        on_path!(self.get_mut(), io => Pin::new(io).poll_read(cx, buf))
    }
}

impl rt::Write for Path {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_path!(self.get_mut(), io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_path!(self.get_mut(), io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        on_path!(self, io => io.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_path!(self.get_mut(), io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_path!(self.get_mut(), io => Pin::new(io).poll_shutdown(cx))
    }
}
