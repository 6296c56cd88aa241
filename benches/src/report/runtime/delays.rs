//! The delay from a function's write to the client's read, with a process for each stream.

use serde_json::json;

use super::PART;
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::sockets::number;
use crate::stats::median;
use crate::{Report, Result};

/// The number of streams, and of instances.
const STREAMS: &str = "100";

pub fn delays(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let function = place.program("function").display().to_string();
    let ours = ["1", "ticks", STREAMS, "0", &function, "ticks"];
    let pairs = [
        ("load-ours", Server::start(place, "server-runtime", &ours)?),
        (
            "load-bare",
            Server::start(place, "server-pipe", &[&function, "pipe"])?,
        ),
    ];
    // Most late chunks are caused by other programs: hence there are several rounds, and the median
    // counts.
    let rounds = if report.quick { 3 } else { 9 };
    let mut ages = [const { [const { Vec::new() }; 2] }; 2];
    // The first round starts the processes, and is not counted.
    for round in 0..=rounds {
        for turn in 0..2 {
            let index = (round + turn) % 2;
            let (client, server) = &pairs[index];
            let args = [&*server.url, "ticks", STREAMS, STREAMS];
            let measured = place.measure_on(None, client, &args, &[])?;
            report.raw(
                "runtime",
                json!({
                    "pair": if index == 0 { "ours" } else { "bare" }, "round": round,
                    "measured": measured,
                }),
            );
            if round == 0 {
                continue;
            }
            if number(&measured, "stamps")? != 5000.0 {
                return Err(format!("not every chunk was seen: {measured}").into());
            }
            for (values, key) in ages.iter_mut().zip(["p50_ns", "p99_ns"]) {
                values[index].push(number(&measured, key)?);
            }
        }
    }
    let names = [("p50", Goal::Fact), ("p99", Goal::AtMost(2.0))];
    let rows = names.iter().zip(&ages).map(|((what, goal), ages)| {
        let [ours, bare] = ages.each_ref().map(|ages| median(ages));
        Row::ratio(
            PART,
            format!("runtime, write to read, 100 streams, {what} relative to pipes and bare hyper"),
            ours / bare,
            *goal,
            format!("{}, bare {}", time(ours), time(bare)),
        )
    });
    Ok(rows.collect())
}
