//! The offset between the local clock and the service's.

use std::time::{Duration, SystemTime};

/// How far the service's clock is ahead of the clock that requests are signed with, in whole
/// seconds; negative if it is behind.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use lambda_invoke_protocol::retry::ClockOffset;
///
/// // 1994-11-06 08:39:36 by our clock; the response took two seconds.
/// let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_176);
/// let received = sent + Duration::from_secs(2);
/// let date = "Sun, 06 Nov 1994 08:49:37 GMT";
/// let offset = ClockOffset::measure(sent, received, date, false).unwrap();
/// assert_eq!(offset.as_secs(), 600);
/// assert_eq!(offset.apply(sent), sent + Duration::from_secs(600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockOffset(i64);

impl ClockOffset {
    /// No correction.
    pub const ZERO: Self = Self(0);

    /// The largest offset that is corrected: a day, which covers every mistaken time zone. A larger
    /// offset needs human attention, whether the clock or the server is wrong: anyone who keeps a
    /// signature for a distant time could misuse it then.
    pub const MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// The smallest offset that is corrected. The service tolerates five minutes.
    pub const MIN: Duration = Duration::from_secs(30);

    /// Creates an offset of this many seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Measures the offset by a response, whose `Date` is assumed to be the time halfway between
    /// sending and receiving.
    ///
    /// Returns `None` if the date is invalid, if the response has an `Age` header (it comes from a
    /// cache), or if the clock went backwards in between.
    #[must_use]
    pub fn measure(
        sent: SystemTime,
        received: SystemTime,
        date: &str,
        has_age: bool,
    ) -> Option<Self> {
        if has_age {
            return None;
        }
        let there = httpdate::parse_http_date(date.trim()).ok()?;
        let here = sent.checked_add(received.duration_since(sent).ok()? / 2)?;
        match there.duration_since(here) {
            Ok(ahead) => Some(Self(whole_seconds(ahead))),
            Err(behind) => Some(Self(-whole_seconds(behind.duration()))),
        }
    }

    /// Returns whether a response contradicts the corrected clock that its request was signed with:
    /// whether its `Date` is at least [`MIN`](Self::MIN) before `sent` or after `received`, both by
    /// that clock. A response with an invalid date or an `Age` header contradicts nothing.
    #[must_use]
    pub fn is_contradicted(
        sent: SystemTime,
        received: SystemTime,
        date: &str,
        has_age: bool,
    ) -> bool {
        if has_age {
            return false;
        }
        let Ok(there) = httpdate::parse_http_date(date.trim()) else {
            return false;
        };
        let before = sent.duration_since(there).unwrap_or_default();
        let after = there.duration_since(received).unwrap_or_default();
        before.max(after) >= Self::MIN
    }

    /// Returns the offset in seconds.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// Returns the offset's absolute value.
    #[must_use]
    pub const fn abs(self) -> Duration {
        Duration::from_secs(self.0.unsigned_abs())
    }

    /// Corrects a time. If the result cannot be represented, the time is returned unchanged.
    #[must_use]
    pub fn apply(self, time: SystemTime) -> SystemTime {
        let corrected = if self.0 < 0 {
            time.checked_sub(self.abs())
        } else {
            time.checked_add(self.abs())
        };
        corrected.unwrap_or(time)
    }

    /// Adds a further correction that was measured with the clock corrected by this one.
    #[must_use]
    pub const fn plus(self, further: Self) -> Self {
        Self(self.0.saturating_add(further.0))
    }
}

/// Rounds to the nearest second.
fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration
        .saturating_add(Duration::from_millis(500))
        .as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time of [`DATE`].
    const THERE: u64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn measure(sent: u64, received: u64) -> Option<i64> {
        ClockOffset::measure(at(sent), at(received), DATE, false).map(ClockOffset::as_secs)
    }

    #[test]
    fn is_measured_from_the_middle_in_both_directions() {
        assert_eq!(measure(THERE - 1, THERE + 1), Some(0));
        assert_eq!(measure(THERE - 700, THERE - 500), Some(600));
        assert_eq!(measure(THERE + 500, THERE + 700), Some(-600));
    }

    #[test]
    fn a_cached_invalid_or_impossible_date_measures_nothing() {
        assert_eq!(ClockOffset::measure(at(THERE), at(THERE), DATE, true), None);
        assert_eq!(ClockOffset::measure(at(0), at(0), "yesterday", false), None);
        assert_eq!(measure(THERE, THERE - 1), None);
    }

    #[test]
    fn a_date_within_the_call_contradicts_nothing() {
        let contradicted = |sent, received, date: &str, has_age| {
            ClockOffset::is_contradicted(at(sent), at(received), date, has_age)
        };
        // The head of a half-hour call arrived at the end of the call.
        assert!(!contradicted(THERE - 1800, THERE, DATE, false));
        assert!(!contradicted(THERE, THERE + 1800, DATE, false));
        assert!(!contradicted(THERE + 29, THERE + 29, DATE, false));
        for (sent, received) in [(THERE + 30, THERE + 31), (THERE - 31, THERE - 30)] {
            assert!(contradicted(sent, received, DATE, false));
            assert!(!contradicted(sent, received, DATE, true));
            assert!(!contradicted(sent, received, "yesterday", false));
        }
    }

    #[test]
    fn the_bounds_are_half_a_minute_and_a_day() {
        assert_eq!(ClockOffset::MIN.as_secs(), 30);
        assert_eq!(ClockOffset::MAX.as_secs(), 86_400);
    }

    #[test]
    fn corrects_and_adds_up() {
        let offset = ClockOffset::from_secs(-600).plus(ClockOffset::from_secs(10));
        assert_eq!(offset.apply(at(1000)), at(410));
        assert_eq!(
            ClockOffset::from_secs(i64::MIN).plus(offset).as_secs(),
            i64::MIN
        );
        let far = ClockOffset::from_secs(i64::MAX);
        assert_eq!(far.plus(far), far);
        let _ = ClockOffset::from_secs(i64::MIN).apply(at(0));
    }
}
