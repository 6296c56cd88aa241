//! Where requests go and with which keys: options, then the environment, then the shared files.

use std::cell::OnceCell;
use std::env;
use std::fmt::Write as _;

use lambda_invoke::{Credentials, FunctionName};

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

/// What profiles can have in place of keys, and what that means. These count before keys that
/// stand beside them, as in AWS's own tools.
const ELSEWHERE: [(&str, &str); 4] = [
    ("role_arn", "assuming a role"),
    ("sso_session", "IAM Identity Center"),
    ("sso_start_url", "IAM Identity Center"),
    ("web_identity_token_file", "a web identity"),
];

/// As [`ELSEWHERE`], but these count only if there are no keys.
const ELSEWHERE_LAST: [(&str, &str); 2] = [
    ("credential_process", "running a program"),
    ("login_session", "a console login"),
];

/// Looks settings up. The shared files are read when they are first needed.
#[derive(Debug)]
pub(crate) struct Config<'o> {
    options: &'o Options,
    files: OnceCell<SharedFiles>,
}

impl<'o> Config<'o> {
    pub(crate) fn new(options: &'o Options) -> Self {
        Self {
            options,
            files: OnceCell::new(),
        }
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
            if let Some(region) = variable(name)? {
                return Ok(region);
            }
        }
        let profile = self.profile()?;
        let files = self.files()?;
        let found = files.config.get(&profile, "region");
        if let Some(region) = found.or_else(|| files.credentials.get(&profile, "region")) {
            return Ok(region.to_owned());
        }
        if let Some(region) = function.and_then(FunctionName::region) {
            return Ok(region.to_owned());
        }
        let mut looked = vec![
            "--region: not given".to_owned(),
            "AWS_REGION and AWS_DEFAULT_REGION in the environment: not set".to_owned(),
            files.config.missing(&profile, "region").to_string(),
            files.credentials.missing(&profile, "region").to_string(),
        ];
        if function.is_some() {
            looked.push("the function's name: it is no ARN with a region".to_owned());
        }
        looked.extend(self.other_profiles(&profile)?);
        Err(missing(
            "no region was found",
            &looked,
            "give one with --region, as --region us-east-1",
        ))
    }

    /// The keys that requests are signed with.
    ///
    /// # Errors
    ///
    /// If there are none, only half of them, or the profile gets its keys in a way that is not
    /// supported; the failure lists what was looked for where.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut looked = Vec::new();
        if self.options.profile.is_none() {
            if let Some(credentials) = of_environment()? {
                return Ok(credentials);
            }
            looked.push(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: not set"
                    .to_owned(),
            );
        }
        let profile = self.profile()?;
        if let Some(credentials) = self.of_profile(&profile)? {
            return Ok(credentials);
        }
        let files = self.files()?;
        looked.push(
            files
                .credentials
                .missing(&profile, "aws_access_key_id")
                .to_string(),
        );
        looked.push(
            files
                .config
                .missing(&profile, "aws_access_key_id")
                .to_string(),
        );
        looked.extend(self.other_profiles(&profile)?);
        Err(missing(
            "no credentials were found",
            &looked,
            "set the two variables, or name a profile that has keys with --profile; a local \
             endpoint takes the keys that it was started with, by default 'local' and 'local'",
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

    /// The endpoint, if it is not the service's own.
    ///
    /// # Errors
    ///
    /// If a shared file cannot be read.
    pub(crate) fn endpoint_url(&self) -> Result<Option<String>, Failure> {
        if let Some(url) = &self.options.endpoint_url {
            return Ok(Some(url.clone()));
        }
        for name in ["AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"] {
            if let Some(url) = variable(name)? {
                return Ok(Some(url));
            }
        }
        let profile = self.profile()?;
        Ok(self
            .files()?
            .config
            .get(&profile, "endpoint_url")
            .map(str::to_owned))
    }

    /// The file with the certificate authorities to trust, if it is not Mozilla's list.
    ///
    /// # Errors
    ///
    /// If a shared file cannot be read.
    pub(crate) fn ca_bundle(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = variable("AWS_CA_BUNDLE")? {
            return Ok(Some(path));
        }
        let profile = self.profile()?;
        Ok(self
            .files()?
            .config
            .get(&profile, "ca_bundle")
            .map(str::to_owned))
    }

    fn profile(&self) -> Result<String, Failure> {
        if let Some(profile) = &self.options.profile {
            return Ok(profile.clone());
        }
        Ok(variable("AWS_PROFILE")?.unwrap_or_else(|| "default".to_owned()))
    }

    fn files(&self) -> Result<&SharedFiles, Failure> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let files = SharedFiles::read()?;
        Ok(self.files.get_or_init(|| files))
    }

    fn of_profile(&self, profile: &str) -> Result<Option<Credentials>, Failure> {
        let files = self.files()?;
        let get = |key: &str| {
            files
                .config
                .get(profile, key)
                .or_else(|| files.credentials.get(profile, key))
        };
        let elsewhere =
            |kinds: &[(&str, &str)]| match kinds.iter().find(|(key, _)| get(key).is_some()) {
                Some((key, how)) => Err(unsupported(profile, key, how)),
                None => Ok(()),
            };
        elsewhere(&ELSEWHERE)?;
        for file in [&files.credentials, &files.config] {
            let get = |key| file.get(profile, key);
            let pair = (get("aws_access_key_id"), get("aws_secret_access_key"));
            match pair {
                (None, None) => {}
                (Some(id), Some(secret)) => {
                    let whose = format!("the keys of profile '{profile}'");
                    return credentials(&whose, id, secret, get("aws_session_token")).map(Some);
                }
                (Some(_), None) => {
                    return Err(half(file.missing(profile, "aws_secret_access_key")));
                }
                (None, Some(_)) => return Err(half(file.missing(profile, "aws_access_key_id"))),
            }
        }
        elsewhere(&ELSEWHERE_LAST)?;
        Ok(None)
    }

    /// Which profiles there are, if the one that was asked for is none of them.
    fn other_profiles(&self, profile: &str) -> Result<Option<String>, Failure> {
        let profiles = self.files()?.profiles();
        if profiles.is_empty() || profiles.contains(profile) {
            return Ok(None);
        }
        let names: Vec<&str> = profiles.into_iter().collect();
        Ok(Some(format!(
            "(the profiles in these files: {})",
            names.join(", ")
        )))
    }
}

