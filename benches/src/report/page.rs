//! Writes the tables and the number of goals that they meet to docs/performance.md, between the
//! page's marks.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::contenders;
use crate::programs::{Place, run};
use crate::rows::Row;
use crate::{Report, Result};

/// The marks before and after the tables.
const MEASURED: [&str; 2] = [
    "<!-- measured by benches/run: begin -->",
    "<!-- measured by benches/run: end -->",
];

/// The marks before and after the number of goals that are met.
const GLANCE: [&str; 2] = [
    "<!-- counted by benches/run: begin -->",
    "<!-- counted by benches/run: end -->",
];

/// Saves the raw numbers, and writes the rows to the page. Parts that this run did not measure keep
/// the rows and the date of the earlier run.
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
    let old = split(&page, MEASURED)?[1];
    let tables = tables(report, old)?;
    let measured = format!("{}\n{tables}", contenders::section(&contenders));
    let page = replace(&page, GLANCE, &glance(&tables))?;
    let page = replace(&page, MEASURED, &measured)?;
    std::fs::write(&path, page)?;
    println!("written: docs/performance.md");
    Ok(())
}

/// Returns the text before, between and after two marks.
fn split<'p>(page: &'p str, [begin, end]: [&str; 2]) -> Result<[&'p str; 3]> {
    let lacks = |mark: &str| format!("docs/performance.md has no mark {mark}");
    let (before, rest) = page.split_once(begin).ok_or_else(|| lacks(begin))?;
    let (between, after) = rest.split_once(end).ok_or_else(|| lacks(end))?;
    Ok([before, between, after])
}

/// Returns the page with this text between two marks.
fn replace(page: &str, marks: [&str; 2], text: &str) -> Result<String> {
    let ([before, _, after], [begin, end]) = (split(page, marks)?, marks);
    Ok(format!("{before}{begin}\n\n{text}\n{end}{after}"))
}

/// Counts the goals that each part meets, from its table.
fn glance(tables: &str) -> String {
    let mut text = String::from("| part | goals met | short | facts |\n|---|---:|---:|---:|\n");
    let (mut all_met, mut all_short) = (0, 0);
    for section in tables.split("### ").skip(1) {
        let part = section.lines().next().unwrap_or_default();
        let verdicts = || section.lines().filter_map(|line| line.split(" | ").nth(3));
        let count = |verdict: &str| verdicts().filter(|cell| *cell == verdict).count();
        let (met, short, facts) = (count("ok"), count("short"), count("fact"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| [{part}](#{part}) | {met} | {short} | {facts} |");
        all_met += met;
        all_short += short;
    }
    let _ = writeln!(text, "| all | {all_met} | {all_short} | |");
    text
}

/// Returns a table for each part, under a line with the date and the machine.
fn tables(report: &Report, old: &str) -> Result<String> {
    let mut text = String::new();
    let date = run(std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    for part in crate::PARTS {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.part == part).collect();
        let heading = format!("### {part}\n");
        if rows.is_empty() {
            // This part was not measured, so its section stays.
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

/// Returns the model of the processor, and the load of the machine.
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

/// Writes a picture to the project if the page is written, and next to the raw numbers otherwise.
pub fn picture(place: &Place, report: &Report, name: &str, svg: &str) -> Result<()> {
    let folder = match report.write {
        true => place.project().join("docs/performance"),
        false => place.target.join("report"),
    };
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(format!("{name}.svg")), svg)?)
}

/// Formats a number of bytes in a suitable unit.
pub fn bytes(count: f64) -> String {
    match count {
        ..1e3 => format!("{count:.0} B"),
        ..1e6 => format!("{:.0} kB", count / 1e3),
        _ => format!("{:.0} MB", count / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/performance.md");

    #[test]
    fn the_page_counts_the_goals_of_its_own_tables() {
        let tables = split(PAGE, MEASURED).unwrap()[1];
        let (_, tables) = tables.split_once("### contenders\n").unwrap();
        let tables = tables.split_once("### ").unwrap().1;
        let counted = glance(&format!("### {tables}"));
        assert_eq!(split(PAGE, GLANCE).unwrap()[1].trim(), counted.trim());
        assert_eq!(replace(PAGE, GLANCE, &counted).unwrap(), PAGE);
    }

    #[test]
    fn every_part_of_the_page_is_counted_by_its_verdicts() {
        let tables = "### a\n\n| x | 1x | at most 1x | ok | d |\n| y | 2x | at most 1x | short | d |\n\n\
            ### b\n\n| z | 3 | - | fact | ok |\n";
        let counted = glance(tables);
        assert!(
            counted
                .contains("| [a](#a) | 1 | 1 | 0 |\n| [b](#b) | 0 | 0 | 1 |\n| all | 1 | 1 | |\n")
        );
    }
}
