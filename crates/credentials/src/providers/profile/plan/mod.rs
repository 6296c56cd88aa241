//! How the credentials of a profile are obtained: the keys to begin with, and the roles to assume.

use std::fmt;

use super::sign_on::sign_on;
use crate::providers::environment::half;
use crate::providers::obtained::{Members, Obtained};
use crate::providers::sso::SignOn;
use crate::providers::sts::{MOST_CHAINED, Role};
use crate::providers::web_identity::WebIdentity;
use crate::shared_files::SharedFile;
use crate::{Error, ErrorKind, Settings};

/// The steps to the credentials of a profile.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) base: Base,
    /// The profile that the base is configured in.
    pub(crate) base_profile: String,
    /// The roles, in the order in which they are assumed.
    pub(crate) roles: Vec<Role>,
}

/// The credentials that a plan begins with.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    Keys(Obtained),
    WebIdentity(WebIdentity),
    SignOn(SignOn),
    Login(String),
    Process(String),
    Source(NamedSource),
}

/// The values of `credential_source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedSource {
    Environment,
    EcsContainer,
    Ec2InstanceMetadata,
}

impl NamedSource {
    const ALL: [Self; 3] = [
        Self::Environment,
        Self::EcsContainer,
        Self::Ec2InstanceMetadata,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::EcsContainer => "EcsContainer",
            Self::Ec2InstanceMetadata => "Ec2InstanceMetadata",
        }
    }
}

impl fmt::Display for NamedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Plan {
    /// Finds errors that the services would reject, before anything is sent.
    ///
    /// # Errors
    ///
    /// If a role cannot be assumed like this.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Base::WebIdentity(identity) = &self.base {
            identity.role.check()?;
        }
        let mut is_of_role = match &self.base {
            Base::Keys(_) | Base::Process(_) | Base::Source(NamedSource::Environment) => false,
            // The ARN of whoever has logged in: a user, or the session of a role.
            Base::Login(session) => session.contains(":assumed-role/"),
            Base::WebIdentity(_) | Base::SignOn(_) | Base::Source(_) => true,
        };
        for role in &self.roles {
            role.check()?;
            if let Some(seconds) = role
                .duration_seconds
                .filter(|seconds| *seconds > MOST_CHAINED)
            {
                if is_of_role {
                    return Err(Error::configuration(format!(
                        "duration_seconds of {} is {seconds}, but a role that is assumed with the \
                         keys of another role lasts at most {MOST_CHAINED} seconds\n  hint: remove \
                         duration_seconds, or set it to {MOST_CHAINED}",
                        role.by
                    )));
                }
            }
            is_of_role = true;
        }
        Ok(())
    }
}

/// Finds the steps to the credentials of the selected profile; `None` if it does not describe any.
///
/// # Errors
///
/// If a profile in the chain does not exist, is incomplete, or contradicts itself.
pub(crate) fn resolve(settings: &Settings) -> Result<Option<Plan>, Error> {
    let files = settings.files();
    let mut profile = settings.profile().to_owned();
    let mut visited: Vec<String> = Vec::new();
    let mut roles = Vec::new();
    loop {
        if visited.contains(&profile) {
            visited.push(profile);
            return Err(Error::configuration(format!(
                "the profiles name each other as their source_profile: {}",
                visited.join(", ")
            )));
        }
        visited.push(profile.clone());
        let is_first = visited.len() == 1;
        let name = profile.as_str();
        // A source profile with keys is used without the role that it may also have.
        let has_keys = !is_first && keys(settings, name)?.is_some();
        let finish = |base, roles: Vec<Role>, base_profile: &str| {
            // The last one found is the first one assumed.
            let roles = roles.into_iter().rev().collect();
            let base_profile = base_profile.to_owned();
            Ok(Some(Plan {
                base,
                base_profile,
                roles,
            }))
        };
        let Some(arn) = files.get(name, "role_arn").filter(|_| !has_keys) else {
            return match base(settings, name)? {
                Some(base) => finish(base, roles, name),
                None if is_first => Ok(None),
                None => Err(Error::configuration(format!(
                    "profile '{name}' has no credentials, but is the source_profile of a role"
                ))),
            };
        };
        if files.get(name, "mfa_serial").is_some() {
            return Err(Error::configuration(format!(
                "the role of profile '{name}' needs the code of an MFA device (mfa_serial), which this \
                 program does not ask for\n  hint: sign on with IAM Identity Center instead, or run \
                 eval \"$(aws configure export-credentials --profile {name} --format env)\" first"
            )));
        }
        let role = role(settings, name, arn)?;
        let source_profile = files.get(name, "source_profile");
        let credential_source = files.get(name, "credential_source");
        let token_file = files.get(name, "web_identity_token_file");
        let set: Vec<&str> = [
            ("source_profile", source_profile),
            ("credential_source", credential_source),
            ("web_identity_token_file", token_file),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.and(Some(key)))
        .collect();
        if set.len() > 1 {
            return Err(Error::configuration(format!(
                "profile '{name}' has {}, but the keys to assume its role with can come from only \
                 one of them",
                set.join(" and ")
            )));
        }
        match (source_profile, credential_source, token_file) {
            (_, _, Some(file)) => {
                let token_file = settings.expanded(file);
                let identity = WebIdentity { role, token_file };
                return finish(Base::WebIdentity(identity), roles, name);
            }
            (_, Some(source), _) => {
                let found = NamedSource::ALL.iter().find(|known| known.name() == source);
                let Some(found) = found else {
                    let known = NamedSource::ALL.map(NamedSource::name);
                    return Err(Error::configuration(format!(
                        "credential_source of profile '{name}' is '{source}', expected one of {}",
                        known.join(", ")
                    )));
                };
                roles.push(role);
                return finish(Base::Source(*found), roles, name);
            }
            (Some(source), _, _) if source == name => {
                roles.push(role);
                return match base(settings, name)? {
                    Some(base) => finish(base, roles, name),
                    None => Err(Error::configuration(format!(
                        "profile '{name}' is its own source_profile, but has no keys"
                    ))),
                };
            }
            (Some(source), _, _) => {
                if !files.has(source) {
                    return Err(Error::configuration(format!(
                        "source_profile of profile '{name}' is '{source}', and there is no such \
                         profile"
                    )));
                }
                roles.push(role);
                profile = source.to_owned();
            }
            (None, None, None) => {
                return Err(Error::configuration(format!(
                    "profile '{name}' has a role_arn, but nothing that says which keys to assume the \
                     role with: expected source_profile, credential_source or \
                     web_identity_token_file"
                )));
            }
        }
    }
}

