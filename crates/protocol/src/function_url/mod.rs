//! Function URLs: an HTTP request as the event that a function receives, and a function's result as
//! an HTTP response.
//!
//! The event has payload format 2.0, as published under "Invoking Lambda function URLs: Request
//! and response payloads" in the developer guide. Where the guide is silent, the event is like
//! those recorded from the service; each such place says so.
//!
//! ```text
//!  http::Request ──UrlEvent::to_json──▶ the function's payload
//!  http::Response ◀──UrlResponse::try_from── a buffered function's JSON
//!        its head ◀──UrlHead::try_from────── a streaming function's prelude
//! ```

mod cors;
mod error;
mod event;
mod query;
mod response;
mod route;
mod text_type;

pub use cors::{Cors, CorsError};
pub use error::UrlResponseError;
pub use event::{IamCaller, UrlEvent};
pub use response::{UrlHead, UrlResponse, failure, forbidden};
pub use route::UrlRoute;
