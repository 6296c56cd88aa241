//! Signing, codec and names: runs the example `micro`, and compares with the goals.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::programs::{Place, run};
use crate::rows::{Goal, Row, number, time};
use crate::stats::{median, ratio};
use crate::svg::Curves;
use crate::{Report, Result};

/// A line of output of `micro`.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    group: String,
    contender: String,
    allocations: f64,
    ns: Vec<f64>,
}

/// All lines, by group and contender.
#[derive(Clone, Debug, Default)]
pub struct Micro(BTreeMap<(String, String), Line>);

impl Micro {
    pub fn measure(place: &Place, report: &mut Report, prefix: &str) -> Result<Self> {
        let mut command = Command::new(place.program("examples/micro"));
        command.args(report.quick.then_some("--quick"));
        let output = run(command.arg(prefix))?;
        let mut micro = Self::default();
        for line in output.lines() {
            let line: Line = serde_json::from_str(line)?;
            report.raw("micro", line.json());
            micro
                .0
                .insert((line.group.clone(), line.contender.clone()), line);
        }
        Ok(micro)
    }

    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn line(&self, group: &str, contender: &str) -> Result<&Line> {
        let key = (group.to_owned(), contender.to_owned());
        self.0
            .get(&key)
            .ok_or_else(|| format!("micro did not measure {group}, {contender}").into())
    }

    /// The groups with this prefix, the number after it, and the median of each contender.
    pub fn curve(&self, prefix: &str) -> Curves {
        let mut curves = Curves::new();
        for ((group, contender), line) in &self.0 {
            let Some(Ok(x)) = group.strip_prefix(prefix).map(str::parse) else {
                continue;
            };
            let point = (x, median(&line.ns));
            match curves.iter_mut().find(|(name, _)| name == contender) {
                Some((_, points)) => points.push(point),
                None => curves.push((contender.clone(), vec![point])),
            }
        }
        for (_, points) in &mut curves {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        // Each contender has the same colour in every chart.
        let place = |name: &str| ["ours", "limit"].iter().position(|first| *first == name);
        curves.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        curves
    }

    /// The time relative to the limit.
    fn relative(&self, name: String, group: &str, goal: f64) -> Result<Row> {
        let (ours, limit) = (self.line(group, "ours")?, self.line(group, "limit")?);
        Ok(row(
            name,
            ratio(&ours.ns, &limit.ns),
            "x",
            Goal::AtMost(goal),
            ours.against(limit),
        ))
    }

    /// The speed relative to a peer, and the limits' speed relative to it.
    fn faster(&self, name: String, group: &str, peer: &str, goal: f64) -> Result<Row> {
        let (ours, peer) = (self.line(group, "ours")?, self.line(group, peer)?);
        let mut detail = ours.against(peer);
        for limit in ["limit", "limit in pieces"] {
            if let Ok(line) = self.line(group, limit) {
                let times = ratio(&peer.ns, &line.ns);
                detail += &format!("; the {limit} itself {}x", number(times));
            }
        }
        let measured = ratio(&peer.ns, &ours.ns);
        Ok(row(name, measured, "x", Goal::AtLeast(goal), detail))
    }

    fn allocations(&self, name: String, group: &str, goal: f64) -> Result<Row> {
        let ours = self.line(group, "ours")?;
        let others = self
            .0
            .values()
            .filter(|line| line.group == group && line.allocations > 0.0);
        let others: Vec<String> = others
            .filter(|line| line.contender != "ours")
            .filter(|line| !COMPANIONS.contains(&line.contender.as_str()))
            .map(|line| format!("{}: {:.0}", line.contender, line.allocations))
            .collect();
        Ok(row(
            name,
            ours.allocations,
            "",
            Goal::AtMost(goal),
            others.join(", "),
        ))
    }
}

impl Line {
    fn json(&self) -> Value {
        json!({
            "group": self.group, "contender": self.contender,
            "allocations": self.allocations, "ns": self.ns,
        })
    }

