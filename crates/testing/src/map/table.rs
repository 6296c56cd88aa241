//! Rows of CSV, as objects and by a template.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_map::source::{Csv, Fields, Template};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Slow;

fn read(table: &[u8], template: Option<&Template>, piece: u8) -> Vec<Result<Vec<u8>, String>> {
    let reader = Slow(table, piece.into());
    match Csv::new(reader, template.cloned(), Fields::default()) {
        Ok(rows) => rows
            .map(|row| match row {
                Ok(item) => Ok(item.payload.to_vec()),
                Err(error) => Err(error.to_string()),
            })
            .collect(),
        Err(error) => vec![Err(error.to_string())],
    }
}

/// A table as it is written has the same rows, as objects and by a template; rows of any text are
/// JSON, in pieces of any length.
pub fn table(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let mut u = Unstructured::new(rest);
    match kind % 2 {
        0 => {
            if let Ok(case) = Case::arbitrary(&mut u) {
                if !case.has_private_name() {
                    reads_back(&case);
                }
            }
        }
        _ => any(rest),
    }
}

#[derive(Arbitrary, Debug)]
struct Case {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    parts: Vec<(String, Vec<Part>)>,
    /// Bits: `\r\n`, a byte order mark, no line end at the end, quotes around everything.
    form: u8,
    piece: u8,
}

#[derive(Arbitrary, Debug)]
enum Part {
    Text(String),
    Column(u8),
    Json(u8),
}

impl Case {
    /// Whether the table or the template has a name that `serde_json` reserves: this property reads
    /// the payloads as a `Value`, where a member of this name stands for another value.
    fn has_private_name(&self) -> bool {
        let parts = self.parts.iter().map(|(name, _)| name);
        let mut names = self.columns.iter().chain(parts);
        names.any(|name| name.starts_with("$serde_json::private::"))
    }

    /// Columns with different names.
    fn columns(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let columns = self.columns.iter().take(4).map(String::as_str);
        columns.filter(|name| seen.insert(*name)).collect()
    }

    fn rows(&self, width: usize) -> Vec<Vec<&str>> {
        let rows = self.rows.iter().take(4);
        rows.map(|row| {
            let fields = row.iter().map(String::as_str);
            fields.chain(std::iter::repeat("")).take(width).collect()
        })
        .collect()
    }

    fn write(&self, columns: &[&str], rows: &[Vec<&str>]) -> Vec<u8> {
        let end = ["\n", "\r\n"][usize::from(self.form & 1)];
        let mut table = String::new();
        if self.form & 2 == 2 {
            table.push('\u{feff}');
        }
        for row in std::iter::once(columns).chain(rows.iter().map(Vec::as_slice)) {
            let fields: Vec<String> = row.iter().map(|field| self.field(field)).collect();
            table.push_str(&fields.join(","));
            table.push_str(end);
        }
        if self.form & 4 == 4 {
            table.truncate(table.len() - end.len());
        }
        table.into_bytes()
    }

    /// RFC 4180: quotes are doubled, and a field with a special character is quoted. An empty line
    /// would be no row, and a mark at the start of the table no text.
    fn field(&self, text: &str) -> String {
        let is_special = text.is_empty() || text.contains([',', '"', '\r', '\n', '\u{feff}']);
        match is_special || self.form & 8 == 8 {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        }
    }
}

fn reads_back(case: &Case) {
    let columns = case.columns();
    if columns.is_empty() {
        return;
    }
    let rows = case.rows(columns.len());
    let table = case.write(&columns, &rows);
    let found = read(&table, None, case.piece);
    assert_eq!(found.len(), rows.len(), "{found:?}");
    for (found, row) in found.iter().zip(&rows) {
        let members = columns.iter().zip(row);
        let expected: Map<String, Value> = members
            .map(|(name, field)| ((*name).to_owned(), (*field).into()))
            .collect();
        let found: Value = serde_json::from_slice(found.as_ref().unwrap()).unwrap();
        assert_eq!(found, Value::Object(expected));
    }
    fills(case, &columns, &rows, &table);
}

