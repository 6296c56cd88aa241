//! The home directory.

use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// The home directory: `HOME`; on Windows also `USERPROFILE`, or `HOMEDRIVE` and `HOMEPATH`.
pub(crate) fn dir(environment: &Environment, is_windows: bool) -> Option<PathBuf> {
    let home = environment.path("HOME");
    if home.is_some() || !is_windows {
        return home;
    }
    environment.path("USERPROFILE").or_else(|| {
        let mut home = environment.path("HOMEDRIVE")?.into_os_string();
        home.push(environment.path("HOMEPATH")?);
        Some(home.into())
    })
}

/// Expands a `~` at the start of a path to the home directory of this process.
pub(crate) fn expanded(path: PathBuf) -> PathBuf {
    let home = dir(&Environment::process(), cfg!(windows));
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