    fn against(&self, other: &Self) -> String {
        let (ours, theirs) = (time(median(&self.ns)), time(median(&other.ns)));
        format!("{ours}, {} {theirs}", other.contender)
    }
}

fn row(name: String, measured: f64, unit: &'static str, goal: Goal, detail: String) -> Row {
    Row {
        part: "micro",
        name,
        measured,
        unit,
        goal,
        detail,
    }
}

/// Contenders of signing other than peers and limit: copying and hashing a canonical request at hand
/// and adding the headers; and signing for 100 functions.
const COMPANIONS: [&str; 2] = ["the minimum", "100 functions in turn"];

pub fn signing(micro: &Micro) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for size in [0, 1024] {
        let group = format!("sign/{size}");
        let name = |what| format!("sign, {size} B body, {what}");
        let mut row = micro.relative(name("relative to the limit"), &group, 1.3)?;
        for other in COMPANIONS {
            let other = micro.line(&group, other)?;
            row.detail += &format!("; {} {}", other.contender, time(median(&other.ns)));
        }
        rows.push(row);
        rows.push(micro.faster(name("faster than aws-sigv4"), &group, "aws-sigv4", 5.0)?);
        rows.push(micro.allocations(name("allocations"), &group, 4.0)?);
        let reqsign = micro.faster(String::new(), &group, "reqsign-aws-v4", 0.0)?;
        if let Some(row) = rows.iter_mut().rev().nth(1) {
            let (_, reqsign) = reqsign.detail.split_once(", ").unwrap_or_default();
            let (reqsign, _) = reqsign.split_once(';').unwrap_or((reqsign, ""));
            row.detail = format!("{}, {reqsign}", row.detail);
        }
    }
    for size in [0, 1024] {
        let name = format!("verify, {size} B body, relative to the limit");
        rows.push(micro.relative(name, &format!("verify/{size}"), 1.4)?);
    }
    Ok(rows)
}

/// Instructions of signing other than hashing, counted under valgrind by `instructions`.
pub fn instructions(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut command = Command::new(place.benches.join("instructions/run"));
    let output = command
        .env("CARGO_TARGET_DIR", &place.target)
        .stderr(Stdio::inherit())
        .output()?;
    // It also fails if a count has risen, which this table does not report.
    let mut counts = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let name = line["name"].as_str().unwrap_or_default().to_owned();
        counts.insert(
            name,
            (line["instructions"].as_f64(), line["crypto"].as_f64()),
        );
        report.raw("instructions", line);
    }
    let count = |name: &str| match counts.get(name) {
        Some((Some(other), Some(crypto))) => Ok((*other, *crypto)),
        _ => Err(format!("no instructions were counted for {name}")),
    };
    let (ours, crypto) = count("sign.empty")?;
    let (peer, peer_crypto) = count("sign_aws_sigv4.empty")?;
    let detail =
        format!("and {crypto:.0} in ring without SHA-NI; aws-sigv4 {peer:.0} and {peer_crypto:.0}");
    let name = "sign, 0 B body, instructions that are not cryptography".to_owned();
    Ok(vec![row(name, ours, "", Goal::AtMost(5000.0), detail)])
}

pub fn codec(micro: &Micro) -> Result<Vec<Row>> {
    let smithy = "aws-smithy-eventstream";
    let mut rows = Vec::new();
    for (size, goal) in [(64, 5.0), (1024, 4.0), (16 * 1024, 2.7), (64 * 1024, 2.8)] {
        let (group, name) = (format!("decode/{size}"), format!("decode, {}", bytes(size)));
        rows.push(micro.faster(
            format!("{name}, faster than {smithy}"),
            &group,
            smithy,
            goal,
        )?);
        if size == 64 * 1024 {
            rows.push(micro.relative(format!("{name}, relative to one CRC pass"), &group, 1.15)?);
        }
        rows.push(micro.allocations(format!("{name}, allocations"), &group, 0.0)?);
    }
    for piece in [8, 16] {
        for (size, goal) in [(64, 5.0), (1024, 5.0), (64 * 1024, 2.8)] {
            let name = format!(
                "decode, {piece} KiB pieces, {}, faster than receiver",
                bytes(size)
            );
            let group = format!("pushed-{piece}k/{size}");
            rows.push(micro.faster(name, &group, "the SDK's receiver", goal)?);
        }
    }
    let name = format!("encode, vectored, 64 KiB, faster than {smithy}");
    rows.push(micro.faster(name, "encode/65536", smithy, 3.0)?);
    Ok(rows)
}

pub fn names(micro: &Micro) -> Result<Vec<Row>> {
    Ok(vec![
        micro.faster(
            "ARN into parts, faster than Regex::captures".into(),
            "arn",
            "Regex::captures",
            8.0,
        )?,
        micro.allocations("ARN into parts, allocations".into(), "arn", 0.0)?,
    ])
}

fn bytes(size: usize) -> String {
    match size {
        ..1024 => format!("{size} B"),
        _ => format!("{} KiB", size / 1024),
    }
}
