//! The token of a sign-on, which the AWS CLI keeps in a file, and its renewal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use lambda_invoke_sigv4::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::SignOn;
use crate::context::Context;
use crate::exchange::{self, Limits};
use crate::{Error, ErrorKind, Service, time};

/// How long before it expires a token is renewed, if that is possible.
const AHEAD: Duration = Duration::from_secs(300);

/// Returns a token that is valid now, renewed if it expires soon.
///
/// # Errors
///
/// If there is no token, or it has expired and cannot be renewed; the error says how to sign on.
pub(super) async fn valid(context: &Context, sign_on: &SignOn) -> Result<Zeroizing<String>, Error> {
    let path = path(context, sign_on)?;
    let place = path.display().to_string();
    let unusable = |what: &str| {
        Error::new(
            ErrorKind::Configuration,
            format!(
                "the sign-on of profile '{}' ({place}) {what}",
                sign_on.profile
            ),
        )
        .with_notes([sign_on.advice()])
    };
    let kept = Kept::read(context, &path, &unusable).await?;
    let now = context.now();
    if now.saturating_add(AHEAD) < kept.end {
        return Ok(kept.token);
    }
    let renewal = match &sign_on.session {
        // Without a session the token cannot be renewed.
        Some(_) => Renewal::of(&kept.file, now),
        None => None,
    };
    let Some(renewal) = renewal else {
        return match now < kept.end {
            true => Ok(kept.token),
            false => Err(unusable("has expired")),
        };
    };
    match renewal.request(context, sign_on).await {
        Ok(renewed) => {
            let token = Zeroizing::new(renewed.token.clone());
            let file = renewed.into_file(kept.file);
            let data = serde_json::to_vec_pretty(&file).unwrap_or_default();
            // The new token is used even if it cannot be saved for other programs.
            context.save_login(path, data).await;
            Ok(token)
        }
        // The attempts may have taken longer than the token was valid.
        Err(_) if context.now() < kept.end => Ok(kept.token),
        // Another program may have renewed the token in the meantime, which uses up the refresh
        // token.
        Err(error) => match Kept::read(context, &path, &unusable).await {
            Ok(other) if context.now() < other.end => Ok(other.token),
            _ => Err(unusable("has expired and could not be renewed").with_source(error)),
        },
    }
}

/// The content of the file.
struct Kept {
    file: Map<String, Value>,
    token: Zeroizing<String>,
    end: Timestamp,
}

impl Kept {
    async fn read(
        context: &Context,
        path: &Path,
        unusable: &(impl Fn(&str) -> Error + Sync),
    ) -> Result<Self, Error> {
        let bytes = match context.read_login(path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(unusable("does not exist"));
            }
            Err(error) => return Err(unusable("cannot be read").with_source(error)),
        };
        // The error of the parser could show a part of the token.
        let file: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|_| unusable("is not a JSON object"))?;
        let text = |name: &str| file.get(name).and_then(Value::as_str);
        let token = text("accessToken")
            .filter(|token| !token.is_empty())
            .ok_or_else(|| unusable("has no accessToken"))?;
        let token = Zeroizing::new(token.to_owned());
        let end = text("expiresAt")
            .and_then(time::parse)
            .ok_or_else(|| unusable("has no expiresAt that is an ISO 8601 time"))?;
        Ok(Self { file, token, end })
    }
}

fn path(context: &Context, sign_on: &SignOn) -> Result<PathBuf, Error> {
    let home = context.settings.home().ok_or_else(|| {
        Error::configuration(format!(
            "profile '{}' signs on, and its token is in the home directory, which is not known: HOME \
             is not set",
            sign_on.profile
        ))
    })?;
    let key = sign_on.session.as_ref().unwrap_or(&sign_on.start_url);
    let name: String = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let cache = home.join(".aws").join("sso").join("cache");
    Ok(cache.join(format!("{name}.json")))
}

/// The values that a token is renewed with.
struct Renewal<'f> {
    client_id: &'f str,
    client_secret: &'f str,
    refresh_token: &'f str,
}

struct Renewed {
    token: String,
    refresh_token: Option<String>,
    end: Timestamp,
}

impl<'f> Renewal<'f> {
    /// `None` if a part is missing, or the registration of the client has ended.
    fn of(file: &'f Map<String, Value>, now: Timestamp) -> Option<Self> {
        let text = |name: &str| file.get(name).and_then(Value::as_str);
        let registration = time::parse(text("registrationExpiresAt")?)?;
        (now < registration).then_some(())?;
        Some(Self {
            client_id: text("clientId")?,
            client_secret: text("clientSecret")?,
            refresh_token: text("refreshToken")?,
        })
    }

    async fn request(&self, context: &Context, sign_on: &SignOn) -> Result<Renewed, Error> {
        let uri = context
            .base(Service::SsoOidc, &sign_on.region)?
            .join("/token")?;
        let body = Bytes::from(
            json!({
                "clientId": self.client_id,
                "clientSecret": self.client_secret,
                "grantType": "refresh_token",
                "refreshToken": self.refresh_token,
            })
            .to_string(),
        );
        let make = || {
            let mut request = Request::new(body.clone());
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri.clone();
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(CONTENT_TYPE, json);
            Ok(request)
        };
        let http = context.http().await?;
        let response = exchange::send(http, Limits::SERVICE, make, exchange::is_overloaded).await;
        let response =
            response.map_err(|error| error.with_notes(context.endpoint_note(Service::SsoOidc)))?;
        let place = exchange::origin(&uri);
        let parsed: Option<Value> = serde_json::from_slice(response.body()).ok();
        let member = |name: &str| parsed.as_ref()?.get(name)?.as_str();
        if response.status() != 200 {
            let code = member("error")
                .map_or_else(String::new, |code| format!(": {}", exchange::excerpt(code)));
            let kind = match exchange::is_overloaded(&response) {
                true => ErrorKind::Unavailable,
                false => ErrorKind::Rejected,
            };
            return Err(Error::new(
                kind,
                format!(
                    "{place} rejected the renewal: status {}{code}",
                    response.status()
                ),
            ));
        }
        let lifetime = parsed
            .as_ref()
            .and_then(|parsed| parsed.get("expiresIn")?.as_u64());
        match (member("accessToken"), lifetime) {
            (Some(token), Some(lifetime)) if !token.is_empty() => Ok(Renewed {
                token: token.to_owned(),
                refresh_token: member("refreshToken").map(str::to_owned),
                end: context.now().saturating_add(Duration::from_secs(lifetime)),
            }),
            _ => Err(Error::new(
                ErrorKind::InvalidResponse,
                format!("{place} did not respond with a token"),
            )),
        }
    }
}

impl Renewed {
    /// The file with the new token; its other members stay.
    fn into_file(self, mut file: Map<String, Value>) -> Map<String, Value> {
        file.insert("accessToken".to_owned(), self.token.into());
        file.insert("expiresAt".to_owned(), time::rfc3339(self.end).into());
        if let Some(token) = self.refresh_token {
            file.insert("refreshToken".to_owned(), token.into());
        }
        file
    }
}
