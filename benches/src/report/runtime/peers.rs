//! The same Python function in `serve`, in AWS's Runtime Interface Emulator, and in ministack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::host::{Host, free_ports};
use super::{GREETING, PART};
use crate::environment::environment;
use crate::programs::{Place, run};
use crate::rows::{Goal, Row, time};
use crate::sockets::number;
use crate::stats::{median, ratio};
use crate::{Report, Result};

/// The official Python client of the Runtime API.
const CLIENT: &str = "awslambdaric==4.2.2";
const MINISTACK: &str = "ministack==1.5.33";

/// A host to measure, and how it is called.
struct Contender {
    name: &'static str,
    host: Host,
    work: &'static str,
    callers: usize,
    count: usize,
    measured: Measured,
}

/// The measurements of a host, with one value per round.
#[derive(Default)]
struct Measured {
    p50: Vec<f64>,
    /// CPU time per call, of all processes of the host.
    cpu: Vec<f64>,
    per_second: Vec<f64>,
}

pub fn peers(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut rows = match official(place) {
        Ok(folder) => beside_emulator(place, report, &folder)?,
        Err(error) => {
            let why = format!("{CLIENT} cannot be installed: {error}");
            emulator_rows(Err(&why))
        }
    };
    rows.push(beside_ministack(place, report)?);
    Ok(rows)
}

/// Measures `serve` with one caller, the emulator with one caller, and `serve` with eight callers
/// on four instances.
fn beside_emulator(place: &Place, report: &mut Report, folder: &Path) -> Result<Vec<Row>> {
    let emulator = match emulator(place, folder) {
        Ok(host) => host,
        Err(error) => {
            let why = format!("AWS's emulator cannot be started: {error}");
            return Ok(emulator_rows(Err(&why)));
        }
    };
    let count = if report.quick { 1000 } else { 4000 };
    let contender = |name, host, work, callers| Contender {
        name,
        host,
        work,
        callers,
        count,
        measured: Measured::default(),
    };
    // `serve` rejects calls for which no instance is free; here they wait.
    let mut four = Command::new(place.program("server-runtime"));
    four.args(["2", "app", "4", "4"]).arg(folder.join("app.py"));
    let mut all = [
        contender("serve", serve(place, folder)?, "invoke:app", 1),
        contender("AWS's emulator", emulator, "invoke:function", 1),
        contender("8 on 4", Host::announced(&mut four)?, "invoke:app", 8),
    ];
    take_turns(place, report, &mut all, if report.quick { 3 } else { 9 })?;
    let [ours, emulator, four] = all.map(|contender| contender.measured);
    Ok(emulator_rows(Ok([&ours, &emulator, &four])))
}

