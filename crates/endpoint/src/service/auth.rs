//! Access keys and permissions.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use http::request::Parts;
use lambda_invoke_error::ServiceError;
use lambda_invoke_sigv4::{
    Credentials, CredentialsError, InvalidScope, PayloadHash, Timestamp, Verifier,
};

use super::errors;
use super::settings::Settings;
use crate::pattern::Pattern;

/// The id and the secret of the default access key.
const PUBLISHED: &str = "local";

/// An access key, and the functions that it may invoke.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::AccessKey;
///
/// let all: AccessKey = "local:local".parse().unwrap();
/// let some: AccessKey = "AKIDEXAMPLE:secret:orders-*".parse().unwrap();
/// assert!(all.may_invoke("anything"));
/// assert!(!some.may_invoke("customers"));
/// ```
#[derive(Clone, Debug)]
pub struct AccessKey {
    credentials: Credentials,
    pattern: Pattern,
}

impl AccessKey {
    /// Creates a key that may invoke every function.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            pattern: Pattern::new("*"),
        }
    }

    /// Restricts the key to functions whose names match a pattern, in which `*` matches any text.
    /// To allow several patterns, add the key once for each.
    #[must_use]
    pub fn limited_to(mut self, pattern: &str) -> Self {
        self.pattern = Pattern::new(pattern);
        self
    }

    /// Adds the session token that requests with this key must have.
    ///
    /// # Errors
    ///
    /// If the token is empty or has a character that a header cannot have.
    pub fn with_session_token(mut self, token: &str) -> Result<Self, AccessKeyError> {
        let credentials = self.credentials.with_session_token(token);
        self.credentials = credentials.map_err(AccessKeyError::Credentials)?;
        Ok(self)
    }

    /// Returns the key's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.credentials.access_key_id()
    }

    /// Whether both keys have the same id, but different secrets or session tokens.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let secrets = |key: &Self| {
            let token = key.credentials.session_token().map(str::to_owned);
            (key.credentials.secret_access_key().to_owned(), token)
        };
        self.id() == other.id() && secrets(self) != secrets(other)
    }

    /// Returns the default key, `local` with the secret `local`.
    pub(crate) fn published() -> Result<Self, CredentialsError> {
        Ok(Self::new(Credentials::new(PUBLISHED, PUBLISHED)?))
    }

    /// Whether everybody knows the key's secret, since it is the default one.
    fn is_published(&self) -> bool {
        let key = &self.credentials;
        (key.access_key_id(), key.secret_access_key()) == (PUBLISHED, PUBLISHED)
            && key.session_token().is_none()
    }

    /// Whether the key may invoke a function of this name.
    #[must_use]
    pub fn may_invoke(&self, function: &str) -> bool {
        self.pattern.matches(function)
    }
}

/// The reason why a text is not an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessKeyError {
    /// The text is not `ID:SECRET` or `ID:SECRET:PATTERN`.
    Form,
    /// The id, the secret or the session token is invalid.
    Credentials(CredentialsError),
}

impl fmt::Display for AccessKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("an access key must be ID:SECRET or ID:SECRET:PATTERN"),
            Self::Credentials(_) => f.write_str("the access key has an invalid part"),
        }
    }
}

impl std::error::Error for AccessKeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Form => None,
            Self::Credentials(error) => Some(error),
        }
    }
}

/// Parses `ID:SECRET`, or `ID:SECRET:PATTERN` for a key that is limited to some functions.
impl FromStr for AccessKey {
    type Err = AccessKeyError;

    fn from_str(text: &str) -> Result<Self, AccessKeyError> {
        let (id, rest) = text.split_once(':').ok_or(AccessKeyError::Form)?;
        let (secret, pattern) = rest.split_once(':').unwrap_or((rest, "*"));
        if pattern.is_empty() {
            return Err(AccessKeyError::Form);
        }
        let credentials = Credentials::new(id, secret).map_err(AccessKeyError::Credentials)?;
        Ok(Self::new(credentials).limited_to(pattern))
    }
}

/// Verifies signatures and permissions.
#[derive(Debug)]
pub(crate) struct Access {
    verifier: Verifier,
    keys: HashMap<String, Vec<AccessKey>>,
}

