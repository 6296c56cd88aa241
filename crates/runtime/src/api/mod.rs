//! The Runtime API and the Extensions API: a state machine without I/O, and the routes and bodies of
//! its requests.

mod extensions;
pub(crate) mod header;
pub(crate) mod lines;
pub mod machine;
mod rejection;
pub(crate) mod route;

pub use self::extensions::{ExtensionId, PollId, Subscriptions};
pub use self::machine::{Handed, Machine, ResponseMode};
pub use self::rejection::Rejection;
