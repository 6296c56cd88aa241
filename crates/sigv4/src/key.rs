//! The key of a day, the scope it is good for, and the string that it signs.

use core::fmt;
use core::ops::Range;

use ring::hmac;
use zeroize::Zeroize as _;

use crate::Timestamp;
use crate::list::List;
use crate::payload::hex64;

/// `AWS4-HMAC-SHA256`, the only algorithm here.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What ends every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// A key that signs for one day, region and service, derived from the secret.
///
/// The bytes on the way to it are wiped. The key itself is kept in the form in which `ring` signs
/// (two hash states), which `ring` offers no way to wipe.
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
    /// Derives the key for the day of `time`, for `region` and `service`.
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
    pub(crate) fn string_to_sign(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> StringToSign {
        self.template.with(stamp, hash)
    }

    /// Whether this is the key for the day of `time`.
    pub fn is_for(&self, time: Timestamp) -> bool {
        self.day == time.day()
    }

    /// Signs `string_to_sign`.
    pub fn sign(&self, string_to_sign: &[u8]) -> Signature {
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&self.key, string_to_sign).as_ref());
        Signature(signature)
    }

    /// Whether `signature` is that of `string_to_sign`, compared in constant time.
    pub fn verify(&self, string_to_sign: &[u8], signature: &Signature) -> bool {
        hmac::verify(&self.key, string_to_sign, &signature.0).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

/// A signature. `Display` writes its 64 lower-case hexadecimal digits.
///
/// It is no secret once sent, but whoever has it can replay its request for some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature([u8; 32]);

impl Signature {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads exactly 64 lower-case hexadecimal digits: the one way in which signatures are sent.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
        // Without a table and without a way out of the loops both become vector code.
        let value = |digit: u8| {
            let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
            let letter = if letter < 6 { letter + 10 } else { 255 };
            if number < 10 { number } else { letter }
        };
        let values = digits.map(value);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(values.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1] & 15;
        }
        let all = values.iter().fold(0, |all, value| all | value);
        (all < 16).then_some(Self(bytes))
    }

    pub(crate) fn to_hex(self) -> [u8; 64] {
        hex64(&self.0)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
    }
}

/// Where the time stands in a string to sign.
const STAMP: Range<usize> = ALGORITHM.len() + 1..ALGORITHM.len() + 17;

/// What is signed: algorithm, time, scope, and the hash of the canonical request.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::StringToSign;
///
/// let text = StringToSign::new("20150830T123600Z".parse()?, "us-east-1", "lambda", [0; 32]);
/// assert!(text.to_string().starts_with(
///     "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/lambda/aws4_request\n0000",
/// ));
/// # Ok::<(), lambda_invoke_sigv4::TimestampError>(())
/// ```
#[derive(Clone)]
pub struct StringToSign {
    text: List<u8, 224>,
}

impl StringToSign {
    /// The string for the SHA-256 of a canonical request
    /// ([`CanonicalRequest::hash`](crate::CanonicalRequest::hash)).
    pub fn new(time: Timestamp, region: &str, service: &str, hash: [u8; 32]) -> Self {
        let mut text = List::new();
        text.extend_from_slice(ALGORITHM.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&time.to_basic());
        text.push(b'\n');
        text.extend_from_slice(scope(time, region, service).as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&hex64(&hash));
        Self { text }
    }

    /// The same for another time and another hash.
    fn with(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> Self {
        let mut other = self.clone();
        let text = &mut *other.text;
        if let Some(place) = text.get_mut(STAMP) {
            place.copy_from_slice(stamp);
        }
        if let Some(place) = text.last_chunk_mut() {
            *place = hex64(hash);
        }
        other
    }

    /// The time in the basic format.
    fn stamp(&self) -> [u8; 16] {
        let stamp = self.text.get(STAMP).and_then(|stamp| stamp.try_into().ok());
        stamp.unwrap_or_default()
    }

    /// The bytes to sign.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Debug for StringToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StringToSign")
            .field(&self.to_string())
            .finish()
    }
}

impl fmt::Display for StringToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.text).unwrap_or_default())
    }
}

/// `20150830/us-east-1/lambda/aws4_request`.
pub(crate) fn scope(time: Timestamp, region: &str, service: &str) -> String {
    let time = time.to_string();
    format!("{}/{region}/{service}/{TERMINATOR}", &time[..8])
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
    fn reads_a_signature_only_in_the_form_in_which_it_is_sent() {
        let signature = Signature([0xab; 32]);
        assert_eq!(Signature::from_hex(&signature.to_string()), Some(signature));
        for index in 0..64 {
            for byte in 0..128_u8 {
                let mut digits = signature.to_hex();
                digits[index] = byte;
                let digits = core::str::from_utf8(&digits).unwrap();
                let lower = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                let read = Signature::from_hex(digits).map(|read| read.to_string());
                assert_eq!(read.as_deref(), lower.then_some(digits));
            }
        }
        for digits in [
            "",
            "ab",
            &"AB".repeat(32),
            &"ab".repeat(33),
            &"xy".repeat(32),
        ] {
            assert_eq!(Signature::from_hex(digits), None, "{digits}");
        }
    }

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
