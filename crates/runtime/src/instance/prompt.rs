//! A connection that acknowledges the chunks of a streaming response at once.
//!
//! A client that sends small chunks with Nagle's algorithm (RFC 1122, section 4.2.3.4), as
//! `lambda_runtime` does, holds each chunk back until the previous one is acknowledged. The
//! receiver delays the acknowledgment, on Linux by 40 ms.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Up to this many bytes of a head and its body are joined, because one `send` of them takes a quarter of
/// a microsecond less than a `writev`.
const JOINED: usize = 1024;

#[derive(Debug)]
pub(super) struct Prompt {
    stream: TcpStream,
    streams: Arc<AtomicBool>,
    /// Whether something was read since the last acknowledgment.
    owed: bool,
}

impl Prompt {
    /// Wraps a connection, with a flag that is set as soon as it carries a streaming response.
    pub(super) const fn new(stream: TcpStream, streams: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            streams,
            owed: false,
        }
    }

    /// Acknowledges the data that was read. The kernel by itself acknowledges at once only for a
    /// while.
    #[cfg(target_os = "linux")]
    fn acknowledge(&mut self) {
        if self.owed && self.streams.load(Ordering::Relaxed) {
            self.owed = false;
            let _ = rustix::net::sockopt::set_tcp_quickack(&self.stream, true);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge(&mut self) {
        self.owed = false;
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.acknowledge();
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.owed |= buffer.filled().len() > before;
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut stream = Pin::new(&mut self.stream);
        match join(pieces, &mut [0; JOINED]) {
            Some(joined) => stream.as_mut().poll_write(cx, joined),
            None => stream.as_mut().poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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
