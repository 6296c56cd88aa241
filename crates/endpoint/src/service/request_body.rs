//! Reads a request body of bounded size. The connection's timeout bounds the time.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

/// How many bytes of a body that is too large are read and discarded. A caller that writes its
/// whole request before it reads would otherwise see a broken connection instead of the response.
const DRAINED: u64 = 64 << 20;

/// The reason why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The body is too large; its size in bytes, as far as it is known.
    TooLarge(usize),
    /// The connection ended before the body did.
    Truncated,
}

/// Reads a body of at most `limit` bytes into memory of exactly its size.
///
/// The body is copied, because frames from hyper are slices of the connection's read buffer and
/// would keep all of it in memory.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().exact();
    let mut reader = Reader { body };
    let mut read = Vec::new();
    while let Some(piece) = reader.next().await? {
        let length = read.len().saturating_add(piece.len());
        let known = announced.and_then(|bytes| usize::try_from(bytes).ok());
        let size = known.unwrap_or(0).max(length);
        if size > limit {
            drop(read);
            Box::pin(reader.drain(announced, length)).await?;
            return Err(Unread::TooLarge(size));
        }
        if read.is_empty() {
            if reader.body.is_end_stream() {
                return Ok(Bytes::copy_from_slice(&piece));
            }
            read.reserve_exact(size);
        }
        read.extend_from_slice(&piece);
        if reader.body.is_end_stream() {
            break;
        }
    }
    // Frees the excess capacity that remains if the length was not announced.
    Ok(read.into_boxed_slice().into())
}

struct Reader {
    body: Incoming,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, Unread> {
        loop {
            match poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
                None => return Ok(None),
                Some(Err(_)) => return Err(Unread::Truncated),
                Some(Ok(frame)) => {
                    // Trailers are ignored.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn drain(&mut self, announced: Option<u64>, read: usize) -> Result<(), Unread> {
        let mut drained = read as u64;
        if announced.is_some_and(|bytes| bytes > DRAINED) {
            return Ok(());
        }
        while drained <= DRAINED {
            match self.next().await? {
                None => break,
                Some(piece) => drained += piece.len() as u64,
            }
        }
        Ok(())
    }
}
