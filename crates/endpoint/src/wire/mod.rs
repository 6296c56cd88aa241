//! Connections: their state, bandwidth, stages and shutdown.

pub(crate) mod bandwidth;
pub(crate) mod connection;
pub(crate) mod io;
pub(crate) mod shutdown;
pub(crate) mod stage;
