//! Where a verifier finds access keys.

use crate::Credentials;

/// Finds the access key that a request names, for [`Verifier::verify`](crate::Verifier::verify).
///
/// Any `Fn(&str) -> Option<Credentials>` is one, and so is a single [`Credentials`]. Return clones of
/// one value each time: the verifier then derives its key once a day, and otherwise on every call.
///
/// For a look-up that has to wait, see [`Verifier::verify_async`](crate::Verifier::verify_async).
pub trait CredentialsLookup {
    /// The access key with this id; `None` if there is none.
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
