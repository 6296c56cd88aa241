//! Instance metadata of EC2, version 2: the role's credentials and the region.

mod endpoint;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use serde_json::Value;
use tokio::time::Instant;

use self::endpoint::base;
use super::obtained::{self, Obtained, Outcome, expiry};
use crate::exchange::{self, Base, Limits};
use crate::system::parse_switch;
use crate::{Error, ErrorKind, Settings, Tried};

/// One second per attempt. A machine without instance metadata must not delay a call for longer, so
/// a request without a response is not repeated.
const FIRST: Limits = Limits {
    connect: Duration::from_secs(1),
    total: Duration::from_secs(1),
    attempts: 3,
    retries_silence: false,
};

/// After the service has issued a token, it is known to exist, so a request without a response is
/// repeated.
const FURTHER: Limits = Limits {
    retries_silence: true,
    ..FIRST
};

/// The requested lifetime of the token, and how long before its expiry it is renewed.
const TOKEN_TTL: &str = "21600";
const TOKEN_MARGIN: Duration = Duration::from_secs(120);

/// How long a service that did not respond is not asked again: at the start it is asked for both
/// the region and the credentials.
const SILENCE: Duration = Duration::from_secs(10);

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// A client of the metadata service, with its session token.
#[derive(Debug, Default)]
pub(crate) struct Imds {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(HeaderValue, SystemTime)>,
    /// Why there was no response, and until when the service is not asked again.
    silent: Option<(Error, Instant)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// The service's response for a path.
enum Found {
    Body(Bytes),
    /// The path does not exist.
    Missing,
    /// The service does not exist, is turned off, or is not to be used.
    Absent(Error),
}

impl Imds {
    /// The credentials of the instance's role.
    ///
    /// # Errors
    ///
    /// If a setting is invalid, or the service exists but responds with something else.
    pub(crate) async fn credentials(&self, settings: &Settings) -> Result<Outcome, Error> {
        let nothing =
            |why: String| Ok(Outcome::Nothing(vec![Tried::new("instance metadata", why)]));
        let base = match enabled_base(settings)? {
            Ok(base) => base,
            Err(why) => return nothing(why),
        };
        let place = exchange::origin(&base.root()?);
        let role = match self.get(settings, &base, ROLES).await? {
            Found::Body(body) => body,
            Found::Missing => {
                return nothing(format!("the instance at {place} has no role"));
            }
            Found::Absent(error) => return nothing(explained(&error)),
        };
        let role = String::from_utf8_lossy(&role);
        let role = role.lines().next().unwrap_or_default().trim();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if role.is_empty() {
            return nothing(format!("the instance at {place} has no role"));
        }
        if !role.bytes().all(is_name) {
            return Err(invalid(&place, "something other than the name of a role"));
        }
        let body = match self.get(settings, &base, &format!("{ROLES}{role}")).await? {
            Found::Body(body) => body,
            Found::Missing => {
                return nothing(format!("{place} has no credentials of the role {role}"));
            }
            Found::Absent(error) => return Err(error),
        };
        let parsed: Value = serde_json::from_slice(&body)
            .map_err(|_| invalid(&place, "something other than JSON"))?;
        let member = |name| parsed.get(name).and_then(Value::as_str);
        if let Some(code) = member("Code").filter(|code| *code != "Success") {
            let mut message = format!(
                "{place} has no credentials of the role {role}: {}",
                exchange::excerpt(code)
            );
            if let Some(text) = member("Message") {
                message.push_str(&format!(": {}", exchange::excerpt(text)));
            }
            return Err(Error::new(ErrorKind::Rejected, message));
        }
        let whose = format!("the instance's credentials of {place}");
        let kind = ErrorKind::InvalidResponse;
        let end = expiry(
            obtained::member(&parsed, "Expiration", &whose, kind)?,
            &place,
        )?;
        Ok(Outcome::Found(Obtained {
            credentials: obtained::credentials(&parsed, obtained::METADATA, end, &whose, kind)?,
            how: format!("the role {role} of the instance, from {place}"),
            is_of_metadata: true,
            is_of_process: false,
        }))
    }

    /// The instance's region, or why there is none.
    ///
    /// # Errors
    ///
    /// As [`credentials`](Self::credentials).
    pub(crate) async fn region(
        &self,
        settings: &Settings,
    ) -> Result<Result<String, String>, Error> {
        let base = match enabled_base(settings)? {
            Ok(base) => base,
            Err(why) => return Ok(Err(why)),
        };
        let place = exchange::origin(&base.root()?);
        let path = "/latest/meta-data/placement/region";
        Ok(match self.get(settings, &base, path).await? {
            Found::Body(body) => {
                let region = String::from_utf8_lossy(&body).trim().to_owned();
                lambda_invoke_sigv4::region::check(&region)
                    .map_err(|error| invalid(&place, "no region").with_source(error))?;
                Ok(region)
            }
            Found::Missing => Err(format!("{place} has no region")),
            Found::Absent(error) => Err(explained(&error)),
        })
    }

