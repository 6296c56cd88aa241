//! The result of a provider.

use lambda_invoke_sigv4::{Credentials, Timestamp};
use serde_json::Value;

use crate::{Error, ErrorKind, Tried, time};

/// Credentials, and where they came from.
#[derive(Clone, Debug)]
pub(crate) struct Obtained {
    pub(crate) credentials: Credentials,
    /// A description of how they were obtained.
    pub(crate) how: String,
    /// Whether a metadata service issued them, so that they may be used past their expiry while it
    /// cannot renew them.
    pub(crate) is_of_metadata: bool,
    /// Whether a program printed them. It may have prompted the user, so if they have no expiry,
    /// the program is not run again.
    pub(crate) is_of_process: bool,
}

impl Obtained {
    /// Checks that the credentials can sign a request for other credentials.
    ///
    /// # Errors
    ///
    /// If they have expired: expired credentials are never sent.
    pub(crate) fn check_valid(&self, now: Timestamp) -> Result<(), Error> {
        match self.credentials.expiry() {
            Some(expiry) if expiry <= now => Err(expired(&self.how, expiry, now)),
            _ => Ok(()),
        }
    }
}

/// Creates the error for a provider that returned expired credentials.
pub(crate) fn expired(how: &str, expiry: Timestamp, now: Timestamp) -> Error {
    let clock = format!("the clock of this machine says {now}: if that is wrong, set it");
    Error::new(
        ErrorKind::Expired,
        format!("the credentials of {how} had already expired at {expiry}; they are not used"),
    )
    .with_notes([clock])
}

/// The result of asking a provider.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Found(Obtained),
    /// It is not configured, or has none; the next provider is asked.
    Nothing(Vec<Tried>),
}

/// The members of a response that are credentials.
#[derive(Clone, Copy)]
pub(crate) struct Members<'m> {
    pub(crate) id: Option<&'m str>,
    pub(crate) secret: Option<&'m str>,
    pub(crate) token: Option<&'m str>,
    pub(crate) expiry: Option<Timestamp>,
}

impl Members<'_> {
    /// Makes credentials. `whose` begins the message of an error, such as `the response of STS`.
    ///
    /// # Errors
    ///
    /// If the id or the secret is missing, or a value is invalid. The error does not show the
    /// values.
    pub(crate) fn into_credentials(
        self,
        whose: &str,
        kind: ErrorKind,
    ) -> Result<Credentials, Error> {
        let present = |member: Option<&str>, name: &str| match member {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(Error::new(kind, format!("{whose}: there is no {name}"))),
        };
        let id = present(self.id, "access key id")?;
        let secret = present(self.secret, "secret access key")?;
        let invalid = |error| Error::new(kind, format!("{whose} are invalid: {error}"));
        let mut credentials = Credentials::new(id, secret).map_err(invalid)?;
        if let Some(token) = self.token.filter(|token| !token.is_empty()) {
            credentials = credentials.with_session_token(token).map_err(invalid)?;
        }
        Ok(match self.expiry {
            Some(expiry) => credentials.with_expiry(expiry),
            None => credentials,
        })
    }
}

/// The names of a key's id, its secret and its token in the metadata services' JSON.
pub(crate) const METADATA: [&str; 3] = ["AccessKeyId", "SecretAccessKey", "Token"];

/// The same in the JSON of IAM Identity Center and of console logins.
pub(crate) const SIGN_IN: [&str; 3] = ["accessKeyId", "secretAccessKey", "sessionToken"];

/// Makes credentials of the members of a JSON object that have these names.
///
/// # Errors
///
/// As [`member`] and [`Members::into_credentials`].
pub(crate) fn credentials(
    object: &Value,
    [id, secret, token]: [&str; 3],
    expiry: Option<Timestamp>,
    whose: &str,
    kind: ErrorKind,
) -> Result<Credentials, Error> {
    let member = |name| member(object, name, whose, kind);
    let members = Members {
        id: member(id)?,
        secret: member(secret)?,
        token: member(token)?,
        expiry,
    };
    members.into_credentials(whose, kind)
}

/// A text in a JSON object; `None` if it is missing or null.
///
/// # Errors
///
/// If it is something else: a key without its token or its expiry would mean something different.
pub(crate) fn member<'v>(
    object: &'v Value,
    name: &str,
    whose: &str,
    kind: ErrorKind,
) -> Result<Option<&'v str>, Error> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::new(
            kind,
            format!("{whose} are invalid: {name} is not a string"),
        )),
    }
}

/// Parses an expiry. An invalid one must not count as absent.
pub(crate) fn expiry(text: Option<&str>, place: &str) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text else { return Ok(None) };
    time::parse(text).map(Some).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidResponse,
            format!("the response of {place} has an expiration that is not an ISO 8601 time"),
        )
    })
}
