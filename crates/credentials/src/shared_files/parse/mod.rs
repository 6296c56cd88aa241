//! Parses a shared file into sections.
//!
//! The rules are those of the AWS SDKs (`profile-parser-tests.json`); for the names of sections, those
//! of botocore: in the config file a name is a shell word, because the AWS CLI writes
//! `[profile 'my dev']`.

use std::collections::BTreeMap;
use std::fmt;

use super::shell_words::words;

/// Which of the two files is parsed. They write the names of profiles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Config,
    Credentials,
}

/// The properties of a section, with names in lower case.
pub(super) type Section = BTreeMap<String, String>;

/// The sections of a file by name. Sections of other kinds are ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) services: BTreeMap<String, Section>,
    pub(super) sso_sessions: BTreeMap<String, Section>,
}

/// Why a shared file is invalid, and in which line.
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

/// Parses a file.
///
/// Sections with the same name are merged, and the last of several properties with the same name is
/// used. In the config file `[profile default]` replaces `[default]`, wherever it is. An indented line
/// continues the value above it; if that value is empty, the line is a sub-property, which needs a
/// name and an equals sign.
///
/// # Errors
///
/// If a line is not valid. Unknown sections and invalid property names are ignored.
pub(super) fn parse(text: &str, kind: Kind) -> Result<Sections, ParseError> {
    let mut reader = Reader::new(kind);
    for (number, line) in (1..).zip(text.lines()) {
        reader
            .line(line)
            .map_err(|why| ParseError { line: number, why })?;
    }
    Ok(reader.sections)
}

/// The value of a sub-property, such as `endpoint_url` in the value of `lambda`.
pub(super) fn sub_property<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    value
        .strip_prefix('\n')?
        .lines()
        .filter_map(|line| without_comment(line).split_once('='))
        .filter(|(key, _)| key.trim_matches(BLANK).eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches(BLANK))
        .next_back()
}

/// The section that the following properties belong to.
#[derive(Debug)]
enum Current {
    /// No section has begun.
    None,
    /// A section that is ignored. Its lines are still validated.
    Ignored,
    Profile(String),
    Services(String),
    SsoSession(String),
}

/// The property that an indented line continues.
#[derive(Debug)]
enum Property {
    None,
    /// A property that is ignored.
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
    /// Whether a `[profile default]` was found.
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
            return Err("expected a section such as [default] first");
        }
        match line.starts_with(BLANK) {
            true => self.continue_value(text),
            false => self.set(line),
        }
    }

    fn begin(&mut self, line: &str) -> Result<(), &'static str> {
        let header = header(line).ok_or("expected ']' at the end of the section header")?;
        self.property = Property::None;
        self.current = match self.kind {
            Kind::Config => self.section_of_config(header),
            Kind::Credentials => Current::Profile(name_of_credentials(header)),
        };
        match &self.current {
            Current::Profile(name) if name.is_empty() => self.current = Current::Ignored,
            Current::Profile(name) => {
                self.sections.profiles.entry(name.clone()).or_default();
            }
            Current::Services(name) => {
                self.sections.services.entry(name.clone()).or_default();
            }
            Current::SsoSession(name) => {
                self.sections.sso_sessions.entry(name.clone()).or_default();
            }
            Current::None | Current::Ignored => {}
        }
        Ok(())
    }

    fn section_of_config(&mut self, header: &str) -> Current {
        let mut words = match words(header) {
            Some(words) => words.into_iter(),
            // An unclosed quote is part of the name.
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
            (Some("sso-session"), Some(name), None) => Current::SsoSession(name),
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

    fn continue_value(&mut self, text: &str) -> Result<(), &'static str> {
        let is_empty = match &self.property {
            Property::None => {
                return Err(
                    "an indented line continues the value above it, but there is no value above",
                );
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
            Current::SsoSession(name) => self.sections.sso_sessions.get_mut(name),
            Current::None | Current::Ignored => None,
        }
    }
}

/// The name of a profile in the credentials file: any text, since the AWS CLI writes it as it is, such as
/// `CORP\ada`. Quotes around the whole name are removed.
fn name_of_credentials(header: &str) -> String {
    let quoted = header.starts_with(['\'', '"']).then(|| words(header));
    match quoted.flatten().as_deref() {
        Some([name]) => name.clone(),
        _ => header.to_owned(),
    }
}

/// The text between the brackets. Brackets and comment signs in quotes are part of the name.
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

/// Removes a comment at the end of a line. It begins after white space, so that values can contain the
/// comment signs.
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

/// Whether a byte is allowed in the name of a setting, or in an unquoted profile name.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_/.%@:+".contains(&byte)
}

#[cfg(test)]
mod tests;
