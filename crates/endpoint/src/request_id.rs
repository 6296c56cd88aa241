//! Request ids in the service's form (version 4 UUIDs), without reading entropy for each one.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A request's id: 36 characters, lower-case hexadecimal with hyphens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 36]);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        // The text is always ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns an X-Ray trace header for the request, which is not sampled: the time in seconds and
    /// 96 bits as its root, and the segment that calls the function.
    pub(crate) fn trace(&self, time: SystemTime) -> String {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = seconds.map_or(0, |since| since.as_secs());
        let own = self.as_str();
        let part = |range: Range<usize>| own.get(range).unwrap_or_default();
        let [a, b, c] = [part(0..8), part(9..13), part(14..18)];
        let [d, e] = [part(19..23), part(24..36)];
        // A formatter would take five times as long.
        let mut text = String::with_capacity(80);
        text.push_str("Root=1-");
        for place in (0..8).rev() {
            text.push(char::from(HEX[(seconds >> (4 * place) & 0xF) as usize]));
        }
        for part in ["-", b, c, d, e, ";Parent=", a, b, c, ";Sampled=0"] {
            text.push_str(part);
        }
        text
    }

    fn from_words(high: u64, low: u64) -> Self {
        let mut bits = (u128::from(high) << 64) | u128::from(low);
        // Version 4, variant 1: a random UUID by RFC 9562.
        bits = (bits & !(0xF << 76)) | (0x4 << 76);
        bits = (bits & !(0x3 << 62)) | (0x2 << 62);
        let mut text = [b'-'; 36];
        let mut place = 0;
        for (count, byte) in bits.to_be_bytes().into_iter().enumerate() {
            if matches!(count, 4 | 6 | 8 | 10) {
                place += 1;
            }
            text[place] = HEX[usize::from(byte >> 4)];
            text[place + 1] = HEX[usize::from(byte & 0xF)];
            place += 2;
        }
        Self(text)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A source of ids that are unique, even between endpoints.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Creates a source. The same seed always yields the same ids; without a seed, they are random.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        // `RandomState` is seeded with the standard library's random numbers.
        let start = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
        Self {
            start,
            next: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        // One half is a bijection of the count, so no two ids of an endpoint are equal.
        RequestId::from_words(
            mix(self.start ^ mix(count)),
            mix(count.wrapping_add(self.start)),
        )
    }
}

/// The finalizer of SplitMix64: a bijection whose results look random.
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_the_services_form_and_are_unique() {
        let ids = RequestIds::new(None);
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let id = ids.next();
            let text = id.as_str();
            let groups: Vec<usize> = text.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12]);
            assert_eq!(text.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
            assert!(seen.insert(text.to_owned()));
        }
    }

    #[test]
    fn a_trace_header_has_the_services_form() {
        let id = RequestId::from_words(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef);
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(0x5bef_4de7);
        assert_eq!(
            id.trace(time),
            "Root=1-5bef4de7-89ab4def8123456789abcdef;Parent=0123456789ab4def;Sampled=0"
        );
    }

    #[test]
    fn the_same_seed_yields_the_same_ids() {
        let [one, two] = [RequestIds::new(Some(7)), RequestIds::new(Some(7))];
        for _ in 0..10 {
            assert_eq!(one.next(), two.next());
        }
        assert_ne!(one.next(), RequestIds::new(Some(8)).next());
    }
}
