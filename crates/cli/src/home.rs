//! The home folder.

use std::path::{Path, PathBuf};

use crate::config::Environment;

/// The home folder: `HOME`; on Windows also `USERPROFILE`, or `HOMEDRIVE` and `HOMEPATH`.
pub(crate) fn of(environment: &Environment, is_windows: bool) -> Option<PathBuf> {
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

/// A path with the home folder of this process for a `~` at its start, where no shell did that.
pub(crate) fn expanded(path: PathBuf) -> PathBuf {
    let home = of(&Environment::process(), cfg!(windows));
    with_home(path, home.as_deref())
}

/// A path with this home folder for a `~` at its start.
pub(crate) fn with_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        // Joining an empty path would add a separator.
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home.to_owned(),
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}
