//! Keys in environment variables.

use lambda_invoke_sigv4::Timestamp;

use super::obtained::{Members, Obtained, Outcome};
use crate::{Error, ErrorKind, Settings, Tried, time};

const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, until
/// `AWS_CREDENTIAL_EXPIRATION`.
///
/// # Errors
///
/// If only a part is set, a value cannot be a key or a time, or the keys have expired.
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
        expiry: expiry(settings)?,
    };
    let whose = "the credentials in the environment";
    let obtained = Obtained {
        credentials: members.into_credentials(whose, ErrorKind::Configuration)?,
        how: format!("{id_name} and {secret_name} in the environment"),
        is_of_metadata: false,
        is_of_process: false,
    };
    let now = Timestamp::saturating_from(settings.system().clock().now());
    obtained.check_valid(now).map_err(|error| {
        error.with_notes([format!(
            "hint: {EXPIRATION} in the environment says when they expire; export them again, or unset \
             it if it belongs to other keys"
        )])
    })?;
    Ok(Outcome::Found(obtained))
}

/// When the keys expire, as `aws configure export-credentials --format env` writes it.
fn expiry(settings: &Settings) -> Result<Option<Timestamp>, Error> {
    let Some(text) = settings.variable(EXPIRATION)? else {
        return Ok(None);
    };
    match time::parse(&text) {
        Some(expiry) => Ok(Some(expiry)),
        None => Err(Error::configuration(format!(
            "{EXPIRATION} in the environment is not an ISO 8601 time"
        ))),
    }
}

/// Only the id or only the secret of a key is set.
pub(crate) fn half(missing: String) -> Error {
    Error::configuration("only one half of the credentials was found").with_notes([missing])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Machine, settings_of};

    fn provided(expiration: &str) -> Result<Obtained, Error> {
        let machine = Machine::default().variables(&[
            ("AWS_ACCESS_KEY_ID", "ASIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_CREDENTIAL_EXPIRATION", expiration),
        ]);
        match provide(&settings_of(&machine, |builder| builder)?)? {
            Outcome::Found(obtained) => Ok(obtained),
            Outcome::Nothing(tried) => panic!("{tried:?}"),
        }
    }

    #[test]
    fn keys_expire_when_the_environment_says() {
        // As `aws configure export-credentials --format env` writes it.
        let obtained = provided("2080-10-16T03:56:45+00:00").unwrap();
        let expiry = obtained.credentials.expiry().unwrap();
        assert_eq!(expiry.to_string(), "20801016T035645Z");
        assert_eq!(provided("").unwrap().credentials.expiry(), None);
        for (text, kind) in [
            ("tomorrow", ErrorKind::Configuration),
            ("1760000000", ErrorKind::Configuration),
            ("2020-01-01T00:00:00+00:00", ErrorKind::Expired),
        ] {
            let error = provided(text).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            let message = error.to_string();
            assert!(message.contains("AWS_CREDENTIAL_EXPIRATION"), "{message}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn an_expiry_without_keys_is_nothing() {
        let name = "AWS_CREDENTIAL_EXPIRATION";
        let machine = Machine::default().variables(&[(name, "2020-01-01T00:00:00Z")]);
        let settings = settings_of(&machine, |builder| builder).unwrap();
        assert!(matches!(provide(&settings), Ok(Outcome::Nothing(_))));
    }
}
