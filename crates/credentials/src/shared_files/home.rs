//! The home directory.

use std::path::{Path, PathBuf};

use crate::system::Environment;

/// The home directory: `HOME`; on Windows also `USERPROFILE`, or `HOMEDRIVE` and `HOMEPATH`.
pub(crate) fn dir(environment: &dyn Environment, is_windows: bool) -> Option<PathBuf> {
    let path = |name| {
        let value = environment.var(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let home = path("HOME");
    if home.is_some() || !is_windows {
        return home;
    }
    path("USERPROFILE").or_else(|| {
        let mut home = path("HOMEDRIVE")?.into_os_string();
        home.push(path("HOMEPATH")?);
        Some(home.into())
    })
}

/// Expands a `~` at the start of a path to the home directory, if that is known.
#[must_use]
pub fn expand_home(path: PathBuf, environment: &dyn Environment) -> PathBuf {
    let home = dir(environment, cfg!(windows));
    with_home(path, home.as_deref())
}

/// Expands a `~` at the start of a path to this home directory.
pub(crate) fn with_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        // Joining an empty path would append a separator.
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home.to_owned(),
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}
