//! The requests of the two operations: typed value to `http` on the client's side (`encode`), and
//! back on the endpoint's (`decode`). What both have in common is in `members`.

mod decode;
mod encode;
mod error;
mod members;
pub mod operation;
mod rejection;

pub use decode::IncomingRequest;
pub use error::RequestError;
pub use members::{InvokeRequest, Request, StreamRequest};
pub use rejection::Rejection;