fn role(settings: &Settings, profile: &str, arn: &str) -> Result<Role, Error> {
    let get = |key| settings.files().get(profile, key).map(str::to_owned);
    let duration_seconds = match get("duration_seconds") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            Error::configuration(format!(
                "duration_seconds of profile '{profile}' is '{text}', expected a number of seconds"
            ))
        })?),
    };
    Ok(Role {
        arn: arn.to_owned(),
        by: format!("profile '{profile}'"),
        session_name: get("role_session_name"),
        external_id: get("external_id"),
        duration_seconds,
    })
}

/// The credentials that a profile without a role describes. A sign-on with an account or a role takes
/// precedence over keys; keys in the credentials file take precedence over a login and a program, and
/// those over keys in the config file. This is the order of botocore.
fn base(settings: &Settings, profile: &str) -> Result<Option<Base>, Error> {
    let files = settings.files();
    if files.get(profile, "web_identity_token_file").is_some()
        && files.get(profile, "role_arn").is_none()
    {
        return Err(Error::configuration(format!(
            "profile '{profile}' has a web_identity_token_file, but no role_arn to assume with it"
        )));
    }
    let selects_role =
        ["sso_account_id", "sso_role_name"].map(|key| files.get(profile, key).is_some());
    if selects_role.contains(&true) {
        return Ok(sign_on(settings, profile)?.map(Base::SignOn));
    }
    if let Some(keys) = keys_of(&files.credentials, profile)? {
        return Ok(Some(Base::Keys(keys)));
    }
    if let Some(session) = files.get(profile, "login_session") {
        return Ok(Some(Base::Login(session.to_owned())));
    }
    if let Some(command) = files.get(profile, "credential_process") {
        return Ok(Some(Base::Process(command.to_owned())));
    }
    if let Some(keys) = keys_of(&files.config, profile)? {
        return Ok(Some(Base::Keys(keys)));
    }
    // Its error says what is missing.
    Ok(sign_on(settings, profile)?.map(Base::SignOn))
}

fn keys(settings: &Settings, profile: &str) -> Result<Option<Obtained>, Error> {
    let files = settings.files();
    match keys_of(&files.credentials, profile)? {
        None => keys_of(&files.config, profile),
        keys => Ok(keys),
    }
}

/// The keys of a profile in one of the files.
fn keys_of(file: &SharedFile, profile: &str) -> Result<Option<Obtained>, Error> {
    let get = |key| file.get(profile, key);
    let (id_key, secret_key) = ("aws_access_key_id", "aws_secret_access_key");
    let (id, secret) = (get(id_key), get(secret_key));
    let missing = match (id, secret) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some(secret_key),
        (None, Some(_)) => Some(id_key),
    };
    if let Some(missing) = missing {
        return Err(half(file.missing(profile, missing).to_string()));
    }
    let members = Members {
        id,
        secret,
        token: get("aws_session_token").or_else(|| get("aws_security_token")),
        expiry: None,
    };
    let whose = format!("the credentials of profile '{profile}'");
    Ok(Some(Obtained {
        credentials: members.into_credentials(&whose, ErrorKind::Configuration)?,
        how: format!("the keys of profile '{profile}' in {}", file.place()),
        is_of_metadata: false,
        is_of_process: false,
    }))
}

#[cfg(test)]
mod tests;
