//! Code that the three load generators share, so that they differ only in the client, and
//! definitions that the servers and functions share with them.

mod allocations;
mod latency;
mod load;
mod signed;
mod work;

pub use allocations::allocations;
pub use latency::{Latency, STAMP, STAMP_BYTES, TICK, TICKS, now_ns, stamp};
pub use load::{load, resident};
pub use signed::signed;
pub use work::Work;
