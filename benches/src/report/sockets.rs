//! Client and endpoint over real sockets: separate processes that take turns with one server.

use serde_json::Value;

use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::stats::{median, ratio};
use crate::svg::Curves;
use crate::{Report, Result};

/// A number in a program's output.
fn number(value: &Value, key: &str) -> Result<f64> {
    value[key]
        .as_f64()
        .ok_or_else(|| format!("no {key} in {value}").into())
}

/// Runs each client once in each round with the same work, and returns the values of a key by client.
fn in_turn(
    place: &Place,
    report: &mut Report,
    rounds: usize,
    clients: &[&str],
    args: &[&str],
    key: &str,
) -> Result<Vec<Vec<f64>>> {
    let mut values = vec![Vec::with_capacity(rounds); clients.len()];
    for round in 0..rounds {
        for turn in 0..clients.len() {
            let index = (round + turn) % clients.len();
            // The bare client with checksums is a contender of its own.
            let (name, env) = match clients[index] {
                "bare-crc" => ("bare", &[("BENCH_CRC", "1")][..]),
                name => (name, &[][..]),
            };
            let measured = place.measure(&format!("load-{name}"), args, env)?;
            values[index].push(number(&measured, key)?);
            report.raw("load", serde_json::json!({
                "client": clients[index], "work": &args[1..], "round": round, "measured": measured,
            }));
        }
    }
    Ok(values)
}

pub fn client(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let row = |name: &str, measured, unit, goal, detail| Row {
        part: "client",
        name: name.to_owned(),
        measured,
        unit,
        goal,
        detail,
    };
    let server = Server::start(place, "server-bare", &[])?;
    // Many short rounds: disturbances come in bursts, which affect only a few of them.
    let (rounds, count) = (if report.quick { 7 } else { 51 }, "3000");
    let clients = ["ours", "bare", "sdk"];
    let args = [&server.url, "small", "32", count];
    let cpu = in_turn(place, report, rounds, &clients, &args, "cpu_ns")?;
    let each: f64 = count.parse()?;
    let detail = |times: &[f64], other: &[f64], name: &str| {
        let (ours, other) = (median(times) / each, median(other) / each);
        format!("{} per stream, {name} {}", time(ours), time(other))
    };
    let mut rows = vec![
        row(
            "client, 32 small streams at once, CPU relative to the limit",
            ratio(&cpu[0], &cpu[1]),
            "x",
            Goal::AtMost(1.4),
            detail(&cpu[0], &cpu[1], "bare hyper-util"),
        ),
        row(
            "client, 32 small streams at once, less CPU than aws-sdk-lambda",
            ratio(&cpu[2], &cpu[0]),
            "x",
            Goal::AtLeast(4.0),
            detail(&cpu[0], &cpu[2], "aws-sdk-lambda"),
        ),
    ];

    let mut allocations = Vec::new();
    for work in ["invoke", "small"] {
        let mut counts = Vec::new();
        for client in clients {
            let program = format!("allocations-{client}");
            let measured = place.measure(&program, &[&server.url, work], &[])?;
            counts.push(number(&measured, "allocations")?);
            report.raw(
                "allocations",
                serde_json::json!({
                    "client": client, "work": work, "measured": measured,
                }),
            );
        }
        allocations.push(counts);
    }
    let detail = |counts: &[f64]| {
        format!(
            "bare hyper-util {:.0}, aws-sdk-lambda {:.0}",
            counts[1], counts[2]
        )
    };
    let names = [
        "client, allocations per invoke",
        "client, allocations per small stream",
    ];
    for (name, counts) in names.iter().zip(&allocations) {
        rows.push(row(
            name,
            counts[0].round(),
            "",
            Goal::AtMost(40.0),
            detail(counts),
        ));
    }

    let (rounds, mib) = (if report.quick { 9 } else { 51 }, "stream-256");
    let args = [&server.url, mib, "1", "1"];
    let clients = ["ours", "bare-crc", "sdk"];
    let cpu = in_turn(place, report, rounds, &clients, &args, "cpu_ns")?;
    let gb = 1e9 / (mib.trim_start_matches("stream-").parse::<f64>()? * 1_048_576.0);
    let detail = |other: &[f64], name: &str| {
        let (ours, other) = (median(&cpu[0]) * gb, median(other) * gb);
        format!("{} per GB, {name} {}", time(ours), time(other))
    };
    rows.push(row(
        "client, streaming, CPU per GB relative to the limit with its CRC pass",
        ratio(&cpu[0], &cpu[1]),
        "x",
        Goal::AtMost(1.15),
        detail(&cpu[1], "bare with CRC"),
    ));
    rows.push(row(
        "client, streaming, CPU per GB relative to aws-sdk-lambda",
        ratio(&cpu[0], &cpu[2]),
        "x",
        Goal::AtMost(1.0),
        detail(&cpu[2], "aws-sdk-lambda"),
    ));
    Ok(rows)
}

