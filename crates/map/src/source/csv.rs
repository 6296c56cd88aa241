//! Rows of CSV, as objects or by a template.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::StringRecord;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Fields, MARK, MAX_ITEM, SourceError, SourceErrorKind};
use crate::counted::counted;
use crate::item::Item;

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
    fn check(&self, columns: &StringRecord) -> Result<(), TemplateError> {
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
    fn fill(&self, columns: &StringRecord, row: &StringRecord) -> Result<String, String> {
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
fn distinct(columns: &StringRecord) -> Result<(), TemplateError> {
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

/// Rows of CSV as items: by a template, or else as objects. The first row has the names of the
/// columns.
pub struct Csv<R> {
    reader: csv::Reader<Bounded<R>>,
    left: Arc<AtomicUsize>,
    columns: StringRecord,
    template: Option<Template>,
    fields: Fields,
    row: StringRecord,
    failed: bool,
}

/// Ends with an error before a row takes more than [`MAX_ITEM`]: the library reads rows of any length.
struct Bounded<R> {
    inner: R,
    left: Arc<AtomicUsize>,
    has_begun: bool,
    /// The bytes that were read last. The library takes all of them before it reads more.
    last: Vec<u8>,
    /// The offset of their end.
    end: u64,
    /// The offset of a byte that is wanted, and the byte as soon as it has been read.
    wanted: (u64, Option<u8>),
    quotes: Quotes,
}

/// What the bytes so far mean for the next quote (RFC 4180). The library takes a quoted field that does
/// not end for one that ends with the table, and all rows after the quote for a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quotes {
    /// A field begins.
    #[default]
    Start,
    /// Within a field that is not quoted, or after a quoted one.
    Field,
    Quoted,
    /// After a quote in a quoted field: its end, or the first of two that stand for one.
    Quote,
}

impl Quotes {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::Start | Self::Quote, b'"') => Self::Quoted,
            (_, b',' | b'\r' | b'\n') => Self::Start,
            _ => Self::Field,
        }
    }
}

