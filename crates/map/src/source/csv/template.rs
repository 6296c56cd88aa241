//! Payloads by a template that names the columns of a table.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use csv::StringRecord;
use serde_json::Value;
use serde_json::value::RawValue;

/// JSON in which `{column}` stands for a field of a row. The rest stays as it is written.
///
/// In a string, `{column}` is replaced by the field's text. A string that consists only of
/// `{column:json}` is replaced by the field as JSON, such as a number. `{{` and `}}` stand for
/// braces.
///
/// # Example
///
/// ```
/// use lambda_invoke_map::source::{Csv, Fields, Template};
///
/// let template: Template = r#"{"who":"{name} of {town}","age":"{age:json}"}"#.parse()?;
/// let table = "name,town,age\n\"Ada\",London,36\n";
/// let mut rows = Csv::new(table.as_bytes(), Some(template), Fields::default())?;
/// let item = rows.next().unwrap()?;
/// assert_eq!(item.payload, r#"{"who":"Ada of London","age":36}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Part>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// JSON that stays as it is written, such as a number with its digits.
    Same(String),
    /// The content of a string.
    Text(String),
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// It is not JSON.
    Json(String),
    /// A brace has no counterpart.
    Brace(String),
    /// The table has no such column.
    Column(String),
    /// The table has several columns of this name.
    Columns(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the template is not JSON: {error}"),
            Self::Brace(text) => write!(
                f,
                "a brace in {text:?} has no counterpart; write {{{{ or }}}} for a brace itself"
            ),
            Self::Column(name) => write!(f, "the table has no column {name:?}"),
            Self::Columns(name) => write!(f, "the table has several columns {name:?}"),
        }
    }
}

impl std::error::Error for TemplateError {}

/// A piece of a string in a template.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Text(&'t str),
    Column { name: &'t str, as_json: bool },
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        if let Some(after) = from.strip_prefix("{{").or(from.strip_prefix("}}")) {
            pieces.push(Piece::Text(&from[..1]));
            rest = after;
            continue;
        }
        let column = from.strip_prefix('{').and_then(|from| from.split_once('}'));
        let Some((name, after)) = column else {
            return Err(TemplateError::Brace(text.to_owned()));
        };
        let (name, as_json) = match name.strip_suffix(":json") {
            Some(name) => (name, true),
            None => (name, false),
        };
        pieces.push(Piece::Column { name, as_json });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

/// Parses a template: JSON in which each brace has a counterpart.
impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let not_json = |error: serde_json::Error| TemplateError::Json(error.to_string());
        let json: &RawValue = serde_json::from_str(text).map_err(not_json)?;
        let mut parts = Vec::new();
        let mut rest = json.get();
        while let Some(at) = rest.find('"') {
            let (before, from) = rest.split_at(at);
            let (string, after) = from.split_at(end_of_string(from));
            let is_name = after.trim_start().starts_with(':');
            let text: String = serde_json::from_str(string).map_err(not_json)?;
            parts.push(Part::Same(before.to_owned()));
            parts.push(match is_name {
                true => Part::Same(string.to_owned()),
                false => {
                    pieces(&text)?;
                    Part::Text(text)
                }
            });
            rest = after;
        }
        parts.push(Part::Same(rest.to_owned()));
        Ok(Self(parts))
    }
}

/// Returns the length of the string that valid JSON begins with, in bytes.
fn end_of_string(json: &str) -> usize {
    let mut is_escaped = false;
    let quote = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    quote.map_or(json.len(), |at| at + 2)
}

impl Template {
    pub(super) fn check(&self, columns: &StringRecord) -> Result<(), TemplateError> {
        for part in &self.0 {
            let Part::Text(text) = part else { continue };
            for piece in pieces(text)? {
                if let Piece::Column { name, .. } = piece {
                    match columns.iter().filter(|column| *column == name).count() {
                        0 => return Err(TemplateError::Column(name.to_owned())),
                        1 => {}
                        _ => return Err(TemplateError::Columns(name.to_owned())),
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the payload of a row.
    pub(super) fn fill(
        &self,
        columns: &StringRecord,
        row: &StringRecord,
    ) -> Result<String, String> {
        let mut payload = String::new();
        for part in &self.0 {
            match part {
                Part::Same(json) => payload.push_str(json),
                Part::Text(text) => payload.push_str(&fill_text(text, columns, row)?),
            }
        }
        Ok(payload)
    }
}

/// Checks that the columns can be the members of an object.
pub(super) fn distinct(columns: &StringRecord) -> Result<(), TemplateError> {
    let mut seen = BTreeSet::new();
    match columns.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(TemplateError::Columns(name.to_owned())),
        None => Ok(()),
    }
}

/// Returns the JSON for a string of a template.
fn fill_text(text: &str, columns: &StringRecord, row: &StringRecord) -> Result<String, String> {
    let pieces = pieces(text).map_err(|error| error.to_string())?;
    let field = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| row.get(at)).unwrap_or_default()
    };
    if let [
        Piece::Column {
            name,
            as_json: true,
        },
    ] = pieces[..]
    {
        let field = field(name);
        return match serde_json::from_str::<&RawValue>(field) {
            Ok(json) => Ok(json.get().to_owned()),
            Err(_) => Err(format!("the field {name} is not JSON: {field:?}")),
        };
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Column { name, .. } => out.push_str(field(name)),
        }
    }
    Ok(Value::String(out).to_string())
}
