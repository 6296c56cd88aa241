//! Endpoint and runtime beside a bare loop of the Runtime API, on the same functions.

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
    /// What must be installed.
    program: Option<&'static str>,
    handler: &'static str,
    /// For the endpoint: a file, or a command.
    source: Vec<String>,
    /// For the bare loop: the same command that the endpoint makes of the source.
    command: Vec<String>,
}

/// Callers and instances.
const LOADS: [(&str, &str, &str); 2] = [
    ("1", "1", "one caller"),
    ("8", "4", "8 callers on 4 instances"),
];

pub fn bare(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for function in functions(place)? {
        for load in LOADS {
            rows.extend(compare(place, report, &function, load)?);
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

fn compare(
    place: &Place,
    report: &mut Report,
    function: &Function,
    (callers, instances, how): (&str, &str, &str),
) -> Result<Vec<Row>> {
    let name = |what| format!("runtime, {} function, {how}, {what}", function.language);
    let goal = Goal::AtMost(1.3);
    let cost = name("CPU of the host relative to the bare loop's");
    let delay = name("added latency");
    if let Some(program) = function.program.filter(|program| lacks(place, program)) {
        let why = format!("{program} is not installed");
        return Ok(vec![
            Row::not_measured(PART, cost, "x", goal, &why),
            Row::not_measured(PART, delay, " µs", Goal::Fact, &why),
        ]);
    }
    let root = place.benches.join("functions").display().to_string();
    let mut ours = vec!["1", "small", instances, callers];
    ours.extend(function.source.iter().map(String::as_str));
    let mut bare = vec![instances, root.as_str(), function.handler];
    bare.extend(function.command.iter().map(String::as_str));
    let mut servers = [
        Server::start(place, "server-runtime", &ours)?,
        Server::start(place, "server-loop", &bare)?,
    ];
    let (rounds, count) = if report.quick { (5, 1000) } else { (15, 4000) };
    let calls: usize = callers.parse()?;
    let mut measured = [const { [const { Vec::new() }; 3] }; 2];
    // The first round starts the instances, and is not counted.
    for round in 0..=rounds {
        for turn in 0..2 {
            let index = (round + turn) % 2;
            let server = &mut servers[index];
            let before = server.number("cpu")?;
            let args = [&*server.url, "invoke", callers, &count.to_string()];
            let load = place.measure_on(None, "load-bare", &args, &[])?;
            let cpu = (server.number("cpu")? - before) / (count + 4 * calls) as f64;
            if number(&load, "bytes")? != (GREETING.len() * count) as f64 {
                return Err(format!("not every call returned the greeting: {load}").into());
            }
            report.raw(
                "runtime",
                json!({
                    "host": if index == 0 { "ours" } else { "bare loop" }, "round": round,
                    "function": function.language, "callers": callers, "instances": instances,
                    "cpu_ns": cpu, "client": load,
                }),
            );
            if round > 0 {
                let per_second = count as f64 / (number(&load, "wall_ns")? / 1e9);
                let values = [cpu, number(&load, "p50_ns")?, per_second];
                for (all, value) in measured[index].iter_mut().zip(values) {
                    all.push(value);
                }
            }
        }
    }
    let [
        [cpu, p50, per_second],
        [bare_cpu, bare_p50, bare_per_second],
    ] = &measured;
    let added: Vec<f64> = p50
        .iter()
        .zip(bare_p50)
        .map(|(own, bare)| own - bare)
        .collect();
    let cost = Row::ratio(
        PART,
        cost,
        ratio(cpu, bare_cpu),
        goal,
        format!(
            "{} per call, bare loop {}",
            time(median(cpu)),
            time(median(bare_cpu))
        ),
    );
    let delay = Row {
        part: PART,
        name: delay,
        measured: median(&added) / 1e3,
        unit: " µs",
        goal: Goal::Fact,
        detail: format!(
            "p50 {} and {:.0} calls a second, bare loop {} and {:.0}",
            time(median(p50)),
            median(per_second),
            time(median(bare_p50)),
            median(bare_per_second)
        ),
    };
    Ok(vec![cost, delay])
}
