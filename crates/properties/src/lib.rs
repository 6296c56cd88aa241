#![forbid(unsafe_code)]
//! Properties that must hold for any input, as plain functions.
//!
//! Each takes raw bytes, builds what it needs from them and panics if its property does not hold.
//! The fuzz targets in `fuzz/fuzz_targets` call them; the replay test here runs them over the
//! committed corpora, with an ordinary compiler and in every `cargo test`.

/// Every property, under the name of its fuzz target.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[];
