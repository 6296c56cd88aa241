//! The requests of the two operations: the client encodes a typed value as an `http` request
//! (`encode`), and the endpoint decodes it (`decode`). Both use `members`, which is the place to
//! add a member of the service's model.

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
