//! Keys in environment variables.

use super::obtained::{Members, Obtained, Outcome};
use crate::{Error, ErrorKind, Settings, Tried};

/// The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
///
/// # Errors
///
/// If only a part is set, or a value cannot be a key.
pub(crate) fn provide(settings: &Settings) -> Result<Outcome, Error> {
    let (id_name, secret_name) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let id = settings.variable(id_name)?;
    let secret = settings.variable(secret_name)?;
    let missing = match (&id, &secret) {
        (None, None) => {
            for token_name in ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] {
                if settings.variable(token_name)?.is_some() {
                    return Err(Error::configuration(format!(
                        "{token_name} in the environment is set, but {id_name} and {secret_name} \
                         are not\n  hint: set all three, or unset {token_name} to use other \
                         credentials"
                    )));
                }
            }
            return Ok(Outcome::Nothing(vec![Tried::new(
                format!("{id_name} and {secret_name} in the environment"),
                "not set",
            )]));
        }
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some(secret_name),
        (None, Some(_)) => Some(id_name),
    };
    if let Some(missing) = missing {
        return Err(half(format!("{missing} in the environment: not set")));
    }
    if secret
        .as_ref()
        .is_some_and(|secret| secret.trim() != secret)
    {
        return Err(Error::configuration(format!(
            "{secret_name} in the environment begins or ends in white space, which is not part of a \
             key"
        )));
    }
    let token = match settings.variable("AWS_SESSION_TOKEN")? {
        // Its older name.
        None => settings.variable("AWS_SECURITY_TOKEN")?,
        token => token,
    };
    let members = Members {
        id: id.as_deref(),
        secret: secret.as_deref(),
        token: token.as_deref(),
        expiry: None,
    };
    let whose = "the credentials in the environment";
    Ok(Outcome::Found(Obtained {
        credentials: members.into_credentials(whose, ErrorKind::Configuration)?,
        how: format!("{id_name} and {secret_name} in the environment"),
        is_of_metadata: false,
        is_of_process: false,
    }))
}

/// Only the id or only the secret of a key is set.
pub(crate) fn half(missing: String) -> Error {
    Error::configuration("only one half of the credentials was found").with_notes([missing])
}
