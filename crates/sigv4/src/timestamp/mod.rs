//! Time with the precision of signatures: whole seconds, in UTC.

mod day;
mod http_date;

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::TimestampError;
use day::{civil_from_days, days_from_civil, days_in};
pub use http_date::HttpDate;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, at the latest 9999-12-31T23:59:59Z.
///
/// Written and read in the ISO 8601 basic format of `X-Amz-Date`, `20150830T123600Z`; the format of
/// `Date` is read by [`HttpDate`]. The range is the one in which a year has four digits, so that
/// writing it cannot fail.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::Timestamp;
///
/// let time: Timestamp = "20150830T123600Z".parse()?;
/// assert_eq!(time.as_secs(), 1_440_938_160);
/// assert_eq!(time.to_string(), "20150830T123600Z");
/// # Ok::<(), lambda_invoke_sigv4::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

const DAY: u64 = 86_400;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// 9999-12-31T23:59:59Z, the last moment whose year has four digits.
    pub const MAX: Self = Self(253_402_300_799);

    /// Converts whole seconds since the epoch.
    ///
    /// # Errors
    ///
    /// [`TimestampError::OutOfRange`] after [`Timestamp::MAX`].
    pub const fn from_secs(secs: u64) -> Result<Self, TimestampError> {
        if secs <= Self::MAX.0 {
            Ok(Self(secs))
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// Returns the whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Converts a time of the system's clock: its whole seconds, at least [`Timestamp::EPOCH`] and at most
    /// [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self::EPOCH.saturating_add(since),
            Err(_) => Self::EPOCH,
        }
    }

    /// Returns the moment that is `duration` (its whole seconds) later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()).min(Self::MAX.0))
    }

    /// Returns the moment that is `duration` (its whole seconds) earlier, at least [`Timestamp::EPOCH`].
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// Days since the epoch: what a signing key depends on.
    pub(crate) const fn day(self) -> u64 {
        self.0 / DAY
    }

    /// `20150830T123600Z`.
    pub(crate) fn to_basic(self) -> [u8; 16] {
        let mut stamp = *b"00000000T000000Z";
        stamp[..8].copy_from_slice(&self.date());
        self.on_day_of(stamp)
    }

    /// `20150830`.
    pub(crate) fn date(self) -> [u8; 8] {
        let (year, month, day) = civil_from_days(self.day());
        let mut date = [b'0'; 8];
        put2(&mut date, 0, year / 100);
        put2(&mut date, 2, year);
        put2(&mut date, 4, month);
        put2(&mut date, 6, day);
        date
    }

    /// Formats this moment, given the text of another moment of the same day.
    pub(crate) fn on_day_of(self, mut text: [u8; 16]) -> [u8; 16] {
        let second = self.0 % DAY;
        put2(&mut text, 9, second / 3600);
        put2(&mut text, 11, second / 60 % 60);
        put2(&mut text, 13, second % 60);
        text
    }

    /// Parses `20150830T123600Z`.
    pub(crate) fn from_basic(text: &[u8]) -> Result<Self, TimestampError> {
        let malformed = TimestampError::Malformed;
        let text: [u8; 16] = text.try_into().map_err(|_| malformed)?;
        let [.., b'T', _, _, _, _, _, _, b'Z'] = text else {
            return Err(malformed);
        };
        // All at once, which becomes vector code. The two letters count as zeros.
        let mut digits = text.map(|byte| byte.wrapping_sub(b'0'));
        (digits[8], digits[15]) = (0, 0);
        if digits
            .iter()
            .fold(false, |wrong, &digit| wrong | (digit > 9))
        {
            return Err(malformed);
        }
        let two = |at: usize| u64::from(digits[at]) * 10 + u64::from(digits[at + 1]);
        Self::from_civil(
            [two(0) * 100 + two(2), two(4), two(6)],
            [two(9), two(11), two(13)],
            malformed,
        )
    }

    /// Converts a date and a time of day; `malformed` is the error if there is no such date or time.
    fn from_civil(
        [year, month, day]: [u64; 3],
        [hour, minute, second]: [u64; 3],
        malformed: TimestampError,
    ) -> Result<Self, TimestampError> {
        if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
            return Err(malformed);
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(malformed);
        }
        if year < 1970 {
            return Err(TimestampError::OutOfRange);
        }
        Ok(Self(
            days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second,
        ))
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    /// Drops the part of a second.
    fn try_from(time: SystemTime) -> Result<Self, TimestampError> {
        let since = time
            .duration_since(UNIX_EPOCH)
            .map_err(|_| TimestampError::OutOfRange)?;
        Self::from_secs(since.as_secs())
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_secs(time.0)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::from_basic(text.as_bytes())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_basic();
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

fn put2(text: &mut [u8], at: usize, number: u64) {
    text[at] = b'0' + (number / 10 % 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_the_basic_format() {
        for (secs, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (4_107_542_400, "21000301T000000Z"),
            (253_402_300_799, "99991231T235959Z"),
        ] {
            let time = Timestamp::from_secs(secs).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
        }
    }

    #[test]
    fn rejects_what_is_not_a_date() {
        for text in [
            "",
            "20150830T123600",
            "20150830T123600z",
            "2015-08-30T12:36:00Z",
            "20150830 123600Z",
            "20150229T000000Z",
            "21000229T000000Z",
            "20151301T000000Z",
            "20150001T000000Z",
            "20150100T000000Z",
            "20150101T240000Z",
            "20150101T006000Z",
            "20150101T000060Z",
            "+0150101T000000Z",
            "2015083\u{663}T12360Z",
        ] {
            assert_eq!(
                text.parse::<Timestamp>(),
                Err(TimestampError::Malformed),
                "{text}"
            );
        }
        assert_eq!(
            "19691231T235959Z".parse::<Timestamp>(),
            Err(TimestampError::OutOfRange)
        );
        assert_eq!(
            Timestamp::from_secs(253_402_300_800),
            Err(TimestampError::OutOfRange)
        );
        let before = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(Timestamp::try_from(before), Err(TimestampError::OutOfRange));
    }

    #[test]
    fn arithmetic_stays_in_the_range() {
        let minute = Duration::from_secs(60);
        assert_eq!(Timestamp::EPOCH.saturating_sub(minute), Timestamp::EPOCH);
        assert_eq!(Timestamp::MAX.saturating_add(minute), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(
            SystemTime::from(Timestamp::EPOCH.saturating_add(minute)),
            UNIX_EPOCH + minute
        );
    }
}
