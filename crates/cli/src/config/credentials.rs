//! With which keys requests are signed.

use std::fmt::Display;

use lambda_invoke::Credentials;

use super::{Config, missing};
use crate::exit::Failure;

/// What profiles can have in place of keys, and what that means. These count before keys that
/// stand beside them, as in AWS's own tools.
const ELSEWHERE: [(&str, &str); 6] = [
    ("role_arn", "assuming a role"),
    ("web_identity_token_file", "a web identity"),
    ("sso_session", "IAM Identity Center"),
    ("sso_start_url", "IAM Identity Center"),
    ("sso_account_id", "IAM Identity Center"),
    ("sso_role_name", "IAM Identity Center"),
];

/// As [`ELSEWHERE`], but keys of the credentials file count before these.
const ELSEWHERE_LAST: [(&str, &str); 2] = [
    ("login_session", "a console login"),
    ("credential_process", "running a program"),
];

/// The variables of a web identity. boto3 asks it before a profile's keys, other SDKs after them.
const WEB_IDENTITY: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];

/// The variables of a container's keys, which count last.
const CONTAINER: [&str; 2] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

impl Config<'_> {
    /// The keys that requests are signed with.
    ///
    /// # Errors
    ///
    /// If there are none, only half of them, or they would come in a way that is not supported; the
    /// failure lists what was looked for where.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut looked = Vec::new();
        if self.options.profile.is_none() {
            if let Some(credentials) = self.of_environment()? {
                return Ok(credentials);
            }
            looked.push(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: not set"
                    .to_owned(),
            );
            if let Some(name) = self.environment.first_set(&WEB_IDENTITY) {
                return Err(Failure::usage(format!(
                    "{name} in the environment asks for the keys of a web identity, which this \
                     program does not fetch\n  what you can do: eval \"$(aws configure \
                     export-credentials --format env)\" before; or unset {name}, to use the keys \
                     of a profile"
                )));
            }
        }
        if let Some(credentials) = self.of_profile()? {
            return Ok(credentials);
        }
        for file in [&self.files.credentials, &self.files.config] {
            looked.push(file.missing(&self.profile, "aws_access_key_id").to_string());
        }
        if let Some(name) = self.environment.first_set(&CONTAINER) {
            looked.push(format!(
                "{name} in the environment: set, but this program does not fetch keys from there"
            ));
        }
        looked.extend(self.other_profiles());
        Err(missing(
            "no credentials were found",
            &looked,
            "set the two variables, or name a profile that has keys with --profile; a local \
             endpoint takes the keys that it was started with, by default 'local' and 'local'",
        ))
    }

    fn of_environment(&self) -> Result<Option<Credentials>, Failure> {
        let get = |name| self.environment.get(name);
        match (get("AWS_ACCESS_KEY_ID")?, get("AWS_SECRET_ACCESS_KEY")?) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let token = match get("AWS_SESSION_TOKEN")? {
                    // Its older name.
                    None => get("AWS_SECURITY_TOKEN")?,
                    token => token,
                };
                let whose = "the keys of the environment";
                credentials(whose, &id, &secret, token.as_deref()).map(Some)
            }
            (Some(_), None) => Err(half("AWS_SECRET_ACCESS_KEY in the environment: not set")),
            (None, Some(_)) => Err(half("AWS_ACCESS_KEY_ID in the environment: not set")),
        }
    }

    fn of_profile(&self) -> Result<Option<Credentials>, Failure> {
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
        if let Some(credentials) = self.of_file(&self.files.credentials)? {
            return Ok(Some(credentials));
        }
        elsewhere(&ELSEWHERE_LAST)?;
        self.of_file(&self.files.config)
    }

    fn of_file(&self, file: &crate::profile::SharedFile) -> Result<Option<Credentials>, Failure> {
        let profile = self.profile.as_str();
        let get = |key| file.get(profile, key);
        match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let whose = format!("the keys of profile '{profile}'");
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
    let wrong = |error| Failure::usage(format!("{whose} cannot be used: {error}"));
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
        "profile '{profile}' gets its keys by {how} ({key}), which this program does not do\n  \
         what you can do: eval \"$(aws configure export-credentials --profile {profile} --format \
         env)\", and run this again without --profile"
    ))
}
