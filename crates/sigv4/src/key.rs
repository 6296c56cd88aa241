//! The signing key of one day.

use core::fmt;

use ring::hmac;
use zeroize::Zeroize as _;

use crate::string_to_sign::TERMINATOR;
use crate::{Signature, StringToSign, Timestamp};

/// A key that signs for one day, region and service, derived from a secret access key.
///
/// Its owner can sign in its scope for the day, but cannot derive the secret from it.
///
/// The intermediate keys are wiped. The key itself is kept in the form that `ring` signs with (two
/// hash states), which `ring` offers no way to wipe.
///
/// # Example
///
/// The example of the SigV4 reference, "Deriving the signing key":
///
/// ```
/// use lambda_invoke_sigv4::SigningKey;
///
/// let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// let key = SigningKey::derive(secret, "20150830T123600Z".parse()?, "us-east-1", "iam");
/// let string_to_sign = "AWS4-HMAC-SHA256\n20150830T123600Z\n\
///     20150830/us-east-1/iam/aws4_request\n\
///     f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
/// assert_eq!(
///     key.sign(string_to_sign.as_bytes()).to_string(),
///     "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
/// );
/// # Ok::<(), lambda_invoke_sigv4::TimestampError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    key: hmac::Key,
    day: u64,
    /// The string to sign of the day's first second, with a hash of zeros.
    template: StringToSign,
}

impl SigningKey {
    /// Derives the key for the day of `time`, `region` and `service`.
    #[must_use]
    pub fn derive(secret: &str, time: Timestamp, region: &str, service: &str) -> Self {
        let mut seed = Vec::with_capacity(4 + secret.len());
        seed.extend_from_slice(b"AWS4");
        seed.extend_from_slice(secret.as_bytes());
        let date = time.date();
        let mut derived = hmac_sha256(&seed, &date);
        seed.zeroize();
        for step in [region, service, TERMINATOR] {
            let next = hmac_sha256(&derived, step.as_bytes());
            derived.zeroize();
            derived = next;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &derived);
        derived.zeroize();
        Self {
            key,
            day: time.day(),
            template: StringToSign::new(time, region, service, [0; 32]),
        }
    }

    /// `time`, on this key's day, in the basic format.
    pub(crate) fn stamp(&self, time: Timestamp) -> [u8; 16] {
        time.on_day_of(self.template.stamp())
    }

    /// The string to sign for a time in the basic format, on this key's day.
    #[inline]
    pub(crate) fn string_to_sign(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> StringToSign {
        self.template.with(stamp, hash)
    }

    /// Returns the scope: `20150830/us-east-1/lambda/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.template.scope()
    }

    /// Returns whether this is the key for the day of `time`.
    #[must_use]
    pub fn is_for(&self, time: Timestamp) -> bool {
        self.day == time.day()
    }

    /// Signs `string_to_sign`.
    #[must_use]
    pub fn sign(&self, string_to_sign: &[u8]) -> Signature {
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&self.key, string_to_sign).as_ref());
        Signature(signature)
    }

    /// Whether `signature` is that of `string_to_sign`, compared in constant time.
    #[must_use]
    pub fn verify(&self, string_to_sign: &[u8], signature: &Signature) -> bool {
        hmac::verify(&self.key, string_to_sign, &signature.0).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut tag = [0; 32];
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    tag.copy_from_slice(hmac::sign(&key, message).as_ref());
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_day_alone_and_shows_nothing() {
        let time = "20150830T235959Z".parse().unwrap();
        let key = SigningKey::derive("secret", time, "r", "s");
        assert!(key.is_for("20150830T000000Z".parse().unwrap()));
        assert!(!key.is_for("20150831T000000Z".parse().unwrap()));
        assert_eq!(format!("{key:?}"), "SigningKey(<redacted>)");
    }

    #[test]
    fn verifies_its_own_signature_and_no_other() {
        let key = SigningKey::derive("secret", Timestamp::EPOCH, "r", "s");
        let signature = key.sign(b"text");
        assert!(key.verify(b"text", &signature));
        assert!(!key.verify(b"texts", &signature));
        for bit in 0..256 {
            let mut other = *signature.as_bytes();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(b"text", &Signature(other)));
        }
    }
}
