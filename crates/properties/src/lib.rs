#![forbid(unsafe_code)]
//! Properties that must hold for any input, as plain functions.
//!
//! Each takes raw bytes, builds what it needs from them and panics if its property does not hold.
//! The fuzz targets in `fuzz/fuzz_targets` call them; the replay test here runs them over the
//! committed corpora, with an ordinary compiler and in every `cargo test`.

pub mod error;
pub mod transport;

/// Panics if it does not hold for the bytes.
pub type Property = fn(&[u8]);

/// Every property, under the name of its fuzz target.
pub const TARGETS: &[(&str, Property)] = &[
    ("error_code_places", error::code_places),
    ("error_cut_body", error::cut_body),
    ("error_parse_any", error::parse_any),
    ("error_render_made", error::render_made),
    ("transport_connection", transport::connection),
];
