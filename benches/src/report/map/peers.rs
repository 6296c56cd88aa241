//! `map` with a journal, compared with boto3 in a pool of threads, and with the AWS CLI under
//! `xargs`.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{PART, Work};
use crate::environment::environment;
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::start::once;
use crate::stats::{median, ratio};
use crate::{Report, Result};

/// The versions that the conformance tests with third-party clients use.
const PACKAGES: [&str; 2] = ["boto3==1.44.8", "awscli==1.46.3"];

/// The number of concurrent calls.
const CONCURRENCY: usize = 16;

/// The contenders, the number of items, and the goal.
struct Peer {
    name: &'static str,
    count: usize,
    rounds: usize,
    goal: Goal,
    command: fn(&Place, &Path, &Work, &str) -> Command,
}

pub fn beside_peers(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let quick = report.quick;
    let peers = [
        Peer {
            name: "boto3 in 16 threads",
            count: if quick { 500 } else { 3_000 },
            rounds: if quick { 2 } else { 5 },
            goal: Goal::AtLeast(10.0),
            command: threads,
        },
        Peer {
            name: "xargs -P 16 with the AWS CLI",
            count: if quick { 16 } else { 64 },
            rounds: if quick { 1 } else { 3 },
            goal: Goal::AtLeast(100.0),
            command: xargs,
        },
    ];
    let installed = environment(place, &PACKAGES);
    let server = Server::start(place, "server-bare", &[])?;
    let url = server.url.trim_end_matches('/');
    let rows = peers.iter().map(|peer| match &installed {
        Ok(folder) => beside(place, report, folder, url, peer),
        Err(error) => {
            let why = format!("{} cannot be installed: {error}", PACKAGES.join(" and "));
            Ok(Row::not_measured(PART, title(peer), "x", peer.goal, &why))
        }
    });
    rows.collect()
}

fn title(peer: &Peer) -> String {
    format!(
        "map with a journal, {} items, less CPU for an item than {}",
        peer.count, peer.name
    )
}

/// The CPU time includes the start of each program.
fn beside(
    place: &Place,
    report: &mut Report,
    folder: &Path,
    url: &str,
    peer: &Peer,
) -> Result<Row> {
    let work = Work::new(place, peer.count)?;
    let mut costs = [const { Vec::new() }; 2];
    for _ in 0..peer.rounds {
        for (index, cpus) in costs.iter_mut().enumerate() {
            let mut command = match index {
                0 => work.map(place, url, CONCURRENCY)?,
                _ => work.redirected((peer.command)(place, folder, &work, url))?,
            };
            let cost = once(&mut command)?;
            work.check()?;
            report.raw(
                "map",
                json!({
                    "program": if index == 0 { "map" } else { peer.name },
                    "concurrency": CONCURRENCY, "items": peer.count,
                    "wall_ns": cost.wall, "cpu_ns": cost.cpu,
                }),
            );
            cpus.push(cost.cpu / peer.count as f64);
        }
    }
    let [ours, theirs] = &costs;
    Ok(Row::ratio(
        PART,
        title(peer),
        ratio(theirs, ours),
        peer.goal,
        format!(
            "{}, {} {}",
            time(median(ours)),
            peer.name,
            time(median(theirs))
        ),
    ))
}

fn threads(place: &Place, folder: &Path, work: &Work, url: &str) -> Command {
    let mut command = Command::new(folder.join("bin/python"));
    command
        .arg(place.benches.join("clients/threads.py"))
        .args([url, "small", &CONCURRENCY.to_string()])
        .arg(work.payloads());
    command
}

fn xargs(_: &Place, folder: &Path, _: &Work, url: &str) -> Command {
    let mut command = Command::new("xargs");
    command
        .args(["-d", "\\n", "-I", "PAYLOAD"])
        .args(["-P", &CONCURRENCY.to_string()])
        .arg(folder.join("bin/aws"))
        .args(["lambda", "invoke", "--function-name", "small"])
        .args(["--endpoint-url", url, "--payload", "PAYLOAD"])
        // Each item has a line with its status.
        .args(["--query", "StatusCode", "--output", "text", "/dev/null"])
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    command
}
