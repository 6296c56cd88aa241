//! The requests of the two operations: from a typed value to `http` on the client's side
//! (`encode`), and back on the endpoint's (`decode`). Both use `members`, where a member of the
//! service's model is added.

mod decode;
mod encode;
mod error;
mod members;
pub mod operation;
mod rejection;

pub use decode::IncomingRequest;
pub use error::RequestError;
pub(crate) use members::header_names;
pub use members::{InvokeRequest, Request, StreamRequest};
pub use rejection::Rejection;