pub fn endpoint(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut bare = Server::start(place, "server-bare", &[])?;
    let mut rows = Vec::new();
    let (rounds, count) = if report.quick {
        (7, "5000")
    } else {
        (15, "20000")
    };
    for (flag, goal) in [(&["--no-verify"][..], 85.0), (&[][..], 65.0)] {
        let mut ours = Server::start(place, "server-endpoint", flag)?;
        let mut cpu = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for turn in 0..2 {
                let index = (round + turn) % 2;
                let server = if index == 0 { &mut ours } else { &mut bare };
                // The load generator's warm-up is a hundredth of its work.
                let before = server.cpu_ns()?;
                let measured =
                    place.measure("load-bare", &[&server.url, "invoke", "32", count], &[])?;
                let used = server.cpu_ns()? - before;
                cpu[index].push(used);
                report.raw(
                    "endpoint",
                    serde_json::json!({
                        "server": if index == 0 { "ours" } else { "bare" }, "flags": flag,
                        "round": round, "server_cpu_ns": used, "client": measured,
                    }),
                );
            }
        }
        let each = count.parse::<f64>()? + 128.0;
        let verifies = if flag.is_empty() {
            "verifying"
        } else {
            "--no-verify"
        };
        let per_second = |cpu: &[f64]| each / (median(cpu) / 1e9);
        rows.push(Row {
            part: "endpoint",
            name: format!(
                "endpoint, {verifies}, requests per CPU-second relative to the bare server's"
            ),
            measured: 100.0 * ratio(&cpu[1], &cpu[0]),
            unit: " %",
            goal: Goal::AtLeast(goal),
            detail: format!(
                "{:.0}, bare hyper {:.0}",
                per_second(&cpu[0]),
                per_second(&cpu[1])
            ),
        });
    }

    // From write to read, with both sides ours or both sides bare.
    let ours = Server::start(place, "server-endpoint", &[])?;
    // This row is about rare late chunks, most of which other programs cause: hence many rounds, and
    // the median.
    let rounds = 9;
    let mut ages = [Vec::new(), Vec::new()];
    let mut middles = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for turn in 0..2 {
            let index = (round + turn) % 2;
            let (client, url) = [("load-ours", &ours.url), ("load-bare", &bare.url)][index];
            let measured = place.measure(client, &[url, "ticks", "100", "100"], &[])?;
            if number(&measured, "stamps")? != 5000.0 {
                return Err(format!("not every chunk was seen: {measured}").into());
            }
            ages[index].push(number(&measured, "p99_ns")?);
            middles[index].push(number(&measured, "p50_ns")?);
            report.raw(
                "latency",
                serde_json::json!({
                    "pair": if index == 0 { "ours" } else { "bare" }, "round": round,
                    "measured": measured,
                }),
            );
        }
    }
    rows.push(Row {
        part: "endpoint",
        name: "endpoint, write to read, 100 streams, p99 relative to the bare pair's".to_owned(),
        measured: median(&ages[0]) / median(&ages[1]),
        unit: "x",
        goal: Goal::AtMost(2.0),
        detail: format!(
            "p99 {} (p50 {}), bare {} (p50 {})",
            time(median(&ages[0])),
            time(median(&middles[0])),
            time(median(&ages[1])),
            time(median(&middles[1])),
        ),
    });
    Ok(rows)
}

/// The cost of small streams by concurrency, and of long streams by chunk size.
pub fn curves(place: &Place, report: &mut Report) -> Result<[Curves; 2]> {
    let server = Server::start(place, "server-bare", &[])?;
    let clients = ["ours", "bare", "sdk"];
    let rounds = if report.quick { 3 } else { 7 };
    let names = ["ours", "bare hyper-util", "aws-sdk-lambda"];
    let empty = || names.map(|name| (name.to_owned(), Vec::new())).to_vec();
    let mut concurrency = empty();
    for at_once in [1, 3, 10, 32, 100, 316, 1000] {
        let (at_once, count) = (at_once.to_string(), (at_once * 5).max(2000).to_string());
        let args = [&server.url, "small", &at_once, &count];
        let cpu = in_turn(place, report, rounds, &clients, &args, "cpu_ns")?;
        for (curve, cpu) in concurrency.iter_mut().zip(&cpu) {
            curve
                .1
                .push((at_once.parse()?, median(cpu) / count.parse::<f64>()?));
        }
    }
    let mut chunks = empty();
    chunks[1].0 = "bare hyper-util with a CRC pass".to_owned();
    for size in [64, 256, 1024, 4096, 16384, 65536, 262_144, 1_048_576] {
        let mib = if size < 1024 { 8 } else { 64 };
        let work = format!("stream-{mib}-{size}");
        let args = [&server.url, &work, "1", "1"];
        let cpu = in_turn(
            place,
            report,
            rounds,
            &["ours", "bare-crc", "sdk"],
            &args,
            "cpu_ns",
        )?;
        for (curve, cpu) in chunks.iter_mut().zip(&cpu) {
            let gb = 1e9 / (f64::from(mib) * 1_048_576.0);
            curve.1.push((f64::from(size), median(cpu) * gb));
        }
    }
    Ok([concurrency, chunks])
}
