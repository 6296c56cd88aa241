//! Where requests go and with which keys: options, then the environment, then the shared files.
//!
//! A setting that says that requests go elsewhere, or are somebody else's, is followed or is an
//! error. It is never passed over.

mod credentials;
mod endpoint;
mod environment;

use std::fmt::Write as _;

use lambda_invoke::{Credentials, FunctionName};

pub(crate) use self::environment::Environment;
use crate::exit::Failure;
use crate::profile::SharedFiles;

/// The options that say where requests go and with which keys.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Service")]
pub(crate) struct Options {
    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or the function's ARN's]
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The profile of the shared files whose keys and region to use [default: AWS_PROFILE, or
    /// 'default'; keys in the environment count first unless this is given]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Another endpoint than the service's own [default: AWS_ENDPOINT_URL_LAMBDA,
    /// AWS_ENDPOINT_URL, or the profile's endpoint_url]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

/// Looks settings up.
#[derive(Debug)]
pub(crate) struct Config<'o> {
    options: &'o Options,
    environment: Environment,
    files: SharedFiles,
    profile: String,
}

impl<'o> Config<'o> {
    /// Reads the shared files, and finds out which profile counts.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or a profile is named that is in neither.
    pub(crate) fn new(options: &'o Options) -> Result<Self, Failure> {
        let environment = Environment::process();
        let files = SharedFiles::read(&environment)?;
        Self::with(options, environment, files)
    }

    fn with(
        options: &'o Options,
        environment: Environment,
        files: SharedFiles,
    ) -> Result<Self, Failure> {
        let named = match &options.profile {
            Some(name) => Some((name.clone(), "--profile")),
            None => named_profile(&environment)?,
        };
        let (profile, by) = match named {
            Some((name, by)) => (name, Some(by)),
            None => (DEFAULT.to_owned(), None),
        };
        let config = Self {
            options,
            environment,
            files,
            profile,
        };
        match by {
            // The default profile is there even if nothing is set in it.
            Some(by) if config.profile != DEFAULT => config.check_profile(by)?,
            _ => {}
        }
        Ok(config)
    }

    fn check_profile(&self, by: &str) -> Result<(), Failure> {
        let profile = self.profile.as_str();
        if self.files.profiles().contains(profile) {
            return Ok(());
        }
        let files = [&self.files.credentials, &self.files.config];
        let mut looked: Vec<String> = files
            .iter()
            .map(|file| {
                let (place, why) = (file.place(), file.why_not(profile));
                format!("profile '{profile}' in {place}: {why}")
            })
            .collect();
        looked.extend(self.other_profiles());
        Err(missing(
            &format!("{by} names a profile that does not exist"),
            &looked,
            "name one that does, or add a section for it; in the config file that is [profile \
             NAME], in the credentials file [NAME]",
        ))
    }

    /// The region that requests are signed for. That of the function's ARN counts only if none is
    /// set: a function of another region is the service's to refuse.
    ///
    /// # Errors
    ///
    /// If there is none; the failure lists what was looked for where.
    pub(crate) fn region(&self, function: Option<&FunctionName<'_>>) -> Result<String, Failure> {
        if let Some(region) = &self.options.region {
            return Ok(region.clone());
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = self.environment.get(name)? {
                return Ok(region);
            }
        }
        let (profile, files) = (self.profile.as_str(), &self.files);
        if let Some(region) = files.get(profile, "region") {
            return Ok(region.to_owned());
        }
        if let Some(region) = function.and_then(FunctionName::region) {
            return Ok(region.to_owned());
        }
        let mut looked = vec![
            "--region: not given".to_owned(),
            "AWS_REGION and AWS_DEFAULT_REGION in the environment: not set".to_owned(),
            files.config.missing(profile, "region").to_string(),
            files.credentials.missing(profile, "region").to_string(),
        ];
        if function.is_some() {
            looked.push("the function's name: it is no ARN with a region".to_owned());
        }
        looked.extend(self.other_profiles());
        Err(missing(
            "no region was found",
            &looked,
            "give one with --region, as --region us-east-1",
        ))
    }

    /// Region and keys. What is missing of both is told at once.
    ///
    /// # Errors
    ///
    /// As [`region`](Self::region) and [`credentials`](Self::credentials).
    pub(crate) fn signing(
        &self,
        function: Option<&FunctionName<'_>>,
    ) -> Result<(String, Credentials), Failure> {
        match (self.region(function), self.credentials()) {
            (Ok(region), Ok(credentials)) => Ok((region, credentials)),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
            (Err(region), Err(credentials)) if region.message == credentials.message => Err(region),
            (Err(region), Err(credentials)) => Err(Failure::usage(format!(
                "{}\n{}",
                credentials.message, region.message
            ))),
        }
    }

    /// The file with the certificate authorities to trust, if it is not Mozilla's list.
    ///
    /// # Errors
    ///
    /// If the variable is not UTF-8.
    pub(crate) fn ca_bundle(&self) -> Result<Option<String>, Failure> {
        let of_environment = self.environment.get("AWS_CA_BUNDLE")?;
        let of_profile = || self.files.get(&self.profile, "ca_bundle");
        Ok(of_environment.or_else(|| of_profile().map(str::to_owned)))
    }

    /// Which profiles there are, if the one that was asked for is none of them.
    fn other_profiles(&self) -> Option<String> {
        let profiles = self.files.profiles();
        if profiles.is_empty() || profiles.contains(self.profile.as_str()) {
            return None;
        }
        let names: Vec<&str> = profiles.into_iter().collect();
        Some(format!(
            "(the profiles in these files: {})",
            names.join(", ")
        ))
    }
}

const DEFAULT: &str = "default";

/// The profile that the environment names, and the variable that does.
fn named_profile(environment: &Environment) -> Result<Option<(String, &'static str)>, Failure> {
    let (usual, other) = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE");
    match (environment.get(usual)?, environment.get(other)?) {
        // AWS's tools do not agree on which of them counts.
        (Some(one), Some(another)) if one != another => Err(Failure::usage(format!(
            "{usual} is '{one}' and {other} is '{another}'\n  what you can do: unset one of them, \
             or name the profile with --profile"
        ))),
        (Some(name), _) => Ok(Some((name, usual))),
        (None, Some(name)) => Ok(Some((name, other))),
        (None, None) => Ok(None),
    }
}

fn missing(what: &str, looked: &[String], advice: &str) -> Failure {
    let mut message = format!("{what}; looked for");
    for place in looked {
        let _ = write!(message, "\n  {place}");
    }
    let _ = write!(message, "\n  what you can do: {advice}");
    Failure::usage(message)
}
