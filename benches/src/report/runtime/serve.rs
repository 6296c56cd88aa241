//! `lambda-invoke serve app.py`: its start, and its memory.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use super::host::{Call, Host};
use super::processes::memory;
use super::{PART, PAYLOAD};
use crate::page::bytes;
use crate::programs::Place;
use crate::rows::{Goal, Row, time};
use crate::stats::median;
use crate::{Report, Result};

/// The number of idle instances when memory is measured.
const INSTANCES: usize = 8;

pub fn serve(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut rows = vec![start(place, report)?];
    rows.extend(idle(place, report)?);
    Ok(rows)
}

/// `lambda-invoke serve app.py`, without signatures.
fn command(place: &Place) -> Command {
    let mut command = Command::new(place.program("lambda-invoke"));
    command
        .args(["serve", "app.py", "--no-verify", "--quiet"])
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(place.benches.join("functions"))
        .env("PATH", &place.path);
    command
}

/// The time from the start of the process to the first byte of the first call, compared with the
/// interpreter running the same module.
fn start(place: &Place, report: &mut Report) -> Result<Row> {
    let rounds = if report.quick { 10 } else { 40 };
    let (mut ours, mut python, mut added) = (Vec::new(), Vec::new(), Vec::new());
    // The first round compiles the module, and does not count.
    for round in 0..=rounds {
        let begun = Instant::now();
        let host = Host::announced(&mut command(place))?;
        let first = Call::send(&host.url, "app", PAYLOAD)?.first_byte()?;
        let own = (first - begun).as_nanos() as f64;
        drop(host);
        let bare = interpreter(place)?;
        report.raw(
            "runtime",
            json!({ "start": "serve", "round": round, "wall_ns": own, "python_ns": bare }),
        );
        if round > 0 {
            ours.push(own);
            python.push(bare);
            added.push((own - bare) / 1e6);
        }
    }
    Ok(Row {
        part: PART,
        name: "serve app.py, start to the first byte of the first call, more than Python alone"
            .to_owned(),
        measured: median(&added),
        unit: " ms",
        goal: Goal::AtMost(15.0),
        detail: format!(
            "{}, interpreter and module alone {}",
            time(median(&ours)),
            time(median(&python))
        ),
    })
}

/// Returns the time until an interpreter has imported the module, called the handler and written
/// the result, in nanoseconds.
fn interpreter(place: &Place) -> Result<f64> {
    let code = format!("import app; print(app.handler({PAYLOAD}, None), flush=True)");
    let begun = Instant::now();
    let mut child = Command::new("python3")
        .args(["-c", &code])
        .current_dir(place.benches.join("functions"))
        .env("PATH", &place.path)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut byte = [0];
    if let Some(output) = &mut child.stdout {
        output.read_exact(&mut byte)?;
    }
    let first = begun.elapsed();
    child.wait()?;
    Ok(first.as_nanos() as f64)
}

/// Memory while nothing runs: before the first call, and with idle instances.
fn idle(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let rounds = if report.quick { 1 } else { 5 };
    let mut all = [const { Vec::new() }; 3];
    for round in 0..rounds {
        let host = Host::announced(&mut command(place))?;
        // A call of an unknown function allocates what any call needs, but starts no process.
        let _ = Call::send(&host.url, "unknown", PAYLOAD)?.first_byte();
        let before = generations(&host)?;
        // All calls run at the same time, so that each needs an instance of its own.
        let slow = r#"{"name":"Ada","seconds":1}"#;
        let calls: Result<Vec<_>> = (0..INSTANCES)
            .map(|_| Call::send(&host.url, "app", slow))
            .collect();
        for call in calls? {
            call.first_byte()?;
        }
        let after = generations(&host)?;
        // Each instance has a supervisor.
        if host.processes()?.len() != 1 + 2 * INSTANCES {
            return Err("not every call has an instance of its own".into());
        }
        // The host and its supervisors are measured together: they run the same program, so their
        // shared pages are divided among them, and the host's share falls with each supervisor.
        let each = |bytes: f64| bytes / INSTANCES as f64;
        let values = [
            before[0],
            each(after[0] + after[1] - before[0]),
            each(after[2]),
        ];
        report.raw("runtime", json!({ "memory": values, "round": round }));
        for (all, value) in all.iter_mut().zip(values) {
            all.push(value);
        }
    }
    let [serve, instance, function] = all.each_ref().map(|values| median(values));
    let row = |name: &str, measured: f64, unit, detail| Row {
        part: PART,
        name: name.to_owned(),
        measured,
        unit,
        goal: Goal::Fact,
        detail,
    };
    Ok(vec![
        row(
            "serve app.py, memory before the first call",
            serve / 1e6,
            " MB",
            "one process".to_owned(),
        ),
        row(
            "serve app.py, memory of an idle instance, besides the function's own",
            instance / 1e3,
            " kB",
            format!(
                "in serve and the supervisor; the interpreter with the function {}; {INSTANCES} \
                 instances",
                bytes(function)
            ),
        ),
    ])
}

/// The memory of the host, of its children, and of their descendants.
fn generations(host: &Host) -> Result<[f64; 3]> {
    let mut sums = [0.0; 3];
    for process in host.processes()? {
        sums[process.generation.min(2)] += memory(process)?;
    }
    Ok(sums)
}
