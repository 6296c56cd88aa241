//! `.env` files: one `NAME=VALUE` per line.
//!
//! Blank lines and lines that begin with `#` are skipped; `export ` before a name is allowed. A value
//! in single quotes is literal; in double quotes, `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes;
//! both may span lines. Without quotes, white space around the value and a comment after ` #` are
//! removed. `$NAME` is never expanded: programs disagree on its meaning.

use std::path::Path;

use crate::functions::error::{ConfigError, Problem};
use crate::functions::source::read;
use crate::functions::spec::{VARIABLE, Value, is_variable};

/// Reads a file.
///
/// # Errors
///
/// If it cannot be read, or a line is malformed.
pub(crate) fn load(path: &Path) -> Result<Vec<(String, Value)>, ConfigError> {
    let place = path.display().to_string();
    let text = read(path).map_err(|problem| ConfigError::new(&place, problem))?;
    let variables = parse(&place, &text)?;
    let redacted = variables
        .into_iter()
        .map(|(name, value)| (name, Value(value)));
    Ok(redacted.collect())
}

/// The variables of a file's text, in its order; if a name occurs twice, the last one counts.
fn parse(place: &str, text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let here = line;
        let error = |problem| ConfigError::new(place, problem).at(here);
        let (statement, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = statement.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            (rest, line) = (after, line + 1);
            continue;
        }
        let Some((name, _)) = statement.split_once('=') else {
            // The text is not shown, because it may be a secret.
            return Err(error(Problem::Syntax(
                "the line has no '='; expected NAME=VALUE".to_owned(),
            )));
        };
        let value = rest.get(name.len() + 1..).unwrap_or_default();
        let name = name.trim();
        let name = match name.strip_prefix("export") {
            Some(exported) if exported.starts_with([' ', '\t']) => exported.trim(),
            _ => name,
        };
        if !is_variable(name) {
            // A line of a key or of JSON, which may be a secret too.
            return Err(error(Problem::Syntax(format!(
                "the text before '=' is not the name of a variable; expected {VARIABLE}, or quotes \
                 around a value of several lines"
            ))));
        }
        let (value, after) = self::value(value).map_err(error)?;
        if value.contains('\0') {
            return Err(error(Problem::Syntax(format!(
                "the value of {name} contains a NUL byte, which no environment can hold"
            ))));
        }
        // A statement may span several lines, in quotes.
        let consumed = rest.len() - after.len();
        line = here
            + rest
                .get(..consumed)
                .unwrap_or_default()
                .matches('\n')
                .count();
        variables.push((name.to_owned(), value));
        rest = after;
    }
    Ok(variables)
}

/// The value at the beginning of a text, and the text after its line.
fn value(text: &str) -> Result<(String, &str), Problem> {
    let begin = text.trim_start_matches([' ', '\t']);
    let is_spaced = begin.len() < text.len();
    let (value, after) = match begin.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(begin, quote)?,
        _ => {
            let (line, after) = begin.split_once('\n').unwrap_or((begin, ""));
            let comment = line
                .char_indices()
                .find(|(at, character)| {
                    let is_after_space = match *at {
                        0 => is_spaced,
                        at => line[..at].ends_with([' ', '\t']),
                    };
                    *character == '#' && is_after_space
                })
                .map_or(line.len(), |(at, _)| at);
            return Ok((line[..comment].trim().to_owned(), after));
        }
    };
    let (rest, after) = after.split_once('\n').unwrap_or((after, ""));
    let rest = rest.trim();
    match rest.is_empty() || rest.starts_with('#') {
        true => Ok((value, after)),
        false => Err(Problem::Syntax(
            "there is text after the closing quote; expected the end of the line or a comment"
                .to_owned(),
        )),
    }
}

/// The value in quotes at the beginning of a text, and the text after the closing quote.
fn quoted(text: &str, quote: char) -> Result<(String, &str), Problem> {
    let mut value = String::new();
    let rest = |at: usize| text.get(at + 1..).unwrap_or_default();
    // The line ends of the file are line feeds in the value; the escape \r\n is what it says.
    let mut characters = text
        .char_indices()
        .skip(1)
        .filter(|(at, character)| *character != '\r' || !rest(*at).starts_with('\n'));
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((value, rest(at))),
            '\\' if quote == '"' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(Problem::Syntax(format!("the value has no closing {quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values_with_and_without_quotes() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n# comment\n  \n", &[]),
            ("A=1", &[("A", "1")]),
            (
                "\u{feff}A=1\r\nB = two words \r\n",
                &[("A", "1"), ("B", "two words")],
            ),
            (
                "export A=1\nexport\tB=2\nexport_C=3",
                &[("A", "1"), ("B", "2"), ("export_C", "3")],
            ),
            ("A=\nB=''\nC=\"\"", &[("A", ""), ("B", ""), ("C", "")]),
            (
                "A=x # y\nB=x#y\nC=#fff\nD='x # y' # z\nE= # none",
                &[
                    ("A", "x"),
                    ("B", "x#y"),
                    ("C", "#fff"),
                    ("D", "x # y"),
                    ("E", ""),
                ],
            ),
            ("A='$HOME \\n'", &[("A", "$HOME \\n")]),
            (r#"A="a\nb\t\"\\\$\q""#, &[("A", "a\nb\t\"\\$\\q")]),
            (
                "A=\"a\\r\\nb\r\nc\\\r\nd\re\"\r\nB=1",
                &[("A", "a\r\nb\nc\\\nd\re"), ("B", "1")],
            ),
            ("A=$HOME/${X}", &[("A", "$HOME/${X}")]),
            (
                "A=\"one\ntwo\"\nB='three\r\nfour'\n",
                &[("A", "one\ntwo"), ("B", "three\nfour")],
            ),
            (
                "URL=postgres://u:p@h/d?x=1&y=2",
                &[("URL", "postgres://u:p@h/d?x=1&y=2")],
            ),
            ("A=it's", &[("A", "it's")]),
        ] {
            let found = parse(".env", text).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_no_value() {
        for (text, line, part) in [
            ("A=1\nhush", 2, "no '='"),
            ("A=\"x\ny\"\n\n1B=hush", 4, "not the name of a variable"),
            (
                "KEY=-----BEGIN-----\nhush/AA==\n",
                2,
                "quotes around a value",
            ),
            ("{\"SECRET\": \"hush=\"}", 1, "not the name of a variable"),
            ("A=1\n=hush", 2, "not the name of a variable"),
            ("A B=hush", 1, "not the name of a variable"),
            ("A=1\nB=\"hush", 2, "no closing \""),
            ("A='hush", 1, "no closing '"),
            ("A='a' hush", 1, "after the closing quote"),
            ("A=\"a\\", 1, "no closing \""),
            ("A=hush\0", 1, "NUL"),
        ] {
            let error = parse(".env", text).unwrap_err();
            assert_eq!(error.line(), Some(line), "{text:?}");
            let shown = error.to_string();
            assert!(shown.starts_with(&format!(".env:{line}: ")), "{shown}");
            assert!(shown.contains(part), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}