fn of_environment() -> Result<Option<Credentials>, Failure> {
    let pair = (
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
    );
    match pair {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let token = variable("AWS_SESSION_TOKEN")?;
            credentials(
                "the keys of the environment",
                &id,
                &secret,
                token.as_deref(),
            )
            .map(Some)
        }
        (Some(_), None) => Err(half("AWS_SECRET_ACCESS_KEY in the environment: not set")),
        (None, Some(_)) => Err(half("AWS_ACCESS_KEY_ID in the environment: not set")),
    }
}

fn credentials(
    whose: &str,
    id: &str,
    secret: &str,
    token: Option<&str>,
) -> Result<Credentials, Failure> {
    let wrong = |error| Failure::usage(format!("{whose} cannot be used: {error}"));
    let credentials = Credentials::new(id, secret).map_err(wrong)?;
    match token {
        Some(token) => credentials.with_session_token(token).map_err(wrong),
        None => Ok(credentials),
    }
}

/// A variable of the environment; an empty one counts as absent, as in AWS's own tools.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::usage(format!(
            "{name} in the environment is not UTF-8"
        ))),
    }
}

fn half(missing: impl std::fmt::Display) -> Failure {
    Failure::usage(format!(
        "only one half of the credentials was found\n  {missing}"
    ))
}

fn unsupported(profile: &str, key: &str, how: &str) -> Failure {
    Failure::usage(format!(
        "profile '{profile}' gets its keys by {how} ({key}), which this program does not do\n  \
         what you can do: eval \"$(aws configure export-credentials --profile {profile} --format \
         env)\", and run this again without --profile"
    ))
}

fn missing(what: &str, looked: &[String], advice: &str) -> Failure {
    let mut message = format!("{what}; looked for");
    for place in looked {
        let _ = write!(message, "\n  {place}");
    }
    let _ = write!(message, "\n  what you can do: {advice}");
    Failure::usage(message)
}
