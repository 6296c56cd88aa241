//! AWS Lambda's function names, ARNs, qualifiers, client contexts and limits, parsed once into typed
//! values.
//!
//! ```text
//!   &str, String ──parse──▶ FunctionName ─┐
//!                           Qualifier ────┴─▶ Target
//!   JSON, base64 ─────────▶ ClientContext
//!   header values ────────▶ TenantId, DurableExecutionName, ExecutedVersion, ...
//!
//!   a whole request ──────▶ RequestValidator ─▶ Violations, in the service's own words
//! ```
//!
//! The parsers accept exactly what the service's published regular expressions accept. Those are in
//! [`patterns`], as the service writes them; [`NameRules`] selects their generation, and the maximum
//! lengths. Parsing is one pass over the bytes, borrows from its input and does not allocate.
//!
//! Every type parses in the same ways: `parse` and `TryFrom` take `&str`, `&String`, `String` or
//! `Cow<str>`, and borrow or reuse the given text; `FromStr` makes an owned value.
//!
//! # Example
//!
//! ```
//! use lambda_invoke_input::{FunctionName, InputError};
//!
//! let name = FunctionName::try_from("arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live")?;
//! assert_eq!(name.region(), Some("eu-west-1"));
//! assert_eq!(name.account(), Some("123456789012"));
//! assert_eq!(name.name(), "thumbnail");
//! assert_eq!(name.qualifier().unwrap().as_str(), "live");
//!
//! let error = FunctionName::try_from("thumb nail").unwrap_err();
//! assert_eq!(error.offset(), 5);
//! assert_eq!(
//!     error.to_string(),
//!     "invalid function name: ' ' at byte 5, expected a letter, a digit, '-', '.', '_', ':' or the end",
//! );
//! # Ok::<(), InputError>(())
//! ```
//!
//! # Features
//!
//! - `serde`: the value types implement `Serialize` and `Deserialize`, as strings that are validated.
//! - `arbitrary`: the value types implement `Arbitrary`, and generate valid values. Needs `std`.
//!
//! # What it does not do
//!
//! It does no I/O and no HTTP: header names, paths and percent-encoding are up to the caller. It
//! does not parse JSON: a client context is just bytes. It cannot know whether a function exists,
//! only whether the service would look for it.
//!
//! # Sources
//!
//! The API reference of `Invoke` and `InvokeWithResponseStream`, the service's API model, and the
//! service's recorded responses to malformed names.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]

extern crate alloc;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod diagnosis;
mod durable_execution_arn;
mod error;
mod expected;
mod grammar;
mod header;
pub mod limits;
mod mistake;
mod name;
mod name_rules;
mod other_resource;
pub mod patterns;
mod request_validator;
#[cfg(feature = "serde")]
pub mod serde;
mod text;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// The public interface: everything else is private.
pub use crate::diagnosis::Snippet;
pub use crate::durable_execution_arn::DurableExecutionArn;
pub use crate::error::{InputError, Member, QualifierMismatch};
pub use crate::expected::{Expected, Part};
pub use crate::header::{
    ClientContext, DurableExecutionName, ExecutedVersion, InvocationType, LogType, TenantId,
};
pub use crate::mistake::Mistake;
pub use crate::name::{FunctionName, Qualifier, QualifierKind, Target};
pub use crate::name_rules::{NameRules, Pattern};
pub use crate::other_resource::OtherResource;
pub use crate::request_validator::{Constraint, RequestValidator, Violation, Violations};
