//! AWS Lambda's function names, ARNs, qualifiers, client contexts and limits: parsed once, into
//! typed values that carry the proof.
//!
//! ```text
//!   &str, String ──parse──▶ FunctionName ─┐
//!                           Qualifier ────┴─▶ Target          (and the service's
//!   JSON, base64 ─────────▶ ClientContext                      own words for what
//!   header values ────────▶ TenantId, DurableExecutionName,    it would refuse:
//!                           ExecutedVersion, ...               Members, Violations)
//! ```
//!
//! Everything here accepts and rejects exactly what the service's published regular expressions
//! do. They are in [`patterns`], as the service writes them; [`Rules`] says which generation of
//! them, and which lengths. Parsing is one pass over the bytes, borrows from its input and does
//! not allocate.
//!
//! # Example
//!
//! ```
//! use lambda_invoke_input::{FunctionName, InputError};
//!
//! let name = FunctionName::parse("arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live")?;
//! assert_eq!(name.region(), Some("eu-west-1"));
//! assert_eq!(name.account(), Some("123456789012"));
//! assert_eq!(name.name(), "thumbnail");
//! assert_eq!(name.qualifier().unwrap().as_str(), "live");
//!
//! let error = FunctionName::parse("thumb nail").unwrap_err();
//! assert_eq!(error.offset(), 5);
//! assert_eq!(
//!     error.to_string(),
//!     "invalid function name: ' ' at byte 5, expected a letter, a digit, '-', '.', '_', ':' or the end",
//! );
//! # Ok::<(), InputError>(())
//! ```
//!
//! # What it does not do
//!
//! It does no I/O and knows no HTTP: header names, paths and percent-encoding are the caller's. It
//! does not parse JSON: a client context comes and goes as bytes. It cannot know whether a function
//! exists, only whether the service would look for it.
//!
//! # Sources
//!
//! The API reference of `Invoke` and `InvokeWithResponseStream`, the service's API model, and the
//! answers that the service gave to malformed names.

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

mod client_context;
mod diagnosis;
mod durable_execution_arn;
mod error;
mod function_name;
mod grammar;
mod keywords;
pub mod limits;
mod members;
pub mod patterns;
mod qualifier;
mod rules;
mod target;
mod text;
mod values;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// The public interface: everything else is private.
pub use crate::client_context::ClientContext;
pub use crate::durable_execution_arn::DurableExecutionArn;
pub use crate::error::{Allowed, InputError, Member, Part, QualifierMismatch};
pub use crate::function_name::FunctionName;
pub use crate::keywords::{InvocationType, LogType};
pub use crate::members::{Constraint, Members, Violation, Violations};
pub use crate::qualifier::{Qualifier, QualifierKind};
pub use crate::rules::{Pattern, Rules};
pub use crate::target::Target;
pub use crate::values::{DurableExecutionName, ExecutedVersion, TenantId};
