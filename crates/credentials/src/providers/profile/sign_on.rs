//! The settings of IAM Identity Center in a profile.

use crate::providers::sso::SignOn;
use crate::{Error, Settings};

/// The sign-on of a profile; `None` if it has none.
///
/// # Errors
///
/// If it is incomplete, or the profile and its session contradict each other.
pub(super) fn sign_on(settings: &Settings, profile: &str) -> Result<Option<SignOn>, Error> {
    let files = settings.files();
    let get = |key| files.get(profile, key);
    let keys = [
        "sso_session",
        "sso_start_url",
        "sso_account_id",
        "sso_role_name",
    ];
    let Some(first) = keys.into_iter().find(|key| get(key).is_some()) else {
        return Ok(None);
    };
    let missing = |key: &str, place: &str| {
        Error::configuration(format!(
            "profile '{profile}' signs on with IAM Identity Center ({first}), but {key} is missing in \
             {place}"
        ))
    };
    let session_name = get("sso_session");
    let of = |key: &str| -> Result<String, Error> {
        let Some(name) = session_name else {
            let value = files.get(profile, key).map(str::to_owned);
            return value.ok_or_else(|| missing(key, "the profile"));
        };
        let session = files.sso_session(name).ok_or_else(|| {
            Error::configuration(format!(
                "profile '{profile}' has sso_session = {name}, but there is no section \
                 [sso-session {name}] in {}",
                files.config.place()
            ))
        })?;
        let value = session
            .get(key)
            .ok_or_else(|| missing(key, &format!("[sso-session {name}]")))?;
        match files.get(profile, key) {
            Some(own) if own != value => Err(Error::configuration(format!(
                "{key} of profile '{profile}' is '{own}', but that of its [sso-session {name}] is \
                 '{value}'"
            ))),
            _ => Ok(value.to_owned()),
        }
    };
    let region = of("sso_region")?;
    let start_url = of("sso_start_url")?;
    let account = match (get("sso_account_id"), get("sso_role_name")) {
        (Some(account), Some(role)) => Some((account.to_owned(), role.to_owned())),
        // A session without an account is for services that take the token itself.
        (None, None) if session_name.is_some() => None,
        (None, _) => return Err(missing("sso_account_id", "the profile")),
        (_, None) => return Err(missing("sso_role_name", "the profile")),
    };
    Ok(Some(SignOn {
        profile: profile.to_owned(),
        session: session_name.map(str::to_owned),
        start_url,
        region,
        account,
    }))
}
