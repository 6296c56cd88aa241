//! The pool: for each host its unused connections, and the requests that wait for one.
//!
//! A request takes an unused connection. If there is none, it opens one, and meanwhile takes any
//! other that becomes unused first. The connection is returned once the response has been read to
//! its end; if a request or a response is abandoned, its connection is closed. A connection is driven
//! by a task, so requests only use connections that were opened within their own runtime.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::Error;
use crate::connections::{Connections, Limits, Reusable, Turn};
use crate::connector::Connector;
use crate::connector::socket::READ_FLOODED;
use crate::trace::Uses;

/// The maximum length of a response's head.
const MAX_HEAD: usize = 128 * 1024;

/// The maximum number of bytes read at once over TLS.
///
/// Chosen by measuring long streams: 64 and 128 KiB are equally fast; 256 KiB and hyper's own
/// 400 KiB take up to a fifth longer, since the pieces of a message are held until it is complete,
/// and then exceed the processor's second-level cache.
const READ_SECURE: usize = 128 * 1024;

/// How long the server may take to receive the rest of a request after its whole response. One that
/// does not read it would keep the connection, and the request, in memory.
const REST: Duration = Duration::from_secs(1);

/// The shortest time between two searches for connections that have been unused for too long.
const MIN_SEARCH: Duration = Duration::from_millis(90);

/// What identifies a host.
type Key = (Scheme, Authority);

/// The connections of a transport.
pub(crate) struct Pool {
    connector: Connector,
    limits: Limits,
    hosts: Mutex<HashMap<Key, Arc<Host>>>,
    /// Tells the task that closes unused connections, if it runs, when the pool is dropped.
    closer: Mutex<Option<oneshot::Sender<Infallible>>>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            connector,
            limits,
            hosts: Mutex::default(),
            closer: Mutex::default(),
        })
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Returns the host with this scheme, name and port.
    pub(crate) fn host(self: &Arc<Self>, scheme: &Scheme, authority: &Authority) -> Arc<Host> {
        let key = (scheme.clone(), authority.clone());
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(&key) {
            return Arc::clone(host);
        }
        // The task that closes connections does not run if there never was one.
        hosts.retain(|_, host| Host::is_in_use(host));
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        let host = Arc::new(Host {
            uri: Uri::from_parts(parts).unwrap_or_default(),
            connector: self.connector.clone(),
            pool: Arc::downgrade(self),
            connections: Connections::new(self.limits),
        });
        hosts.insert(key, Arc::clone(&host));
        host
    }

    /// Starts the task that closes unused connections, unless it runs already.
    fn start_closer(self: &Arc<Self>) {
        let mut closer = lock(&self.closer);
        if closer.as_ref().is_none_or(oneshot::Sender::is_closed) {
            let (sender, dropped) = oneshot::channel();
            *closer = Some(sender);
            tokio::spawn(close_unused(
                Arc::downgrade(self),
                self.limits.idle,
                dropped,
            ));
        }
    }

    /// Closes connections that have been unused for too long, and forgets hosts that are not in use.
    /// Returns whether none is left.
    fn close_unused(&self) -> bool {
        let now = Instant::now();
        let mut hosts = lock(&self.hosts);
        hosts.retain(|_, host| {
            host.connections.close_unused(now);
            Host::is_in_use(host)
        });
        hosts.is_empty()
    }
}

/// Runs until the pool is dropped, or has no host in use.
async fn close_unused(
    pool: Weak<Pool>,
    limit: Duration,
    mut dropped: oneshot::Receiver<Infallible>,
) {
    let interval = limit.max(MIN_SEARCH);
    while tokio::time::timeout(interval, &mut dropped).await.is_err() {
        let Some(pool) = pool.upgrade() else { return };
        // Held, so that a task that is about to end is not taken for one that continues.
        let mut closer = lock(&pool.closer);
        if pool.close_unused() {
            *closer = None;
            return;
        }
    }
}

/// A host with its connections.
pub(crate) struct Host {
    uri: Uri,
    connector: Connector,
    pool: Weak<Pool>,
    connections: Arc<Connections<Connection>>,
}

/// A connection that is ready for a request.
pub(crate) struct Connection {
    pub(crate) requests: SendRequest<Full<Bytes>>,
    pub(crate) uses: Uses,
    /// The task that drives it, and its runtime.
    task: AbortHandle,
    runtime: Option<runtime::Id>,
}

