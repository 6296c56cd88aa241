//! Endpoint and runtime, with functions in processes of their own: beside a bare loop of the Runtime
//! API, beside other local hosts, and on their own.

mod bare;
mod delays;
mod host;
mod peers;
mod processes;
mod serve;

pub use bare::bare;
pub use delays::delays;
pub use host::Host;
pub use peers::peers;
pub use serve::serve;

const PART: &str = "runtime";

/// What all functions are called with.
const PAYLOAD: &str = r#"{"name":"Ada"}"#;

/// What all functions return.
const GREETING: &str = r#""Hello, Ada. What a fine day it is.""#;