/// The payloads that a template makes are those that a naive one makes.
fn fills(case: &Case, columns: &[&str], rows: &[Vec<&str>], table: &[u8]) {
    // A name with these cannot stand in a template.
    let can_be_named =
        |name: &str| !name.starts_with('{') && !name.contains('}') && !name.ends_with(":json");
    let named: Vec<usize> = (0..columns.len())
        .filter(|at| can_be_named(columns[*at]))
        .collect();
    let at = |number: u8| match named.is_empty() {
        true => None,
        false => Some(named[usize::from(number) % named.len()]),
    };
    let mut template = Map::new();
    for (name, parts) in case.parts.iter().take(4) {
        let mut text = String::new();
        for part in parts.iter().take(4) {
            match part {
                Part::Text(part) => {
                    text.push_str(&part.replace('{', "{{").replace('}', "}}"));
                }
                Part::Column(number) => {
                    text.extend(at(*number).map(|at| format!("{{{}}}", columns[at])));
                }
                Part::Json(number) => {
                    text.extend(at(*number).map(|at| format!("{{{}:json}}", columns[at])));
                }
            }
        }
        template.insert(name.clone(), text.into());
    }
    // A member that is written twice counts once, as in the map.
    let parts = |name: &str| {
        let found = case
            .parts
            .iter()
            .take(4)
            .rev()
            .find(|(other, _)| other == name);
        found.map_or(&[][..], |(_, parts)| &parts[..parts.len().min(4)])
    };
    let parsed: Template = Value::Object(template.clone()).to_string().parse().unwrap();
    let mut found = read(table, Some(&parsed), case.piece).into_iter();
    for row in rows {
        let mut expected = Map::new();
        for name in template.keys() {
            let pieces = parts(name).iter();
            let pieces: Vec<(&str, bool)> = pieces
                .filter_map(|part| match part {
                    Part::Text(text) => Some((text.as_str(), false)),
                    Part::Column(number) => Some((row[at(*number)?], false)),
                    Part::Json(number) => Some((row[at(*number)?], true)),
                })
                .collect();
            // Empty texts are no part.
            let is_alone = parts(name)
                .iter()
                .filter(|part| match part {
                    Part::Text(text) => !text.is_empty(),
                    Part::Column(_) | Part::Json(_) => !named.is_empty(),
                })
                .count()
                == 1;
            let json = pieces.iter().find(|(_, as_json)| *as_json && is_alone);
            let value = match json {
                Some((json, _)) => serde_json::from_str(json).ok(),
                None => Some(
                    pieces
                        .iter()
                        .map(|(text, _)| *text)
                        .collect::<String>()
                        .into(),
                ),
            };
            // Some JSON is not a value in memory, such as half a surrogate pair.
            let Some(value) = value else { return };
            expected.insert(name.clone(), value);
        }
        let payload = found.next().expect("a payload for each row").unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload, Value::Object(expected));
    }
    assert!(found.next().is_none());
}

/// The first byte is the length of a piece, the second one that of the template, if there is one.
fn any(data: &[u8]) {
    let [piece, length, rest @ ..] = data else {
        return;
    };
    let (template, table) = rest.split_at(usize::from(*length).min(rest.len()));
    let template = match std::str::from_utf8(template).map(str::parse::<Template>) {
        Ok(Ok(template)) => Some(template),
        _ => None,
    };
    let found = read(table, template.as_ref(), *piece);
    assert_eq!(read(table, template.as_ref(), u8::MAX), found);
    let lines = table.split(|byte| *byte == b'\n').count();
    for (number, row) in found.iter().enumerate() {
        match row {
            Ok(payload) => {
                // Members that are read as they are written may be no values in memory.
                let json = serde_json::from_slice::<&RawValue>(payload);
                assert!(json.is_ok(), "{}", String::from_utf8_lossy(payload));
            }
            Err(error) => {
                assert_eq!(number + 1, found.len(), "rows after an error");
                let line = error.strip_prefix("the row of line ").and_then(|rest| {
                    let (digits, _) = rest.split_once(':')?;
                    digits.parse::<usize>().ok()
                });
                assert!(line.is_some_and(|line| line <= lines) || error.starts_with("row 1: "));
            }
        }
    }
    let mark = "\u{feff}".as_bytes();
    if !table.starts_with(mark) && found.iter().all(Result::is_ok) {
        let marked = [mark, table].concat();
        assert_eq!(read(&marked, template.as_ref(), *piece), found);
    }
    // Without quotes, a line end is none of a field's bytes.
    if !table.contains(&b'"') && !table.contains(&b'\r') && found.iter().all(Result::is_ok) {
        let text: Vec<&[u8]> = table.split(|byte| *byte == b'\n').collect();
        assert_eq!(
            read(&text.join(&b"\r\n"[..]), template.as_ref(), *piece),
            found
        );
    }
}
