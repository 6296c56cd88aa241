//! Deterministic choices.

/// Returns a number that depends on the seed and the name only (FNV-1a, then the finalizer of
/// SplitMix64).
pub fn choose(seed: u64, name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Returns `count` offsets from 0 to `end`, evenly spread and starting where the seed says, or all
/// offsets if there are no more.
pub fn offsets(end: u64, count: Option<u64>, seed: u64, name: &str) -> Vec<u64> {
    match count {
        Some(count) if count <= end => {
            let start = choose(seed, name) % (end + 1);
            let nth = |n| (start + n * (end + 1) / count) % (end + 1);
            (0..count).map(nth).collect()
        }
        _ => (0..=end).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_offsets_or_a_sample_of_different_ones() {
        assert_eq!(offsets(4, None, 1, "a"), [0, 1, 2, 3, 4]);
        assert_eq!(offsets(4, Some(9), 1, "a"), [0, 1, 2, 3, 4]);
        let mut sample = offsets(1000, Some(50), 1, "a");
        assert_eq!(sample, offsets(1000, Some(50), 1, "a"));
        assert_ne!(sample, offsets(1000, Some(50), 2, "a"));
        sample.sort_unstable();
        sample.dedup();
        assert_eq!(sample.len(), 50);
        assert!(sample[49] <= 1000);
    }
}
