//! Numbers and times in options, each with bounds, which its message states; and numbers of things.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// The longest time. No timer overflows with it.
const TEN_YEARS: Duration = Duration::from_secs(315_360_000);

/// Returns the parser of a whole number within bounds.
pub(crate) fn whole<T>(
    bounds: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            format!("expected a whole number from {least} to {most}")
        })
    }
}

/// Returns a number of things: `1 call`, `2 calls`.
pub(crate) fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Parses a number of calls per second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(rate),
        _ => Err("expected a number of calls per second, from 0.001 to 1000000".to_owned()),
    }
}

/// Parses a number of seconds, or a number with a unit, of at most ten years.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    match time {
        Some(time) if time <= TEN_YEARS => Ok(time),
        Some(_) => Err("must be at most ten years".to_owned()),
        None => Err(
            "expected seconds, such as 30 or 1.5, or a number with a unit, such as 500ms or 2m"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_durations_with_and_without_a_unit() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("1.5", 1_500),
            ("0", 0),
            ("500ms", 500),
            ("2m", 120_000),
            ("1m 30s", 90_000),
        ] {
            assert_eq!(
                time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "-1", "soon", "5 parsecs", "inf", "nan", "1e300"] {
            assert!(
                time(text).unwrap_err().contains("such as 500ms or 2m"),
                "{text}"
            );
        }
        for text in ["11years", "315360001", "1e18"] {
            assert_eq!(time(text).unwrap_err(), "must be at most ten years");
        }
    }

    #[test]
    fn whole_numbers_have_bounds() {
        let parse = whole(1_u16..=1_000);
        assert_eq!((parse("1"), parse("1000")), (Ok(1), Ok(1_000)));
        for text in [
            "0",
            "1001",
            "-1",
            "1e2",
            "1.0",
            "70000",
            "99999999999999999999",
            "ten",
            "",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, "expected a whole number from 1 to 1000", "{text}");
        }
        assert_eq!(whole(-5_i64..=5)("-5"), Ok(-5));
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!(counted(0, "call"), "0 calls");
        assert_eq!(counted(1_u64, "call"), "1 call");
        assert_eq!(counted("11", "call"), "11 calls");
    }

    #[test]
    fn rates_have_bounds() {
        assert_eq!((rate("0.5"), rate("1e6")), (Ok(0.5), Ok(1e6)));
        for text in ["0", "-1", "1e7", "nan", "inf", "ten", ""] {
            assert!(rate(text).unwrap_err().ends_with("from 0.001 to 1000000"));
        }
    }
}
