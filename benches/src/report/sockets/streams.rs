//! Long streams: with and without TLS, with server and client on separate processors and on one.

use super::Turns;
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row};
use crate::{Report, Result};

const WORK: &str = "stream-256";
const GB: f64 = 256.0 * 1_048_576.0 / 1e9;

pub fn streams(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let rounds = if report.quick { 5 } else { 21 };
    let ca = place.ca()?;
    let mut rows = Vec::new();
    for scheme in ["https", "http"] {
        let tls = scheme == "https";
        let args = if tls { vec!["--tls", &*ca] } else { vec![] };
        for (cpu, placed, goal) in [("1", "on separate cores", 1.15), ("0", "on one core", 1.25)] {
            // The server is pinned to the first processor.
            let server = Server::start_on(place, Some("0"), "server-bare", &args)?;
            let turns = Turns {
                clients: &["ours", "bare-crc", "sdk"],
                args: &[&server.url, WORK, "1", "1"],
                env: tls.then_some(("BENCH_CA", &*ca)).into_iter().collect(),
                cpu: Some(cpu),
                rounds,
            };
            let outputs = turns.run(place, report)?;
            let name = |what| format!("client, long stream, {scheme}, {placed}, {what}");
            let (bare, sdk) = ((1, "bare with a CRC pass"), (2, "aws-sdk-lambda"));
            let at_most = Goal::AtMost;
            for (what, key, other, goal) in [
                (
                    "CPU per GB relative to the limit",
                    "cpu_ns",
                    bare,
                    at_most(goal),
                ),
                (
                    "CPU per GB relative to aws-sdk-lambda",
                    "cpu_ns",
                    sdk,
                    at_most(1.0),
                ),
                (
                    "wall time per GB relative to aws-sdk-lambda",
                    "wall_ns",
                    sdk,
                    at_most(1.0),
                ),
                (
                    "wall time per GB relative to the limit",
                    "wall_ns",
                    bare,
                    Goal::Fact,
                ),
            ] {
                rows.push(outputs.row(name(what), key, other, GB, goal)?);
            }
        }
    }
    for row in &mut rows {
        row.part = "streams";
    }
    Ok(rows)
}
