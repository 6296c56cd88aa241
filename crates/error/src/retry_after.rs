//! The delay that the service asks for.

use core::time::Duration;
use std::time::SystemTime;

use crate::header;

/// The delay that the service asks for before the next attempt.
///
/// It is sent as whole seconds or a date in `Retry-After` (RFC 9110, section 10.2.3), or as
/// milliseconds in `x-amz-retry-after`, which is more exact and takes precedence. Any other value
/// counts as absent, as it does to the AWS SDKs. A number beyond 64 bits is a long delay and not an absent
/// one: it saturates.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use std::time::SystemTime;
/// use lambda_invoke_error::RetryAfter;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
/// let date = RetryAfter::from_header("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
/// assert_eq!(date.delay(now), Duration::from_secs(7));
/// assert_eq!(RetryAfter::seconds(2).delay(now), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryAfter(Delay);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Delay {
    Seconds(u64),
    Millis(u64),
    /// Whole seconds between 1970 and 9999, as an HTTP date can express them.
    Date(SystemTime),
}

impl RetryAfter {
    /// Creates a delay of whole seconds, for `Retry-After`.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Delay::Seconds(seconds))
    }

    /// Creates a delay of milliseconds, for `x-amz-retry-after`.
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        Self(Delay::Millis(millis))
    }

    /// Parses the value of `Retry-After`: digits, or a date in any of HTTP's three formats. Returns
    /// `None` if it is neither.
    #[must_use]
    pub fn from_header(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        if let Some(seconds) = digits(value) {
            return Some(Self::seconds(seconds));
        }
        httpdate::parse_http_date(value)
            .ok()
            .map(|date| Self(Delay::Date(date)))
    }

    /// Parses the value of `x-amz-retry-after`: digits. Returns `None` if it is anything else.
    #[must_use]
    pub fn from_millis_header(value: &str) -> Option<Self> {
        digits(value.trim_matches([' ', '\t'])).map(Self::millis)
    }

    /// Returns the delay, counted from `now`; zero for a date in the past.
    #[must_use]
    pub fn delay(&self, now: SystemTime) -> Duration {
        match self.0 {
            Delay::Seconds(seconds) => Duration::from_secs(seconds),
            Delay::Millis(millis) => Duration::from_millis(millis),
            Delay::Date(date) => date.duration_since(now).unwrap_or_default(),
        }
    }

    /// Returns the header for this delay: its name and its value.
    #[must_use]
    pub fn to_header(&self) -> (&'static str, String) {
        match self.0 {
            Delay::Seconds(seconds) => (header::RETRY_AFTER, seconds.to_string()),
            Delay::Millis(millis) => (header::RETRY_AFTER_MILLIS, millis.to_string()),
            Delay::Date(date) => (header::RETRY_AFTER, httpdate::fmt_http_date(date)),
        }
    }
}

/// Parses digits and nothing else; `u64`'s own parser also accepts a plus sign. Saturates.
fn digits(value: &str) -> Option<u64> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The only error left is that the number is too large.
    Some(value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn reads_seconds_and_all_three_date_formats() {
        assert_eq!(
            RetryAfter::from_header(" 120 "),
            Some(RetryAfter::seconds(120))
        );
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let delay = RetryAfter::from_header(date).unwrap();
            assert_eq!(
                delay.delay(at(784_111_776)),
                Duration::from_secs(1),
                "{date}"
            );
            assert_eq!(delay.delay(at(784_111_778)), Duration::ZERO, "{date}");
            let (name, value) = delay.to_header();
            assert_eq!(
                (name, value.as_str()),
                ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")
            );
        }
    }

    #[test]
    fn ignores_what_is_neither_a_number_nor_a_date() {
        for value in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "soon",
            "1e3",
            "99999999999999999999999x",
        ] {
            assert_eq!(RetryAfter::from_header(value), None, "{value:?}");
            assert_eq!(RetryAfter::from_millis_header(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_number_beyond_64_bits_is_the_longest_delay_and_not_none() {
        let longest = Duration::from_secs(u64::MAX);
        for value in [
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999999",
        ] {
            let delay = RetryAfter::from_header(value).unwrap();
            assert_eq!(delay.delay(at(0)), longest, "{value}");
            let delay = RetryAfter::from_millis_header(value).unwrap();
            assert_eq!(delay.delay(at(0)), Duration::from_millis(u64::MAX));
        }
    }
}
