//! The prelude of HTTP-integration streams.
//!
//! A function that answers as an HTTP endpoint puts a JSON object in front of its body, and eight
//! NUL bytes between the two; its own content type (`x-amzn-remapped-content-type`) is then
//! [`HTTP_INTEGRATION_CONTENT_TYPE`]. [`PreludeSplitter`] takes the two apart, [`HttpPrelude`] is
//! the object. The separator and the members are those of Lambda's "response streaming for
//! functions behind a URL"; the JSON cannot hold a NUL, so the first one ends it.

mod error;
mod http_prelude;
mod splitter;

pub use error::PreludeError;
pub use http_prelude::HttpPrelude;
pub use splitter::{Part, PreludeSplitter};

/// The function's own content type when its stream begins with a prelude.
pub const HTTP_INTEGRATION_CONTENT_TYPE: &str =
    "application/vnd.awslambda.http-integration-response";

/// What stands between the prelude's JSON and the body.
pub const SEPARATOR: [u8; 8] = [0; 8];
