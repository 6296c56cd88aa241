//! Times as the services write them.

use std::time::Duration;

use lambda_invoke_sigv4::Timestamp;

/// Parses a time such as `2080-10-16T03:56:45Z` (RFC 3339). Fractions of a second are dropped.
/// `UTC` is accepted in place of `Z`, since older versions of the AWS CLI wrote it.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, zone) = rest.split_at_checked(8)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|one: char| one.is_ascii_digit()),
        None => zone,
    };
    let basic = |text: &str, separator: char| {
        let parts: Vec<&str> = text.split(separator).collect();
        (parts.len() == 3).then(|| parts.concat())
    };
    let utc: Timestamp = format!("{}T{}Z", basic(date, '-')?, basic(time, ':')?)
        .parse()
        .ok()?;
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
        for text in [
            "",
            "2080-10-16",
            "2080-13-16T03:56:45Z",
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
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