/// Returns the rows of these three, or of the reason why they could not be measured.
fn emulator_rows(measured: Result<[&Measured; 3], &str>) -> Vec<Row> {
    let name = |what| format!("serve, Python function, {what} relative to AWS's emulator");
    let rows = [
        ("one caller, p50", Goal::AtMost(1.0)),
        ("one caller, CPU of all processes", Goal::AtMost(1.0)),
        (
            "8 callers on 4 instances, calls a second",
            Goal::AtLeast(1.8),
        ),
    ];
    let [ours, emulator, four] = match measured {
        Ok(measured) => measured,
        Err(why) => {
            let missing =
                rows.map(|(what, goal)| Row::not_measured(PART, name(what), "x", goal, why));
            return missing.into();
        }
    };
    let values = [
        (&ours.p50, &emulator.p50, time as fn(f64) -> String),
        (&ours.cpu, &emulator.cpu, time),
        (&four.per_second, &emulator.per_second, whole),
    ];
    let compared = rows.into_iter().zip(values);
    let rows = compared.map(|((what, goal), (own, others, text))| {
        let detail = format!("{}, emulator {}", text(median(own)), text(median(others)));
        Row::ratio(PART, name(what), ratio(own, others), goal, detail)
    });
    rows.collect()
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn beside_ministack(place: &Place, report: &mut Report) -> Result<Row> {
    let goal = Goal::AtLeast(20.0);
    let name =
        "serve, Python function, one caller, calls a second relative to ministack".to_owned();
    let host = match ministack(place) {
        Ok(host) => host,
        Err(error) => {
            let why = format!("{MINISTACK} cannot be started: {error}");
            return Ok(Row::not_measured(PART, name, "x", goal, &why));
        }
    };
    let contender = |name, host, count| Contender {
        name,
        host,
        work: "invoke:app",
        callers: 1,
        count,
        measured: Measured::default(),
    };
    let mut all = [
        contender(
            "serve",
            serve(place, &place.benches.join("functions"))?,
            2000,
        ),
        contender("ministack", host, if report.quick { 20 } else { 100 }),
    ];
    take_turns(place, report, &mut all, if report.quick { 3 } else { 5 })?;
    let [ours, other] = all.map(|contender| contender.measured);
    let text = |of: &Measured| {
        let (per_second, p50) = (median(&of.per_second), median(&of.p50));
        format!("{per_second:.0} and p50 {}", time(p50))
    };
    let detail = format!("{}, ministack {}", text(&ours), text(&other));
    let measured = ratio(&ours.per_second, &other.per_second);
    Ok(Row::ratio(PART, name, measured, goal, detail))
}

/// Calls each host in each round. The first round starts the instances, and does not count.
fn take_turns(
    place: &Place,
    report: &mut Report,
    all: &mut [Contender],
    rounds: usize,
) -> Result<()> {
    for round in 0..=rounds {
        for turn in 0..all.len() {
            let index = (round + turn) % all.len();
            let Contender {
                name,
                host,
                work,
                callers,
                count,
                measured,
            } = &mut all[index];
            let before = host.cpu()?;
            let args = [&*host.url, work, &callers.to_string(), &count.to_string()];
            let load = place.measure_on(None, "load-bare", &args, &[])?;
            let cpu = (host.cpu()? - before) / (*count + 4 * *callers) as f64;
            if number(&load, "bytes")? != (GREETING.len() * *count) as f64 {
                return Err(format!("{name} did not always return the greeting: {load}").into());
            }
            report.raw(
                "runtime",
                json!({
                    "host": name, "round": round, "callers": callers, "cpu_ns": cpu,
                    "client": load,
                }),
            );
            if round > 0 {
                measured.p50.push(number(&load, "p50_ns")?);
                measured.cpu.push(cpu);
                let seconds = number(&load, "wall_ns")? / 1e9;
                measured.per_second.push(*count as f64 / seconds);
            }
        }
    }
    Ok(())
}

/// `lambda-invoke serve app.py` in a folder.
fn serve(place: &Place, folder: &Path) -> Result<Host> {
    let mut command = Command::new(place.program("lambda-invoke"));
    command
        .args(["serve", "app.py", "--quiet", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .env("PATH", &place.path);
    Host::announced(&mut command)
}

/// Creates a folder with the function, and with an environment that has the official client.
fn official(place: &Place) -> Result<PathBuf> {
    let environment = environment(place, &[CLIENT])?;
    let folder = place.target.join("peers/official");
    fs::create_dir_all(&folder)?;
    fs::copy(
        place.benches.join("functions/app.py"),
        folder.join("app.py"),
    )?;
    let link = folder.join(".venv");
    // An earlier run may have left a link to an environment with other versions.
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(environment, link)?;
    Ok(folder)
}

/// Starts AWS's emulator with the function, on the official client.
fn emulator(place: &Place, folder: &Path) -> Result<Host> {
    let mut unpack = Command::new(
        place
            .project()
            .join("crates/interop/clients/unpack_emulator"),
    );
    let binary = run(unpack
        .arg(place.target.join("peers"))
        .env("PATH", &place.path))?;
    let [port, api] = free_ports()?;
    let mut command = Command::new(binary.trim_end());
    command
        .arg("--runtime-interface-emulator-address")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--runtime-api-address")
        .arg(format!("127.0.0.1:{api}"))
        .arg(folder.join(".venv/bin/python"))
        .args(["-m", "awslambdaric", "app.handler"])
        .current_dir(folder);
    Host::at(port, &mut command, &log(place, "emulator"))
}

/// Starts ministack with the function, in a process that it reuses.
fn ministack(place: &Place) -> Result<Host> {
    let environment = environment(place, &[MINISTACK])?;
    let [port] = free_ports()?;
    let mut command = Command::new(environment.join("bin/ministack"));
    command.env("GATEWAY_PORT", port.to_string());
    let host = Host::at(port, &mut command, &log(place, "ministack"))?;
    let functions = place.benches.join("functions");
    let mut create = Command::new(environment.join("bin/python"));
    create.arg(functions.join("create.py"));
    create
        .args([&*host.url, "app"])
        .arg(functions.join("app.py"));
    run(create.arg("app.handler"))?;
    Ok(host)
}

fn log(place: &Place, name: &str) -> PathBuf {
    place.target.join("report").join(format!("{name}.log"))
}
