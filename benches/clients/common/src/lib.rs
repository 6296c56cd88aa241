//! Code that the three load generators share, so that they differ only in the client.

mod allocations;
mod latency;
mod load;
mod signed;
mod work;

pub use allocations::allocations;
pub use latency::{Latency, STAMP, now_ns};
pub use load::{load, resident};
pub use signed::signed;
pub use work::Work;
