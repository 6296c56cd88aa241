//! Small streams: CPU time by concurrency and threads, allocations, and memory of open streams.

use serde_json::json;

use super::{Outputs, Turns, number};
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row};
use crate::stats::median;
use crate::{Report, Result};

/// How many streams run at once.
const AT_ONCE: [usize; 5] = [1, 8, 32, 256, 1024];
const BARE: (usize, &str) = (1, "bare hyper-util");
const SDK: (usize, &str) = (2, "aws-sdk-lambda");

pub fn client(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut rows = Vec::new();
    // Many short rounds, since disturbances come in bursts, which then affect only a few of the
    // rounds.
    let (rounds, count) = (if report.quick { 5 } else { 15 }, 3000);
    for threads in ["1", "2"] {
        for at_once in AT_ONCE {
            let (at_once_text, count_text) = (at_once.to_string(), count.to_string());
            let turns = Turns {
                clients: &["ours", "bare", "sdk"],
                args: &[&server.url, "small", &at_once_text, &count_text],
                env: vec![("BENCH_THREADS", threads)],
                cpu: None,
                rounds,
            };
            let outputs = turns.run(place, report)?;
            rows.extend(small(&outputs, at_once, threads, count)?);
        }
    }
    rows.extend(allocations(place, report, &server.url)?);
    rows.extend(memory(place, report)?);
    Ok(rows)
}

fn small(outputs: &Outputs, at_once: usize, threads: &str, count: usize) -> Result<Vec<Row>> {
    let on = if threads == "1" {
        "one thread"
    } else {
        "two threads"
    };
    let name = |what| format!("client, {at_once} small streams at once, {on}, {what}");
    let (cpu, each) = ("cpu_ns", count as f64);
    // With more than one thread, the SDK's ratio has no goal.
    let peer = if threads == "1" {
        Goal::AtLeast(2.9)
    } else {
        Goal::Fact
    };
    Ok(vec![
        outputs.row(
            name("CPU relative to the limit"),
            cpu,
            BARE,
            each,
            Goal::AtMost(1.35),
        )?,
        match peer {
            Goal::Fact => {
                outputs.row(name("CPU relative to aws-sdk-lambda"), cpu, SDK, each, peer)?
            }
            _ => outputs.row(name("less CPU than aws-sdk-lambda"), cpu, SDK, each, peer)?,
        },
    ])
}

fn allocations(place: &Place, report: &mut Report, url: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (work, what) in [("invoke", "invoke"), ("small", "small stream")] {
        let mut counts = Vec::new();
        for client in ["ours", "bare", "sdk"] {
            let program = format!("allocations-{client}");
            let measured = place.measure_on(None, &program, &[url, work], &[])?;
            counts.push(number(&measured, "allocations")?);
            report.raw(
                "allocations",
                json!({ "client": client, "work": work, "measured": measured }),
            );
        }
        let detail = format!(
            "bare hyper-util {:.0}, aws-sdk-lambda {:.0}",
            counts[1], counts[2]
        );
        let mut row = Row::ratio(
            "client",
            format!("client, allocations per {what}"),
            counts[0].round(),
            Goal::AtMost(40.0),
            detail,
        );
        row.unit = "";
        rows.push(row);
    }
    Ok(rows)
}

/// Memory of 1,000 open streams: of the clients, and of the servers when the bare client calls.
fn memory(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    const STREAMS: usize = 1000;
    let rounds = if report.quick { 1 } else { 3 };
    let server = Server::start(place, "server-bare", &[])?;
    let turns = Turns {
        clients: &["ours", "bare", "sdk"],
        args: &[&server.url, "hold", "1000", "1000"],
        env: Vec::new(),
        cpu: None,
        rounds,
    };
    let outputs = turns.run(place, report)?;
    let each = |client| -> Result<f64> {
        Ok(median(&outputs.values(client, "resident")?) / STREAMS as f64 / 1024.0)
    };
    let (ours, bare, sdk) = (each(0)?, each(1)?, each(2)?);
    let client = Row::ratio(
        "client",
        "client, memory of an open stream relative to the bare client's".to_owned(),
        ours / bare,
        Goal::AtMost(1.3),
        format!("{ours:.1} KiB, bare {bare:.1} KiB, aws-sdk-lambda {sdk:.1} KiB; 1,000 streams"),
    );
    let mut servers = Vec::new();
    for name in ["server-endpoint", "server-bare"] {
        let mut held = Vec::new();
        for _ in 0..rounds {
            // A new process each time, since a process does not return memory once it has used it.
            let mut server = Server::start(place, name, &[])?;
            place.measure_on(None, "load-bare", &[&server.url, "small", "1", "10"], &[])?;
            let before = server.number("memory")?;
            let url = server.url.clone();
            place.measure_on(None, "load-bare", &[&url, "hold", "1000", "1000"], &[])?;
            held.push((server.number("memory")? - before) / STREAMS as f64 / 1024.0);
        }
        report.raw("memory", json!({ "server": name, "kib": held }));
        servers.push(median(&held));
    }
    let endpoint = Row::ratio(
        "client",
        "endpoint, memory of an open stream relative to the bare server's".to_owned(),
        servers[0] / servers[1],
        Goal::AtMost(1.75),
        format!(
            "{:.1} KiB, bare {:.1} KiB; 1,000 streams, verified signatures",
            servers[0], servers[1]
        ),
    );
    Ok(vec![client, endpoint])
}
