//! The random number that spreads retries over time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// A number from 0 to 1.
///
/// The standard library seeds its hash maps from the system's entropy, with a new key per map. That
/// is random enough to keep clients from retrying at the same time, and needs no further package.
/// It is used for nothing else.
pub(crate) fn between_0_and_1() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_spread_over_the_whole_range() {
        let numbers: Vec<f64> = (0..4000).map(|_| between_0_and_1()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = numbers.iter().sum::<f64>() / 4000.0;
        // Six standard deviations of the mean.
        assert!((0.4726..0.5274).contains(&mean), "{mean}");
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let share = numbers
                .iter()
                .filter(|number| (from..to).contains(number))
                .count();
            assert!((250..550).contains(&share), "{share} in {from}..{to}");
        }
    }
}
