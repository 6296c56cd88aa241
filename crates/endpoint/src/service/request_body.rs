//! Reading a request's body, bounded in size. Its time is bounded by the connection's watch.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

/// How much of a body that is too large is read all the same, and thrown away: a caller that writes
/// all of its request before it reads would otherwise see a broken connection, not the answer.
const DRAINED: u64 = 64 << 20;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than allowed: so large, as far as is known.
    TooLarge(usize),
    /// The connection broke: there is nobody to answer.
    Broken,
}

/// Reads a body of at most `limit` bytes, into memory of its own size.
///
/// A piece that hyper hands over is part of the connection's read buffer, and would hold all of it
/// for as long as the payload is kept.
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
            reader.drain(announced, length).await?;
            return Err(Unread::TooLarge(size));
        }
        if read.is_empty() {
            read.reserve_exact(size);
        }
        read.extend_from_slice(&piece);
        if reader.body.is_end_stream() {
            break;
        }
    }
    // Not what was reserved, if the length was not announced.
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
                Some(Err(_)) => return Err(Unread::Broken),
                Some(Ok(frame)) => {
                    // Trailers say nothing here.
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
