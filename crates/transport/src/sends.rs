//! Whether a request, or a copy of it, was sent before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Extensions;

use crate::Sent;

/// Counts, over all copies of a request, how often it may have been sent.
///
/// [`Error::sent`](crate::Error::sent) is about one send. A layer above the
/// [`Transport`](crate::Transport) that sends a request more than once may return the last error,
/// which knows nothing of the earlier sends. If the request has this
/// [extension](http::Extensions), which its copies share, the transport counts each of them.
///
/// # Example
///
/// ```
/// use lambda_invoke_transport::{Sends, Sent, Transport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let sends = Sends::default();
/// let mut request = http::Request::post("http://127.0.0.1:1/").body("ping".into())?;
/// request.extensions_mut().insert(sends.clone());
/// // Here a layer might send the request any number of times.
/// let error = Transport::new().send(request).await.unwrap_err();
/// assert_eq!((sends.sent(), error.sent()), (Sent::No, Sent::No));
/// # Ok::<(), http::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sends(Arc<AtomicUsize>);

impl Sends {
    /// Returns whether any byte of the request, or of a copy, may have been sent so far.
    #[must_use]
    pub fn sent(&self) -> Sent {
        match self.0.load(Ordering::SeqCst) {
            0 => Sent::No,
            _ => Sent::Maybe,
        }
    }

    /// Returns whether any byte of the request, or of a copy, may have been sent before its last send.
    #[must_use]
    pub fn sent_before(&self) -> Sent {
        match self.0.load(Ordering::SeqCst) {
            0 | 1 => Sent::No,
            _ => Sent::Maybe,
        }
    }

    /// Counts a request that is handed to a connection. It stays counted if its future is dropped.
    pub(crate) fn begin(extensions: &Extensions) {
        if let Some(Self(count)) = extensions.get() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Takes back what [`begin`](Self::begin) counted, for a request that the connection returned
    /// unsent. Other sends of its copies stay counted.
    pub(crate) fn undo(extensions: &Extensions) {
        if let Some(Self(count)) = extensions.get() {
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
