//! The text form of fault rules.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lambda_invoke_error::{ServiceError, ThrottleReason, lookup};

use super::rule::{Fault, FaultKind};

/// The reason why a text is not a fault rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultParseError(String);

impl fmt::Display for FaultParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultParseError {}

/// The kinds of faults, for error messages.
const KINDS: &str = "error, throttle, delay, delay-chunks, reset-at, cut-at, end-at, flip-at, \
                     wrong-crc, no-complete, after-complete, exception, complete-error or twice";

fn error(message: impl Into<String>) -> FaultParseError {
    FaultParseError(message.into())
}

impl FromStr for Fault {
    type Err = FaultParseError;

    fn from_str(text: &str) -> Result<Self, FaultParseError> {
        let (pattern, rest) = text.split_once(':').ok_or_else(|| {
            error("a fault needs a function pattern and ':' first, such as '*: delay=200ms'")
        })?;
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Err(error(
                "the function pattern before ':' is empty; '*' is every function",
            ));
        }
        let mut words = Words {
            pairs: words(rest)?,
        };
        let mut fault = Self::new(kind(&mut words)?).on(pattern);
        if let Some(every) = words.number::<u64>("every")? {
            if every == 0 {
                return Err(error("every must be at least 1"));
            }
            fault = fault.every(every);
        }
        if let Some(probability) = words.number::<f64>("probability")? {
            if !(0.0..=1.0).contains(&probability) {
                return Err(error("probability must be from 0 to 1"));
            }
            fault = fault.probability(probability);
        }
        if let Some(times) = words.number("times")? {
            fault = fault.times(times);
        }
        fault.check().map_err(error)?;
        match words.pairs.first() {
            None => Ok(fault),
            Some((name, _)) => Err(error(format!("'{name}' is not a parameter of this fault"))),
        }
    }
}

/// The `name` and `name=value` words of a rule that have not been read yet.
struct Words {
    pairs: Vec<(String, Option<String>)>,
}

