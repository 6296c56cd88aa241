//! Medians and ratios.

/// The middle of the values; of an even number, the upper of the two.
///
/// # Panics
///
/// If there are none, or one is not a number.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The quantile of the values, for a share between 0 and 1.
///
/// # Panics
///
/// If there are none, or one is not a number.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    assert!(
        sorted.iter().all(|value| value.is_finite()),
        "a value is not a number"
    );
    let index = (sorted.len() as f64 * share) as usize;
    sorted[index.min(sorted.len() - 1)]
}

/// The median of the ratios of all rounds: a slow round affects both sides.
///
/// # Panics
///
/// If there are no rounds.
pub fn ratio(ours: &[f64], other: &[f64]) -> f64 {
    assert_eq!(ours.len(), other.len(), "both ran in each round");
    let ratios: Vec<f64> = ours
        .iter()
        .zip(other)
        .map(|(ours, other)| ours / other)
        .collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 3.0);
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), 99.0);
        assert_eq!(quantile(&values, 0.0), 0.0);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn a_slow_round_does_not_move_a_ratio() {
        assert_eq!(ratio(&[2.0, 200.0, 2.0], &[1.0, 100.0, 1.0]), 2.0);
    }
}
