//! Measures every row of the table in docs/performance.md, and writes that page's tables and
//! curves. `run` in the folder of this package starts this program.

mod contenders;
mod environment;
mod map;
mod micro;
mod page;
mod programs;
mod rows;
mod runtime;
mod sockets;
mod start;
mod stats;
mod svg;
mod weight;

use std::collections::BTreeMap;
use std::process::ExitCode;

use micro::Micro;
use programs::Place;
use rows::Row;
use serde_json::Value;
use svg::Chart;

pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The parts that can be run alone.
const PARTS: [&str; 11] = [
    "signing", "codec", "names", "client", "streams", "start", "endpoint", "runtime", "map",
    "weight", "curves",
];

/// The measurements so far.
#[derive(Debug, Default)]
pub struct Report {
    pub quick: bool,
    /// Whether to write the page and its pictures.
    pub write: bool,
    rows: Vec<Row>,
    raw: BTreeMap<&'static str, Vec<Value>>,
}

impl Report {
    /// Stores a number as it was measured.
    pub fn raw(&mut self, kind: &'static str, value: Value) {
        self.raw.entry(kind).or_default().push(value);
    }

    /// Prints rows as soon as they are measured.
    fn add(&mut self, part: &'static str, rows: Vec<Row>) {
        for mut row in rows {
            row.part = part;
            row.print();
            self.rows.push(row);
        }
    }
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("could not measure: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let mut report = Report::default();
    let mut parts = Vec::new();
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--quick" => report.quick = true,
            "--write" => report.write = true,
            part if PARTS.contains(&part) => parts.push(part.to_owned()),
            other => {
                return Err(format!("no part {other:?}; there are {}", PARTS.join(", ")).into());
            }
        }
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);
    let place = Place::new();
    std::fs::create_dir_all(place.target.join("report"))?;
    if ["signing", "codec", "names", "curves"]
        .into_iter()
        .any(wanted)
    {
        place.cargo(&["build", "--release", "--example", "micro"])?;
    }
    if ["client", "streams", "start", "curves"]
        .into_iter()
        .any(wanted)
    {
        place.build_programs(&programs::CLIENTS)?;
    } else if ["endpoint", "runtime"].into_iter().any(wanted) {
        place.build_programs(&["ours", "bare"])?;
    } else if wanted("map") {
        place.build_programs(&[])?;
    }
    if ["start", "runtime", "map"].into_iter().any(wanted) {
        place.build_cli()?;
    }
    println!("{:<62} {:>12}   {:<20}", "what", "measured", "goal");
    if wanted("signing") {
        let mut micro = Micro::measure(&place, &mut report, "sign")?;
        micro.append(Micro::measure(&place, &mut report, "verify")?);
        report.add("signing", micro::signing(&micro)?);
        let rows = micro::instructions(&place, &mut report)?;
        report.add("signing", rows);
    }
    if wanted("codec") {
        let mut micro = Micro::measure(&place, &mut report, "decode")?;
        micro.append(Micro::measure(&place, &mut report, "pushed")?);
        micro.append(Micro::measure(&place, &mut report, "encode")?);
        report.add("codec", micro::codec(&micro)?);
    }
    if wanted("names") {
        let micro = Micro::measure(&place, &mut report, "arn")?;
        report.add("names", micro::names(&micro)?);
    }
    type Measure = fn(&Place, &mut Report) -> Result<Vec<Row>>;
    let parts: [(&'static str, Measure); 13] = [
        ("client", sockets::client),
        ("streams", sockets::streams),
        ("start", start::start),
        ("start", sockets::program),
        ("endpoint", sockets::endpoint),
        ("runtime", runtime::bare),
        ("runtime", runtime::peers),
        ("runtime", runtime::serve),
        ("runtime", runtime::delays),
        ("map", map::beside_bench),
        ("map", map::beside_peers),
        ("map", map::unknown_limit),
        ("weight", weight::weight),
    ];
    for (part, measure) in parts {
        if wanted(part) {
            let rows = measure(&place, &mut report)?;
            report.add(part, rows);
        }
    }
    if wanted("curves") {
        curves(&place, &mut report)?;
    }
    let count = |verdict| {
        let rows = report.rows.iter();
        rows.filter(|row| row.verdict() == verdict).count()
    };
    let (short, missing) = (count("short"), count("not measured"));
    println!(
        "{} rows, {short} short, {missing} not measured",
        report.rows.len()
    );
    page::write(&place, &report)?;
    match missing {
        0 => Ok(()),
        _ => Err(format!("{missing} rows lack something on this machine").into()),
    }
}

fn curves(place: &Place, report: &mut Report) -> Result<()> {
    let micro = Micro::measure(place, report, "curve")?;
    let concurrency = sockets::concurrency(place, report)?;
    let chunks = sockets::chunks(place, report)?;
    let lengths = sockets::lengths(place, report)?;
    let [memory, open] = sockets::open(place, report)?;
    let charts = [
        (
            "frames",
            "Decoding a frame, by the size of its payload",
            "payload",
            "time a frame",
            page::bytes as fn(f64) -> String,
            rows::time as fn(f64) -> String,
            micro.curve("curve-frame/"),
        ),
        (
            "headers",
            "Decoding a frame of 1 KiB, by the number of its headers",
            "headers",
            "time a frame",
            rows::number,
            rows::time,
            micro.curve("curve-headers/"),
        ),
        (
            "bodies",
            "Signing, by the size of the body",
            "body",
            "time a request",
            page::bytes,
            rows::time,
            micro.curve("curve-body/"),
        ),
        (
            "functions",
            "Signing, by the number of functions in turn",
            "functions",
            "time a request",
            rows::number,
            rows::time,
            micro.curve("curve-functions/"),
        ),
        (
            "concurrency",
            "Client, small streams, by how many run at once",
            "at once",
            "CPU time per stream",
            rows::number,
            rows::time,
            concurrency,
        ),
        (
            "chunks",
            "Client, long streams, by the size of their chunks",
            "chunk",
            "CPU time per GB",
            page::bytes,
            rows::time,
            chunks,
        ),
        (
            "lengths",
            "Client, long streams, by their length",
            "length",
            "CPU time per stream",
            page::bytes,
            rows::time,
            lengths,
        ),
        (
            "memory",
            "Client, memory of open streams",
            "open streams",
            "resident memory",
            rows::number,
            page::bytes,
            memory,
        ),
        (
            "open",
            "Client, CPU time of open streams, with their connections",
            "open streams",
            "CPU time of all",
            rows::number,
            rows::time,
            open,
        ),
    ];
    let mut growth = Vec::new();
    for (name, title, x, y, x_text, y_text, curves) in charts {
        let chart = Chart {
            title,
            x,
            y,
            x_text,
            y_text,
            curves: &curves,
        };
        page::picture(place, report, name, &chart.svg())?;
        growth.extend(Row::growth(title, x_text, y_text, &curves));
        report.raw(
            "curves",
            serde_json::json!({ "name": name, "curves": curves }),
        );
    }
    report.add("curves", growth);
    Ok(())
}
