//! The lookup of access keys.

use crate::Credentials;

/// Finds the access key that a request names, for [`Verifier::verify`](crate::Verifier::verify).
///
/// Implemented for every `Fn(&str) -> Option<Credentials>` and for a single [`Credentials`]. Return
/// clones of the same value for an id, so that the verifier derives its key only once a day.
///
/// For an asynchronous lookup, see [`Verifier::verify_async`](crate::Verifier::verify_async).
pub trait CredentialsLookup {
    /// Returns the access key with this id, if it exists.
    fn find(&self, access_key_id: &str) -> Option<Credentials>;
}

impl<F: Fn(&str) -> Option<Credentials>> CredentialsLookup for F {
    fn find(&self, access_key_id: &str) -> Option<Credentials> {
        self(access_key_id)
    }
}

impl CredentialsLookup for Credentials {
    fn find(&self, access_key_id: &str) -> Option<Credentials> {
        (self.access_key_id() == access_key_id).then(|| self.clone())
    }
}
