//! Environment variables.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::exit::Failure;

/// A source of environment variables. Empty variables count as unset, as in AWS's own tools.
pub(crate) struct Environment(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<OsString>;

impl Environment {
    /// The environment of this process.
    pub(crate) fn process() -> Self {
        Self(Box::new(|name| std::env::var_os(name)))
    }

    /// An environment for a test.
    #[cfg(test)]
    pub(crate) fn of<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let variables: std::collections::HashMap<String, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Self(Box::new(move |name| variables.get(name).cloned()))
    }

    /// The value of a variable.
    ///
    /// # Errors
    ///
    /// If it is not UTF-8.
    pub(crate) fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let not_utf8 = |_| Failure::usage(format!("{name} in the environment is not UTF-8"));
        value.into_string().map(Some).map_err(not_utf8)
    }

    /// The value of a variable as a path, which need not be UTF-8.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// The first of these variables that is set.
    pub(crate) fn first_set(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.raw(name).is_some())
    }

    fn raw(&self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}
