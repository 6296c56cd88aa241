//! The time from the start of a process to the first byte of a response, in programs that do
//! nothing else.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::programs::{CLIENTS, Place, Server, WITH_PROFILE};
use crate::rows::{Goal, Row, time};
use crate::stats::{median, quantile, ratio};
use crate::{Report, Result};

/// Wall time and CPU time of a process.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    pub cpu: f64,
}

pub fn start(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let plain = Server::start(place, "server-bare", &[])?;
    let ca = &*place.ca()?;
    let tls = Server::start(place, "server-bare", &["--tls", ca])?;
    let rounds = if report.quick { 60 } else { 200 };
    let profile = place.profile()?;
    let [ours, bare, sdk] = CLIENTS;
    let clients = [ours, bare, sdk, WITH_PROFILE];
    let mut rows = Vec::new();
    for (scheme, args) in [
        ("http", vec![plain.url.as_str()]),
        ("https", vec![&tls.url, ca]),
    ] {
        let mut costs = [const { Vec::new() }; 4];
        for round in 0..rounds {
            for turn in 0..clients.len() {
                let index = (round + turn) % clients.len();
                let client = clients[index];
                let mut command = Command::new(place.program(&format!("first-{client}")));
                command.args(&args).stdin(Stdio::null());
                if client == WITH_PROFILE {
                    command.envs(profile.iter().cloned());
                    // Credentials in the environment would take precedence.
                    command.env_remove("AWS_ACCESS_KEY_ID");
                    command.env_remove("AWS_SECRET_ACCESS_KEY");
                }
                let cost = once(&mut command)?;
                costs[index].push(cost);
                report.raw(
                    "start",
                    serde_json::json!({
                        "scheme": scheme, "client": client, "round": round,
                        "wall_ns": cost.wall, "cpu_ns": cost.cpu,
                    }),
                );
            }
        }
        let wall = costs
            .each_ref()
            .map(|costs| costs.iter().map(|cost| cost.wall).collect());
        let cpu = costs
            .each_ref()
            .map(|costs| costs.iter().map(|cost| cost.cpu).collect());
        rows.extend(rows_of(scheme, &wall, &cpu));
    }
    Ok(rows)
}

/// Compares CPU times, since wall time on a shared machine depends mostly on its other users.
fn rows_of(scheme: &str, wall: &[Vec<f64>; 4], cpu: &[Vec<f64>; 4]) -> Vec<Row> {
    let row = |name: &str, measured, goal, other: usize| {
        // Other programs can only slow down a start, so the wall time is the 10th percentile.
        let texts = |index: usize| {
            let (cpu, wall) = (median(&cpu[index]), quantile(&wall[index], 0.1));
            format!("CPU {}, wall {}", time(cpu), time(wall))
        };
        Row {
            part: "start",
            name: format!("start to first byte, {scheme}, {name}"),
            measured,
            unit: "x",
            goal,
            detail: format!(
                "{}; {} {}",
                texts(0),
                ["", "bare", "aws-sdk-lambda", "with a profile"][other],
                texts(other)
            ),
        }
    };
    let goal = if scheme == "https" { 8.0 } else { 1.0 };
    vec![
        row(
            "relative to the limit",
            ratio(&cpu[0], &cpu[1]),
            Goal::AtMost(1.3),
            1,
        ),
        row(
            "sooner than aws-sdk-lambda",
            ratio(&cpu[2], &cpu[0]),
            Goal::AtLeast(goal),
            2,
        ),
        row(
            "with the keys of a profile, relative to static ones",
            ratio(&cpu[3], &cpu[0]),
            Goal::AtMost(1.2),
            3,
        ),
    ]
}

/// Runs one process, and measures the time from before it is spawned until it has been waited for.
pub fn once(command: &mut Command) -> Result<Cost> {
    let before = children_cpu()?;
    let start = Instant::now();
    let status = command.status()?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    let cpu = children_cpu()? - before;
    Ok(Cost {
        wall: wall.as_nanos() as f64,
        cpu: cpu.as_nanos() as f64,
    })
}

/// The CPU time of all child processes that have been waited for.
pub fn children_cpu() -> Result<Duration> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?;
    let both = usage.user_time() + usage.system_time();
    Ok(Duration::from_secs(both.tv_sec().try_into()?)
        + Duration::from_micros(both.tv_usec().try_into()?))
}
