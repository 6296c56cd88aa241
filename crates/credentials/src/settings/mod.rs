//! The settings of AWS's tools: explicit ones, the environment and the shared files, in this order.
//!
//! A setting that changes where requests go, or whose credentials sign them, is either applied or an
//! error; it is never ignored.

mod call;
mod endpoint;
mod region;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::endpoint::{EndpointSetting, Service};
use crate::exchange::Address;
use crate::shared_files::{SharedFiles, home_dir, with_home};
use crate::system::{System, environment_path, environment_text, parse_switch};
use crate::{Error, Tried};

/// The profile that is used unless another one is named.
const DEFAULT: &str = "default";

/// The value of a setting, and where it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it is set, such as `AWS_REGION` or `region of profile 'dev'`.
    pub by: String,
}

impl<T> Setting<T> {
    /// Creates a setting from a value and the place where it is set.
    pub fn new(value: impl Into<T>, by: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            by: by.into(),
        }
    }
}

/// The settings of this machine for one profile. Cheap to clone.
///
/// # Example
///
/// ```no_run
/// use lambda_invoke_credentials::Settings;
///
/// let settings = Settings::builder().profile("dev").load()?;
/// if let Some(region) = settings.region()? {
///     println!("{} (set by {})", region.value, region.by);
/// }
/// # Ok::<(), lambda_invoke_credentials::Error>(())
/// ```
#[derive(Clone)]
pub struct Settings {
    inner: Arc<Inner>,
}

struct Inner {
    files: SharedFiles,
    profile: String,
    /// The builder that the settings were loaded with.
    builder: SettingsBuilder,
}

/// How messages refer to the explicit settings.
#[derive(Clone, Copy, Debug)]
struct Names {
    profile: &'static str,
    region: &'static str,
    endpoint_url: &'static str,
    ca_bundle: &'static str,
}

const LIBRARY: Names = Names {
    profile: "the explicit profile",
    region: "the explicit region",
    endpoint_url: "the explicit endpoint URL",
    ca_bundle: "the explicit CA bundle",
};

const COMMAND_LINE: Names = Names {
    profile: "--profile",
    region: "--region",
    endpoint_url: "--endpoint-url",
    ca_bundle: "--ca-bundle",
};

/// Loads [`Settings`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `load`"]
pub struct SettingsBuilder {
    system: System,
    profile: Option<String>,
    region: Option<String>,
    endpoint_url: Option<Address>,
    ca_bundle: Option<PathBuf>,
    names: Names,
}

impl SettingsBuilder {
    /// Reads everything through this instead of from this machine.
    pub fn system(mut self, system: System) -> Self {
        self.system = system;
        self
    }

    /// Names the profile. Unlike `AWS_PROFILE`, this skips the keys in the environment.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets the region, which overrides every other setting of it.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the endpoint of [`Service::Lambda`], and of no other service.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(Address(url.into()));
        self
    }

    /// Sets the file with the certificate authorities to trust, which overrides every other setting of it.
    pub fn ca_bundle(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_bundle = Some(path.into());
        self
    }

    /// Makes messages name the explicit settings by the options `--profile`, `--region`,
    /// `--endpoint-url` and `--ca-bundle`.
    pub fn for_command_line(mut self) -> Self {
        self.names = COMMAND_LINE;
        self
    }

    /// Reads the shared files, which blocks, and selects the profile.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or parsed, or the profile that is named is in neither of them.
    pub fn load(self) -> Result<Settings, Error> {
        let environment = self.system.environment();
        let files = SharedFiles::read(self.system.files(), environment)?;
        let named = match &self.profile {
            Some(name) => Some((name.clone(), self.names.profile)),
            None => named_profile(&self.system, self.names)?,
        };
        let (profile, by) = match named {
            Some((name, by)) => (name, Some(by)),
            None => (DEFAULT.to_owned(), None),
        };
        let settings = Settings {
            inner: Arc::new(Inner {
                files,
                profile,
                builder: self,
            }),
        };
        // The default profile need not be in a file, unless it is named.
        if let Some(by) = by {
            settings.check_profile(by)?;
        }
        Ok(settings)
    }
}

impl Settings {
    /// Returns a builder.
    pub fn builder() -> SettingsBuilder {
        SettingsBuilder {
            system: System::default(),
            profile: None,
            region: None,
            endpoint_url: None,
            ca_bundle: None,
            names: LIBRARY,
        }
    }

