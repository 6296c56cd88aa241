//! Connections: what is on the wire, how fast it may go there, and how a connection ends.

pub(crate) mod bandwidth;
pub(crate) mod connection;
pub(crate) mod frame;
pub(crate) mod io;
pub(crate) mod shutdown;
