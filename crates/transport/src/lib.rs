#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod body;
mod builder;
mod connections;
mod connector;
mod error;
mod future;
mod late;
mod pool;
mod port;
mod proxy;
mod sends;
mod timeouts;
mod trace;
mod transport;

// `connections` uses `sync` through this module, so that `crates/interop` can check it with loom's
// types.
use std::sync;

// The public interface.
pub use self::body::Body;
pub use self::builder::TransportBuilder;
pub use self::error::{Error, ErrorKind, Sent};
pub use self::future::ResponseFuture;
pub use self::port::{InvalidPort, port_of};
pub use self::proxy::{Proxy, ProxyBuilder};
pub use self::sends::Sends;
pub use self::timeouts::{TimeoutKind, Timeouts, TotalTimeout};
pub use self::transport::Transport;
