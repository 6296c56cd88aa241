//! The delay that the service asks for.

use core::fmt;
use core::time::Duration;
use std::time::SystemTime;

use crate::header;

/// The delay that the service asks for before the next attempt.
///
/// It is sent as whole seconds or a date in `Retry-After` (RFC 9110, section 10.2.3), or as
/// milliseconds in `x-amz-retry-after`, which is more exact and takes precedence. Any other value
/// counts as absent, as it does to the AWS SDKs. A number beyond 64 bits becomes the longest delay.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use std::time::SystemTime;
/// use lambda_invoke_error::RetryAfter;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
/// let date = RetryAfter::try_from(("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"))?;
/// assert_eq!(date.delay(now), Duration::from_secs(7));
/// let millis = RetryAfter::try_from(("x-amz-retry-after", "1500"))?;
/// assert_eq!(millis.delay(now), Duration::from_millis(1500));
/// assert_eq!(RetryAfter::seconds(2).delay(now), Duration::from_secs(2));
/// # Ok::<(), lambda_invoke_error::RetryAfterError>(())
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

/// Parses a header, given its name (in any case) and its value, in the form that
/// [`RetryAfter::to_header`] returns: digits or a date (in any of HTTP's three formats) for
/// `Retry-After`, digits for `x-amz-retry-after`.
impl TryFrom<(&str, &str)> for RetryAfter {
    type Error = RetryAfterError;

    fn try_from((name, value): (&str, &str)) -> Result<Self, RetryAfterError> {
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case(header::RETRY_AFTER_MILLIS) {
            return digits(value)
                .map(Self::millis)
                .ok_or(RetryAfterError::NotMillis);
        }
        if !name.eq_ignore_ascii_case(header::RETRY_AFTER) {
            return Err(RetryAfterError::OtherHeader);
        }
        if let Some(seconds) = digits(value) {
            return Ok(Self::seconds(seconds));
        }
        httpdate::parse_http_date(value)
            .map(|date| Self(Delay::Date(date)))
            .map_err(|_| RetryAfterError::NotSecondsOrDate)
    }
}

/// Why a header is not a [`RetryAfter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfterError {
    /// The name is not one of the two headers.
    OtherHeader,
    /// The value of `Retry-After` is neither digits nor a date.
    NotSecondsOrDate,
    /// The value of `x-amz-retry-after` is not digits.
    NotMillis,
}

impl fmt::Display for RetryAfterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherHeader => "the header must be retry-after or x-amz-retry-after",
            Self::NotSecondsOrDate => {
                "the value of retry-after must be whole seconds or an HTTP date"
            }
            Self::NotMillis => "the value of x-amz-retry-after must be whole milliseconds",
        })
    }
}

impl core::error::Error for RetryAfterError {}

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
            RetryAfter::try_from(("Retry-After", " 120 ")),
            Ok(RetryAfter::seconds(120))
        );
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let delay = RetryAfter::try_from(("retry-after", date)).unwrap();
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
            for (name, error, message) in [
                (
                    "retry-after",
                    RetryAfterError::NotSecondsOrDate,
                    "the value of retry-after must be whole seconds or an HTTP date",
                ),
                (
                    "x-amz-retry-after",
                    RetryAfterError::NotMillis,
                    "the value of x-amz-retry-after must be whole milliseconds",
                ),
            ] {
                assert_eq!(RetryAfter::try_from((name, value)), Err(error), "{value:?}");
                assert_eq!(error.to_string(), message);
            }
        }
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let millis = RetryAfter::try_from(("x-amz-retry-after", date));
        assert_eq!(millis, Err(RetryAfterError::NotMillis));
        let error = RetryAfter::try_from(("date", date)).unwrap_err();
        assert_eq!(error, RetryAfterError::OtherHeader);
        assert_eq!(
            error.to_string(),
            "the header must be retry-after or x-amz-retry-after"
        );
    }

    #[test]
    fn a_number_beyond_64_bits_is_the_longest_delay_and_not_none() {
        let longest = Duration::from_secs(u64::MAX);
        for value in [
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999999",
        ] {
            let delay = RetryAfter::try_from(("retry-after", value)).unwrap();
            assert_eq!(delay.delay(at(0)), longest, "{value}");
            let delay = RetryAfter::try_from(("X-Amz-Retry-After", value)).unwrap();
            assert_eq!(delay.delay(at(0)), Duration::from_millis(u64::MAX));
        }
    }
}
