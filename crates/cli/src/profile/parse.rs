//! The text of a shared file as sections.
//!
//! The rules are those that the AWS SDKs share (`profile-parser-tests.json`), and for the names of
//! sections those of botocore: in the config file a name is a shell word, so that the AWS CLI can
//! write `[profile 'my dev']`.

use std::collections::BTreeMap;
use std::fmt;

use super::words::words;

/// Which of the two files a text is of: they write the names of profiles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Config,
    Credentials,
}

/// The properties of a section, their names in lower case.
pub(super) type Section = BTreeMap<String, String>;

/// The sections of a file, by their names. Sections of other kinds are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) services: BTreeMap<String, Section>,
}

/// Why a text is not a shared file, and in which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    line: usize,
    why: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ParseError {}

const BLANK: [char; 2] = [' ', '\t'];

/// Reads a file.
///
/// A section that is there twice is one, and a property that is there twice has its last value. In
/// the config file `[profile default]` replaces `[default]`, wherever it stands. A line that is
/// indented continues the value above it; if that value is empty, it is a sub-property, and needs a
/// name and an equals sign.
///
/// # Errors
///
/// If a line is none of these. A section or property whose name is not one of a setting is not an
/// error.
pub(super) fn parse(text: &str, kind: Kind) -> Result<Sections, ParseError> {
    let mut reader = Reader::new(kind);
    for (number, line) in (1..).zip(text.lines()) {
        reader
            .line(line)
            .map_err(|why| ParseError { line: number, why })?;
    }
    Ok(reader.sections)
}

/// A value of a sub-property: of `endpoint_url` in a `lambda` of several lines.
pub(super) fn sub_property<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    value
        .strip_prefix('\n')?
        .lines()
        .filter_map(|line| without_comment(line).split_once('='))
        .filter(|(key, _)| key.trim_matches(BLANK).eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches(BLANK))
        .next_back()
}

/// Where the properties that follow belong.
#[derive(Debug)]
enum Current {
    /// No section has begun.
    None,
    /// A section that is of no interest, whose lines are checked all the same.
    Ignored,
    Profile(String),
    Services(String),
}

/// The property that an indented line continues.
#[derive(Debug)]
enum Property {
    None,
    /// One whose value is kept nowhere.
    Ignored {
        is_empty: bool,
    },
    Named {
        name: String,
        is_empty: bool,
    },
}

#[derive(Debug)]
struct Reader {
    kind: Kind,
    sections: Sections,
    current: Current,
    property: Property,
    /// Whether there was a `[profile default]`.
    has_prefixed_default: bool,
}

