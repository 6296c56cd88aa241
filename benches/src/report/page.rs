//! Writes the tables in docs/performance.md, between its marks.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::contenders;
use crate::programs::{Place, run};
use crate::rows::Row;
use crate::{Report, Result};

const BEGIN: &str = "<!-- measured by benches/run: begin -->";
const END: &str = "<!-- measured by benches/run: end -->";

/// Saves the raw numbers, and writes the rows to the page. Parts that this run did not measure keep
/// the rows and the date of an earlier run.
pub fn write(place: &Place, report: &Report) -> Result<()> {
    let folder = place.target.join("report");
    let rows: Vec<Value> = report.rows.iter().map(Row::json).collect();
    let contenders = contenders::contenders(place)?;
    let raw = json!({
        "machine": machine()?, "quick": report.quick, "contenders": contenders, "rows": rows,
        "raw": report.raw,
    });
    std::fs::write(folder.join("raw.json"), serde_json::to_string(&raw)?)?;
    println!("written: {}", folder.join("raw.json").display());
    if !report.write {
        return Ok(());
    }
    let path = place.project().join("docs/performance.md");
    let page = std::fs::read_to_string(&path)?;
    let (before, rest) = page
        .split_once(BEGIN)
        .ok_or("docs/performance.md has no mark to begin at")?;
    let (old, after) = rest
        .split_once(END)
        .ok_or("docs/performance.md has no mark to end at")?;
    let page = format!(
        "{before}{BEGIN}\n\n{}\n{}\n{END}{after}",
        contenders::section(&contenders),
        tables(report, old)?
    );
    std::fs::write(&path, page)?;
    println!("written: docs/performance.md");
    Ok(())
}

/// A table for each part, under a line with the date and the machine.
fn tables(report: &Report, old: &str) -> Result<String> {
    let mut text = String::new();
    let date = run(std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    for part in crate::PARTS {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.part == part).collect();
        let heading = format!("### {part}\n");
        if rows.is_empty() {
            // Unchanged.
            if let Some((_, section)) = old.split_once(&heading) {
                let section = section.split("### ").next().unwrap_or(section);
                write!(text, "{heading}{}\n\n", section.trim_end())?;
            }
            continue;
        }
        let how = if report.quick {
            "benches/run --quick"
        } else {
            "benches/run"
        };
        write!(
            text,
            "{heading}\n`{how} {part}`, {}, {}.\n\n",
            date.trim(),
            machine()?
        )?;
        text.push_str("| what | measured | goal | | figures |\n|---|---:|---|---|---|\n");
        for row in rows {
            let (name, measured, goal) = (&row.name, row.measured(), row.goal());
            let verdict = row.verdict();
            writeln!(
                text,
                "| {name} | {measured} | {goal} | {verdict} | {} |",
                row.detail
            )?;
        }
        text.push('\n');
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// The processor, and the machine's load.
fn machine() -> Result<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{cores} cores of {}, load {load}",
        model.unwrap_or("an unknown processor").trim()
    ))
}

/// Writes a picture: into the project if asked to, and beside the raw numbers otherwise.
pub fn picture(place: &Place, report: &Report, name: &str, svg: &str) -> Result<()> {
    let folder = match report.write {
        true => place.project().join("docs/performance"),
        false => place.target.join("report"),
    };
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(format!("{name}.svg")), svg)?)
}

/// A number of bytes, in a suitable unit.
pub fn bytes(count: f64) -> String {
    match count {
        ..1e3 => format!("{count:.0} B"),
        ..1e6 => format!("{:.0} kB", count / 1e3),
        _ => format!("{:.0} MB", count / 1e6),
    }
}
