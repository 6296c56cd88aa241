#![forbid(unsafe_code)]
//! AWS Signature Version 4 for `http` requests: sign, presign and verify, with signed chunks and event
//! streams.
//!
//! ```text
//!               Credentials, region, service, SigningSettings
//!                                   |
//!   &mut http::Request        +----------+   headers added, or the query extended
//!   PayloadHash, Timestamp -> |  Signer  | -> authorization, x-amz-date, ...
//!   (or a RawRequest)         +----------+
//!                               | chunk_signer, message_signer: a signature for each piece
//!
//!   &http::Request            +----------+   Ok(Verified): who, when, what is covered
//!   PayloadHash, keys, now -> | Verifier | -> Err(VerifyError): code and message
//!   (or a RawRequest)         +----------+   as the service responds
//!                               | chunk_verifier, message_verifier
//! ```
//!
//! Sans-IO: no socket, no clock, no environment. Time is a [`Timestamp`] that the caller passes,
//! and a body is represented by the [`PayloadHash`] that the caller computes. Leaving something out
//! never makes a request unsigned or its body uncovered.
//!
//! # Examples
//!
//! Sign, and verify what was signed:
//!
//! ```
//! use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Verifier};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
//! let mut request = http::Request::post("https://example.com/path").body("{}")?;
//! let payload = PayloadHash::of(request.body());
//! let now = "20150830T123600Z".parse()?;
//!
//! let signer = Signer::new(credentials.clone(), "us-east-1", "lambda")?;
//! signer.sign_request(&mut request, &payload, now)?;
//!
//! let verifier = Verifier::new("us-east-1", "lambda")?;
//! let verified = verifier.verify(&request, &payload, &credentials, now)?;
//! assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Presign, for anyone who has the URI:
//!
//! ```
//! # use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
//! # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "lambda")?;
//! # let now = "20150830T123600Z".parse()?;
//! let mut request = http::Request::get("https://example.com/path").body(())?;
//! let hour = std::time::Duration::from_secs(3600);
//! signer.presign_request(&mut request, &PayloadHash::EMPTY, now, hour)?;
//! assert!(request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature=")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sign a body piece by piece, each signature covering the one before:
//!
//! ```
//! # use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
//! # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
//! # let now = "20150830T123600Z".parse()?;
//! let mut request = http::Request::put("https://example.com/key").body(())?;
//! let seed = signer.sign_request(&mut request, &PayloadHash::StreamingSigned, now)?;
//! let mut chunks = signer.chunk_signer(now, seed);
//! for data in ["Hello", ""] {
//!     println!("{:x};chunk-signature={}\r\n{data}\r\n", data.len(), chunks.sign_chunk(data));
//! }
//!
//! let seed = signer.sign_request(&mut request, &PayloadHash::StreamingEvents, now)?;
//! let mut messages = signer.message_signer(now, seed);
//! # let (date_header, encoded_message) = (b"", b"");
//! let signature = messages.sign(now, date_header, encoded_message);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is signed, exactly
//!
//! - **Path**: the path that is sent, encoded a second time ([`PathEncoding::Double`]) or unchanged
//!   ([`PathEncoding::Single`], S3). With [`SigningSettings::normalize_path`], dot segments and
//!   empty segments are resolved before that.
//! - **Query**: names and values decoded, encoded again, sorted by name and then by value. `+` is a
//!   plus sign: write spaces as `%20`. (`aws-sigv4` takes `+` for a space; SDKs never send either.)
//!   A malformed escape is taken literally; bytes that are not UTF-8 stay unchanged.
//! - **Headers**: all but [`NEVER_SIGNED`] and [`SigningSettings::unsigned_headers`]. Spaces at the
//!   ends of a value are dropped and runs of them collapsed to one. This applies only to ASCII
//!   spaces, as in the official vectors; a tab stays. Other signers collapse tabs as well, and the
//!   [`Verifier`] accepts their signatures; avoid tabs if every signer and service must read a
//!   header alike. Repeated headers are joined with `,`. Values may contain any bytes.
//! - **Host**: the `host` header as it is. Without one, the signer adds the URI's host, with its
//!   port unless that is the scheme's own.
//!
//! # Performance
//!
//! The canonical request is never built as a string: it goes through a buffer on the stack into
//! SHA-256. A [`Signer`] caches the derived key of the day and the date header of the second, and
//! nothing else. Signing usually makes three allocations, all for the headers that it adds;
//! verifying makes none. A presigned request makes four, or five with a session token; otherwise, more
//! than four parameters, and more than 16 headers, make two each, and long lists a few more.
//!
//! # What it does not do
//!
//! - Signature Version 4a (asymmetric, several regions), Signature Version 2, and POST policies.
//! - It does not read a body, find credentials ([`ProvideCredentials`] is the trait for it), or
//!   decide who may do what.
//! - It does not prevent replay within the tolerance; nor does the service.
//! - It does not parse HTTP: line folding, and two `host` headers, are for the server to reject.
//! - `ring` keeps a derived key as two hash states and offers no way to wipe them. The secret, and the
//!   bytes derived on the way, are wiped.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod canonical;
mod chain;
mod coverage;
mod credentials;
mod error;
mod key;
mod list;
mod names;
mod payload;
mod provide;
pub mod region;
mod request;
mod settings;
mod sign;
mod signature;
mod string_to_sign;
mod timestamp;
mod verify;

// The public interface.
pub use canonical::CanonicalRequest;
pub use chain::{ChainMismatch, ChunkSigner, ChunkVerifier, MessageSigner, MessageVerifier};
pub use coverage::NEVER_SIGNED;
pub use credentials::Credentials;
pub use error::{
    CredentialsError, HexError, Incomplete, InvalidRequest, InvalidScope, Mismatch, SignError,
    TimestampError, VerifyError, WrongScope,
};
pub use key::SigningKey;
pub use payload::PayloadHash;
pub use provide::{BoxError, CredentialsFuture, ProvideCredentials};
pub use request::{RawRequest, host_of};
pub use settings::{PathEncoding, SessionTokenMode, SigningSettings};
pub use sign::{Presigned, Signer, SigningHeaders};
pub use signature::Signature;
pub use string_to_sign::StringToSign;
pub use timestamp::{HttpDate, Timestamp};
pub use verify::{Claims, CredentialsLookup, Unverified, Verified, Verifier};
