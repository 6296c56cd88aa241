//! A transport that ends with a reset, if a fault rule has asked for that.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::connection::Connection;

/// A transport that can end with a reset instead of an orderly close.
#[derive(Debug)]
pub(crate) struct Resettable<T> {
    io: T,
    /// Makes closing the socket a reset, for transports that support it.
    abort: fn(&T),
    connection: Arc<Connection>,
}

impl<T> Resettable<T> {
    pub(crate) fn new(io: T, abort: fn(&T), connection: Arc<Connection>) -> Self {
        Self {
            io,
            abort,
            connection,
        }
    }
}

impl<T> Drop for Resettable<T> {
    fn drop(&mut self) {
        if self.connection.is_reset() {
            (self.abort)(&self.io);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Resettable<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Resettable<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.is_reset() {
            // An orderly shutdown now would reach the peer before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
