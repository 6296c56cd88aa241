//! The server: accepts connections and serves requests until it is shut down.

mod accept;
pub(crate) mod build_error;
pub(crate) mod builder;
mod checks;
mod connection;
mod listen;
pub(crate) mod memory;
mod serving;
pub(crate) mod site;

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, ToSocketAddrs};

use self::accept::AcceptFailures;
use self::connection::{abort, connection};
use self::serving::{Serving, start_queue};
use self::site::Site;

use crate::event::{EventCounters, Notice};
use crate::service::calls::RecordedCall;
use crate::wire::connection::Addresses;
use crate::wire::shutdown::{Running, Switch};

/// A configured endpoint that is not serving yet.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::Endpoint;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = Endpoint::builder().builtins().bind("127.0.0.1:0").await?;
/// println!("any SDK can call {} with the key local and the secret local", server.url());
/// server.shutdown(Duration::from_secs(5)).await;
/// # Ok::<(), lambda_invoke_endpoint::BuildError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Endpoint {
    site: Arc<Site>,
    notice: Arc<dyn Fn(Notice) + Send + Sync>,
}

impl Endpoint {
    pub(crate) fn new(site: Site, notice: Arc<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            site: Arc::new(site),
            notice,
        }
    }

    /// Returns the names of the functions, sorted.
    #[must_use]
    pub fn functions(&self) -> Vec<&str> {
        self.site.service.registry.names()
    }

    /// Listens on an address and serves it in a new task. Port 0 selects a free port.
    ///
    /// A name with several loopback addresses is served at each of them; see
    /// [`bind_localhost`](Self::bind_localhost).
    ///
    /// # Errors
    ///
    /// If the endpoint cannot listen on the address.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<Server> {
        self.serve_each(listen::listen(address).await?)
    }

    /// Listens on the loopback addresses of both IP versions, 127.0.0.1 and ::1, and serves them in
    /// new tasks. A client that connects to `localhost` may choose either. Port 0 selects a free
    /// port, the same for both. Without IPv6, only 127.0.0.1 is served.
    ///
    /// # Errors
    ///
    /// If the port is taken on one of the addresses.
    pub async fn bind_localhost(self, port: u16) -> io::Result<Server> {
        self.serve_each(listen::localhost(port).await?)
    }

    /// Serves a listening socket in a new task.
    ///
    /// # Errors
    ///
    /// If the socket has no address.
    pub fn serve(self, listener: TcpListener) -> io::Result<Server> {
        self.serve_each(vec![listener])
    }

    fn serve_each(self, listeners: Vec<TcpListener>) -> io::Result<Server> {
        let addresses = listeners.iter().map(TcpListener::local_addr);
        let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
        let Some(&address) = addresses.first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let serving = Serving::new(&self.site);
        if let Some(running) = serving.running() {
            for listener in listeners {
                tokio::spawn(self.clone().accept(listener, running.clone()));
            }
        }
        Ok(Server {
            endpoint: self,
            serving,
            address,
            addresses,
        })
    }

    /// Serves one connection over any transport, such as one in memory, until it ends.
    ///
    /// Events are run as well, for as long as the connection exists.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_endpoint::Endpoint;
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let endpoint = Endpoint::builder().builtins().verify(false).build()?;
    /// let (mut client, server) = tokio::io::duplex(1024);
    /// let serving = tokio::spawn(async move { endpoint.serve_connection(server).await });
    /// client
    ///     .write_all(
    ///         b"POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nHost: x\r\n\
    ///           Connection: close\r\nContent-Length: 2\r\n\r\n42",
    ///     )
    ///     .await
    ///     .unwrap();
    /// let mut response = String::new();
    /// client.read_to_string(&mut response).await.unwrap();
    /// assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\n42"));
    /// serving.await.unwrap();
    /// # Ok::<(), lambda_invoke_endpoint::BuildError>(())
    /// # }).unwrap();
    /// ```
    pub async fn serve_connection<T>(&self, io: T)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut switch = Switch::new();
        if let Some(running) = switch.running() {
            start_queue(&self.site, running.clone());
            connection(
                Arc::clone(&self.site),
                io,
                |_| {},
                Addresses::default(),
                running,
            )
            .await;
        }
        switch.drain();
        switch.ended().await;
    }

    /// Returns the counters of the event queue.
    #[must_use]
    pub fn event_counters(&self) -> EventCounters {
        self.site.service.queue.counters()
    }

    /// Returns how many times each fault rule took effect, in the order in which they were added.
    #[must_use]
    pub fn fault_strikes(&self) -> Vec<u64> {
        self.site.service.faults.strikes()
    }

    /// Replaces the processes of a function that is a program: idle ones end, running ones finish
    /// their invocation first. The next call starts a new one.
    pub fn restart(&self, function: &str) {
        self.site.service.registry.restart(function);
    }

    /// Returns the recorded calls of a function; see [`Server::calls`].
    #[must_use]
    pub fn calls(&self, function: &str) -> Vec<RecordedCall> {
        self.site.service.calls.of(function)
    }

    async fn accept(self, listener: TcpListener, running: Running) {
        let mut drained = pin!(running.drain());
        let mut failures = AcceptFailures::new(&self.notice);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut drained => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Small frames must not wait for each other. If this fails, only speed suffers.
                    let _ = stream.set_nodelay(true);
                    let addresses = Addresses {
                        peer: Some(peer),
                        local: stream.local_addr().ok(),
                    };
                    let site = Arc::clone(&self.site);
                    tokio::spawn(connection(site, stream, abort, addresses, running.clone()));
                }
                Err(error) => {
                    // Usually, too many files are open, which resolves itself when some are closed.
                    failures.add(&error);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// A serving endpoint. Dropping it stops it at once; see [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    serving: Serving,
    /// The first address, which the URL is made from.
    address: SocketAddr,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Returns the address that the server listens on: the first one, if there are several.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns every address that the server listens on.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the endpoint URL for an SDK: `http://127.0.0.1:9001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the URL that opens the console, once; `None` if there is no console
    /// ([`EndpointBuilder::console`](crate::EndpointBuilder::console)).
    pub fn console_url(&self) -> Option<String> {
        let console = self.endpoint.site.console.as_ref()?;
        Some(console.url(&self.address.to_string()))
    }

    /// Returns the endpoint that the server serves.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the counters of the event queue.
    pub fn event_counters(&self) -> EventCounters {
        self.endpoint.event_counters()
    }

    /// Returns how many times each fault rule took effect, in the order in which they were added.
    pub fn fault_strikes(&self) -> Vec<u64> {
        self.endpoint.fault_strikes()
    }

    /// Returns the calls of a function that were accepted, oldest first, with their payloads: for
    /// tests of the code that calls it.
    ///
    /// The latest calls of all functions are recorded, up to 16 MiB of memory
    /// ([`EndpointBuilder::recorded_bytes`](crate::EndpointBuilder::recorded_bytes)).
    pub fn calls(&self, function: &str) -> Vec<RecordedCall> {
        self.endpoint.calls(function)
    }

    /// Shuts the server down: accepts no more connections and requests, waits until running
    /// requests and events have ended or the grace period is over, then drops those that still run.
    ///
    /// Connections without a request in flight are closed at once; a request is in flight once its
    /// complete head has arrived. Queued events go to the dead letter; without one they are lost.
    ///
    /// Returns whether everything ended within the grace period.
    pub async fn shutdown(self, grace: Duration) -> bool {
        self.shutdown_until(tokio::time::sleep(grace)).await
    }

    /// Shuts the server down like [`shutdown`](Self::shutdown), with a grace period that lasts
    /// until `over` is ready.
    ///
    /// Returns whether everything ended within the grace period.
    pub async fn shutdown_until(self, over: impl Future<Output = ()>) -> bool {
        self.serving.shutdown_until(over).await
    }

    /// Serves until `end` is ready, then calls [`shutdown`](Self::shutdown).
    pub async fn run_until(self, end: impl Future<Output = ()>, grace: Duration) -> bool {
        end.await;
        self.shutdown(grace).await
    }

    /// Serves forever.
    pub async fn run(self) -> Infallible {
        // Held, since dropping the server would stop it.
        let _server = self;
        pending().await
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}
