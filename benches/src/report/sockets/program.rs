//! The program compared with its facade, `curl --aws-sigv4` and the AWS CLI: one invocation each,
//! as a whole process.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::programs::{Place, Server};
use crate::rows::{Goal, Row, time};
use crate::start::once;
use crate::stats::{median, quantile, ratio};
use crate::{Report, Result};

const PATH: &str = "2015-03-31/functions/small/invocations";

pub fn program(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let server = Server::start(place, "server-bare", &[])?;
    let url = server.url.trim_end_matches('/');
    let rounds = if report.quick { 10 } else { 40 };
    let mut program = Command::new(place.program("lambda-invoke"));
    program.args([
        "invoke",
        "small",
        "-p",
        r#"{"name":"Ada"}"#,
        "--endpoint-url",
        url,
    ]);
    let mut facade = Command::new(place.program("first-ours"));
    facade.arg(url);
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--user",
        "local:local",
    ]);
    curl.args([
        "--aws-sigv4",
        "aws:amz:us-east-1:lambda",
        "--json",
        r#"{"name":"Ada"}"#,
    ]);
    curl.arg(format!("{url}/{PATH}"));
    let mut aws = Command::new("aws");
    aws.args([
        "lambda",
        "invoke",
        "--function-name",
        "small",
        "--endpoint-url",
        url,
    ]);
    aws.args(["--payload", "{}", "/dev/null"]);

    let mut costs: Vec<(&str, Command, Vec<f64>)> = Vec::new();
    for (name, mut command) in [
        ("lambda-invoke", program),
        ("the facade alone", facade),
        ("curl --aws-sigv4", curl),
        ("AWS CLI", aws),
    ] {
        command
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local");
        command
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A machine may lack curl or the AWS CLI, or have a curl that cannot sign.
        if command.status().is_ok_and(|status| status.success()) {
            costs.push((name, command, Vec::new()));
        } else if costs.len() < 2 {
            return Err(format!("{command:?} failed").into());
        }
    }
    let mut walls = Vec::new();
    for round in 0..rounds {
        for (name, command, cpu) in &mut costs {
            // The AWS CLI takes a hundred times as long as the others.
            if *name == "AWS CLI" && round % 5 > 0 {
                continue;
            }
            let cost = once(command)?;
            cpu.push(cost.cpu);
            if *name == "lambda-invoke" {
                walls.push(cost.wall);
            }
            report.raw("program", json!({ "program": name, "cpu_ns": cost.cpu }));
        }
    }
    let ours = costs[0].2.clone();
    let rows = costs[1..].iter().map(|(name, _, cpu)| {
        let (goal, measured) = match *name {
            "the facade alone" => (2.0, ratio(&ours, cpu)),
            "curl --aws-sigv4" => (0.5, ratio(&ours, cpu)),
            _ => (0.02, median(&ours) / median(cpu)),
        };
        Row::ratio(
            "start",
            format!("program, one invocation, CPU relative to {name}"),
            measured,
            Goal::AtMost(goal),
            format!("{}, {name} {}", time(median(&ours)), time(median(cpu))),
        )
    });
    let mut rows: Vec<Row> = rows.collect();
    // Other programs can only slow down a start, so the wall time is the 10th percentile.
    let wall = quantile(&walls, 0.1);
    rows.push(Row {
        part: "start",
        name: "program, one invocation, from its start to its end".to_owned(),
        measured: wall / 1e6,
        unit: " ms",
        goal: Goal::Fact,
        detail: format!("wall {}, CPU {}", time(wall), time(median(&ours))),
    });
    Ok(rows)
}
