//! Signers of AWS Signature Version 4: the trait to implement for a signer that is tested and
//! compared, and the properties that every signer must have.
//!
//! [`differential`] checks each signature with [a naive judge](naive) that shares no code with any
//! signer.

mod differential;
mod generate;
pub mod naive;
mod ours;

use core::fmt::Display;
use core::time::Duration;

use http::request::Parts;

pub use differential::differential;
pub use generate::{hostile, near_miss, well_formed};
pub use ours::LambdaInvoke;

/// The access key, region and service that requests are signed for.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a test fills it in")]
pub struct Keys {
    /// The id of the access key.
    pub access_key_id: String,
    /// The secret of the access key.
    pub secret: String,
    /// The token of a temporary key.
    pub session_token: Option<String>,
    /// The region.
    pub region: String,
    /// The service's name in a scope.
    pub service: String,
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keys")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A signer of requests by headers, for services that encode the path twice (all but S3).
pub trait Signer: Sized {
    /// The name in reports, which is the name of the crate.
    const NAME: &'static str;
    /// A request in the signer's own type, so that the conversion is not part of signing.
    type Request;
    /// Why a request is not signed.
    type Error: Display;

    /// Whether the signer reads the clock itself, so that the given time has no effect.
    const READS_CLOCK: bool = false;

    /// Creates a signer that signs at one time, counted from 1970.
    fn new(keys: &Keys, time: Duration) -> Self;

    /// Converts a request, which has a `Host` header.
    fn prepare(&self, request: Parts) -> Self::Request;

    /// Signs a request with this body: the body's hash is part of the work.
    ///
    /// # Errors
    ///
    /// The signer cannot sign the request.
    fn sign(&self, request: &mut Self::Request, body: &[u8]) -> Result<(), Self::Error>;

    /// Converts a signed request.
    fn signed(request: Self::Request) -> Parts;

    /// Whether the signer claims to sign such a request by the specification. Other requests are
    /// signed, too, and must not make it panic.
    #[must_use]
    fn claims(request: &Parts) -> bool {
        let _ = request;
        true
    }
}
