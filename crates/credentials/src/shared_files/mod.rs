//! The shared files of AWS's tools: `~/.aws/config` and `~/.aws/credentials`.

mod encoding;
mod home;
mod location;
mod parse;
pub(crate) mod shell_words;

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

pub use self::encoding::Encoding;
use self::encoding::UTF8_MARK;
pub use self::home::expand_home;
pub(crate) use self::home::{dir as home_dir, with_home};
use self::parse::{Kind, Section, Sections};
use crate::system::{Environment, Files, MAX_FILE};
use crate::{Error, Tried};

/// Lists the profiles of the shared files, sorted.
///
/// # Errors
///
/// A file exists and cannot be read or parsed.
pub fn profile_names(
    files: &dyn Files,
    environment: &dyn Environment,
) -> Result<Vec<String>, Error> {
    let files = SharedFiles::read(files, environment)?;
    Ok(files.profiles().into_iter().map(str::to_owned).collect())
}

/// The contents of both files.
#[derive(Debug)]
pub(crate) struct SharedFiles {
    pub(crate) config: SharedFile,
    pub(crate) credentials: SharedFile,
}

impl SharedFiles {
    /// Reads the files from the paths in the environment, or else from the home directory. A file that
    /// does not exist has no profiles.
    pub(crate) fn read(files: &dyn Files, environment: &dyn Environment) -> Result<Self, Error> {
        let read = |kind| {
            let path = location::locate(environment, kind, cfg!(windows))?;
            SharedFile::read(files, kind, path)
        };
        Ok(Self {
            config: read(Kind::Config)?,
            credentials: read(Kind::Credentials)?,
        })
    }

    /// A value of a profile; an empty one counts as unset. The credentials file takes precedence.
    pub(crate) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        let of_credentials = self.credentials.get(profile, key);
        of_credentials.or_else(|| self.config.get(profile, key))
    }

    /// Whether a profile is in one of the files.
    pub(crate) fn has(&self, profile: &str) -> bool {
        let files = [&self.config, &self.credentials];
        files
            .iter()
            .any(|file| file.sections.profiles.contains_key(profile))
    }

    /// The names of all profiles, sorted.
    pub(crate) fn profiles(&self) -> BTreeSet<&str> {
        let files = [&self.config, &self.credentials];
        let names = files.map(|file| file.sections.profiles.keys());
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// A setting of a service in a `services` section: `None` if the section does not exist, and
    /// `Some(None)` if it does not have the setting.
    pub(crate) fn of_service(
        &self,
        section: &str,
        service: &str,
        key: &str,
    ) -> Option<Option<&str>> {
        let section = self.config.sections.services.get(section)?;
        let value = section.get(service);
        Some(
            value
                .and_then(|value| parse::sub_property(value, key))
                .filter(|value| !value.is_empty()),
        )
    }

    /// A session of IAM Identity Center, by the name of its section in the config file.
    pub(crate) fn sso_session(&self, name: &str) -> Option<SsoSession<'_>> {
        self.config.sections.sso_sessions.get(name).map(SsoSession)
    }
}

/// A `sso-session` section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SsoSession<'f>(&'f Section);

impl<'f> SsoSession<'f> {
    /// A value of the section; an empty one counts as unset.
    pub(crate) fn get(&self, key: &str) -> Option<&'f str> {
        let value = self.0.get(key)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// One of the files.
#[derive(Debug)]
pub(crate) struct SharedFile {
    kind: Kind,
    path: Option<PathBuf>,
    found: bool,
    sections: Sections,
}

impl SharedFile {
    fn read(files: &dyn Files, kind: Kind, path: Option<PathBuf>) -> Result<Self, Error> {
        let mut file = Self {
            kind,
            path,
            found: false,
            sections: Sections::default(),
        };
        let Some(path) = &file.path else {
            return Ok(file);
        };
        let unreadable = |why: &dyn fmt::Display| {
            Error::configuration(format!("cannot read {}: {why}", path.display()))
        };
        match files.read(path, MAX_FILE) {
            Ok(bytes) => {
                let text = text(&bytes).map_err(|why| unreadable(&why))?;
                file.sections = parse::parse(text, kind).map_err(|error| unreadable(&error))?;
                file.found = true;
                Ok(file)
            }
            Err(error) if is_absent(error.kind()) => Ok(file),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// A value of a profile; an empty one counts as unset.
    pub(crate) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        let value = self.sections.profiles.get(profile)?.get(key)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Why [`get`](Self::get) found nothing.
    pub(crate) fn missing(&self, profile: &str, key: &str) -> Tried {
        Tried::new(
            format!("{key} of profile '{profile}' in {}", self.place()),
            self.why_not(profile),
        )
    }

    /// The path of the file, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => format!("~/.aws/{}", self.kind.name()),
        }
    }

    /// Why a value of a profile is not in the file.
    pub(crate) fn why_not(&self, profile: &str) -> &'static str {
        match (&self.path, self.found) {
            (None, _) => "the home directory is not known",
            (Some(_), false) => "the file does not exist",
            (Some(_), true) if !self.sections.profiles.contains_key(profile) => {
                "the profile does not exist"
            }
            (Some(_), true) => "not set",
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Credentials => "credentials",
        }
    }
}

/// The text of a file, without the byte order mark that editors on Windows write.
fn text(bytes: &[u8]) -> Result<&str, String> {
    let bytes = match Encoding::detect(bytes) {
        None => bytes,
        Some(Encoding::MarkedUtf8) => bytes.strip_prefix(&UTF8_MARK).unwrap_or(bytes),
        Some(other) => {
            return Err(format!(
                "it {other}, but must be UTF-8\n  hint: {}",
                other.advice()
            ));
        }
    };
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} is not UTF-8")
    })
}

/// Whether the file does not exist, also because a parent is not a directory.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Machine, settings_of};

    #[test]
    fn an_empty_value_in_the_credentials_file_hides_none_in_the_config_file() {
        let machine = Machine::default()
            .config("[default]\nregion = eu-west-1\n")
            .credentials("[default]\nregion =\n");
        let settings = settings_of(&machine, |builder| builder).unwrap();
        let region = settings.value("UNSET", "region").unwrap().unwrap();
        assert_eq!(region.value, "eu-west-1");
    }

    #[test]
    fn a_mark_is_skipped_and_another_encoding_is_named() {
        assert_eq!(text(b"\xef\xbb\xbf[default]"), Ok("[default]"));
        assert_eq!(text(b"\xef\xbb\xbf"), Ok(""));
        let utf16 = text(b"\xff\xfe[\0d\0").unwrap_err();
        assert!(utf16.contains("it is UTF-16LE"), "{utf16}");
        assert!(utf16.contains("iconv -f UTF-16LE"), "{utf16}");
        assert!(text(b"[\0d\0").unwrap_err().contains("UTF-16LE"));
        let latin1 = text(b"[default]\n\nx = \xe9\n").unwrap_err();
        assert_eq!(latin1, "line 3 is not UTF-8");
    }
}