impl Words {
    fn take(&mut self, name: &str) -> Option<Option<String>> {
        let place = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.remove(place).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, FaultParseError> {
        match self.take(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(error(format!("'{name}' needs a value: {name}=..."))),
        }
    }

    fn number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, FaultParseError> {
        self.text(name)?
            .map(|value| number(name, &value))
            .transpose()
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, FaultParseError> {
    value
        .parse()
        .map_err(|_| error(format!("'{value}' is not a valid number for {name}")))
}

fn kind(words: &mut Words) -> Result<FaultKind, FaultParseError> {
    if words.pairs.is_empty() {
        return Err(error(format!("the rule has no fault: it needs {KINDS}")));
    }
    let (name, value) = words.pairs.remove(0);
    let plain = match name.as_str() {
        "no-complete" => Some(FaultKind::NoComplete),
        "after-complete" => Some(FaultKind::AfterComplete),
        "twice" => Some(FaultKind::Twice),
        _ => None,
    };
    if let Some(kind) = plain {
        return match value {
            None => Ok(kind),
            Some(_) => Err(error(format!("{name} has no value"))),
        };
    }
    if name == "wrong-crc" {
        let message = value.map_or(Ok(0), |value| number(&name, &value))?;
        return Ok(FaultKind::WrongCrc(message));
    }
    let needed = || {
        value
            .clone()
            .ok_or_else(|| error(format!("{name} needs a value: {name}=...")))
    };
    Ok(match name.as_str() {
        "error" => FaultKind::Error(service_error(&needed()?, words)?),
        "throttle" => FaultKind::Throttle {
            reason: reason(&needed()?)?,
            retry_after: words.number("retry-after")?,
        },
        "delay" => FaultKind::Delay(duration(&needed()?)?),
        "delay-chunks" => FaultKind::DelayChunks(duration(&needed()?)?),
        "reset-at" => FaultKind::ResetAt(number(&name, &needed()?)?),
        "cut-at" => FaultKind::CutAt(number(&name, &needed()?)?),
        "end-at" => FaultKind::EndAt(number(&name, &needed()?)?),
        "flip-at" => {
            let bit = words.number("bit")?.unwrap_or(0);
            if bit > 7 {
                return Err(error("bit must be from 0 to 7"));
            }
            FaultKind::FlipAt {
                byte: number(&name, &needed()?)?,
                bit,
            }
        }
        "exception" => FaultKind::Exception {
            code: needed()?,
            message: words.text("message")?.unwrap_or_default(),
            after: words.number("after")?,
        },
        "complete-error" => FaultKind::CompleteError {
            code: needed()?,
            details: words.text("details")?,
        },
        _ => {
            return Err(error(format!(
                "'{name}' is not a fault: it must be {KINDS}"
            )));
        }
    })
}

fn service_error(code: &str, words: &mut Words) -> Result<ServiceError, FaultParseError> {
    let status = words.number::<u16>("status")?;
    let message = words.text("message")?;
    match (lookup(code), status) {
        (Some(row), None) => Ok(row.error(message.as_deref().unwrap_or(row.meaning))),
        (row, Some(status)) => {
            let invalid = |reason| error(format!("error={code} status={status}: {reason}"));
            let made = ServiceError::unmodelled(code, status).map_err(invalid)?;
            let message = message.as_deref().or(row.map(|row| row.meaning));
            Ok(made.with_message(message.unwrap_or("An injected fault.")))
        }
        (None, None) => Err(error(format!(
            "the service has no error called {code}; add status=... for a custom error"
        ))),
    }
}

fn reason(text: &str) -> Result<ThrottleReason, FaultParseError> {
    let known = ThrottleReason::KNOWN;
    let found = known.iter().find(|reason| reason.as_str() == text);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(ThrottleReason::as_str).collect();
        error(format!(
            "'{text}' is not a throttle reason: it must be one of {}",
            names.join(", ")
        ))
    })
}

/// Parses a duration such as `200ms`, `1.5s` or `2m`. Anything finer than a nanosecond is dropped.
pub(crate) fn duration(text: &str) -> Result<Duration, FaultParseError> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(number.len()..) {
        Some("ms") => 1_000_000,
        Some("s") => 1_000_000_000,
        Some("m") => 60_000_000_000,
        _ => return Err(error(format!("'{text}' needs a unit: 200ms, 1.5s or 2m"))),
    };
    exact(number, unit)
        .ok_or_else(|| error(format!("'{text}' is not a duration such as 200ms or 1.5s")))
}

