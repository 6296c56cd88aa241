//! The inputs that all benchmarks share.

pub mod fixture;
