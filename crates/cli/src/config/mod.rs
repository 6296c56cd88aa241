//! Resolves the region, credentials and endpoint from options, the environment and the shared files,
//! in this order.
//!
//! A setting that changes where requests go, or whose credentials sign them, is either applied or an
//! error; it is never ignored.

mod credentials;
mod endpoint;

use std::fmt::Write as _;

use lambda_invoke::{Credentials, FunctionName};

use crate::environment::Environment;
use crate::exit::Failure;
use crate::profile::SharedFiles;

/// The options for the region, credentials and endpoint.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Service")]
pub(crate) struct Options {
    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or that of the function's
    /// ARN]
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The profile in the shared files to take credentials and region from [default: AWS_PROFILE, or
    /// 'default'; without this option, credentials in the environment take precedence]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The endpoint to call instead of the service's own [default: AWS_ENDPOINT_URL_LAMBDA,
    /// AWS_ENDPOINT_URL, or the profile's endpoint_url]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

/// The sources of settings.
#[derive(Debug)]
pub(crate) struct Config<'o> {
    options: &'o Options,
    environment: Environment,
    files: SharedFiles,
    profile: String,
}

impl<'o> Config<'o> {
    /// Reads the shared files and selects the profile.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the named profile is in neither of them.
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
            // The default profile need not be in a file.
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
        let mut searched: Vec<String> = files
            .iter()
            .map(|file| {
                let (place, why) = (file.place(), file.why_not(profile));
                format!("profile '{profile}' in {place}: {why}")
            })
            .collect();
        searched.extend(self.other_profiles());
        Err(missing(
            &format!("{by} names a profile that does not exist"),
            &searched,
            "name a profile that exists, or add a section for this one: [profile NAME] in the \
             config file, or [NAME] in the credentials file",
        ))
    }

    /// The region that requests are signed for. The region of the function's ARN is used only if no
    /// other is set: rejecting a function of another region is up to the service.
    ///
    /// # Errors
    ///
    /// If no region is set; the failure lists the sources that were searched.
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
        let mut searched = vec![
            "--region: not given".to_owned(),
            "AWS_REGION and AWS_DEFAULT_REGION in the environment: not set".to_owned(),
            files.config.missing(profile, "region").to_string(),
            files.credentials.missing(profile, "region").to_string(),
        ];
        if function.is_some() {
            searched.push("the function's name: not an ARN with a region".to_owned());
        }
        searched.extend(self.other_profiles());
        Err(missing(
            "no region was found",
            &searched,
            "set it with --region, such as --region us-east-1",
        ))
    }

    /// The region and the credentials. If both are missing, one failure reports both.
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

    /// The file with the certificate authorities to trust instead of Mozilla's list, if set.
    ///
    /// # Errors
    ///
    /// If the variable is not UTF-8.
    pub(crate) fn ca_bundle(&self) -> Result<Option<String>, Failure> {
        let of_environment = self.environment.get("AWS_CA_BUNDLE")?;
        let of_profile = || self.files.get(&self.profile, "ca_bundle");
        Ok(of_environment.or_else(|| of_profile().map(str::to_owned)))
    }

    /// The profiles that exist, if the selected one does not.
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

/// The profile that the environment names, and the name of the variable.
fn named_profile(environment: &Environment) -> Result<Option<(String, &'static str)>, Failure> {
    let (usual, other) = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE");
    match (environment.get(usual)?, environment.get(other)?) {
        // AWS's tools disagree on which of them takes precedence.
        (Some(one), Some(another)) if one != another => Err(Failure::usage(format!(
            "{usual} is '{one}' and {other} is '{another}'\n  hint: unset one of them, \
             or name the profile with --profile"
        ))),
        (Some(name), _) => Ok(Some((name, usual))),
        (None, Some(name)) => Ok(Some((name, other))),
        (None, None) => Ok(None),
    }
}

/// A failure that lists where a setting was searched for.
fn missing(what: &str, searched: &[String], advice: &str) -> Failure {
    let mut message = format!("{what}; searched");
    for place in searched {
        let _ = write!(message, "\n  {place}");
    }
    let _ = write!(message, "\n  hint: {advice}");
    Failure::usage(message)
}