impl Reusable for Connection {
    type Runtime = Option<runtime::Id>;

    fn is_ready(&self) -> bool {
        self.requests.is_ready()
    }

    fn runtime(&self) -> Self::Runtime {
        self.runtime
    }
}

/// The runtime that this is called in. Ids are unique among those that are running; the connections
/// of one that has ended are closed.
fn current_runtime() -> Option<runtime::Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

pub(crate) type Connecting = Pin<Box<dyn Future<Output = Result<Connection, Error>> + Send>>;

impl Host {
    /// Whether it has an unused connection, or a request.
    fn is_in_use(this: &Arc<Self>) -> bool {
        Arc::strong_count(this) > 1 || this.connections.has_idle()
    }

    /// Takes the connection that was used last within this runtime, or enters a queue for the next one
    /// that becomes unused.
    pub(crate) fn take(&self, now: Instant) -> Result<Connection, Turn<Connection>> {
        self.connections.take(now, current_runtime())
    }

    /// Gives a connection to the first request within its runtime that waits for one, or keeps it.
    pub(crate) fn put(&self, connection: Connection) {
        self.connections.put(connection);
    }

    /// Opens a connection.
    pub(crate) fn connect(self: Arc<Self>) -> Connecting {
        Box::pin(async move {
            let is_secure = self.uri.scheme() == Some(&Scheme::HTTPS);
            let stream = self.connector.connect(&self.uri).await?;
            let (mut requests, mut connection) = Builder::new()
                .max_header_size(MAX_HEAD)
                .max_buf_size(if is_secure { READ_SECURE } else { READ_FLOODED })
                .handshake(stream)
                .await
                .map_err(|error| Error::not_ready(Some(error)))?;
            // A server that closes at once is noticed before a request is assigned.
            poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Err(Error::not_ready(ended.err()))),
                Poll::Pending => requests
                    .poll_ready(cx)
                    .map_err(|error| Error::not_ready(Some(error))),
            })
            .await?;
            // A failure is reported to the request, or to the reader of its response.
            let task = tokio::spawn(connection).abort_handle();
            if let Some(pool) = self.pool.upgrade() {
                pool.start_closer();
            }
            Ok(Connection {
                requests,
                uses: Uses::new(),
                task,
                runtime: current_runtime(),
            })
        })
    }
}

/// A connection while a request uses it. Dropping it closes the connection.
pub(crate) struct Lease {
    pub(crate) connection: Connection,
    pub(crate) host: Arc<Host>,
    closing: Closing,
}

/// Closes a connection when it is dropped. The connection's task would first write what it has buffered, and
/// over TLS a farewell: a peer that does not read keeps it waiting forever.
struct Closing(Option<AbortHandle>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Lease {
    pub(crate) fn new(connection: Connection, host: Arc<Host>) -> Self {
        let closing = Closing(Some(connection.task.clone()));
        Self {
            connection,
            host,
            closing,
        }
    }

    /// Returns the connection to the pool, after the end of the response.
    pub(crate) fn end(self) {
        let Self {
            mut connection,
            host,
            mut closing,
        } = self;
        closing.0 = None;
        if connection.requests.is_ready() {
            host.put(connection);
        } else if !connection.requests.is_closed() {
            // The connection's task has not finished the exchange yet.
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(async move {
                    match tokio::time::timeout(REST, connection.requests.ready()).await {
                        Ok(Ok(())) => host.put(connection),
                        Ok(Err(_)) => {}
                        // It waits for the server, and would not notice that nobody needs it.
                        Err(_) => connection.task.abort(),
                    }
                });
            }
        }
    }
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    #[test]
    fn a_host_that_nobody_uses_is_forgotten() {
        let limits = Limits {
            idle: Duration::from_secs(20),
            size: 1,
        };
        let pool = Pool::new(Transport::new().connector().clone(), limits);
        let host = |name: &'static str| pool.host(&Scheme::HTTP, &Authority::from_static(name));
        let (one, other) = (host("one.example"), host("other.example"));
        assert!(Arc::ptr_eq(&one, &host("ONE.example")));
        assert!(!Arc::ptr_eq(&one, &host("one.example:81")));
        assert!(!Arc::ptr_eq(&one, &other));
        drop(other);
        host("third.example");
        // The others have been forgotten when this one was new.
        assert!(!pool.close_unused());
        assert_eq!(lock(&pool.hosts).len(), 1);
        drop(one);
        assert!(pool.close_unused());
    }
}
