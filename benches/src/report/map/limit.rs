//! `map` with an endpoint whose concurrency limit it has to find.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use super::{PART, program};
use crate::programs::Place;
use crate::rows::{Goal, Row};
use crate::runtime::Host;
use crate::{Report, Result};

/// The limit of the endpoint, and the payload of a call, which takes 0.1 seconds.
const LIMIT: usize = 100;
const CALL: &str = r#"{"n":2,"delay_ms":100}"#;

/// The seconds in which the best fixed concurrency is measured; in the first second, the run starts
/// up.
const FIXED: std::ops::Range<usize> = 1..5;

/// The limit has to be found within ten seconds; these are the seconds after that.
const FOUND: std::ops::Range<usize> = 10..15;

pub fn unknown_limit(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut serve = Command::new(place.program("lambda-invoke"));
    serve.args(["serve", "--quiet", "--listen", "127.0.0.1:0"]);
    serve.arg("--concurrency").arg(format!("count={LIMIT}"));
    let host = Host::announced(&mut serve)?;
    let fixed = per_second(place, &host.url, LIMIT, FIXED.end)?;
    let best = mean(&fixed[FIXED]);
    let found = per_second(place, &host.url, 1_000, FOUND.end)?;
    report.raw(
        "map",
        json!({ "limit": LIMIT, "fixed": fixed, "found": found }),
    );
    let shares: Vec<String> = found
        .iter()
        .map(|count| format!("{:.0}", count / best * 100.0))
        .collect();
    Ok(vec![Row::ratio(
        PART,
        format!(
            "map, an unknown limit of {LIMIT} at once, results a second after ten seconds relative \
             to the best fixed concurrency"
        ),
        mean(&found[FOUND]) / best,
        Goal::AtLeast(0.9),
        format!(
            "{best:.0} results a second at a concurrency of {LIMIT}; % of it in each second: {}",
            shares.join(", ")
        ),
    )])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the number of results in each second of a run. The run gets payloads for this many
/// seconds.
fn per_second(place: &Place, url: &str, concurrency: usize, seconds: usize) -> Result<Vec<f64>> {
    let mut command = program(place, url, &["map", "count"]);
    command.args(["--concurrency", &concurrency.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (Some(mut input), Some(output)) = (input, output) else {
        return Err("the program has no pipes".into());
    };
    let feeding = std::thread::spawn(move || {
        let payloads = format!("{CALL}\n").repeat(100);
        // The write fails once the program has ended.
        while input.write_all(payloads.as_bytes()).is_ok() {}
    });
    let began = Instant::now();
    let mut counts = vec![0.0; seconds];
    let mut ended = Ok(());
    for line in BufReader::new(output).lines() {
        let second = began.elapsed().as_secs() as usize;
        match (line, counts.get_mut(second)) {
            (Ok(line), Some(count)) if line.contains(r#""outcome":"done""#) => *count += 1.0,
            (Ok(_), None) => break,
            (line, _) => {
                ended = Err(format!("map with an unknown limit wrote {line:?}"));
                break;
            }
        }
    }
    child.kill()?;
    child.wait()?;
    // The thread has ended by now, and does not panic.
    let _ = feeding.join();
    Ok(ended.map(|()| counts)?)
}
