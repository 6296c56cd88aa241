#![forbid(unsafe_code)]
//! AWS Signature Version 4 for `http` requests: sign, presign and verify.
//!
//! ```text
//!                    Credentials, region, service, SigningSettings
//!                                    |
//!   &mut http::request::Parts   +---------+   headers added, or the query extended
//!   PayloadHash, Timestamp ---> | Signer  | ---> authorization, x-amz-date, ...
//!   (or a RawRequest)           +---------+
//!
//!   &http::request::Parts       +----------+  Ok(Verified): who, when, what is covered
//!   PayloadHash, CredentialsLookup, now ---> | Verifier | ---> Err(VerifyError): code and message
//!   (or a RawRequest)           +----------+      as the service answers
//! ```
//!
//! Sans-IO: no socket, no clock, no environment. Time is a [`Timestamp`] that the caller gives, a
//! body is the [`PayloadHash`] that the caller computes, and nothing is ever sent unsigned or with
//! an uncovered body because something was left out.
//!
//! The canonical request is never built as a string: it goes through a buffer on the stack into
//! SHA-256. A [`Signer`] keeps the derived key for its day, the date's header for its second, and for
//! eight requests before what the next one like them has again: the canonical path and query, and
//! the order of the headers, but none of their values. Signing makes three allocations as a rule, all
//! of them for the headers that it adds.
//!
//! # What is signed, exactly
//!
//! - **Path**: the one that is sent, encoded once more ([`PathEncoding::Double`]) or as it is
//!   ([`PathEncoding::Single`], S3), with dot segments and empty segments resolved before that if
//!   [`SigningSettings::normalize_path`].
//! - **Query**: names and values decoded, encoded again, sorted by name and then by value. `+` is a
//!   plus sign: write spaces as `%20`. (`aws-sigv4` takes `+` for a space; SDKs never send either.)
//!   A malformed escape is taken literally; bytes that are no UTF-8 stay what they are.
//! - **Headers**: all but [`NEVER_SIGNED`] and [`SigningSettings::unsigned_headers`]. Spaces at the ends of
//!   a value are dropped and runs of them made one, the ASCII space alone, as in the official
//!   vectors; a tab stays. Other signers collapse tabs as well, and the [`Verifier`] takes what they
//!   sign; a header that has to be read alike by all has no tab in it. Repeated headers are joined with `,`. Values may have any bytes.
//! - **Host**: the `host` header as it is; without one the URI's host, with its port unless that is
//!   the scheme's own, and the signer then adds the header.
//!
//! # What it does not do
//!
//! - Signature Version 4a (asymmetric, several regions), and `aws-chunked` bodies: the head of one
//!   can be signed ([`PayloadHash::StreamingSigned`]), its chunks cannot.
//! - It does not read a body, find credentials, or decide who may do what.
//! - It does not guard against replay within the tolerance; nor does the service.
//! - It does not parse HTTP: line folding, and two `host` headers, are for the server to refuse.
//! - `ring` keeps a derived key as two hash states, and offers no way to wipe them; the secret and
//!   the bytes derived on the way are wiped.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod canonical;
mod chain;
mod chunk;
mod coverage;
mod credentials;
mod day;
mod error;
mod kept;
mod key;
mod list;
mod message;
mod names;
mod payload;
mod presign;
mod provide;
mod request;
mod settings;
mod sign;
mod signature;
mod string_to_sign;
mod timestamp;
mod verify;

// The public interface.
pub use canonical::CanonicalRequest;
pub use chain::ChainMismatch;
pub use chunk::{ChunkSigner, ChunkVerifier};
pub use coverage::NEVER_SIGNED;
pub use credentials::Credentials;
pub use error::{
    CredentialsError, Incomplete, InvalidRequest, InvalidScope, Mismatch, SignError,
    TimestampError, VerifyError, WrongScope,
};
pub use key::SigningKey;
pub use message::{MessageSigner, MessageVerifier};
pub use payload::PayloadHash;
pub use presign::Presigned;
pub use provide::{BoxError, CredentialsFuture, ProvideCredentials};
pub use request::{RawRequest, host_of};
pub use settings::{PathEncoding, SessionTokenMode, SigningSettings};
pub use sign::{Signer, SigningHeaders};
pub use signature::Signature;
pub use string_to_sign::StringToSign;
pub use timestamp::Timestamp;
pub use verify::{Claims, CredentialsLookup, Unverified, Verified, Verifier};
