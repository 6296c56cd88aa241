//! Access keys.

use core::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::error::{Part, Problem};
use crate::{CredentialsError, Timestamp};

/// An access key: its id and secret, and for a temporary one its session token and expiry.
///
/// Cloning is cheap and copies no secret. The secret is wiped from memory when the last clone is
/// dropped; the token, which is sent with every request, is not. `Debug` shows neither.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::Credentials;
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?
///     .with_session_token("AQoDYXdzEPT")?
///     .with_expiry("20150830T133600Z".parse()?);
/// assert_eq!(credentials.access_key_id(), "AKIDEXAMPLE");
/// assert!(!format!("{credentials:?}").contains("wJalr"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    access_key_id: Box<str>,
    secret: Zeroizing<String>,
    token: Option<HeaderValue>,
    expiry: Option<Timestamp>,
}

impl Credentials {
    /// Creates an access key without session token or expiry.
    ///
    /// # Errors
    ///
    /// If the id is empty or has a byte other than visible ASCII without `/`, `,` and `;`, or if
    /// the secret is empty or has a control character. The usual cause is a trailing line end,
    /// which would otherwise show only as a signature that does not match.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        let secret = Zeroizing::new(secret_access_key.into());
        let access_key_id = access_key_id.into();
        check(Part::AccessKeyId, &access_key_id, |byte| {
            byte.is_ascii_graphic() && !b"/,;".contains(&byte)
        })?;
        check(Part::SecretAccessKey, &secret, |byte| {
            !byte.is_ascii_control()
        })?;
        let inner = Inner {
            access_key_id: access_key_id.into(),
            secret,
            token: None,
            expiry: None,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Adds a session token.
    ///
    /// # Errors
    ///
    /// If the token is empty or has a byte other than visible ASCII.
    pub fn with_session_token(mut self, token: impl AsRef<str>) -> Result<Self, CredentialsError> {
        let token = token.as_ref();
        check(Part::SessionToken, token, |byte| byte.is_ascii_graphic())?;
        let mut value = HeaderValue::from_str(token).map_err(|_| CredentialsError {
            part: Part::SessionToken,
            problem: Problem::Byte { offset: 0 },
        })?;
        value.set_sensitive(true);
        Arc::make_mut(&mut self.inner).token = Some(value);
        Ok(self)
    }

    /// Adds an expiry. The [`Verifier`](crate::Verifier) rejects credentials from that moment on; a
    /// [`Signer`](crate::Signer) does not check it. [`with_expiry_time`](Self::with_expiry_time) takes a
    /// `SystemTime`.
    #[must_use]
    pub fn with_expiry(mut self, expiry: Timestamp) -> Self {
        Arc::make_mut(&mut self.inner).expiry = Some(expiry);
        self
    }

    /// Adds an expiry as a time of the system's clock, converted by [`Timestamp::saturating_from`].
    #[must_use]
    pub fn with_expiry_time(self, expiry: SystemTime) -> Self {
        self.with_expiry(Timestamp::saturating_from(expiry))
    }

    /// Returns the id of the access key, which is not a secret.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.inner.access_key_id
    }

    /// Returns the secret access key, in the clear.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.inner.secret
    }

    /// Returns the session token of a temporary key, in the clear.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        // A token is visible ASCII, so this is `Some` whenever there is one.
        self.inner
            .token
            .as_ref()
            .and_then(|token| token.to_str().ok())
    }

    /// Returns when a temporary key expires.
    #[must_use]
    pub fn expiry(&self) -> Option<Timestamp> {
        self.inner.expiry
    }

    /// The session token as a header, marked as sensitive.
    pub(crate) fn token_header(&self) -> Option<&HeaderValue> {
        self.inner.token.as_ref()
    }

    /// Returns whether both are clones of one value, and so have the same secret.
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.inner.access_key_id)
            .field("secret_access_key", &"<redacted>")
            .field(
                "session_token",
                &self.inner.token.as_ref().map(|_| "<redacted>"),
            )
            .field("expiry", &self.inner.expiry)
            .finish()
    }
}

fn check(part: Part, text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), CredentialsError> {
    let problem = match text.bytes().position(|byte| !allowed(byte)) {
        Some(offset) => Problem::Byte { offset },
        None if text.is_empty() => Problem::Empty,
        None => return Ok(()),
    };
    Err(CredentialsError { part, problem })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn says_where_a_part_is_wrong_and_never_what_is_there() {
        for (id, secret, offset, said) in [
            ("", "secret", None, "the access key id is empty"),
            (
                "AKID\n",
                "secret",
                Some(4),
                "access key id has an invalid byte at offset 4",
            ),
            (
                "AK/ID",
                "secret",
                Some(2),
                "access key id has an invalid byte at offset 2",
            ),
            (
                "AK\u{e9}",
                "secret",
                Some(2),
                "access key id has an invalid byte at offset 2",
            ),
            ("AKID", "", None, "the secret access key is empty"),
            (
                "AKID",
                "hunter2\r\n",
                Some(7),
                "secret access key has an invalid byte at offset 7",
            ),
        ] {
            let error = Credentials::new(id, secret).unwrap_err();
            assert_eq!(error.offset(), offset);
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let credentials = Credentials::new("AKID", "secret").unwrap();
        assert_eq!(
            credentials
                .clone()
                .with_session_token("")
                .unwrap_err()
                .offset(),
            None
        );
        assert_eq!(
            credentials.with_session_token("a b").unwrap_err().offset(),
            Some(1)
        );
    }

    #[test]
    fn debug_shows_neither_secret_nor_token() {
        let credentials = Credentials::new("AKID", "hunter2")
            .unwrap()
            .with_session_token("tok3n")
            .unwrap();
        let shown = format!("{credentials:?} {credentials:#?}");
        assert!(shown.contains("AKID") && shown.contains("redacted"));
        assert!(!shown.contains("hunter2") && !shown.contains("tok3n"));
    }

    #[test]
    fn an_expiry_of_the_systems_clock_stays_in_the_range() {
        let credentials = Credentials::new("AKID", "secret").unwrap();
        let expiry = |time| credentials.clone().with_expiry_time(time).expiry();
        let second = Duration::from_secs(1);
        let time = Timestamp::from_secs(1_440_938_160).unwrap();
        assert_eq!(expiry(SystemTime::from(time) + second / 2), Some(time));
        assert_eq!(expiry(UNIX_EPOCH - second), Some(Timestamp::EPOCH));
        let far = SystemTime::from(Timestamp::MAX) + second;
        assert_eq!(expiry(far), Some(Timestamp::MAX));
    }

    #[test]
    fn a_clone_shares_the_secret_and_a_changed_clone_does_not() {
        let credentials = Credentials::new("AKID", "secret").unwrap();
        assert!(credentials.is_clone_of(&credentials.clone()));
        let other = credentials.clone().with_expiry(Timestamp::EPOCH);
        assert!(!credentials.is_clone_of(&other));
        assert_eq!(credentials.expiry(), None);
    }
}
