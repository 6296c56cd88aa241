//! `map` with a journal, compared with `bench`, which keeps nothing of a call but its time.

use std::process::{Command, Stdio};

use serde_json::json;

use super::{PART, PAYLOAD, Work, program};
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::start::{Cost, once};
use crate::stats::{median, ratio};
use crate::{Report, Result};

const CONCURRENCY: [usize; 2] = [16, 64];

pub fn beside_bench(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let server = Server::start(place, "server-bare", &[])?;
    let url = server.url.trim_end_matches('/');
    let (count, rounds) = if report.quick {
        (10_000, 3)
    } else {
        (100_000, 9)
    };
    let work = Work::new(place, count)?;
    let mut rows = Vec::new();
    for concurrency in CONCURRENCY {
        let mut costs = [const { Vec::new() }; 2];
        for round in 0..rounds {
            for turn in 0..2 {
                let index = (round + turn) % 2;
                let cost = match index {
                    0 => {
                        let cost = once(&mut work.map(place, url, concurrency)?)?;
                        work.check()?;
                        cost
                    }
                    _ => once(&mut bench(place, url, concurrency, count))?,
                };
                report.raw(
                    "map",
                    json!({
                        "program": if index == 0 { "map" } else { "bench" }, "concurrency": concurrency,
                        "items": count, "wall_ns": cost.wall, "cpu_ns": cost.cpu,
                    }),
                );
                costs[index].push(cost);
            }
        }
        rows.push(row(concurrency, count, &costs));
    }
    Ok(rows)
}

/// The same calls, made by `bench`.
fn bench(place: &Place, url: &str, concurrency: usize, count: usize) -> Command {
    let mut command = program(place, url, &["bench", "small", "--buffered"]);
    command
        .args(["--payload", PAYLOAD])
        .args(["--concurrency", &concurrency.to_string()])
        .args(["--calls", &count.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn row(concurrency: usize, count: usize, costs: &[Vec<Cost>; 2]) -> Row {
    let of = |index: usize, value: fn(&Cost) -> f64| -> Vec<f64> {
        costs[index].iter().map(value).collect()
    };
    let text = |index: usize| {
        let wall = median(&of(index, |cost| cost.wall));
        let cpu = median(&of(index, |cost| cost.cpu)) / count as f64;
        format!("{:.0}/s, CPU {}", count as f64 / (wall / 1e9), time(cpu))
    };
    Row::ratio(
        PART,
        format!("map with a journal, {concurrency} at once, calls a second relative to bench"),
        ratio(&of(1, |cost| cost.wall), &of(0, |cost| cost.wall)),
        Goal::AtLeast(0.9),
        format!("{}; bench {}", text(0), text(1)),
    )
}
