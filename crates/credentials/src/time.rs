//! Times as the services write them.

use std::time::Duration;

use lambda_invoke_sigv4::{Timestamp, TimestampError};

/// Parses a time such as `2080-10-16T03:56:45Z` (RFC 3339). Fractions of a second are dropped.
/// `UTC` is accepted in place of `Z`, since older versions of the AWS CLI wrote it.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, zone) = rest.split_at_checked(8)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|one: char| one.is_ascii_digit());
            // At least one digit.
            (zone.len() < fraction.len()).then_some(zone)?
        }
        None => zone,
    };
    // `2080-10-16` and `03:56:45`. The digits are checked by the parser of the basic format.
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = date.as_bytes() else {
        return None;
    };
    let &[h0, h1, b':', n0, n1, b':', s0, s1] = time.as_bytes() else {
        return None;
    };
    let basic = [
        y0, y1, y2, y3, m0, m1, d0, d1, b'T', h0, h1, n0, n1, s0, s1, b'Z',
    ];
    let utc: Timestamp = match std::str::from_utf8(&basic).ok()?.parse() {
        // Before 1970, such as the zero time of Go: long ago in any case.
        Err(TimestampError::OutOfRange) => Timestamp::EPOCH,
        parsed => parsed.ok()?,
    };
    if matches!(zone, "Z" | "z" | "UTC") {
        return Some(utc);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let offset = self::offset(offset)?;
    match sign {
        "+" => Some(utc.saturating_sub(offset)),
        "-" => Some(utc.saturating_add(offset)),
        _ => None,
    }
}

/// Parses the hours and minutes of a zone: `02:00`, or `0200` (ISO 8601).
fn offset(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|one| one.is_ascii_digit());
        is_number.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let hours = number(hours).filter(|hours| *hours <= 23)?;
    let minutes = number(minutes).filter(|minutes| *minutes <= 59)?;
    Some(Duration::from_secs(hours * 3600 + minutes * 60))
}

/// Writes a time as [`parse`] reads it.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let text = time.to_string();
    let at = |range| text.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}T{}:{}:{}Z",
        at(0..4),
        at(4..6),
        at(6..8),
        at(9..11),
        at(11..13),
        at(13..15)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_services_and_tools_write() {
        let time: Timestamp = "20801016T035645Z".parse().unwrap();
        for text in [
            "2080-10-16T03:56:45Z",
            "2080-10-16T03:56:45.123456Z",
            "2080-10-16T03:56:45UTC",
            "2080-10-16T05:56:45+02:00",
            "2080-10-15T22:26:45-05:30",
            "2080-10-16T05:56:45+0200",
            "2080-10-17T03:55:45.5+23:59",
            " 2080-10-16t03:56:45z\n",
        ] {
            assert_eq!(parse(text), Some(time), "{text}");
        }
        assert_eq!(rfc3339(time), "2080-10-16T03:56:45Z");
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(Timestamp::EPOCH));
        for text in [
            "",
            "2080-10-16",
            "2080-13-16T03:56:45Z",
            "0001-13-01T00:00:00Z",
            "2080-10-16T03:56:45",
            "é080-10-16",
            "2080-10-16T03:56:45+9999999999999999:00",
            "2080-10-16T03:56:45+00:9999999999999999999",
            "2080-10-16T03:56:45+24:00",
            "2080-10-16T03:56:45+00:60",
            "2080-10-16T03:56:45+2:00",
            "2080-10-16T03:56:45+02:0",
            "2080-10-16T03:56:45+02",
            "2080-10-16T03:56:45+02000",
            "2080-10-16T03:56:45++2:00",
            "2080-10-16T03:56:45+02:+1",
            "2080-10-16T03:56:45−02:00",
            "2080-10-16T03:56:45*02:00",
            // The separators must be where they belong.
            "20801-0-16T03:56:45Z",
            "2080-1016-T03:56:45Z",
            "2080-10-16T0356:45:Z",
            "2080-10-16T03:564:5Z",
            "2080-10-16T03:56:45.Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
