//! The commands. Each is a module with its `Arguments` and a function `run`.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod decode;
pub(crate) mod invoke;
pub(crate) mod map;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod stream;
pub(crate) mod whoami;
