//! Reads a request body of bounded size. The connection's timeout bounds the time.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use hyper::body::{Body as _, Incoming};

/// How many bytes of a body that is not wanted are read and discarded, and for how long. A caller
/// that writes its whole request before it reads would otherwise see a broken connection instead of
/// the response.
const DRAINED: u64 = 64 << 20;
const DRAINING: Duration = Duration::from_secs(30);

/// The reason why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The body is too large; its size in bytes, if known.
    TooLarge(usize),
    /// The connection ended before the body did.
    Truncated,
}

/// The body of a request.
pub(crate) struct RequestBody {
    incoming: Incoming,
    /// Whether any of it was asked for.
    is_begun: bool,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming) -> Self {
        Self {
            incoming,
            is_begun: false,
        }
    }

    /// Reads the body, of at most `limit` bytes, into memory of exactly its size.
    ///
    /// The body is copied, because frames from hyper are slices of the connection's read buffer and
    /// would keep all of it in memory.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, Unread> {
        if self.incoming.is_end_stream() {
            return Ok(Bytes::new());
        }
        let announced = self.incoming.size_hint().exact();
        let mut read = Vec::new();
        while let Some(piece) = self.next().await? {
            let length = read.len().saturating_add(piece.len());
            let known = announced.and_then(|bytes| usize::try_from(bytes).ok());
            let size = known.unwrap_or(0).max(length);
            if size > limit {
                return Err(Unread::TooLarge(size));
            }
            if read.is_empty() {
                if self.incoming.is_end_stream() {
                    return Ok(Bytes::copy_from_slice(&piece));
                }
                read.reserve_exact(size);
            }
            read.extend_from_slice(&piece);
            if self.incoming.is_end_stream() {
                break;
            }
        }
        // Frees the excess capacity that remains if the length was not announced.
        Ok(read.into_boxed_slice().into())
    }

    /// Whether the caller is still sending an unread rest that is small enough to drain.
    pub(crate) fn has_rest(&self, headers: &HeaderMap) -> bool {
        // Such a caller sends nothing until it is asked to, which reading would do.
        let waits = !self.is_begun && headers.contains_key(EXPECT);
        let left = self.incoming.size_hint().lower();
        !self.incoming.is_end_stream() && !waits && left <= DRAINED
    }

    /// Discards the rest of the body, within limits.
    pub(crate) async fn drain(&mut self) {
        let draining = async {
            let mut drained = 0;
            while let Ok(Some(piece)) = self.next().await {
                drained += piece.len() as u64;
                if drained > DRAINED {
                    break;
                }
            }
        };
        // After that, the response is sent anyway.
        let _ = tokio::time::timeout(DRAINING, draining).await;
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Unread> {
        self.is_begun = true;
        loop {
            match poll_fn(|cx| Pin::new(&mut self.incoming).poll_frame(cx)).await {
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
}
