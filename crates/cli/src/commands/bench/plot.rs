//! Renders a histogram as text.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// The maximum number of buckets, which are shown one per line.
const LINES: usize = 14;
/// The width of the longest bar, in characters.
const WIDTH: u64 = 48;
/// Partial character cells, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A range of times, and how many calls are in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    /// The lower bound in microseconds, inclusive.
    pub(super) from: u64,
    /// The upper bound in microseconds, inclusive.
    pub(super) to: u64,
    pub(super) count: u64,
}

/// Groups times into buckets whose bounds grow geometrically, which suits both wide and narrow
/// distributions.
pub(super) fn buckets(times: &Histogram<u64>) -> Vec<Bucket> {
    if times.is_empty() {
        return Vec::new();
    }
    let (min, max) = (times.min().max(1), times.max().max(1));
    let factor = (max as f64 / min as f64).powf(1.0 / LINES as f64).max(1.02);
    let mut buckets = Vec::with_capacity(LINES);
    let (mut from, mut end) = (times.min(), min as f64);
    while from <= max && buckets.len() < LINES {
        end *= factor;
        let is_last = buckets.len() + 1 == LINES;
        let to = match is_last {
            true => max,
            false => (end as u64).clamp(from, max),
        };
        buckets.push(Bucket { from, to, count: 0 });
        from = to.saturating_add(1);
    }
    // Each recorded value is counted once, in the bucket that contains it.
    for value in times.iter_recorded() {
        let time = value.value_iterated_to().clamp(times.min(), max);
        let place = buckets.partition_point(|bucket| bucket.to < time);
        if let Some(bucket) = buckets.get_mut(place) {
            bucket.count += value.count_at_value();
        }
    }
    buckets
}

/// Renders one line per bucket.
pub(super) fn bars(buckets: &[Bucket]) -> String {
    let most = buckets
        .iter()
        .map(|bucket| bucket.count)
        .max()
        .unwrap_or_default()
        .max(1);
    let mut text = String::new();
    for bucket in buckets {
        let _ = writeln!(
            text,
            "  {:>9} |{} {}",
            milliseconds(bucket.to as f64),
            bar(bucket.count, most),
            bucket.count
        );
    }
    text
}

/// Renders a bar, which is empty only if the count is zero.
fn bar(count: u64, most: u64) -> String {
    let eighths = u128::from(count) * u128::from(WIDTH) * 8 / u128::from(most);
    let eighths = usize::try_from(eighths)
        .unwrap_or_default()
        .max(usize::from(count > 0));
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// Formats microseconds as milliseconds or seconds, with three or four digits.
pub(super) fn milliseconds(microseconds: f64) -> String {
    let time = microseconds / 1_000.0;
    match time {
        time if time < 10.0 => format!("{time:.3} ms"),
        time if time < 100.0 => format!("{time:.2} ms"),
        time if time < 1_000.0 => format!("{time:.1} ms"),
        time => format!("{:.2} s", time / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        for time in times {
            histogram.record(time).unwrap();
        }
        histogram
    }

    #[test]
    fn every_time_is_in_exactly_one_bucket() {
        for times in [
            of(1..=10_000),
            of([0, 0, 0]),
            of([7]),
            of([0, 1, 2, 3]),
            of([1, 1_000_000_000]),
            of((0..500).map(|n| 1_000 + n % 3)),
        ] {
            let buckets = buckets(&times);
            assert!(buckets.len() <= LINES);
            assert_eq!(
                buckets.iter().map(|bucket| bucket.count).sum::<u64>(),
                times.len()
            );
            assert_eq!(buckets[0].from, times.min());
            assert!(
                buckets
                    .windows(2)
                    .all(|pair| pair[0].to + 1 == pair[1].from)
            );
            assert!(buckets.last().unwrap().to >= times.value_at_quantile(1.0).min(times.max()));
        }
        assert_eq!(buckets(&of([])), []);
    }

    #[test]
    fn the_longest_bar_has_the_full_width_and_only_zero_is_empty() {
        assert_eq!(bar(7, 7).chars().count() as u64, WIDTH);
        assert_eq!(bar(0, 7), "");
        assert_eq!(bar(1, 1_000_000), "▏");
        let text = bars(&[Bucket {
            from: 0,
            to: 999,
            count: 3,
        }]);
        assert!(
            text.starts_with("   0.999 ms |█") && text.ends_with("█ 3\n"),
            "{text}"
        );
    }

    #[test]
    fn times_have_three_or_four_digits() {
        for (microseconds, text) in [
            (0.0, "0.000 ms"),
            (1_234.0, "1.234 ms"),
            (12_345.0, "12.35 ms"),
            (123_456.0, "123.5 ms"),
            (1_234_567.0, "1.23 s"),
        ] {
            assert_eq!(milliseconds(microseconds), text);
        }
    }
}
