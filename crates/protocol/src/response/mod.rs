//! The responses of the two operations, in both directions: the whole [`Reply`] of Invoke, and the
//! [`StreamHead`] before a stream's events. [`Expected`] decides whether a response is the one that
//! was requested, and [`Framing`] whether it is complete.

mod encode;
mod error;
mod expected;
mod framing;
mod headers;
mod reply;
mod stream_head;
mod version;

pub use encode::EncodeResponseError;
pub use error::{ResponseError, error_to_http, service_error};
pub use expected::{Expected, Mismatch, UnexpectedResponse};
pub use framing::{Framing, IncompleteBody};
pub use headers::EVENT_STREAM_CONTENT_TYPE;
pub use reply::Reply;
pub use stream_head::StreamHead;
pub use version::ReportedVersion;
