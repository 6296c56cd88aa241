//! The two operations' requests: typed value to `http` on the client's side, and back on the
//! endpoint's.

mod build;
mod call;
mod error;
mod refusal;

pub use build::{InvokeRequest, StreamInvocationType, StreamRequest};
pub use call::Call;
pub use error::RequestError;
pub use refusal::Refusal;