impl<R: Read> Bounded<R> {
    /// Reads the start of the table in one piece. The library skips a byte order mark only if one read
    /// returns all of it, and takes a read that returns nothing else for the end of the table.
    fn begin(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < MARK_AND_MORE {
            match self.inner.read(&mut buffer[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.has_begun = true;
        Ok(read)
    }
}

impl<R> Bounded<R> {
    fn want(&mut self, offset: u64) {
        let start = self.end - self.last.len() as u64;
        let at = offset.checked_sub(start).map(usize::try_from);
        let byte = at.and_then(|at| self.last.get(at.ok()?)).copied();
        self.wanted = (offset, byte);
    }

    fn keep(&mut self, read: &[u8]) {
        // A byte order mark is not a part of the first field.
        let mark = if self.end == 0 { MARK } else { b"" };
        let text = read.strip_prefix(mark).unwrap_or(read).iter();
        self.quotes = text.fold(self.quotes, |quotes, byte| quotes.after(*byte));
        if self.wanted.0 == self.end {
            self.wanted.1 = self.wanted.1.or_else(|| read.first().copied());
        }
        self.last.clear();
        self.last.extend_from_slice(read);
        self.end += read.len() as u64;
    }
}

/// The length of a byte order mark and one byte more.
const MARK_AND_MORE: usize = MARK.len() + 1;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            let problem = format!("a row has more than {} MiB", MAX_ITEM >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let most = left.min(buffer.len());
        let buffer = &mut buffer[..most];
        let read = match self.has_begun {
            true => self.inner.read(buffer)?,
            false => self.begin(buffer)?,
        };
        if read == 0 && most > 0 && self.quotes == Quotes::Quoted {
            let problem = "a quoted field does not end: its closing quote is missing";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
        }
        self.left.store(left - read, Ordering::Relaxed);
        self.keep(&buffer[..read]);
        Ok(read)
    }
}

impl<R: Read> Csv<R> {
    /// Reads the names of the columns.
    ///
    /// # Errors
    ///
    /// If they cannot be read, if the template names other columns, or if two columns have the same
    /// name (of those in the template, or of all if there is no template).
    pub fn new(reader: R, template: Option<Template>, fields: Fields) -> Result<Self, SourceError> {
        let left = Arc::new(AtomicUsize::new(MAX_ITEM));
        let bounded = Bounded {
            inner: reader,
            left: Arc::clone(&left),
            has_begun: false,
            last: Vec::new(),
            end: 0,
            wanted: (0, None),
            quotes: Quotes::default(),
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(bounded);
        let place = || "row 1".to_owned();
        let problem = |text: String| SourceError::new(place(), SourceErrorKind::Csv(text));
        let columns = reader
            .headers()
            .map_err(|error| problem(error.to_string()))?
            .clone();
        let checked = match &template {
            Some(template) => template.check(&columns),
            None => distinct(&columns),
        };
        checked.map_err(|error| problem(error.to_string()))?;
        Ok(Self {
            reader,
            left,
            columns,
            template,
            fields,
            row: StringRecord::new(),
            failed: false,
        })
    }

    fn read(&mut self) -> Result<Option<Item>, SourceError> {
        let begin = self.reader.position().clone();
        self.reader.get_mut().want(begin.byte());
        self.left.store(MAX_ITEM, Ordering::Relaxed);
        let read = self.reader.read_record(&mut self.row);
        // If a row ends with `\r\n`, the library counts the `\n` with the next row.
        let is_behind = self.reader.get_ref().wanted.1 == Some(b'\n');
        let line = begin.line() + u64::from(is_behind);
        let place = || format!("the row of line {line}");
        let problem = |text: String| SourceError::new(place(), SourceErrorKind::Csv(text));
        if !read.map_err(|error| problem(explained(&error)))? {
            return Ok(None);
        }
        let payload = match &self.template {
            Some(template) => template.fill(&self.columns, &self.row).map_err(problem)?,
            None => {
                let members = self.columns.iter().zip(&self.row);
                let members = members.map(|(name, field)| (name.to_owned(), field.into()));
                Value::Object(members.collect::<Map<_, _>>()).to_string()
            }
        };
        if payload.len() > MAX_ITEM {
            return Err(SourceError::new(place(), SourceErrorKind::TooLarge));
        }
        self.fields.name(Item::new(payload), place).map(Some)
    }
}

/// Describes an error without the library's own line numbers, which differ from ours.
fn explained(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            let fields = counted(*len, "field");
            format!("it has {fields}, and the first row has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => {
            let field = err.field() + 1;
            let byte = err.valid_up_to() as u64;
            format!(
                "field {field} is not UTF-8 after its first {}",
                counted(byte, "byte")
            )
        }
        _ => error.to_string(),
    }
}

impl<R: Read> Iterator for Csv<R> {
    type Item = Result<Item, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.read();
        self.failed = item.is_err();
        item.transpose()
    }
}

impl<R> fmt::Debug for Csv<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csv")
            .field("columns", &self.columns)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &str, template: Option<&str>) -> Result<Vec<String>, String> {
        let template = template.map(str::parse::<Template>).transpose();
        let template = template.map_err(|error| error.to_string())?;
        let rows = Csv::new(table.as_bytes(), template, Fields::default());
        rows.map_err(|error| error.to_string())?
            .map(|item| match item {
                Ok(item) => Ok(String::from_utf8(item.payload.to_vec()).unwrap()),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    }

    #[test]
    fn rows_become_objects_or_what_the_template_says() {
        let table = "name,n\r\n\"a \"\"quoted\"\"\nname\",1\r\nb,2\r\n";
        assert_eq!(
            rows(table, None).unwrap(),
            [
                r#"{"n":"1","name":"a \"quoted\"\nname"}"#,
                r#"{"n":"2","name":"b"}"#
            ]
        );
        let template = r#"{"text":"{{{name}}}","list":["{n:json}",null],"n":"{n:json}!"}"#;
        assert_eq!(
            rows("name,n\nb,2\n", Some(template)).unwrap(),
            [r#"{"text":"{b}","list":[2,null],"n":"2!"}"#]
        );
        // No digit is lost, not even by way of a field, and names are not filled in.
        let template =
            r#"{"{n}" : 1.10, "\"\\": [12345678901234567890123, "{n:json}", "\"{name}\\"]}"#;
        assert_eq!(
            rows("name,n\n\"\"\"\",0.10e-400\n", Some(template)).unwrap(),
            [r#"{"{n}" : 1.10, "\"\\": [12345678901234567890123, 0.10e-400, "\"\"\\"]}"#]
        );
    }

    /// Returns one byte at a time.
    struct Drip<'b>(&'b [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.len().min(buffer.len()).min(1);
            let (now, later) = self.0.split_at(read);
            buffer[..read].copy_from_slice(now);
            self.0 = later;
            Ok(read)
        }
    }

    #[test]
    fn a_quote_within_a_field_and_after_a_quoted_one_opens_nothing() {
        let table = "a,b\n1\",2\n\"3\"x\"y,\"\"\n\"4\"\"\",\"5\"";
        assert_eq!(
            rows(table, None).unwrap(),
            [
                r#"{"a":"1\"","b":"2"}"#,
                r#"{"a":"3x\"y","b":""}"#,
                r#"{"a":"4\"","b":"5"}"#
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_reported_with_our_line_alone() {
        let table: &[u8] = b"a,b\r\n1,\"x\r\ny\"\r\n2,z\xe9\r\n";
        let rows = Csv::new(table, None, Fields::default()).unwrap();
        let error = rows.last().unwrap().unwrap_err().to_string();
        assert_eq!(
            error,
            "the row of line 4: field 2 is not UTF-8 after its first 1 byte"
        );
    }

    /// Such as from `(printf '\xef\xbb\xbf'; cat table.csv) |`.
    #[test]
    fn a_byte_order_mark_is_skipped_however_it_arrives() {
        let table = "\u{feff}a\n1\n".as_bytes();
        let read = |rows: Csv<Box<dyn Read>>| {
            let payloads = rows.map(|item| item.unwrap().payload);
            payloads.collect::<Vec<_>>()
        };
        for at in 0..table.len() {
            let parts: Box<dyn Read> = Box::new(table[..at].chain(&table[at..]));
            let rows = Csv::new(parts, None, Fields::default()).unwrap();
            assert_eq!(read(rows), [r#"{"a":"1"}"#], "{at}");
        }
        let drip: Box<dyn Read> = Box::new(Drip(table));
        let rows = Csv::new(drip, None, Fields::default()).unwrap();
        assert_eq!(read(rows), [r#"{"a":"1"}"#]);
        for short in ["", "a", "\u{feff}"] {
            let rows = Csv::new(short.as_bytes(), None, Fields::default()).unwrap();
            assert_eq!(rows.count(), 0, "{short}");
        }
    }

    #[test]
    fn mistakes_say_where() {
        for (table, template, expected) in [
            ("a\n1\n", Some("{"), "the template is not JSON"),
            ("a\n1\n", Some("\"{a\""), "has no counterpart"),
            (
                "a\n1\n",
                Some("\"{b}\""),
                "row 1: the table has no column \"b\"",
            ),
            (
                "a\nx\n",
                Some("\"{a:json}\""),
                "the row of line 2: the field a is not JSON: \"x\"",
            ),
            (
                "a,b\n1,2\n3\n",
                None,
                "the row of line 3: it has 1 field, and the first row has 2",
            ),
            // The library counts a line end of two bytes with the next row.
            ("a\r\nx\r\n", Some("\"{a:json}\""), "the row of line 2: "),
            (
                "a\r\n1\r\nx\r\n",
                Some("\"{a:json}\""),
                "the row of line 3: ",
            ),
            ("a,b\r\n1,2\r\n3\r\n", None, "the row of line 3: "),
            ("a,b\r\n1,2\n3\n", None, "the row of line 3: "),
            ("a,b\n1,2\r\n3\n", None, "the row of line 3: "),
            (
                "id,note\n1,\"open\n2,b\n3,c\n",
                None,
                "the row of line 2: a quoted field does not end",
            ),
            ("a,b\n1,2\n3,\"4\"\"\n", None, "the row of line 3: a quoted"),
            (
                "\u{feff}\"a\n1\n",
                None,
                "row 1: a quoted field does not end",
            ),
            (
                "a,b,a\n1,2,3\n",
                None,
                "row 1: the table has several columns \"a\"",
            ),
            ("a,b,a\n", Some("\"{a}\""), "several columns \"a\""),
        ] {
            let error = rows(table, template).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // Columns that the template leaves out may have the same name.
        let left = rows("a,b,a\n1,2,3\n", Some("\"{b}\""));
        assert_eq!(left.unwrap(), ["\"2\""]);
        let endless = std::io::Read::chain("a\n".as_bytes(), std::io::repeat(b'x'));
        let mut rows = Csv::new(endless, None, Fields::default()).unwrap();
        let error = rows.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("more than 16 MiB"), "{error}");
    }
}
