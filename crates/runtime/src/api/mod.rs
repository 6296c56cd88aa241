//! The Runtime API (`2018-06-01`) and the Extensions API (`2020-01-01`) without I/O: which request
//! is allowed in which state, and how the paths are read.

pub mod extensions;
pub mod machine;
pub mod route;