/// Returns a decimal number of units, each of so many nanoseconds. Not calculated as a floating-point
/// number, which is exact for few decimals: a rule as it is shown is the same rule.
fn exact(number: &str, unit: u128) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
    if digits.peek().is_none() || !digits.all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = match whole {
        "" => 0,
        digits => digits.parse::<u128>().ok()?.checked_mul(unit)?,
    };
    // With at most 27 decimals, nothing overflows.
    let (mut part, mut scale) = (0, 1);
    for digit in fraction.bytes().take(27) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    let nanoseconds = whole.checked_add(part * unit / scale)?;
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanoseconds % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Splits a rule at spaces outside of quotation marks, and each word at its first `=`.
fn words(text: &str) -> Result<Vec<(String, Option<String>)>, FaultParseError> {
    let mut pairs = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(c) = characters.next_if(|c| !c.is_whitespace() && *c != '=') {
            name.push(c);
        }
        let mut value = None;
        if characters.next_if_eq(&'=').is_some() {
            let mut read = String::new();
            if characters.next_if_eq(&'"').is_some() {
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some('\\') => read.extend(characters.next()),
                        Some(c) => read.push(c),
                        None => {
                            return Err(error(format!("the value of {name} has no closing '\"'")));
                        }
                    }
                }
            } else {
                while let Some(c) = characters.next_if(|c| !c.is_whitespace()) {
                    read.push(c);
                }
            }
            value = Some(read);
        }
        if name.is_empty() && value.is_none() {
            return Ok(pairs);
        }
        if name.is_empty() {
            return Err(error("a value has no name before its '='"));
        }
        pairs.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_round_trips() {
        for text in [
            "hello: error=ServiceException message=\"down \\\"for\\\" tea\"",
            "hello: error=TeapotException status=418 message=\"short\"",
            "*: error=ServiceException status=503 message=\"x\" every=2",
            "*: error=ServiceException status=500 message=\"x\"",
            "*: error=InternalError status=500 message=\"x\"",
            "*: error=\"\\\"x\" status=418 message=\"y\"",
            "*: throttle=ReservedFunctionConcurrentInvocationLimitExceeded retry-after=2",
            "*: throttle=CallerRateLimitExceeded times=1",
            "*: delay=200ms",
            "*: delay=1.5ms",
            "*: delay=0.000001ms",
            "*: delay=118446709551615000ms",
            "*: delay=18446744073709551615999.999999ms",
            "a-*: delay-chunks=1500ms probability=0.25",
            "*: reset-at=100",
            "*: cut-at=0",
            "*: end-at=18446744073709551615",
            "*: flip-at=3 bit=7",
            "*: wrong-crc=2",
            "*: no-complete every=3 probability=1 times=4",
            "*: after-complete",
            "*: exception=\"ServiceException\" message=\"\" after=1",
            "*: complete-error=\"Runtime.ExitError\" details=\"killed\"",
            "*: complete-error=\"E\"",
            "*: twice",
        ] {
            let fault: Fault = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(fault.to_string(), text);
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn durations_are_exact() {
        for (text, nanoseconds) in [
            ("0s", 0),
            (".5ms", 500_000),
            ("2.ms", 2_000_000),
            ("0.1s", 100_000_000),
            ("0.3m", 18_000_000_000),
            ("9007199254.740993s", 9_007_199_254_740_993_000),
            ("0.0000000019s", 1),
            ("0.00000000009999999999999999999999999999999999999999m", 5),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_nanos(nanoseconds)),
                "{text}"
            );
        }
        let longest = "18446744073709551615.9999999999s";
        assert_eq!(duration(longest), Ok(Duration::MAX));
        let digits = "9".repeat(400);
        for text in [
            "18446744073709551616s",
            "5671372782015641057722910123862803524m",
            &format!("{digits}s"),
            ".s",
            "s",
            "1.2.3s",
            "+1s",
            "-1s",
            "1e3s",
            "infs",
            "\u{661}s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn optional_parameters_have_defaults() {
        for (short, long) in [
            ("*: wrong-crc", "*: wrong-crc=0"),
            ("*: flip-at=9", "*: flip-at=9 bit=0"),
            (" * :   delay=0.2s ", "*: delay=200ms"),
            ("*: delay=2m", "*: delay=120000ms"),
            ("*: exception=E", "*: exception=\"E\" message=\"\""),
        ] {
            assert_eq!(short.parse::<Fault>(), long.parse::<Fault>(), "{short}");
        }
    }

    #[test]
    fn rejects_invalid_rules_with_a_reason() {
        let long_exception = format!("*: exception={}", "E".repeat(70_000));
        for (text, says) in [
            ("delay=200ms", "function pattern"),
            (": delay=200ms", "pattern before ':' is empty"),
            ("*:", "has no fault"),
            ("*: explode", "'explode' is not a fault"),
            ("*: delay=200", "needs a unit"),
            ("*: delay=-1s", "not a duration"),
            ("*: delay", "needs a value"),
            ("*: twice=2", "has no value"),
            ("*: after-complete=1", "has no value"),
            (
                "*: error=NoSuchException",
                "no error called NoSuchException",
            ),
            ("*: error=Fine status=200", "expected 400 to 599"),
            ("*: throttle=Because", "not a throttle reason"),
            ("*: cut-at=-1", "not a valid number"),
            ("*: flip-at=1 bit=8", "from 0 to 7"),
            ("*: twice every=0", "at least 1"),
            ("*: twice probability=1.5", "from 0 to 1"),
            ("*: twice probability=NaN", "from 0 to 1"),
            ("*: twice message=x", "not a parameter of"),
            ("*: error=ServiceException message=\"x", "no closing"),
            ("*: =x", "no name"),
            (&long_exception, "cannot be sent in a message"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
