//! Endpoint and runtime, with functions in processes of their own: compared with a bare loop of the
//! Runtime API and with other local hosts, and by themselves.

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

/// The payload with which all functions are called.
const PAYLOAD: &str = r#"{"name":"Ada"}"#;

/// The result that all functions return.
const GREETING: &str = r#""Hello, Ada. What a fine day it is.""#;
