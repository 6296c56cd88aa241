//! The credentials of a container: of a task of ECS, or of a pod of EKS.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, Uri};
use lambda_invoke_transport::port_of;
use serde_json::Value;
use zeroize::Zeroizing;

use super::obtained::{self, Obtained, Outcome, expiry};
use crate::context::Context;
use crate::exchange::{self, Limits};
use crate::{Error, ErrorKind, Settings, Tried};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The addresses besides loopback that plain HTTP may be used for: ECS, and EKS over IPv4 and IPv6.
const ALLOWED: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(1),
    total: Duration::from_secs(5),
    attempts: 3,
    retries_silence: true,
};

/// Asks the endpoint that the environment names.
///
/// # Errors
///
/// If the endpoint is configured but cannot be used, does not respond, or returns no credentials.
pub(crate) async fn provide(context: &Context) -> Result<Outcome, Error> {
    match endpoint(&context.settings)? {
        Some((uri, by)) => fetch(context, uri, by).await.map(Outcome::Found),
        None => Ok(Outcome::Nothing(vec![Tried::new(
            format!("{RELATIVE} and {FULL} in the environment"),
            "not set",
        )])),
    }
}

/// The endpoint, and the variable that names it.
pub(crate) fn endpoint(settings: &Settings) -> Result<Option<(Uri, &'static str)>, Error> {
    let wrong =
        |name: &str, what: &str| Error::configuration(format!("{name} in the environment {what}"));
    let fragment = "has a fragment, which would not be sent";
    if let Some(path) = settings.variable(RELATIVE)? {
        let wrong = |what| wrong(RELATIVE, what);
        let no_path = "is not a path that begins with /";
        if !path.starts_with('/') {
            return Err(wrong(no_path));
        }
        if path.contains('#') {
            return Err(wrong(fragment));
        }
        let uri = format!("http://{}{path}", ALLOWED[0]);
        return Ok(Some((uri.parse().map_err(|_| wrong(no_path))?, RELATIVE)));
    }
    let Some(text) = settings.variable(FULL)? else {
        return Ok(None);
    };
    let wrong = |what: &str| wrong(FULL, what);
    let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
    let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
        return Err(wrong("has no host"));
    };
    if uri
        .authority()
        .is_some_and(|one| one.as_str().contains('@'))
    {
        return Err(wrong("has a user's name, which would not be used"));
    }
    port_of(&uri).map_err(|_| wrong("has an invalid port"))?;
    if text.contains('#') {
        return Err(wrong(fragment));
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_local(host) => {}
        Some("http") => {
            return Err(wrong(&format!(
                "is http:// to {host}; without TLS only loopback, {} are allowed",
                ALLOWED.join(", ")
            )));
        }
        _ => return Err(wrong("does not begin with http:// or https://")),
    }
    Ok(Some((uri, FULL)))
}

/// Whether a host is this machine, or serves it alone.
fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => {
            address.is_loopback()
                || ALLOWED.iter().any(|allowed| {
                    allowed
                        .parse::<IpAddr>()
                        .is_ok_and(|allowed| allowed == address)
                })
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The authorization token. The file takes precedence, since its content is renewed.
async fn token(context: &Context) -> Result<Option<HeaderValue>, Error> {
    let (text, by) = match context.settings.path_variable(TOKEN_FILE)? {
        Some(path) => {
            let by = format!("the file of {TOKEN_FILE} ({})", path.display());
            let unreadable = |error: std::io::Error| {
                Error::configuration(format!("{by} cannot be read")).with_source(error)
            };
            let bytes = Zeroizing::new(context.system().read(path).await.map_err(unreadable)?);
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Error::configuration(format!("{by} is not UTF-8")))?;
            (Zeroizing::new(text.trim().to_owned()), by)
        }
        None => match context.settings.variable(TOKEN)? {
            Some(token) => (Zeroizing::new(token), format!("{TOKEN} in the environment")),
            None => return Ok(None),
        },
    };
    let mut value = HeaderValue::from_str(&text)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Error::configuration(format!("{by} is empty or not a header's value")))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

