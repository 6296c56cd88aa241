//! The environment's variables.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::exit::Failure;

/// Looks variables up. An empty one counts as absent, as in AWS's own tools.
pub(crate) struct Environment(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<OsString>;

impl Environment {
    /// That of this process.
    pub(crate) fn process() -> Self {
        Self(Box::new(|name| std::env::var_os(name)))
    }

    /// One of a test's own.
    #[cfg(test)]
    pub(crate) fn of<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let variables: std::collections::HashMap<String, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Self(Box::new(move |name| variables.get(name).cloned()))
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let not_utf8 = |_| Failure::usage(format!("{name} in the environment is not UTF-8"));
        value.into_string().map(Some).map_err(not_utf8)
    }

    /// A variable whose value is a path, which need not be UTF-8.
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
        // Its values may be secrets.
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}