/// A caller with a valid signature.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    keys: &'a [AccessKey],
}

impl Access {
    pub(crate) fn new(
        region: &str,
        keys: impl IntoIterator<Item = AccessKey>,
    ) -> Result<Self, InvalidScope> {
        let mut by_id: HashMap<String, Vec<AccessKey>> = HashMap::new();
        for key in keys {
            by_id
                .entry(key.credentials.access_key_id().to_owned())
                .or_default()
                .push(key);
        }
        Ok(Self {
            verifier: Verifier::new(region, "lambda")?,
            keys: by_id,
        })
    }

    /// Whether a signature by a published secret is accepted, which proves nothing.
    pub(crate) fn is_published(&self) -> bool {
        self.keys.values().flatten().any(AccessKey::is_published)
    }

    /// Verifies the signature and returns the caller.
    pub(crate) fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Caller<'_>, ServiceError> {
        let find = |id: &str| Some(self.keys.get(id)?.first()?.credentials.clone());
        let verified = self
            .verifier
            .verify(parts, &PayloadHash::of(body), &find, now);
        let keys = verified.map(|verified| self.keys.get(verified.access_key_id()));
        match keys {
            Ok(keys) => Ok(Caller {
                keys: keys.map(Vec::as_slice).unwrap_or_default(),
            }),
            Err(error) => Err(errors::authentication(
                error.code(),
                &error.service_message(),
            )),
        }
    }
}

impl Caller<'_> {
    /// Returns the id of the access key.
    pub(crate) fn id(&self) -> &str {
        self.keys.first().map_or("", AccessKey::id)
    }

    /// Returns the ARN of the user to whom the access key belongs.
    pub(crate) fn arn(&self, settings: &Settings) -> String {
        settings.iam_arn(&format!("user/{}", self.id()))
    }

    /// Whether the caller may use the function.
    pub(crate) fn may_invoke(&self, function: &str) -> bool {
        self.keys.iter().any(|key| key.may_invoke(function))
    }

    /// Checks that the caller may use the function. A key that may invoke a function may also read
    /// its description.
    pub(crate) fn authorize(
        &self,
        action: &str,
        function: &str,
        arn: &str,
        settings: &Settings,
    ) -> Result<(), ServiceError> {
        if self.may_invoke(function) {
            return Ok(());
        }
        let user = self.arn(settings);
        let message = format!(
            "User: {user} is not authorized to perform: {action} on resource: {arn} because no \
             identity-based policy allows the {action} action"
        );
        Err(errors::access_denied(&message))
    }
}

#[cfg(test)]
mod tests {
    use lambda_invoke_sigv4::Signer;

    use super::*;

    #[test]
    fn every_code_of_the_verifier_is_in_the_table() {
        for code in [
            "MissingAuthenticationTokenException",
            "IncompleteSignatureException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
            "InvalidSignatureException",
            "AccessDeniedException",
        ] {
            assert!(lambda_invoke_error::lookup(code).is_some(), "{code}");
        }
    }

    #[test]
    fn rejects_an_invalid_key() {
        for text in ["", "id", "id:", ":secret", "id:secret:"] {
            assert!(text.parse::<AccessKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let key: AccessKey = "local:hush-hush".parse().unwrap();
        assert!(!format!("{key:?}").contains("hush"));
    }

    #[test]
    fn the_hash_in_a_header_does_not_stand_for_that_of_the_body() {
        let key: AccessKey = "local:secret".parse().unwrap();
        let signer = Signer::new(key.credentials.clone(), "us-east-1", "lambda").unwrap();
        let access = Access::new("us-east-1", [key]).unwrap();
        let now = Timestamp::from_secs(1_800_000_000).unwrap();
        let hash = PayloadHash::of(b"{}");
        let request = http::Request::post("http://local/2015-03-31/functions/f/invocations")
            .header("x-amz-content-sha256", hash.to_string());
        let mut request = request.body(()).unwrap();
        signer.sign_request(&mut request, &hash, now).unwrap();
        let (parts, ()) = request.into_parts();
        assert_eq!(access.verify(&parts, b"{}", now).unwrap().id(), "local");
        let error = access.verify(&parts, b"[]", now).unwrap_err();
        assert_eq!(error.code(), Some("InvalidSignatureException"));
    }
}
