//! Connections: their state, bandwidth, frames and shutdown.

pub(crate) mod bandwidth;
pub(crate) mod connection;
pub(crate) mod frame;
pub(crate) mod io;
pub(crate) mod shutdown;
