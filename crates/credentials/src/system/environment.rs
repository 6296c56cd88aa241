//! Environment variables.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::Error;

/// A source of environment variables.
pub trait Environment: fmt::Debug + Send + Sync {
    /// Returns the value of a variable as it is, or `None` if it is not set.
    fn var(&self, name: &str) -> Option<OsString>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// A fixed set of variables. `Debug` shows their names only.
#[derive(Clone, Default)]
pub struct Variables(HashMap<String, OsString>);

impl Variables {
    /// Makes a set of variables.
    pub fn of<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        Self(
            variables
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl Environment for Variables {
    fn var(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Variables")
            .field(&self.0.keys().collect::<Vec<_>>())
            .finish()
    }
}

const LINE_END: &str = "ends in a line end, which is not part of the value";
const BLANK: &str = "is blank";

/// The value of a variable, where an empty one counts as unset.
///
/// # Errors
///
/// If it is not UTF-8, is blank, or has a control character, usually a line end from `$(cat ..)` on
/// Windows or from a secret store, which would otherwise silently select something else. The error
/// does not show the value, which may be a secret.
pub(crate) fn text(environment: &dyn Environment, name: &str) -> Result<Option<String>, Error> {
    let Some(value) = environment.var(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let wrong = |what: String| Error::configuration(format!("{name} in the environment {what}"));
    let value = value
        .into_string()
        .map_err(|_| wrong("is not UTF-8".to_owned()))?;
    match value.char_indices().find(|(_, one)| one.is_control()) {
        Some((at, '\r' | '\n')) if value.trim_end_matches(['\r', '\n']).len() == at => {
            return Err(wrong(LINE_END.to_owned()));
        }
        Some((at, _)) => return Err(wrong(format!("has a control character at byte {at}"))),
        None if value.trim().is_empty() => return Err(wrong(BLANK.to_owned())),
        None => {}
    }
    Ok(Some(value))
}

/// The value of a variable as a path, which need not be UTF-8; an empty one counts as unset.
///
/// # Errors
///
/// If it is blank or ends with a line break: no such file exists, so other settings would silently
/// take the place of the file's.
pub(crate) fn path(environment: &dyn Environment, name: &str) -> Result<Option<PathBuf>, Error> {
    let Some(value) = environment.var(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let wrong = |what| {
        Err(Error::configuration(format!(
            "{name} in the environment {what}"
        )))
    };
    match value.as_encoded_bytes() {
        [.., b'\r' | b'\n'] => wrong(LINE_END),
        bytes if bytes.trim_ascii().is_empty() => wrong(BLANK),
        _ => Ok(Some(value.into())),
    }
}

/// A switch that is `true` or `false`, in any case.
///
/// # Errors
///
/// If it is anything else.
pub(crate) fn parse_switch(by: &str, text: &str) -> Result<bool, Error> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::configuration(format!(
            "{by} is '{text}', expected true or false"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_unset_and_a_stray_line_end_is_an_error_without_the_value() {
        let variables = Variables::of([
            ("EMPTY", ""),
            ("GOOD", "a b#c"),
            ("LINE", "hunter2\n"),
            ("WINDOWS", "hunter2\r\n"),
            ("ONLY", "\n"),
            ("INNER", "hunt\ner2"),
            ("BLANK", "  "),
        ]);
        assert_eq!(text(&variables, "EMPTY").unwrap(), None);
        assert_eq!(text(&variables, "UNSET").unwrap(), None);
        assert_eq!(text(&variables, "GOOD").unwrap().unwrap(), "a b#c");
        for (name, what) in [
            ("LINE", "ends in a line end"),
            ("WINDOWS", "ends in a line end"),
            ("ONLY", "ends in a line end"),
            ("INNER", "a control character at byte 4"),
            ("BLANK", "is blank"),
        ] {
            let error = text(&variables, name).unwrap_err();
            assert!(error.to_string().contains(what), "{name}: {error}");
            assert!(error.to_string().starts_with(name), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunt"), "{error}");
        }
        assert!(!format!("{variables:?}").contains("hunter2"));
    }

    #[test]
    fn a_path_with_a_stray_line_end_is_an_error_instead_of_a_file_that_does_not_exist() {
        let variables = Variables::of([
            ("EMPTY", ""),
            ("GOOD", "/a b\nc"),
            ("LINE", "/a\n"),
            ("WINDOWS", "/a\r\n"),
            ("BLANK", " "),
        ]);
        assert_eq!(path(&variables, "EMPTY").unwrap(), None);
        assert_eq!(path(&variables, "UNSET").unwrap(), None);
        assert_eq!(path(&variables, "GOOD").unwrap(), Some("/a b\nc".into()));
        for (name, what) in [
            ("LINE", "ends in a line end"),
            ("WINDOWS", "ends in a line end"),
            ("BLANK", "is blank"),
        ] {
            let error = path(&variables, name).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(what), "{error}");
        }
    }
}
