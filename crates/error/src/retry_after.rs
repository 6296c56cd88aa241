//! How long the service asks to wait.

use core::time::Duration;
use std::time::SystemTime;

use crate::header;

/// How long the service asks to wait before the next attempt.
///
/// It comes as whole seconds or a date in `Retry-After` (RFC 9110, section 10.2.3), or as
/// milliseconds in `x-amz-retry-after`, which is the more exact one and wins if there are both. A
/// value that is none of these is no wish at all, as the AWS SDKs have it; a number that is too large
/// is the longest wish.
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
pub struct RetryAfter(Wish);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wish {
    Seconds(u64),
    Millis(u64),
    /// Only what an HTTP date can say: whole seconds between 1970 and 9999.
    Date(SystemTime),
}

impl RetryAfter {
    /// A wish of whole seconds, for `Retry-After`.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Wish::Seconds(seconds))
    }

    /// A wish of milliseconds, for `x-amz-retry-after`.
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        Self(Wish::Millis(millis))
    }

    /// Reads the value of `Retry-After`: digits, or a date in any of HTTP's three formats. `None`
    /// if it is neither.
    #[must_use]
    pub fn from_header(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        if let Some(seconds) = digits(value) {
            return Some(Self::seconds(seconds));
        }
        httpdate::parse_http_date(value)
            .ok()
            .map(|date| Self(Wish::Date(date)))
    }

    /// Reads the value of `x-amz-retry-after`: digits. `None` if it is anything else.
    #[must_use]
    pub fn from_millis_header(value: &str) -> Option<Self> {
        digits(value.trim_matches([' ', '\t'])).map(Self::millis)
    }

    /// How long to wait from `now` on; nothing for a date that has passed.
    #[must_use]
    pub fn delay(&self, now: SystemTime) -> Duration {
        match self.0 {
            Wish::Seconds(seconds) => Duration::from_secs(seconds),
            Wish::Millis(millis) => Duration::from_millis(millis),
            Wish::Date(date) => date.duration_since(now).unwrap_or_default(),
        }
    }

    /// The header that says it: its name and its value.
    #[must_use]
    pub fn to_header(&self) -> (&'static str, String) {
        match self.0 {
            Wish::Seconds(seconds) => (header::RETRY_AFTER, seconds.to_string()),
            Wish::Millis(millis) => (header::RETRY_AFTER_MILLIS, millis.to_string()),
            Wish::Date(date) => (header::RETRY_AFTER, httpdate::fmt_http_date(date)),
        }
    }
}

/// Digits and nothing else: `u64`'s own parser would also take a plus sign. A number that is too
/// large is the largest: the wish is clear.
fn digits(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
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
            let wish = RetryAfter::from_header(date).unwrap();
            assert_eq!(
                wish.delay(at(784_111_776)),
                Duration::from_secs(1),
                "{date}"
            );
            assert_eq!(wish.delay(at(784_111_778)), Duration::ZERO, "{date}");
            let (name, value) = wish.to_header();
            assert_eq!(
                (name, value.as_str()),
                ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")
            );
        }
    }

    #[test]
    fn ignores_what_is_no_wish() {
        for value in ["", "-1", "+1", "1.5", "soon", "1e3", "\u{661}"] {
            assert_eq!(RetryAfter::from_header(value), None, "{value:?}");
            assert_eq!(RetryAfter::from_millis_header(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_the_longest_delay() {
        for number in [
            "18446744073709551615",
            "18446744073709551616",
            &"9".repeat(5000),
        ] {
            let wish = RetryAfter::from_header(number).unwrap();
            assert_eq!(wish.delay(at(0)), Duration::from_secs(u64::MAX));
            let wish = RetryAfter::from_millis_header(number).unwrap();
            assert_eq!(wish.delay(at(0)), Duration::from_millis(u64::MAX));
        }
        // The last second that an HTTP date can say.
        let wish = RetryAfter::from_header("Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
        assert_eq!(wish.delay(at(0)), Duration::from_secs(253_402_300_799));
    }
}