async fn fetch(context: &Context, uri: Uri, by: &'static str) -> Result<Obtained, Error> {
    let token = token(context).await?;
    let make = || {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = &token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        Ok(request)
    };
    let place = exchange::origin(&uri);
    // A proxy is used only if the endpoint is not on this machine.
    let http = match uri.scheme_str() {
        Some("https") if uri.host().is_some_and(is_local) => context.direct_http().await?,
        Some("https") => context.http().await?,
        _ => context.system().metadata_http(),
    };
    let response = exchange::send(http, LIMITS, make, exchange::is_overloaded).await?;
    let parsed: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    if response.status() != 200 {
        let mut message = format!(
            "{place} ({by}) rejected the request for the container's credentials: status {}",
            response.status()
        );
        let parts = ["code", "message"].map(|name| parsed.get(name).and_then(Value::as_str));
        for part in parts.into_iter().flatten() {
            message.push_str(": ");
            message.push_str(&exchange::excerpt(part));
        }
        let kind = match exchange::is_overloaded(&response) {
            true => ErrorKind::Unavailable,
            false => ErrorKind::Rejected,
        };
        return Err(Error::new(kind, message));
    }
    let whose = format!("the container's credentials of {place}");
    let kind = ErrorKind::InvalidResponse;
    let end = expiry(
        obtained::member(&parsed, "Expiration", &whose, kind)?,
        &place,
    )?;
    Ok(Obtained {
        credentials: obtained::credentials(&parsed, obtained::METADATA, end, &whose, kind)?,
        how: format!("the container's endpoint {place} ({by})"),
        is_of_metadata: false,
        is_of_process: false,
    })
}

#[cfg(test)]
mod tests {
    use crate::official::{json, suite};

    use super::*;
    use crate::testing::{Machine, settings_of};

    #[test]
    fn an_address_that_would_not_be_used_as_it_is_set_is_an_error() {
        for (name, text, what) in [
            (RELATIVE, "v2/x", "a path that begins with /"),
            (RELATIVE, "/a b", "a path that begins with /"),
            (RELATIVE, "/v2/x#hunter2", "has a fragment"),
            (FULL, "http://localhost/x#hunter2", "has a fragment"),
            (FULL, "http://hunter2@localhost/x", "a user's name"),
            (FULL, "http://localhost:99999/x", "an invalid port"),
            (FULL, "/x", "has no host"),
        ] {
            let machine = Machine::default().variables(&[(name, text)]);
            let settings = settings_of(&machine, |builder| builder).unwrap();
            let said = endpoint(&settings).unwrap_err().to_string();
            assert!(said.starts_with(name) && said.contains(what), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn official_endpoints() {
        suite("credentials/ecs", |folder| {
            let path = "profile/smithy-rs/aws-config/test-data/ecs-tests.json";
            let data = json(&folder.join(path));
            let cases = data["tests"].as_array().unwrap();
            for case in cases {
                let mut machine = Machine::default();
                for (name, value) in case["env"].as_object().unwrap() {
                    machine = machine.variables(&[(name, value.as_str().unwrap())]);
                }
                let settings = settings_of(&machine, |builder| builder).unwrap();
                let found = endpoint(&settings);
                match case["result"]["Ok"].as_str() {
                    Some(expected) => {
                        let (uri, _) = found.unwrap().unwrap();
                        assert_eq!(uri.to_string(), expected, "{case}");
                    }
                    None => {
                        assert!(case["result"]["ErrorContains"].is_string(), "{case}");
                        // Without a variable, it is the next provider's turn.
                        assert!(matches!(found, Err(_) | Ok(None)), "{case}");
                    }
                }
            }
            cases.len()
        });
    }
}
