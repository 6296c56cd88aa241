//! What a signer caches between requests: the key of the day, and the date of the second.

use core::ops::Range;
use std::sync::Arc;

use http::HeaderValue;

use super::latest::Latest;
use crate::string_to_sign::ALGORITHM;
use crate::{Credentials, SignError, Signature, SigningKey, Timestamp};

/// The cache of a signer.
#[derive(Default)]
pub(crate) struct Kept {
    latest: Latest<Day, (Timestamp, Date)>,
}

/// A second, as it enters the string to sign and as the value of `x-amz-date`.
#[derive(Clone)]
pub(crate) struct Date {
    pub(crate) stamp: [u8; 16],
    pub(crate) value: HeaderValue,
}

impl Kept {
    /// The day of `time`, from the cache or from `derive`.
    pub(crate) fn day(&self, time: Timestamp, derive: impl FnOnce() -> Day) -> Arc<Day> {
        self.latest.day(|day| day.key.is_for(time), derive)
    }

    /// The day and the second of `time`.
    #[inline]
    pub(crate) fn at(
        &self,
        time: Timestamp,
        derive: impl FnOnce() -> Day,
    ) -> Result<(Arc<Day>, Date), SignError> {
        let (day, (_, date)) = self.latest.at(
            |day| day.key.is_for(time),
            derive,
            |(second, _)| *second == time,
            |day| Ok((time, Date::of(time, &day.key)?)),
        )?;
        Ok((day, date))
    }
}

impl Date {
    fn of(time: Timestamp, key: &SigningKey) -> Result<Self, SignError> {
        let stamp = key.stamp(time);
        let value = HeaderValue::from_bytes(&stamp).map_err(|_| SignError::InvalidHeader)?;
        Ok(Self { stamp, value })
    }
}

/// The values that are the same for every signature of a day.
pub(crate) struct Day {
    pub(crate) key: SigningKey,
    /// The value of `authorization`, up to the names of the headers.
    prefix: Box<[u8]>,
    /// Where in `prefix` the credential is: the access key's id and the scope, with `/` between
    /// them.
    credential: Range<usize>,
}

const BEFORE_CREDENTIAL: &str = " Credential=";
const BEFORE_NAMES: &str = ", SignedHeaders=";
const BEFORE_SIGNATURE: &str = ", Signature=";

impl Day {
    pub(crate) fn derive(
        credentials: &Credentials,
        time: Timestamp,
        region: &str,
        service: &str,
    ) -> Self {
        let key = SigningKey::derive(credentials.secret_access_key(), time, region, service);
        let id = credentials.access_key_id();
        let prefix = format!(
            "{ALGORITHM}{BEFORE_CREDENTIAL}{id}/{}{BEFORE_NAMES}",
            key.scope()
        );
        let credential =
            ALGORITHM.len() + BEFORE_CREDENTIAL.len()..prefix.len() - BEFORE_NAMES.len();
        Self {
            key,
            prefix: prefix.into_bytes().into(),
            credential,
        }
    }

    /// The access key's id and the scope, with `/` between them.
    pub(crate) fn credential(&self) -> &str {
        let credential = self.prefix.get(self.credential.clone());
        core::str::from_utf8(credential.unwrap_or_default()).unwrap_or_default()
    }

    /// Signs the hash of a canonical request.
    pub(crate) fn sign(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> Signature {
        let text = self.key.string_to_sign(stamp, hash);
        self.key.sign(text.as_bytes())
    }

    /// Starts the value of `authorization`, which ends where the names of the headers begin.
    #[inline]
    pub(crate) fn start_authorization(&self, names_length: usize) -> Vec<u8> {
        // The exact length, so that the vector becomes the value without another allocation.
        let length = self.prefix.len() + names_length + BEFORE_SIGNATURE.len() + 64;
        let mut text = Vec::with_capacity(length);
        text.extend_from_slice(&self.prefix);
        text
    }
}

/// Completes the value of `authorization`, which has the names of the headers by now.
#[inline]
pub(crate) fn complete_authorization(
    mut text: Vec<u8>,
    signature: Signature,
) -> Result<HeaderValue, SignError> {
    text.extend_from_slice(BEFORE_SIGNATURE.as_bytes());
    text.extend_from_slice(&signature.to_hex());
    let value = HeaderValue::try_from(text);
    let mut value = value.map_err(|_| SignError::InvalidHeader)?;
    value.set_sensitive(true);
    Ok(value)
}
