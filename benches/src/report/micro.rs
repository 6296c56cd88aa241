//! Signing, codec and names: runs the example `micro`, and compares the results with the goals.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::programs::{Place, run};
use crate::rows::{Goal, Row, number, time};
use crate::stats::{median, ratio};
use crate::svg::Curves;
use crate::{Report, Result};

/// A line of the output of `micro`.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    group: String,
    contender: String,
    allocations: f64,
    ns: Vec<f64>,
}

/// All lines of the output, by group and contender.
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

    /// Returns the groups with this prefix: the number after it, and the median of each contender.
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
        // A contender that takes part in only one group, such as the minimum for a single function,
        // has no curve.
        curves.retain(|(_, points)| points.len() > 1);
        for (_, points) in &mut curves {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        // Each contender has the same color in every chart.
        let place = |name: &str| ["ours", "limit"].iter().position(|first| *first == name);
        curves.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        curves
    }

    /// The time relative to another contender, usually the limit.
    fn relative(&self, name: String, group: &str, other: &str, goal: f64) -> Result<Row> {
        let (ours, other) = (self.line(group, "ours")?, self.line(group, other)?);
        let measured = ratio(&ours.ns, &other.ns);
        let detail = ours.against(other);
        Ok(row(name, measured, "x", Goal::AtMost(goal), detail))
    }

    /// The speed relative to a peer, and that of the limit.
    fn faster(&self, name: String, group: &str, ours: &str, peer: &str, goal: Goal) -> Result<Row> {
        let (ours, peer) = (self.line(group, ours)?, self.line(group, peer)?);
        let mut detail = ours.against(peer);
        if let Ok(limit) = self.line(group, "limit") {
            let times = ratio(&peer.ns, &limit.ns);
            detail += &format!("; the limit itself {}x", number(times));
        }
        let measured = ratio(&peer.ns, &ours.ns);
        Ok(row(name, measured, "x", goal, detail))
    }

    /// A row without a goal for each peer in a group.
    fn facts(&self, name: &str, group: &str) -> Result<Vec<Row>> {
        let peers = self.0.values().filter(|line| line.group == group);
        let peers = peers.filter(|line| !COMPANIONS.contains(&line.contender.as_str()));
        peers
            .map(|line| {
                let name = format!("{name}, faster than {}", line.contender);
                self.faster(name, group, "ours", &line.contender, Goal::Fact)
            })
            .collect()
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

/// Contenders that are not peers: the project's in both forms, and the limits.
const COMPANIONS: [&str; 6] = [
    "ours",
    "ours, as events",
    "limit",
    "the minimum",
    "two CRC passes and a slice",
    "the SDK's receiver",
];

pub fn signing(micro: &Micro) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (size, goal) in [(0, 1.5), (1024, 1.45)] {
        for (kind, what) in [
            ("sign", "with a query"),
            ("sign-plain", "without a query"),
            ("sign-8", "8 functions in turn"),
            ("sign-100", "100 functions in turn"),
            ("sign-1000", "1,000 functions in turn"),
        ] {
            let group = format!("{kind}/{size}");
            let name = format!("sign, {size} B, {what}, relative to the limit");
            let mut row = micro.relative(name, &group, "limit", goal)?;
            if let Ok(least) = micro.line(&group, "the minimum") {
                row.detail += &format!("; the minimum {}", time(median(&least.ns)));
            }
            rows.push(row);
        }
        let group = format!("sign/{size}");
        rows.extend(micro.facts(&format!("sign, {size} B"), &group)?);
        if size == 0 {
            let peer = rows.iter_mut().find(|row| row.name.ends_with("aws-sigv4"));
            peer.ok_or("aws-sigv4 did not sign")?.goal = Goal::AtLeast(4.4);
        }
        rows.push(micro.allocations(format!("sign, {size} B, allocations"), &group, 4.0)?);
        for (kind, what) in [
            ("verify", "with a query"),
            ("verify-plain", "without a query"),
        ] {
            let name = format!("verify, {size} B, {what}, relative to the limit");
            rows.push(micro.relative(name, &format!("{kind}/{size}"), "limit", 1.35)?);
        }
    }
    Ok(rows)
}

/// The instructions of signing without hashing, which `instructions` counts under valgrind.
pub fn instructions(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let mut command = Command::new(place.benches.join("instructions/run"));
    let output = command
        .env("CARGO_TARGET_DIR", &place.target)
        .stderr(Stdio::inherit())
        .output()?;
    // `instructions` also fails if a count has risen, which this table does not report.
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
    let mut rows = Vec::new();
    for (kind, what) in [
        ("sign", "with a query"),
        ("sign-plain", "without a query"),
        ("verify", "with a query"),
    ] {
        let (ours, crypto) = count(&format!("{kind}/0, ours"))?;
        let mut detail = format!("and {crypto:.0} in ring without SHA-NI");
        if let Ok((peer, peer_crypto)) = count(&format!("{kind}/0, aws-sigv4")) {
            detail += &format!("; aws-sigv4 {peer:.0} and {peer_crypto:.0}");
        }
        let verb = kind.split('-').next().unwrap_or(kind);
        let name = format!("{verb}, 0 B, {what}, instructions that are not cryptography");
        rows.push(row(name, ours, "", Goal::Fact, detail));
    }
    Ok(rows)
}

pub fn codec(micro: &Micro) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (size, goal) in [
        (64, None),
        (1024, None),
        (16 * 1024, Some(1.2)),
        (64 * 1024, Some(1.1)),
    ] {
        let (group, name) = (format!("decode/{size}"), format!("decode, {}", bytes(size)));
        if let Some(goal) = goal {
            let name = format!("{name}, relative to one CRC pass");
            rows.push(micro.relative(name, &group, "limit", goal)?);
        }
        if size == 64 {
            let least = "two CRC passes and a slice";
            let name = format!("{name}, relative to {least}");
            rows.push(micro.relative(name, &group, least, 1.6)?);
        }
        rows.extend(micro.facts(&name, &group)?);
        rows.push(micro.allocations(format!("{name}, allocations"), &group, 0.0)?);
    }
    for (piece, pass) in [(8, 1.35), (16, 1.25)] {
        for size in [64, 1024, 64 * 1024] {
            let group = format!("pushed-{piece}k/{size}");
            let name = format!("decode, {} frames in pieces of {piece} KiB", bytes(size));
            if size == 64 * 1024 {
                let name = format!("{name}, relative to a CRC pass over the same pieces");
                rows.push(micro.relative(name, &group, "limit", pass)?);
            }
            let goal = match size {
                1024 => Goal::AtLeast(4.0),
                _ => Goal::Fact,
            };
            let name = format!("{name}, as events, faster than the SDK's receiver");
            let peer = "the SDK's receiver";
            rows.push(micro.faster(name, &group, "ours, as events", peer, goal)?);
        }
    }
    for size in [64, 64 * 1024] {
        let (group, name) = (format!("encode/{size}"), format!("encode, {}", bytes(size)));
        if size > 64 {
            let name = format!("{name}, relative to one CRC pass");
            rows.push(micro.relative(name, &group, "limit", 1.05)?);
        }
        rows.extend(micro.facts(&name, &group)?);
    }
    Ok(rows)
}

pub fn names(micro: &Micro) -> Result<Vec<Row>> {
    Ok(vec![
        micro.faster(
            "ARN into parts, faster than Regex::captures".into(),
            "arn",
            "ours",
            "Regex::captures",
            Goal::AtLeast(8.0),
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