impl Reader {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            sections: Sections::default(),
            current: Current::None,
            property: Property::None,
            has_prefixed_default: false,
        }
    }

    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let text = line.trim_matches(BLANK);
        if text.is_empty() || text.starts_with(['#', ';']) {
            return Ok(());
        }
        if line.starts_with('[') {
            return self.begin(line);
        }
        if matches!(self.current, Current::None) {
            return Err("a section such as [default] must come first");
        }
        match line.starts_with(BLANK) {
            true => self.go_on(text),
            false => self.set(line),
        }
    }

    fn begin(&mut self, line: &str) -> Result<(), &'static str> {
        let header =
            header(line).ok_or("the name of a section must end with ']', and its line too")?;
        self.property = Property::None;
        self.current = match self.kind {
            Kind::Config => self.section_of_config(header),
            Kind::Credentials => Current::Profile(match words(header).as_deref() {
                Some([name]) => name.clone(),
                // botocore takes any name here.
                _ => header.to_owned(),
            }),
        };
        match &self.current {
            Current::Profile(name) if name.is_empty() => self.current = Current::Ignored,
            Current::Profile(name) => {
                self.sections.profiles.entry(name.clone()).or_default();
            }
            Current::Services(name) => {
                self.sections.services.entry(name.clone()).or_default();
            }
            Current::None | Current::Ignored => {}
        }
        Ok(())
    }

    fn section_of_config(&mut self, header: &str) -> Current {
        let mut words = match words(header) {
            Some(words) => words.into_iter(),
            // A quote that is not closed: the name is meant as it stands.
            None => match header.split_once(BLANK) {
                Some((kind, name)) => vec![kind.to_owned(), name.trim_matches(BLANK).to_owned()],
                None => return Current::Ignored,
            }
            .into_iter(),
        };
        match (words.next().as_deref(), words.next(), words.next()) {
            (Some("default"), None, None) if self.has_prefixed_default => Current::Ignored,
            (Some("default"), None, None) => Current::Profile("default".to_owned()),
            (Some("profile"), Some(name), None) => {
                if name == "default" && !self.has_prefixed_default {
                    self.has_prefixed_default = true;
                    self.sections.profiles.remove("default");
                }
                Current::Profile(name)
            }
            (Some("services"), Some(name), None) => Current::Services(name),
            _ => Current::Ignored,
        }
    }

    fn set(&mut self, line: &str) -> Result<(), &'static str> {
        let (name, value) = without_comment(line)
            .split_once('=')
            .ok_or("a property needs an equals sign: NAME = VALUE")?;
        let (name, value) = (name.trim_matches(BLANK), value.trim_matches(BLANK));
        if name.is_empty() {
            return Err("a property needs a name before the equals sign");
        }
        let is_empty = value.is_empty();
        self.property = match self.section() {
            Some(section) if name.bytes().all(is_of_name) => {
                let name = name.to_ascii_lowercase();
                section.insert(name.clone(), value.to_owned());
                Property::Named { name, is_empty }
            }
            _ => Property::Ignored { is_empty },
        };
        Ok(())
    }

    fn go_on(&mut self, text: &str) -> Result<(), &'static str> {
        let is_empty = match &self.property {
            Property::None => {
                return Err("an indented line belongs to the value above it, and there is none");
            }
            Property::Ignored { is_empty } | Property::Named { is_empty, .. } => *is_empty,
        };
        if is_empty {
            match text.split_once('=') {
                None => return Err("a sub-property needs an equals sign: NAME = VALUE"),
                Some((name, _)) if name.trim_matches(BLANK).is_empty() => {
                    return Err("a sub-property needs a name before the equals sign");
                }
                Some(_) => {}
            }
        }
        let Property::Named { name, .. } = &self.property else {
            return Ok(());
        };
        let name = name.clone();
        if let Some(value) = self.section().and_then(|section| section.get_mut(&name)) {
            value.push('\n');
            value.push_str(text);
        }
        Ok(())
    }

    fn section(&mut self) -> Option<&mut Section> {
        match &self.current {
            Current::Profile(name) => self.sections.profiles.get_mut(name),
            Current::Services(name) => self.sections.services.get_mut(name),
            Current::None | Current::Ignored => None,
        }
    }
}

/// What stands between the brackets. A bracket or a comment's sign within quotes is of the name.
fn header(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let end = end_outside_quotes(inner).or_else(|| inner.find(']'))?;
    let (name, rest) = (&inner[..end], &inner[end + 1..]);
    let rest = rest.trim_matches(BLANK);
    (rest.is_empty() || rest.starts_with(['#', ';'])).then(|| name.trim_matches(BLANK))
}

fn end_outside_quotes(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, ']') => return Some(at),
            (None, '\'' | '"') => quote = Some(character),
            (None | Some('"'), '\\') => {
                characters.next();
            }
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

/// A comment that ends a line begins after white space, so that a value can hold its sign.
fn without_comment(line: &str) -> &str {
    let mut after_blank = false;
    for (at, character) in line.char_indices() {
        if after_blank && matches!(character, '#' | ';') {
            return &line[..at];
        }
        after_blank = BLANK.contains(&character);
    }
    line
}

/// Whether a byte can be part of the name of a setting, or of a profile in the SDKs that know no
/// quotes.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_/.%@:+".contains(&byte)
}

#[cfg(test)]
mod tests;
