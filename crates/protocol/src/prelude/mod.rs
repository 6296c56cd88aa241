//! The prelude of HTTP-integration streams.
//!
//! A function that responds as an HTTP endpoint writes a JSON object, eight NUL bytes, and then its
//! body; its own content type (`x-amzn-remapped-content-type`) is then
//! [`HTTP_INTEGRATION_CONTENT_TYPE`]. [`PreludeSplitter`] separates the object from the body, and
//! [`HttpPrelude`] is the object. The separator and the members are those of Lambda's "response
//! streaming for functions behind a URL". JSON cannot contain a NUL, so the first NUL ends the
//! object.

mod error;
mod http_prelude;
mod splitter;

pub use error::PreludeError;
pub use http_prelude::HttpPrelude;
pub use splitter::{Part, PreludeSplitter};

/// The function's own content type when its stream begins with a prelude.
pub const HTTP_INTEGRATION_CONTENT_TYPE: &str =
    "application/vnd.awslambda.http-integration-response";

/// The separator between the prelude's JSON and the body.
pub const SEPARATOR: [u8; 8] = [0; 8];
