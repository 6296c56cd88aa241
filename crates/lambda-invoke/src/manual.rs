//! The manual: pages on how to use this crate, and how it compares.
//!
//! - [`from_aws_sdk`]: the same calls side by side with the AWS SDK for Rust
//! - [`testing`]: tests without an account
//! - [`map`]: many payloads through one function
//! - [`streaming`]: the path of a chunk, from the function to a browser
//! - [`comparison`]: problems with other clients and emulators, and the tests that show they do not
//!   occur here
//! - [`r`]: calls from R, through the program
//! - [`threat_model`]: what is protected, and against whom
//!
//! The pages are from the folder `docs` in the repository.

// Links between the pages. The definitions here take precedence over those in the pages, which are
// for readers of the files.

/// Coming from the AWS SDK for Rust.
///
/// [comparison.md]: crate::manual::comparison
/// [streaming.md]: crate::manual::streaming
/// [testing.md]: crate::manual::testing
#[doc = include_str!("../manual/from-aws-sdk.md")]
pub mod from_aws_sdk {}

/// Comparison with other clients and emulators.
///
/// [from-aws-sdk.md]: crate::manual::from_aws_sdk
#[doc = include_str!("../manual/comparison.md")]
pub mod comparison {}

/// How to test code that calls functions.
///
/// [streaming.md]: crate::manual::streaming
/// [comparison.md]: crate::manual::comparison
/// [threat-model.md]: crate::manual::threat_model
#[doc = include_str!("../manual/testing.md")]
pub mod testing {}

/// The path of a chunk, from the function to a browser.
///
/// [testing.md]: crate::manual::testing
/// [comparison.md]: crate::manual::comparison
#[doc = include_str!("../manual/streaming.md")]
pub mod streaming {}

/// Many payloads through one function.
///
/// [`lambda-invoke-map`]: https://docs.rs/lambda-invoke-map
#[doc = include_str!("../manual/map.md")]
pub mod map {}

/// Calls from R, through the program `lambda-invoke`.
///
/// [serve.md]: https://docs.rs/lambda-invoke-cli
#[doc = include_str!("../manual/r.md")]
pub mod r {}

/// What is protected, and against whom.
#[doc = include_str!("../manual/threat-model.md")]
pub mod threat_model {}
