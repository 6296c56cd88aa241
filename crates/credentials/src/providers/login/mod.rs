//! The keys of a console login (`aws login`), which the AWS CLI keeps in a file, and their renewal.

mod proof;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use lambda_invoke_sigv4::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use self::proof::ProofKey;
use super::obtained::{self, Obtained};
use crate::context::Context;
use crate::exchange::{self, Limits};
use crate::{Error, ErrorKind, Service, time};

/// How long before they expire the keys are renewed. They last 15 minutes.
const AHEAD: Duration = Duration::from_secs(120);

/// Returns the keys of a login, renewed if they expire soon.
///
/// # Errors
///
/// If there is no login, or it has ended and cannot be renewed; the error says how to log in.
pub(crate) async fn provide(
    context: &Context,
    profile: &str,
    session: &str,
) -> Result<Obtained, Error> {
    let path = path(context, profile, session)?;
    let place = path.display().to_string();
    let advice = || format!("hint: run aws login --profile {profile}");
    let unusable = |what: &str| {
        Error::new(
            ErrorKind::Configuration,
            format!("the console login of profile '{profile}' ({place}) {what}"),
        )
        .with_notes([advice()])
    };
    let mut file = read(context, &path, &unusable).await?;
    let keys_of = |file: &Map<String, Value>| -> Result<Obtained, Error> {
        let keys = file.get("accessToken").filter(|keys| keys.is_object());
        let keys = keys.ok_or_else(|| unusable("has no accessToken"))?;
        let whose = format!("the keys of the console login of profile '{profile}' ({place})");
        let kind = ErrorKind::Configuration;
        let end = obtained::member(keys, "expiresAt", &whose, kind)?.and_then(time::parse);
        let end = end.ok_or_else(|| unusable("has no expiresAt that is an ISO 8601 time"))?;
        Ok(Obtained {
            credentials: obtained::credentials(keys, obtained::SIGN_IN, Some(end), &whose, kind)?,
            how: format!("the console login {session}"),
            is_of_metadata: false,
            is_of_process: false,
        })
    };
    let kept = keys_of(&file)?;
    let now = context.now();
    let end = kept.credentials.expiry().unwrap_or(Timestamp::EPOCH);
    if now.saturating_add(AHEAD) < end {
        return Ok(kept);
    }
    match renew(context, &mut file, &unusable).await {
        Ok(()) => {
            let data = serde_json::to_vec_pretty(&file).unwrap_or_default();
            // The new keys are used even if they cannot be saved for other programs.
            context.save_login(path, data).await;
            keys_of(&file)
        }
        // The attempts may have taken longer than the keys were valid.
        Err(_) if context.now() < end => Ok(kept),
        Err(error) => {
            // Another program may have renewed the login in the meantime, which uses up the refresh
            // token.
            if let Ok(other) = read(context, &path, &unusable)
                .await
                .and_then(|file| keys_of(&file))
            {
                if other.check_valid(context.now()).is_ok() {
                    return Ok(other);
                }
            }
            Err(unusable("has ended and could not be renewed").with_source(error))
        }
    }
}

/// Reads the file of a login.
async fn read(
    context: &Context,
    path: &Path,
    unusable: &(impl Fn(&str) -> Error + Sync),
) -> Result<Map<String, Value>, Error> {
    let bytes = match context.read_login(path).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(unusable("does not exist"));
        }
        Err(error) => return Err(unusable("cannot be read").with_source(error)),
    };
    // The error of the parser could show a part of a key.
    serde_json::from_slice(&bytes).map_err(|_| unusable("is not a JSON object"))
}

fn path(context: &Context, profile: &str, session: &str) -> Result<PathBuf, Error> {
    let name: String = digest(&SHA256, session.trim().as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let directory = match context
        .settings
        .path_variable("AWS_LOGIN_CACHE_DIRECTORY")?
    {
        Some(directory) => directory,
        None => {
            let home = context.settings.home().ok_or_else(|| {
                Error::configuration(format!(
                    "profile '{profile}' has a console login, which is kept in the home directory, \
                     and that is not known: HOME is not set"
                ))
            })?;
            home.join(".aws").join("login").join("cache")
        }
    };
    Ok(directory.join(format!("{name}.json")))
}

/// Renews the keys in the content of the file.
async fn renew(
    context: &Context,
    file: &mut Map<String, Value>,
    unusable: &impl Fn(&str) -> Error,
) -> Result<(), Error> {
    let text = |name: &str| {
        file.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| unusable(&format!("has no {name}")))
    };
    let client_id = text("clientId")?;
    let refresh_token = text("refreshToken")?;
    let key = ProofKey::from_pem(text("dpopKey")?)
        .ok_or_else(|| unusable("has a dpopKey that is not a key for P-256 in PEM"))?;
    let region = context.region("renewing a console login").await?;
    let uri = context.base(Service::Signin, &region)?.join("/v1/token")?;
    let body = Bytes::from(
        json!({
            "clientId": client_id,
            "grantType": "refresh_token",
            "refreshToken": refresh_token,
        })
        .to_string(),
    );
    let make = || {
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let proof = key
            .proof("POST", &uri.to_string(), context.now())
            .and_then(|proof| HeaderValue::from_str(&proof).ok())
            .ok_or_else(|| unusable("has a dpopKey that cannot sign"))?;
        headers.insert("dpop", proof);
        Ok(request)
    };
    let http = context.http().await?;
    let response = exchange::send(http, Limits::SERVICE, make, exchange::is_overloaded).await;
    let response =
        response.map_err(|error| error.with_notes(context.endpoint_note(Service::Signin)))?;
    let place = exchange::origin(&uri);
    let parsed: Option<Value> = serde_json::from_slice(response.body()).ok();
    let parsed = parsed.as_ref();
    if response.status() != 200 {
        let code = parsed.and_then(|parsed| parsed.get("error")?.as_str());
        let code = code.map_or_else(String::new, |code| format!(": {}", exchange::excerpt(code)));
        return Err(Error::new(
            ErrorKind::Rejected,
            format!(
                "{place} rejected the renewal: status {}{code}",
                response.status()
            ),
        ));
    }
    let keys = parsed.and_then(|parsed| parsed.get("accessToken")?.as_object());
    let member = |name: &str| keys?.get(name)?.as_str().map(str::to_owned);
    let new = (|| {
        let id = member("accessKeyId")?;
        let secret = member("secretAccessKey")?;
        let token = member("sessionToken")?;
        let lifetime = parsed?.get("expiresIn")?.as_u64()?;
        Some((id, secret, token, lifetime))
    })();
    let Some((id, secret, token, lifetime)) = new else {
        return Err(Error::new(
            ErrorKind::InvalidResponse,
            format!("{place} did not respond with keys"),
        ));
    };
    let end = context.now().saturating_add(Duration::from_secs(lifetime));
    if let Some(token) = parsed.and_then(|parsed| parsed.get("refreshToken")?.as_str()) {
        file.insert("refreshToken".to_owned(), token.into());
    }
    // The other members of the file, such as the account, stay.
    let kept = file
        .entry("accessToken")
        .or_insert_with(|| Map::new().into());
    if let Some(kept) = kept.as_object_mut() {
        for (name, value) in [
            ("accessKeyId", id),
            ("secretAccessKey", secret),
            ("sessionToken", token),
            ("expiresAt", time::rfc3339(end)),
        ] {
            kept.insert(name.to_owned(), value.into());
        }
    }
    Ok(())
}
