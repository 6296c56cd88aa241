//! Signatures as values.

use core::fmt;
use core::str::FromStr;

use crate::error::HexError;
use crate::payload::hex64;

/// A signature. `Display` writes its 64 lower-case hexadecimal digits, and `FromStr` reads them.
///
/// It is not a secret, but whoever has it can replay its request for some minutes. `==` takes the same
/// time wherever two signatures differ.
#[derive(Clone, Copy, Debug, Eq, Hash)]
#[expect(
    clippy::derived_hash_with_manual_eq,
    reason = "both are about all of the bytes"
)]
pub struct Signature(pub(crate) [u8; 32]);

impl Signature {
    /// Creates a signature from its 32 bytes, which is how a signed event-stream message carries it.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses exactly 64 lower-case hexadecimal digits. Returns `None` for anything else.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
        // Without a table and without an early exit, both loops become vector code.
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

/// In constant time: the number of leading bytes that are right would help to guess a signature.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        let bytes = self.0.iter().zip(&other.0);
        let different = bytes.fold(0, |all, (one, other)| all | (one ^ other));
        // Hides the value from the compiler, which could otherwise leave the loop early.
        core::hint::black_box(different) == 0
    }
}

/// Parses exactly 64 lower-case hexadecimal digits, the only form in which signatures are written.
impl FromStr for Signature {
    type Err = HexError;

    fn from_str(digits: &str) -> Result<Self, HexError> {
        Self::from_hex(digits).ok_or(HexError { lower_case: true })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_equal_only_if_every_bit_is() {
        let signature = Signature([0xa5; 32]);
        assert_eq!(signature, Signature([0xa5; 32]));
        for bit in 0..256 {
            let mut other = signature;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(signature, other, "{bit}");
            // Differences in two bytes do not cancel each other out.
            other.0[(bit / 8 + 1) % 32] ^= 1 << (bit % 8);
            assert_ne!(signature, other, "{bit}");
        }
    }

    #[test]
    fn reads_a_signature_only_in_the_form_in_which_it_is_sent() {
        let signature = Signature([0xab; 32]);
        assert_eq!(signature.to_string().parse(), Ok(signature));
        for index in 0..64 {
            for byte in 0..128_u8 {
                let mut digits = signature.to_hex();
                digits[index] = byte;
                let digits = core::str::from_utf8(&digits).unwrap();
                let lower = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                let read = digits
                    .parse::<Signature>()
                    .ok()
                    .map(|read| read.to_string());
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
            let error = digits.parse::<Signature>().unwrap_err();
            assert_eq!(error.to_string(), "not 64 lower-case hexadecimal digits");
        }
    }
}