    /// Returns the name of the selected profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.inner.profile
    }

    /// Returns whether the profile was named explicitly, and not by a variable or by default.
    #[must_use]
    pub fn is_explicit_profile(&self) -> bool {
        self.inner.builder.profile.is_some()
    }

    /// Returns the machine that the settings were read from.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.inner.builder.system
    }

    /// Returns the value of a variable, or else of a property of the selected profile. An empty value
    /// counts as unset.
    ///
    /// # Errors
    ///
    /// If the variable is blank, not UTF-8 or has a control character.
    pub fn value(&self, variable: &str, key: &str) -> Result<Option<Setting<String>>, Error> {
        if let Some(value) = self.variable(variable)? {
            return Ok(Some(Setting::new(value, variable)));
        }
        let of_profile = self.files().get(self.profile(), key);
        Ok(of_profile.map(|value| Setting::new(value, self.of_profile(key))))
    }

    /// Returns a switch, which is `true` or `false`: a variable, or else a property of the selected
    /// profile.
    ///
    /// # Errors
    ///
    /// If it is anything else.
    pub fn switch(&self, variable: &str, key: &str) -> Result<Option<Setting<bool>>, Error> {
        let Some(Setting { value, by }) = self.value(variable, key)? else {
            return Ok(None);
        };
        let value = parse_switch(&by, &value)?;
        Ok(Some(Setting { value, by }))
    }

    /// Returns the file with the certificate authorities to trust instead of the bundled ones:
    /// the explicit one, `AWS_CA_BUNDLE`, or else `ca_bundle` of the profile. A `~` is expanded.
    ///
    /// # Errors
    ///
    /// If the variable is blank, not UTF-8 or has a control character.
    pub fn ca_bundle(&self) -> Result<Option<Setting<PathBuf>>, Error> {
        let builder = &self.inner.builder;
        if let Some(path) = &builder.ca_bundle {
            let path = with_home(path.clone(), self.home().as_deref());
            return Ok(Some(Setting::new(path, builder.names.ca_bundle)));
        }
        let bundle = self.value("AWS_CA_BUNDLE", "ca_bundle")?;
        Ok(bundle.map(|bundle| Setting::new(self.expanded(&bundle.value), bundle.by)))
    }

    /// A builder that loads the same settings again.
    pub(crate) fn reload(&self) -> SettingsBuilder {
        self.inner.builder.clone()
    }

    pub(crate) fn files(&self) -> &SharedFiles {
        &self.inner.files
    }

    /// The value of a variable, where an empty one counts as unset.
    pub(crate) fn variable(&self, name: &str) -> Result<Option<String>, Error> {
        environment_text(self.inner.builder.system.environment(), name)
    }

    /// The value of a variable as a path with its `~` expanded.
    pub(crate) fn path_variable(&self, name: &str) -> Result<Option<PathBuf>, Error> {
        let path = environment_path(self.inner.builder.system.environment(), name)?;
        Ok(path.map(|path| with_home(path, self.home().as_deref())))
    }

    pub(crate) fn home(&self) -> Option<PathBuf> {
        home_dir(self.inner.builder.system.environment(), cfg!(windows))
    }

    /// A path with its `~` expanded.
    pub(crate) fn expanded(&self, path: &str) -> PathBuf {
        with_home(PathBuf::from(path), self.home().as_deref())
    }

    fn of_profile(&self, key: &str) -> String {
        format!("{key} of profile '{}'", self.profile())
    }

    fn check_profile(&self, by: &str) -> Result<(), Error> {
        let profile = self.profile();
        if self.files().has(profile) {
            return Ok(());
        }
        let files = [&self.files().credentials, &self.files().config];
        let tried = files
            .iter()
            .map(|file| {
                Tried::new(
                    format!("profile '{profile}' in {}", file.place()),
                    file.why_not(profile),
                )
            })
            .collect();
        let hint = "hint: name a profile that exists, or add a section for this one: [profile \
                    NAME] in the config file, or [NAME] in the credentials file";
        let message = format!("{by} names a profile that does not exist");
        Err(Error::not_found(message, tried)
            .with_notes(self.other_profiles())
            .with_notes([hint.to_owned()]))
    }

    /// Lists the profiles that exist, if the selected one does not.
    pub(crate) fn other_profiles(&self) -> Option<String> {
        let profiles = self.files().profiles();
        if profiles.is_empty() || profiles.contains(self.profile()) {
            return None;
        }
        let names: Vec<&str> = profiles.into_iter().collect();
        Some(format!(
            "(the profiles in these files: {})",
            names.join(", ")
        ))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The files may contain secrets.
        f.debug_struct("Settings")
            .field("profile", &self.inner.profile)
            .field("is_explicit_profile", &self.is_explicit_profile())
            .field("region", &self.inner.builder.region)
            .finish_non_exhaustive()
    }
}

/// The profile that the environment names, and the name of the variable.
fn named_profile(system: &System, names: Names) -> Result<Option<(String, &'static str)>, Error> {
    let (usual, other) = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE");
    let get = |name| environment_text(system.environment(), name);
    match (get(usual)?, get(other)?) {
        // AWS's tools disagree on which of them takes precedence.
        (Some(one), Some(another)) if one != another => Err(Error::configuration(format!(
            "{usual} is '{one}' and {other} is '{another}'\n  hint: unset one of them, \
             or name the profile with {}",
            names.profile
        ))),
        (Some(name), _) => Ok(Some((name, usual))),
        (None, Some(name)) => Ok(Some((name, other))),
        (None, None) => Ok(None),
    }
}
