//! The transport below hyper: counts what is written and notes each flush.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::Connection;

/// Up to this many bytes of a head and its body are joined, because one `send` of them takes a quarter of
/// a microsecond less than a `writev`.
const JOINED: usize = 1024;

/// A transport between hyper and the socket that keeps its [`Connection`] up to date.
#[derive(Debug)]
pub(crate) struct Wire<T> {
    io: TokioIo<T>,
    connection: Arc<Connection>,
}

impl<T> Wire<T> {
    pub(crate) fn new(io: T, connection: Arc<Connection>) -> Self {
        Self {
            io: TokioIo::new(io),
            connection,
        }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = written {
            self.connection
                .written
                .fetch_add(count as u64, Ordering::Relaxed);
        }
        written
    }
}

impl<T: AsyncRead + Unpin> Read for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> Write for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut io = Pin::new(&mut self.io);
        let written = match join(slices, &mut [0; JOINED]) {
            Some(joined) => io.as_mut().poll_write(cx, joined),
            None => io.as_mut().poll_write_vectored(cx, slices),
        };
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// hyper flushes when its own buffer is empty, that is, after everything has been written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.connection.flushes.fetch_add(1, Ordering::AcqRel);
            // A response's last byte is handed to hyper before its body is dropped.
            if self.connection.in_flight.load(Ordering::Relaxed) == 0 {
                self.connection.owes.store(false, Ordering::Release);
            }
            // The same task polls the body: one more turn lets the body see the flush.
            if self.connection.awaited.swap(false, Ordering::AcqRel) {
                cx.waker().wake_by_ref();
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Returns the bytes of all slices in one; `None` if there are too many.
fn join<'a>(slices: &[IoSlice<'_>], room: &'a mut [u8; JOINED]) -> Option<&'a [u8]> {
    let length = slices.iter().map(|slice| slice.len()).sum();
    let joined = room.get_mut(..length)?;
    let mut rest = &mut *joined;
    for slice in slices {
        let (own, after) = rest.split_at_mut(slice.len());
        own.copy_from_slice(slice);
        rest = after;
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_joined_in_order_if_they_fit() {
        for (one, two) in [
            (0, 0),
            (1, 0),
            (0, 1),
            (700, 324),
            (700, 325),
            (JOINED + 1, 0),
        ] {
            let (one, two) = (vec![b'1'; one], vec![b'2'; two]);
            let mut room = [0; JOINED];
            let joined = join(&[IoSlice::new(&one), IoSlice::new(&two)], &mut room);
            let all = [one, two].concat();
            assert_eq!(joined, (all.len() <= JOINED).then_some(&all[..]));
        }
    }
}
