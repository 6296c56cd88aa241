//! The format of the header `Date`.

use core::str::FromStr;

use super::{Timestamp, decimal};
use crate::TimestampError;

/// A moment in the format of the header `Date`: `Sun, 30 Aug 2015 12:36:00 GMT` (IMF-fixdate, RFC
/// 9110, section 5.6.7).
///
/// Only `FromStr` creates it. The name of the day is not checked against the date.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{HttpDate, Timestamp};
///
/// let date: HttpDate = "Sun, 30 Aug 2015 12:36:00 GMT".parse()?;
/// assert_eq!(Timestamp::from(date).to_string(), "20150830T123600Z");
/// # Ok::<(), lambda_invoke_sigv4::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate(Timestamp);

impl From<HttpDate> for Timestamp {
    fn from(date: HttpDate) -> Self {
        date.0
    }
}

/// Fails with [`TimestampError::NotAnHttpDate`] for any other text, and with
/// [`TimestampError::OutOfRange`] for a year before 1970.
impl FromStr for HttpDate {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let malformed = TimestampError::NotAnHttpDate;
        let rest = text
            .as_bytes()
            .get(5..)
            .filter(|_| text.as_bytes()[3..5] == *b", ");
        let Some(
            &[
                d0,
                d1,
                b' ',
                m0,
                m1,
                m2,
                b' ',
                y0,
                y1,
                y2,
                y3,
                b' ',
                ref time @ ..,
            ],
        ) = rest
        else {
            return Err(malformed);
        };
        let &[h0, h1, b':', n0, n1, b':', s0, s1, b' ', b'G', b'M', b'T'] = time else {
            return Err(malformed);
        };
        const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = MONTHS
            .chunks(3)
            .position(|name| name == [m0, m1, m2])
            .ok_or(malformed)?;
        let number = |digits: &[u8]| decimal(digits).ok_or(malformed);
        Timestamp::from_civil(
            [
                number(&[y0, y1, y2, y3])?,
                month as u64 + 1,
                number(&[d0, d1])?,
            ],
            [number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?],
            malformed,
        )
        .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_date_header() {
        let date: HttpDate = "Sun, 30 Aug 2015 12:36:00 GMT".parse().unwrap();
        assert_eq!(Ok(Timestamp::from(date)), "20150830T123600Z".parse());
        for text in [
            "",
            "Sun,",
            "Sun, 30 Aug 2015 12:36:00 UTC",
            "Sun, 30 aug 2015 12:36:00 GMT",
            "Sunday, 30-Aug-15 12:36:00 GMT",
            "Sun, 31 Feb 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 GMT ",
        ] {
            let error = text.parse::<HttpDate>().unwrap_err();
            assert_eq!(error, TimestampError::NotAnHttpDate, "{text}");
            assert_eq!(
                error.to_string(),
                "the date must be written like Sun, 30 Aug 2015 12:36:00 GMT"
            );
        }
        let early = "Wed, 31 Dec 1969 23:59:59 GMT".parse::<HttpDate>();
        assert_eq!(early, Err(TimestampError::OutOfRange));
    }
}
