//! The endpoint: CPU time of requests, and the delay from a function's write to the client's read.

use serde_json::json;

use super::number;
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::stats::{median, ratio};
use crate::{Report, Result};

pub fn endpoint(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut bare = Server::start(place, "server-bare", &[])?;
    let mut rows = Vec::new();
    let (rounds, count) = if report.quick {
        (5, "5000")
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
                // The load generator's warm-up takes a hundredth of its work.
                let before = server.number("cpu")?;
                let args = [&*server.url, "invoke", "32", count];
                let measured = place.measure_on(None, "load-bare", &args, &[])?;
                let used = server.number("cpu")? - before;
                cpu[index].push(used);
                report.raw(
                    "endpoint",
                    json!({
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
    rows.extend(delays(place, report, &bare)?);
    Ok(rows)
}

/// The delay from write to read, with both sides the project's or both sides bare. Both servers
/// write at the same times.
fn delays(place: &Place, report: &mut Report, bare: &Server) -> Result<Vec<Row>> {
    let ours = Server::start(place, "server-endpoint", &[])?;
    // Most late chunks are caused by other programs: hence there are several rounds, and the median
    // counts.
    let rounds = if report.quick { 3 } else { 9 };
    let mut ages = [const { [const { Vec::new() }; 2] }; 2];
    for round in 0..rounds {
        for turn in 0..2 {
            let index = (round + turn) % 2;
            let (client, url) = [("load-ours", &*ours.url), ("load-bare", &*bare.url)][index];
            let measured = place.measure_on(None, client, &[url, "ticks", "100", "100"], &[])?;
            if number(&measured, "stamps")? != 5000.0 {
                return Err(format!("not every chunk was seen: {measured}").into());
            }
            for (values, key) in ages.iter_mut().zip(["p50_ns", "p99_ns"]) {
                values[index].push(number(&measured, key)?);
            }
            report.raw(
                "latency",
                json!({
                    "pair": if index == 0 { "ours" } else { "bare" }, "round": round,
                    "measured": measured,
                }),
            );
        }
    }
    let names = [("p50", Goal::AtMost(1.3)), ("p99", Goal::AtMost(2.0))];
    let rows = names.iter().zip(&ages).map(|((what, goal), ages)| {
        let [ours, bare] = ages.each_ref().map(|ages| median(ages));
        Row::ratio(
            "endpoint",
            format!("endpoint, write to read, 100 streams, {what} relative to the bare pair's"),
            ours / bare,
            *goal,
            format!("{}, bare {}", time(ours), time(bare)),
        )
    });
    Ok(rows.collect())
}
