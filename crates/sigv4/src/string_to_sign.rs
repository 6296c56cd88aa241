//! The string to sign of a request.

use core::fmt;
use core::ops::Range;

use crate::Timestamp;
use crate::list::List;
use crate::payload::hex64;

/// `AWS4-HMAC-SHA256`, the only algorithm here.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last element of every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// Where the time stands in a string to sign.
const STAMP: Range<usize> = ALGORITHM.len() + 1..ALGORITHM.len() + 17;

/// The string that is signed: algorithm, time, scope, and the hash of the canonical request.
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
    /// Creates the string for the SHA-256 of a canonical request
    /// ([`CanonicalRequest::hash`](crate::CanonicalRequest::hash)).
    #[must_use]
    pub fn new(time: Timestamp, region: &str, service: &str, hash: [u8; 32]) -> Self {
        let mut text = List::new();
        text.extend_from_slice(ALGORITHM.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&time.to_basic());
        text.push(b'\n');
        text.extend_from_slice(&time.date());
        for element in [region, service, TERMINATOR] {
            text.push(b'/');
            text.extend_from_slice(element.as_bytes());
        }
        text.push(b'\n');
        text.extend_from_slice(&hex64(&hash));
        Self { text }
    }

    /// Replaces the time and the hash.
    #[inline]
    pub(crate) fn with(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> Self {
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
    pub(crate) fn stamp(&self) -> [u8; 16] {
        let stamp = self.text.get(STAMP).and_then(|stamp| stamp.try_into().ok());
        stamp.unwrap_or_default()
    }

    /// Returns the scope: `20150830/us-east-1/lambda/aws4_request`.
    pub(crate) fn scope(&self) -> &str {
        let text = self.text.get(STAMP.end + 1..self.text.len() - 65);
        core::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
    }

    /// The bytes to sign.
    #[must_use]
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