    async fn get(&self, settings: &Settings, base: &Base, path: &str) -> Result<Found, Error> {
        for is_last in [false, true] {
            let token = match self.token(settings, base).await? {
                Ok(token) => token,
                Err(error) => return Ok(Found::Absent(error)),
            };
            let uri = base.join(path)?;
            let make = || {
                let mut request = Request::new(Bytes::new());
                *request.uri_mut() = uri.clone();
                request.headers_mut().insert(TOKEN_HEADER, token.clone());
                Ok(request)
            };
            let http = settings.system().metadata_http();
            let response = exchange::send(http, FURTHER, make, exchange::is_overloaded).await?;
            match response.status().as_u16() {
                200 => return Ok(Found::Body(response.into_body())),
                404 => return Ok(Found::Missing),
                // The token has expired early, for example because the instance was restored.
                401 if !is_last => self.state().token = None,
                _ => return Err(rejected(&exchange::origin(&uri), path, &response)),
            }
        }
        Ok(Found::Missing)
    }

    /// The session token, or the error of a service that does not exist.
    async fn token(
        &self,
        settings: &Settings,
        base: &Base,
    ) -> Result<Result<HeaderValue, Error>, Error> {
        let now = settings.system().clock().now();
        {
            let state = self.state();
            if let Some((token, _)) = state.token.as_ref().filter(|(_, end)| now < *end) {
                return Ok(Ok(token.clone()));
            }
            let moment = Instant::now();
            if let Some((error, _)) = state.silent.as_ref().filter(|(_, end)| moment < *end) {
                return Ok(Err(error.clone()));
            }
        }
        let path = "/latest/api/token";
        let uri = base.join(path)?;
        let make = || {
            let mut request = Request::new(Bytes::new());
            *request.method_mut() = Method::PUT;
            *request.uri_mut() = uri.clone();
            let ttl = HeaderValue::from_static(TOKEN_TTL);
            request.headers_mut().insert(TTL_HEADER, ttl);
            Ok(request)
        };
        let http = settings.system().metadata_http();
        let response = match exchange::send(http, FIRST, make, exchange::is_overloaded).await {
            Ok(response) => response,
            Err(error) => {
                // Not by the clock, which may be set meanwhile.
                let until = Instant::now() + SILENCE;
                self.state().silent = Some((error.clone(), until));
                return Ok(Err(error));
            }
        };
        let place = exchange::origin(&uri);
        match response.status().as_u16() {
            200 => {}
            // The service is turned off, or something else listens at its address, such as a
            // network's sign-in page.
            status @ 300..=499 if status != 400 && status != 429 => {
                return Ok(Err(rejected(&place, path, &response)));
            }
            _ => return Err(rejected(&place, path, &response)),
        }
        let token = HeaderValue::from_bytes(response.body().trim_ascii())
            .ok()
            .filter(|token| !token.is_empty());
        let Some(mut token) = token else {
            let what = "something other than a session token";
            return Ok(Err(invalid(&place, what)));
        };
        token.set_sensitive(true);
        let ttl = response.headers().get(TTL_HEADER);
        let ttl = ttl.and_then(|ttl| ttl.to_str().ok()?.parse().ok());
        let ttl = Duration::from_secs(ttl.unwrap_or(0)).saturating_sub(TOKEN_MARGIN);
        let until = now.checked_add(ttl).unwrap_or(now);
        self.state().token = Some((token.clone(), until));
        Ok(Ok(token))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The endpoint, or why it is not asked.
fn enabled_base(settings: &Settings) -> Result<Result<Base, String>, Error> {
    let name = "AWS_EC2_METADATA_DISABLED";
    // A user who sets it to `1` does not want the instance's credentials; the SDKs would use them.
    if let Some(text) = settings.variable(name)? {
        if parse_switch(name, &text)? {
            return Ok(Err(format!("{name} is true")));
        }
    }
    base(settings).map(Ok)
}

/// An error with its cause, on one line.
fn explained(error: &Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("instance metadata at ").unwrap_or(&text);
    let mut text = text.to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn rejected(place: &str, path: &str, response: &Response<Bytes>) -> Error {
    let kind = match exchange::is_overloaded(response) {
        true => ErrorKind::Unavailable,
        false => ErrorKind::Rejected,
    };
    let message = format!(
        "instance metadata at {place} responded to {path} with status {}",
        response.status()
    );
    Error::new(kind, message)
}

fn invalid(place: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        format!("instance metadata at {place} returned {what}"),
    )
}
