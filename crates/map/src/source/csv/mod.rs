//! Rows of CSV, as objects or by a template.

mod bounded;
mod template;

use std::fmt;
use std::io::Read;

use csv::StringRecord;
use serde_json::{Map, Value};

use self::bounded::Bounded;
use self::template::distinct;
pub use self::template::{Template, TemplateError};
use super::{Fields, MAX_ITEM, SourceError, SourceErrorKind};
use crate::counted::counted;
use crate::item::Item;

/// Rows of CSV as items: by a template, or else as objects. The first row has the names of the
/// columns.
pub struct Csv<R> {
    reader: csv::Reader<Bounded<R>>,
    columns: StringRecord,
    template: Option<Template>,
    fields: Fields,
    row: StringRecord,
    failed: bool,
}

impl<R: Read> Csv<R> {
    /// Reads the names of the columns.
    ///
    /// # Errors
    ///
    /// If they cannot be read, if the template names other columns, or if two columns have the same
    /// name (of those in the template, or of all if there is no template).
    pub fn new(reader: R, template: Option<Template>, fields: Fields) -> Result<Self, SourceError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(Bounded::new(reader));
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
            columns,
            template,
            fields,
            row: StringRecord::new(),
            failed: false,
        })
    }

    fn read(&mut self) -> Result<Option<Item>, SourceError> {
        let begin = self.reader.position().clone();
        self.reader.get_mut().next_row(begin.byte());
        let read = self.reader.read_record(&mut self.row);
        // If a row ends with `\r\n`, the library counts the `\n` with the next row.
        let is_behind = self.reader.get_ref().first_byte() == Some(b'\n');
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
    use std::io;

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
