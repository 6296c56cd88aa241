//! Lines, and texts that end with NUL.

use std::io::{self, BufRead, Read as _};

use super::{Fields, MARK, MAX_ITEM, SourceError, SourceErrorKind, check};
use crate::block::{Block, KEPT};
use crate::item::Item;

/// How much of a text is read at once: the longest one, its separator, and one byte more.
const MOST: u64 = MAX_ITEM as u64 + 2;

/// The separator that ends an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two kinds of lists in use")]
pub enum Separator {
    /// A line feed: JSON lines.
    #[default]
    Line,
    /// NUL, so that an item may have several lines.
    Nul,
}

/// The items of a text. Each must be JSON; empty ones are left out.
///
/// # Example
///
/// ```
/// use lambda_invoke_map::source::{Fields, Separator, Texts};
///
/// let text = "{\"n\":1}\n\n{\"n\":2}";
/// let items: Result<Vec<_>, _> =
///     Texts::new(text.as_bytes(), Separator::Line, Fields::default()).collect();
/// assert_eq!(items?[1].payload, "{\"n\":2}");
/// # Ok::<(), lambda_invoke_map::source::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Texts<R> {
    reader: R,
    separator: Separator,
    fields: Fields,
    number: u64,
    failed: bool,
    /// The text that is being read.
    text: Vec<u8>,
    block: Block,
}

impl<R: BufRead> Texts<R> {
    /// Reads items that end with this separator, and identifies them by these fields.
    pub fn new(reader: R, separator: Separator, fields: Fields) -> Self {
        Self {
            reader,
            separator,
            fields,
            number: 0,
            failed: false,
            text: Vec::new(),
            block: Block::new(),
        }
    }

    fn place(&self) -> String {
        match self.separator {
            Separator::Line => format!("line {}", self.number),
            Separator::Nul => format!("text {}", self.number),
        }
    }

    /// Returns the byte that ends a text.
    fn end(&self) -> u8 {
        match self.separator {
            Separator::Line => b'\n',
            Separator::Nul => 0,
        }
    }

    /// Reads the next text, with its separator.
    fn read_text(&mut self) -> io::Result<()> {
        let end = self.end();
        self.text.clear();
        self.text.shrink_to(KEPT);
        let mut reader = self.reader.by_ref().take(MOST);
        reader.read_until(end, &mut self.text).map(drop)
    }

    fn read(&mut self) -> Result<Option<Item>, SourceError> {
        loop {
            self.number += 1;
            let read = self.read_text();
            read.map_err(|error| SourceError::new(self.place(), SourceErrorKind::Io(error)))?;
            if self.text.is_empty() {
                return Ok(None);
            }
            // The text goes on, whatever the part that was read looks like.
            if self.text.len() as u64 == MOST && !self.text.ends_with(&[self.end()]) {
                return Err(SourceError::new(self.place(), SourceErrorKind::TooLarge));
            }
            let mut payload = match self.separator {
                Separator::Nul => self.text.strip_suffix(&[0]).unwrap_or(&self.text),
                Separator::Line => &self.text,
            };
            if self.number == 1 {
                payload = payload.strip_prefix(MARK).unwrap_or(payload);
            }
            let payload = payload.trim_ascii();
            if payload.len() > MAX_ITEM {
                return Err(SourceError::new(self.place(), SourceErrorKind::TooLarge));
            }
            if payload.is_empty() {
                continue;
            }
            check(payload, || self.place())?;
            let item = Item::new(self.block.keep(payload));
            return self.fields.name(item, || self.place()).map(Some);
        }
    }
}

impl<R: BufRead> Iterator for Texts<R> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, separator: Separator) -> Result<Vec<String>, String> {
        let items = Texts::new(text.as_bytes(), separator, Fields::default());
        items
            .map(|item| match item {
                Ok(item) => Ok(String::from_utf8(item.payload.to_vec()).unwrap()),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    }

    #[test]
    fn empty_lines_a_byte_order_mark_and_a_missing_last_line_end_are_no_trouble() {
        let text = "\u{feff}{\"a\":1}\r\n\n  \n[2]\n\"x\"";
        assert_eq!(
            read(text, Separator::Line).unwrap(),
            ["{\"a\":1}", "[2]", "\"x\""]
        );
        let text = "{\n\"a\":1}\0\0[2]";
        assert_eq!(read(text, Separator::Nul).unwrap(), ["{\n\"a\":1}", "[2]"]);
    }

    #[test]
    fn a_line_is_not_split_where_it_is_too_long() {
        for (start, end) in [("1", "2\n"), ("", "1\n")] {
            let text = format!("{start}{}{end}3\n", " ".repeat(MAX_ITEM + 2));
            let error = read(&text, Separator::Line).unwrap_err();
            assert!(error.starts_with("line 1: "), "{error}");
        }
        let text = format!("1{}\n2\n", " ".repeat(MAX_ITEM));
        assert_eq!(read(&text, Separator::Line).unwrap(), ["1", "2"]);
    }

    #[test]
    fn an_item_that_is_not_json_is_reported_with_its_line() {
        let error = read("[1]\n\n{\"a\":}\n[2]", Separator::Line).unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
        let large = format!("\"{}\"", "x".repeat(MAX_ITEM));
        assert_eq!(
            read(&large, Separator::Line).unwrap_err(),
            "line 1: an item has more than 16 MiB"
        );
    }
}
