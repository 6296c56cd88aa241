//! The credentials that requests are signed with.

use std::fmt::Display;

use lambda_invoke::Credentials;

use super::{Config, missing};
use crate::exit::Failure;

/// Settings by which a profile gets credentials other than its own keys, and what they mean. These
/// take precedence over keys in the same profile, as in AWS's own tools.
const ELSEWHERE: [(&str, &str); 6] = [
    ("role_arn", "assuming a role"),
    ("web_identity_token_file", "a web identity"),
    ("sso_session", "IAM Identity Center"),
    ("sso_start_url", "IAM Identity Center"),
    ("sso_account_id", "IAM Identity Center"),
    ("sso_role_name", "IAM Identity Center"),
];

/// As [`ELSEWHERE`], but keys in the credentials file take precedence over these.
const ELSEWHERE_LAST: [(&str, &str); 2] = [
    ("login_session", "a console login"),
    ("credential_process", "running a program"),
];

/// The variables of a web identity. boto3 prefers it to a profile's keys, other SDKs do not.
const WEB_IDENTITY: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];

/// The variables of a container's credentials, which come last.
const CONTAINER: [&str; 2] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

impl Config<'_> {
    /// The credentials that requests are signed with.
    ///
    /// # Errors
    ///
    /// If they are missing, incomplete, or come from a source that is not supported; the failure lists
    /// the sources that were searched.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut searched = Vec::new();
        if self.options.profile.is_none() {
            if let Some(credentials) = self.environment_keys()? {
                return Ok(credentials);
            }
            searched.push(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: not set"
                    .to_owned(),
            );
            if let Some(name) = self.environment.first_set(&WEB_IDENTITY) {
                return Err(Failure::usage(format!(
                    "{name} in the environment selects the credentials of a web identity, which this \
                     program does not support\n  hint: run eval \"$(aws configure \
                     export-credentials --format env)\" first, or unset {name} to use the \
                     credentials of a profile"
                )));
            }
        }
        if let Some(credentials) = self.profile_keys()? {
            return Ok(credentials);
        }
        for file in [&self.files.credentials, &self.files.config] {
            searched.push(file.missing(&self.profile, "aws_access_key_id").to_string());
        }
        if let Some(name) = self.environment.first_set(&CONTAINER) {
            searched.push(format!(
                "{name} in the environment: set, but this program does not support it"
            ));
        }
        searched.extend(self.other_profiles());
        Err(missing(
            "no credentials were found",
            &searched,
            "set the two variables, or name a profile that has keys with --profile; for a local \
             endpoint both are 'local', unless it was started with others",
        ))
    }

    fn environment_keys(&self) -> Result<Option<Credentials>, Failure> {
        let get = |name| self.environment.get(name);
        match (get("AWS_ACCESS_KEY_ID")?, get("AWS_SECRET_ACCESS_KEY")?) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let token = match get("AWS_SESSION_TOKEN")? {
                    // Its older name.
                    None => get("AWS_SECURITY_TOKEN")?,
                    token => token,
                };
                let whose = "the credentials in the environment";
                credentials(whose, &id, &secret, token.as_deref()).map(Some)
            }
            (Some(_), None) => Err(half("AWS_SECRET_ACCESS_KEY in the environment: not set")),
            (None, Some(_)) => Err(half("AWS_ACCESS_KEY_ID in the environment: not set")),
        }
    }

    fn profile_keys(&self) -> Result<Option<Credentials>, Failure> {
        let profile = self.profile.as_str();
        let elsewhere = |kinds: &[(&str, &str)]| {
            let found = kinds
                .iter()
                .find(|(key, _)| self.files.get(profile, key).is_some());
            match found {
                Some((key, how)) => Err(unsupported(profile, key, how)),
                None => Ok(()),
            }
        };
        elsewhere(&ELSEWHERE)?;
        if let Some(credentials) = self.file_keys(&self.files.credentials)? {
            return Ok(Some(credentials));
        }
        elsewhere(&ELSEWHERE_LAST)?;
        self.file_keys(&self.files.config)
    }

    fn file_keys(&self, file: &crate::profile::SharedFile) -> Result<Option<Credentials>, Failure> {
        let profile = self.profile.as_str();
        let get = |key| file.get(profile, key);
        match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let whose = format!("the credentials of profile '{profile}'");
                let token = get("aws_session_token").or_else(|| get("aws_security_token"));
                credentials(&whose, id, secret, token).map(Some)
            }
            (Some(_), None) => Err(half(file.missing(profile, "aws_secret_access_key"))),
            (None, Some(_)) => Err(half(file.missing(profile, "aws_access_key_id"))),
        }
    }
}

fn credentials(
    whose: &str,
    id: &str,
    secret: &str,
    token: Option<&str>,
) -> Result<Credentials, Failure> {
    let wrong = |error| Failure::usage(format!("{whose} are invalid: {error}"));
    let credentials = Credentials::new(id, secret).map_err(wrong)?;
    match token {
        Some(token) => credentials.with_session_token(token).map_err(wrong),
        None => Ok(credentials),
    }
}

fn half(missing: impl Display) -> Failure {
    Failure::usage(format!(
        "only one half of the credentials was found\n  {missing}"
    ))
}

fn unsupported(profile: &str, key: &str, how: &str) -> Failure {
    Failure::usage(format!(
        "profile '{profile}' gets its credentials by {how} ({key}), which this program does not \
         support\n  hint: run eval \"$(aws configure export-credentials --profile {profile} \
         --format env)\" first, and then this program without --profile"
    ))
}
