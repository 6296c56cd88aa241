//! Endpoint and runtime, compared with a bare loop of the Runtime API on the same functions.

use std::process::{Command, Stdio};

use serde_json::json;

use super::{GREETING, PART};
use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::sockets::number;
use crate::stats::{median, ratio};
use crate::{Report, Result};

/// A function, as both hosts run it.
struct Function {
    language: &'static str,
    /// The program that must be installed.
    program: Option<&'static str>,
    handler: &'static str,
    /// The source for the endpoint: a file, or a command.
    source: Vec<String>,
    /// The command for the bare loop, equal to the one that the endpoint derives from the source.
    command: Vec<String>,
}

/// The number of callers, and of instances.
const LOADS: [(&str, &str, &str); 2] = [
    ("1", "1", "one caller"),
    ("8", "4", "8 callers on 4 instances"),
];

/// Where the host runs. Functions and client share the second processor, or all share it with the
/// host. If the scheduler chose, a ratio would depend on its choices, which differ between hosts.
const PLACES: [(Placed, &str); 2] = [
    (Placed::Apart, "host on a core of its own"),
    (Placed::Together, "all on one core"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    Apart,
    Together,
}

/// The processor of the functions and the client, and the host's own one.
const SHARED: &str = "1";
const OWN: usize = 0;

pub fn bare(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for function in functions(place)? {
        for load in LOADS {
            for placed in PLACES {
                rows.extend(compare(place, report, &function, load, placed)?);
            }
        }
    }
    Ok(rows)
}

fn functions(place: &Place) -> Result<Vec<Function>> {
    let own = |path| format!("{}/{path}", place.benches.join("functions").display());
    let bootstrap = |name| {
        let folder = place.project().join("crates/runtime/src/bootstrap");
        std::fs::read_to_string(folder.join(name))
    };
    let binary = vec![
        place.program("function").display().to_string(),
        "greet".to_owned(),
    ];
    Ok(vec![
        Function {
            language: "Rust",
            program: None,
            handler: "bootstrap",
            source: binary.clone(),
            command: binary,
        },
        Function {
            language: "Python",
            program: Some("python3"),
            handler: "app.handler",
            source: vec![own("app.py")],
            command: vec![
                "python3".to_owned(),
                "-c".to_owned(),
                bootstrap("bootstrap.py")?,
            ],
        },
        Function {
            language: "Node.js",
            program: Some("node"),
            handler: "index.handler",
            source: vec![own("index.mjs")],
            command: vec![
                "node".to_owned(),
                "-e".to_owned(),
                bootstrap("bootstrap.js")?,
            ],
        },
    ])
}

/// Whether a program cannot be started.
fn lacks(place: &Place, program: &str) -> bool {
    let mut command = Command::new(program);
    command.env("PATH", &place.path).arg("--version");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    !command.status().is_ok_and(|status| status.success())
}

/// The hosts that take turns: the endpoint with verification of signatures, without it, and the
/// bare loop.
const HOSTS: [&str; 3] = ["verifying", "--no-verify", "bare loop"];

/// The measurements of a host, with one value per round.
#[derive(Default)]
struct Measured {
    /// CPU time per call, of the host's own process.
    cpu: Vec<f64>,
    p50: Vec<f64>,
    per_second: Vec<f64>,
}

fn compare(
    place: &Place,
    report: &mut Report,
    function: &Function,
    load: (&str, &str, &str),
    (placed, at): (Placed, &str),
) -> Result<Vec<Row>> {
    let measured = match function.program.filter(|program| lacks(place, program)) {
        Some(program) => Err(format!("{program} is not installed")),
        None => Ok(measure(place, report, function, load, placed)?),
    };
    let (_, _, how) = load;
    let name = |what| {
        let language = function.language;
        format!("runtime, {language} function, {how}, {at}, {what}")
    };
    let rows = HOSTS[..2].iter().enumerate().map(|(index, host)| {
        let cost = name(format!("{host}, CPU of the host relative to the bare loop"));
        let delay = name(format!("{host}, added latency"));
        let goal = Goal::AtMost(1.3);
        match &measured {
            Ok(all) => rows_of((cost, delay), goal, &all[index], &all[2]),
            Err(why) => [
                Row::not_measured(PART, cost, "x", goal, why),
                Row::not_measured(PART, delay, " µs", Goal::Fact, why),
            ],
        }
    });
    Ok(rows.flatten().collect())
}

fn rows_of(
    (cost, delay): (String, String),
    goal: Goal,
    ours: &Measured,
    bare: &Measured,
) -> [Row; 2] {
    let added = ours.p50.iter().zip(&bare.p50);
    let added: Vec<f64> = added.map(|(own, bare)| own - bare).collect();
    let detail = format!(
        "{} per call, bare loop {}",
        time(median(&ours.cpu)),
        time(median(&bare.cpu))
    );
    let text = |of: &Measured| {
        let (p50, per_second) = (median(&of.p50), median(&of.per_second));
        format!("p50 {} and {per_second:.0} calls a second", time(p50))
    };
    let delay = Row {
        part: PART,
        name: delay,
        measured: median(&added) / 1e3,
        unit: " µs",
        goal: Goal::Fact,
        detail: format!("{}, bare loop {}", text(ours), text(bare)),
    };
    let ratio = ratio(&ours.cpu, &bare.cpu);
    [Row::ratio(PART, cost, ratio, goal, detail), delay]
}

fn measure(
    place: &Place,
    report: &mut Report,
    function: &Function,
    (callers, instances, _): (&str, &str, &str),
    placed: Placed,
) -> Result<[Measured; 3]> {
    let root = place.benches.join("functions").display().to_string();
    let mut ours = vec!["--no-verify", "1", "small", instances, callers];
    ours.extend(function.source.iter().map(String::as_str));
    let mut bare = vec![instances, root.as_str(), function.handler];
    bare.extend(function.command.iter().map(String::as_str));
    let mut servers = [
        Server::start_on(place, Some(SHARED), "server-runtime", &ours[1..])?,
        Server::start_on(place, Some(SHARED), "server-runtime", &ours)?,
        Server::start_on(place, Some(SHARED), "server-loop", &bare)?,
    ];
    let (rounds, count) = if report.quick { (5, 1000) } else { (15, 3000) };
    let calls = count + 4 * callers.parse::<usize>()?;
    let mut measured: [Measured; 3] = Default::default();
    // The first round starts the instances, which stay where they started, and is not counted.
    for round in 0..=rounds {
        if round == 1 && placed == Placed::Apart {
            for server in &servers {
                server.move_to(OWN)?;
            }
        }
        for turn in 0..HOSTS.len() {
            let index = (round + turn) % HOSTS.len();
            let server = &mut servers[index];
            let before = server.number("cpu")?;
            let args = [&*server.url, "invoke", callers, &count.to_string()];
            let load = place.measure_on(Some(SHARED), "load-bare", &args, &[])?;
            let cpu = (server.number("cpu")? - before) / calls as f64;
            if number(&load, "bytes")? != (GREETING.len() * count) as f64 {
                return Err(format!("not every call returned the greeting: {load}").into());
            }
            report.raw(
                "runtime",
                json!({
                    "host": HOSTS[index], "round": round, "function": function.language,
                    "callers": callers, "instances": instances, "placed": format!("{placed:?}"),
                    "cpu_ns": cpu, "client": load,
                }),
            );
            if round > 0 {
                let seconds = number(&load, "wall_ns")? / 1e9;
                let Measured {
                    cpu: all,
                    p50,
                    per_second,
                } = &mut measured[index];
                all.push(cpu);
                p50.push(number(&load, "p50_ns")?);
                per_second.push(count as f64 / seconds);
            }
        }
    }
    Ok(measured)
}
