//! The line that an event is shown as. As with `curl -v`, lines begin with `>` for sent data, `<`
//! for received data, and `*` for everything else.

use std::fmt::Write as _;
use std::time::Duration;

use super::event::Fields;
use crate::number::counted;

/// Waits shorter than this, in milliseconds, are not shown.
const NOTICEABLE: u64 = 200;

/// The line for a wait that is long enough to be noticed.
pub(super) fn wait(event: &Fields) -> Option<String> {
    (event.message == "retrying" && event.number("delay_ms") >= NOTICEABLE).then(|| retry(event))
}

/// The line for a step of a call; `None` for an event of another kind.
pub(super) fn step(event: &Fields) -> Option<String> {
    let get = |name| event.get(name);
    let line = match event.message.as_str() {
        "credentials fetched" => {
            let token = match get("has_session_token") {
                "true" => ", with a session token",
                _ => "",
            };
            let expiry = event
                .find("expiry")
                .map(|expiry| format!(", until {expiry}"));
            format!(
                "* credentials: {}{token}{}",
                get("access_key_id"),
                expiry.unwrap_or_default()
            )
        }
        "connected" => format!("* connected to {} in {}", server(event), time(event)),
        "could not connect" => format!(
            "* could not connect to {} within {}",
            server(event),
            time(event)
        ),
        "new connection used" => "* using the new connection".to_owned(),
        "connection reused" => format!(
            "* reusing a connection, after {}",
            counted(get("earlier_requests"), "earlier request")
        ),
        "request signed" => format!(
            "> POST {}, {}, attempt {}\n> signed by {} for {}",
            get("path"),
            counted(get("bytes"), "byte"),
            get("attempt"),
            get("access_key_id"),
            get("scope")
        ),
        "response received" => format!(
            "< status {}, request ID {}, after {}",
            get("status"),
            event.find("request_id").unwrap_or("not given"),
            time(event)
        ),
        "clock corrected" => format!(
            "* the clock of this machine differs from the service's: corrected by {} s",
            get("offset_secs")
        ),
        "retrying" => format!("* {}", retry(event)),
        "call failed" => format!("* gave up after attempt {}: {}", get("attempt"), why(event)),
        "response complete" => format!(
            "< complete: {}, {} after the call began",
            counted(get("received"), "byte"),
            time(event)
        ),
        "response failed" => format!(
            "< failed after {}, {} after the call began",
            counted(event.find("received").unwrap_or("0"), "byte"),
            time(event)
        ),
        _ => return None,
    };
    Some(line)
}

/// The line for an event of any library.
pub(super) fn any(target: &str, event: &Fields) -> String {
    let mut line = format!("* {target}: {}", event.message);
    for (name, value) in event.iter() {
        // Writing to a string does not fail.
        let _ = write!(line, " {name}={value}");
    }
    line
}

fn server(event: &Fields) -> String {
    let mut server = format!("{}://{}", event.get("scheme"), event.get("host"));
    if let Some(proxy) = event.find("proxy") {
        let _ = write!(server, " through the proxy {proxy}");
    }
    server
}

/// `throttled (TooManyRequestsException); trying again in 4 s (attempt 2 of 3)`
fn retry(event: &Fields) -> String {
    let code = event.find("code").map(|code| format!(" ({code})"));
    format!(
        "{}{}; trying again in {} (attempt {} of {})",
        event.get("reason"),
        code.unwrap_or_default(),
        seconds(Duration::from_millis(event.number("delay_ms"))),
        event.number("attempt") + 1,
        event.get("max_attempts"),
    )
}

fn why(event: &Fields) -> String {
    match (event.find("why"), event.find("code")) {
        (Some(why), Some(code)) => format!("{code}, {why}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => event.get("kind").to_owned(),
    }
}

/// The elapsed time of an event, with three significant digits.
fn time(event: &Fields) -> String {
    let text = event.get("elapsed");
    rounded(text).unwrap_or_else(|| text.to_owned())
}

/// Rounds a time in the form that [`Duration`]'s `Debug` writes: `20.921284ms` becomes `20.9 ms`.
fn rounded(text: &str) -> Option<String> {
    let (number, unit) = ["ns", "µs", "ms", "s"]
        .into_iter()
        .find_map(|unit| Some((text.strip_suffix(unit)?, unit)))?;
    let number: f64 = number.parse().ok()?;
    let digits = match number {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    Some(format!("{number:.digits$} {unit}"))
}

/// `4 s`, `1.5 s`, `0.25 s`.
fn seconds(time: Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrying(delay: &str) -> Fields {
        let fields = [
            ("attempt", "1"),
            ("max_attempts", "3"),
            ("delay_ms", delay),
            ("reason", "throttled"),
            ("code", "TooManyRequestsException"),
        ];
        Fields::for_test("retrying", &fields)
    }

    #[test]
    fn a_wait_that_a_person_notices_is_a_line() {
        assert_eq!(
            wait(&retrying("4000")).unwrap(),
            "throttled (TooManyRequestsException); trying again in 4 s (attempt 2 of 3)"
        );
        assert!(wait(&retrying("1250")).unwrap().contains(" in 1.25 s ("));
        assert_eq!(wait(&retrying("50")), None);
        assert_eq!(wait(&Fields::for_test("clock corrected", &[])), None);
    }

    #[test]
    fn times_have_three_significant_digits() {
        for (nanoseconds, shown) in [
            (844, "844 ns"),
            (224_644, "225 µs"),
            (4_522_887, "4.52 ms"),
            (20_921_284, "20.9 ms"),
            (2_278_594_505, "2.28 s"),
            (900_000_000_000, "900 s"),
        ] {
            let time = format!("{:?}", Duration::from_nanos(nanoseconds));
            assert_eq!(rounded(&time).as_deref(), Some(shown), "{time}");
        }
        assert_eq!(rounded("soon"), None);
    }

    #[test]
    fn an_unknown_event_is_shown_with_its_fields() {
        let event = Fields::for_test("pooling idle connection", &[("key", "a:1")]);
        assert_eq!(step(&event), None);
        assert_eq!(
            any("hyper_util::client", &event),
            "* hyper_util::client: pooling idle connection key=a:1"
        );
    }
}
