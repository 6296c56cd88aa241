//! The types of the option values of `serve`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use lambda_invoke_endpoint::Bandwidth;

use crate::number::{time, whole};

/// The largest limit of calls and events.
pub(super) const MOST: usize = 1_000_000;

/// The text of an access key, redacted in `Debug`.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The highest version of a function.
const MOST_VERSION: u64 = 1_000_000_000;

/// An alias such as `hello:live=3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) function: String,
    pub(super) alias: String,
    pub(super) version: u64,
}

impl FromStr for Alias {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected FUNCTION:ALIAS=VERSION with a version from 1 to {MOST_VERSION}, such as \
                 hello:live=3"
            )
        };
        let (function, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (alias, version) = rest.split_once('=').ok_or_else(wrong)?;
        let version = whole(1..=MOST_VERSION)(version).map_err(|_| wrong())?;
        Ok(Self {
            function: function.to_owned(),
            alias: alias.to_owned(),
            version,
        })
    }
}

/// A concurrency limit such as `hello=2`, or `2` for each function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Concurrency {
    pub(super) function: Option<String>,
    pub(super) limit: usize,
}

impl FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (function, limit) = match text.split_once('=') {
            Some((function, limit)) => (Some(function.to_owned()), limit),
            None => (None, text),
        };
        let limit = whole(0..=MOST)(limit).map_err(|_| {
            format!(
                "expected a number from 0 to {MOST} for each function, or FUNCTION=NUMBER for one, such \
                 as 2 or hello=2"
            )
        })?;
        Ok(Self { function, limit })
    }
}

/// Delays such as `1s,2s`, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delays(Vec<Duration>);

impl Delays {
    pub(super) fn iter(&self) -> impl Iterator<Item = Duration> {
        self.0.iter().copied()
    }
}

impl FromStr for Delays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        text.split(',')
            .map(|delay| time(delay.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A bandwidth: `off`, `service`, or a burst and a rate such as `6MiB,2MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamBandwidth(Option<Bandwidth>);

impl StreamBandwidth {
    pub(super) fn bandwidth(self) -> Option<Bandwidth> {
        self.0
    }
}

impl FromStr for StreamBandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bandwidth = match text {
            "off" => None,
            "service" => Some(Bandwidth::SERVICE),
            _ => {
                let (burst, rate) = text.split_once(',').ok_or(
                    "expected off, service, or BURST,RATE with a rate per second, such as \
                     6MiB,2MiB",
                )?;
                let rate =
                    NonZeroU64::new(size(rate.trim())?).ok_or("the rate must be greater than 0")?;
                Some(Bandwidth::new(size(burst.trim())?, rate))
            }
        };
        Ok(Self(bandwidth))
    }
}

/// Parses a number of bytes, optionally in `KiB`, `MiB` or `GiB`, of at most 1024 GiB.
pub(super) fn size(text: &str) -> Result<u64, String> {
    const MOST_BYTES: u64 = 1 << 40;
    let wrong = || {
        "expected a number of bytes, optionally in KiB, MiB or GiB, such as 64KiB, and at most \
         1024GiB"
            .to_owned()
    };
    let digits = text.find(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << shift);
    bytes.filter(|bytes| *bytes <= MOST_BYTES).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, count) in [
            ("0", 0),
            ("12B", 12),
            ("64KiB", 65_536),
            ("200 MiB", 209_715_200),
        ] {
            assert_eq!(size(text), Ok(count), "{text}");
        }
        for text in ["", "1.5MiB", "1MB", "-1", "1025GiB", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_bandwidths() {
        let bandwidth = |text: &str| text.parse::<StreamBandwidth>().map(|read| read.0);
        assert_eq!(bandwidth("off"), Ok(None));
        assert_eq!(bandwidth("service"), Ok(Some(Bandwidth::SERVICE)));
        assert_eq!(bandwidth("6MiB,2MiB"), Ok(Some(Bandwidth::SERVICE)));
        let slow = Bandwidth::new(0, NonZeroU64::new(100).unwrap());
        assert_eq!(bandwidth("0, 100"), Ok(Some(slow)));
        for text in ["", "on", "Service", "2MiB", "6MiB,0", "6MiB,", "6MB,2MB"] {
            assert!(bandwidth(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_aliases_limits_and_delays() {
        let alias: Alias = "hello:live=3".parse().unwrap();
        assert_eq!(
            (alias.function.as_str(), alias.alias.as_str(), alias.version),
            ("hello", "live", 3)
        );
        for text in [
            "hello",
            "hello:live",
            "hello=3",
            "hello:live=x",
            "hello:live=0",
        ] {
            assert!(text.parse::<Alias>().is_err(), "{text}");
        }
        assert_eq!("hello=0".parse::<Concurrency>().unwrap().limit, 0);
        assert_eq!("3".parse::<Concurrency>().unwrap().function, None);
        assert!("hello".parse::<Concurrency>().is_err());
        assert_eq!("none".parse(), Ok(Delays(Vec::new())));
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!("1s, 2m".parse(), Ok(Delays(vec![seconds(1), seconds(120)])));
        assert!("1s,,2s".parse::<Delays>().is_err());
        assert!("1s,11years".parse::<Delays>().is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret: Secret = "id:hush-hush".parse().unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
