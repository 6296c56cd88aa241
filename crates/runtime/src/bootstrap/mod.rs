//! Our own runtime clients for Python and JavaScript. Each of them starts the official client
//! instead, if the function's environment has it.

/// The Python client, for `python3 -c`.
pub(crate) const PYTHON: &str = include_str!("bootstrap.py");

/// The JavaScript client, for `node -e`.
pub(crate) const NODE: &str = include_str!("bootstrap.js");
