//! The files that AWS's tools share: `~/.aws/config` and `~/.aws/credentials`.
//!
//! As in the AWS SDKs' reference for shared files: a profile is the section `[profile name]` of the
//! first and `[name]` of the second, `default` is `[default]` in both, keys are read without regard
//! to case, a line that is indented belongs to the value above it, and a `#` or `;` begins a comment
//! only at the start of a line.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;

use crate::exit::Failure;

type Section = HashMap<String, Option<String>>;

/// Both files, read.
#[derive(Debug)]
pub(crate) struct SharedFiles {
    pub(crate) config: SharedFile,
    pub(crate) credentials: SharedFile,
}

impl SharedFiles {
    /// Reads the files, from where the environment says, or else from the home folder.
    pub(crate) fn read() -> Result<Self, Failure> {
        Ok(Self {
            config: SharedFile::read("AWS_CONFIG_FILE", "config", true)?,
            credentials: SharedFile::read("AWS_SHARED_CREDENTIALS_FILE", "credentials", false)?,
        })
    }

    /// The names of all profiles, in order.
    pub(crate) fn profiles(&self) -> BTreeSet<&str> {
        let config = self.config.profiles.keys();
        config
            .chain(self.credentials.profiles.keys())
            .map(String::as_str)
            .collect()
    }
}

/// One of the files: its profiles by name.
#[derive(Debug)]
pub(crate) struct SharedFile {
    name: &'static str,
    path: Option<PathBuf>,
    found: bool,
    profiles: HashMap<String, Section>,
}

impl SharedFile {
    fn read(variable: &str, name: &'static str, is_config: bool) -> Result<Self, Failure> {
        let path = match env::var_os(variable).filter(|path| !path.is_empty()) {
            Some(path) => Some(without_tilde(PathBuf::from(path))),
            None => home().map(|home| home.join(".aws").join(name)),
        };
        let mut file = Self {
            name,
            path,
            found: false,
            profiles: HashMap::new(),
        };
        let Some(path) = &file.path else {
            return Ok(file);
        };
        match fs::read_to_string(path) {
            Ok(text) => {
                file.profiles = parse(&text, is_config).map_err(|error| {
                    Failure::usage(format!("{} cannot be read: {error}", path.display()))
                })?;
                file.found = true;
                Ok(file)
            }
            Err(error) if is_absent(error.kind()) => Ok(file),
            Err(error) => Err(Failure::usage(format!(
                "{} cannot be read: {error}",
                path.display()
            ))),
        }
    }

    /// A value of a profile; an empty one counts as absent.
    pub(crate) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        let (_, value) = self
            .profiles
            .get(profile)?
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        value.as_deref().filter(|value| !value.is_empty())
    }

    /// Why [`get`](Self::get) found nothing, for a person.
    pub(crate) fn missing<'f>(&'f self, profile: &'f str, key: &'f str) -> Missing<'f> {
        Missing {
            file: self,
            profile,
            key,
        }
    }
}

/// What was looked for in a file, and why it is not there.
#[derive(Debug)]
pub(crate) struct Missing<'f> {
    file: &'f SharedFile,
    profile: &'f str,
    key: &'f str,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, profile, key } = self;
        write!(f, "{key} of profile '{profile}' in ")?;
        let Some(path) = &file.path else {
            return write!(f, "~/.aws/{}: the home folder is not known", file.name);
        };
        write!(f, "{}: ", path.display())?;
        f.write_str(match (file.found, file.profiles.contains_key(*profile)) {
            (false, _) => "there is no such file",
            (true, false) => "it has no such profile",
            (true, true) => "not set",
        })
    }
}

fn parse(text: &str, is_config: bool) -> Result<HashMap<String, Section>, String> {
    let mut defaults = Ini::new_cs().defaults();
    // What stands before the first section belongs to no profile.
    defaults.default_section = String::new();
    defaults.comment_symbols = vec!['#', ';'];
    defaults.enable_inline_comments = false;
    defaults.delimiters = vec!['='];
    defaults.multiline = true;
    let sections = Ini::new_from_defaults(defaults).read(text.to_owned())?;
    let mut profiles: HashMap<String, Section> = HashMap::new();
    // `[profile default]` counts before `[default]`, so it comes later here.
    let mut sections: Vec<_> = sections.into_iter().collect();
    sections.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, section) in sections {
        if let Some(profile) = profile_of(&name, is_config) {
            profiles
                .entry(profile.to_owned())
                .or_default()
                .extend(section);
        }
    }
    Ok(profiles)
}

/// The profile that a section is; `None` if it is something else, such as `[sso-session name]`.
fn profile_of(section: &str, is_config: bool) -> Option<&str> {
    if section.is_empty() {
        return None;
    }
    if !is_config || section == "default" {
        return Some(section);
    }
    let name = section.strip_prefix("profile")?;
    name.starts_with(char::is_whitespace).then(|| name.trim())
}

/// A folder in the path that is none is no file either.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn home() -> Option<PathBuf> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    env::var_os(variable)
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

/// Shells do not expand a `~` that a file or a container's settings give.
fn without_tilde(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, is_config: bool) -> SharedFile {
        SharedFile {
            name: "file",
            path: Some(PathBuf::from("file")),
            found: true,
            profiles: parse(text, is_config).unwrap(),
        }
    }

    #[test]
    fn profiles_of_the_config_file_have_a_prefix() {
        let file = file(
            "[default]\nregion=eu-west-1\n[profile dev]\nREGION = eu-west-2\n\
             [prod]\nregion = eu-west-3\n[sso-session dev]\nregion = us-west-1\n",
            true,
        );
        assert_eq!(file.get("default", "region"), Some("eu-west-1"));
        assert_eq!(file.get("dev", "region"), Some("eu-west-2"));
        assert_eq!(file.get("prod", "region"), None);
        assert_eq!(file.profiles.len(), 2);
    }

    #[test]
    fn the_prefixed_default_counts_first() {
        for text in [
            "[default]\nregion = a\n[profile default]\nregion = b\n",
            "[profile default]\nregion = b\n[default]\nregion = a\n",
        ] {
            assert_eq!(file(text, true).get("default", "region"), Some("b"));
        }
    }

    #[test]
    fn values_keep_what_only_looks_like_syntax() {
        let file = file(
            "# a comment\n[dev]\n; another\naws_secret_access_key = a/b+c=:#;\"d\\e\n\
             s3 =\n  region = nested\n  max_concurrent_requests = 2\nregion = own\nempty =\n",
            false,
        );
        assert_eq!(
            file.get("dev", "aws_secret_access_key"),
            Some("a/b+c=:#;\"d\\e")
        );
        assert_eq!(file.get("dev", "region"), Some("own"));
        assert_eq!(file.get("dev", "empty"), None);
    }

    #[test]
    fn a_broken_file_is_an_error_with_its_line() {
        let error = parse("[default]\nregion = a\n[profile dev\n", true).unwrap_err();
        assert!(error.contains("line 3"), "{error}");
    }
}
