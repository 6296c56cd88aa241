//! IAM Identity Center: the keys of an account's role, for the token of a sign-on.

mod token;

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde_json::Value;

use super::obtained::{self, Obtained};
use crate::context::Context;
use crate::exchange::{self, Limits, encoded};
use crate::{Error, ErrorKind, Service};

/// The header with the token of the sign-on.
const TOKEN_HEADER: &str = "x-amz-sso_bearer_token";

/// The sign-on settings of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignOn {
    pub(crate) profile: String,
    /// The name of the `sso-session` section. The token's file is named after it, or after the URL
    /// if there is no section.
    pub(crate) session: Option<String>,
    pub(crate) start_url: String,
    pub(crate) region: String,
    /// The account and the role. A profile without them is for services that take the token itself.
    pub(crate) account: Option<(String, String)>,
}

impl SignOn {
    /// How to sign on again.
    fn advice(&self) -> String {
        match &self.session {
            Some(session) => format!("hint: run aws sso login --sso-session {session}"),
            None => format!("hint: run aws sso login --profile {}", self.profile),
        }
    }
}

/// Exchanges the token of the sign-on for the role's keys.
///
/// # Errors
///
/// If there is no valid token, or the service rejects it.
pub(crate) async fn provide(context: &Context, sign_on: &SignOn) -> Result<Obtained, Error> {
    let Some((account, role)) = &sign_on.account else {
        return Err(Error::configuration(format!(
            "profile '{}' signs on without sso_account_id and sso_role_name, which select the \
             credentials",
            sign_on.profile
        )));
    };
    let token = token::valid(context, sign_on).await?;
    let base = context.base(Service::Sso, &sign_on.region)?;
    let uri = base.join(&format!(
        "/federation/credentials?role_name={}&account_id={}",
        encoded(role),
        encoded(account)
    ))?;
    let mut bearer = HeaderValue::from_str(&token).map_err(|_| {
        let what = "the token of the sign-on is not a header's value";
        Error::new(ErrorKind::InvalidResponse, what)
    })?;
    bearer.set_sensitive(true);
    let make = || {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(TOKEN_HEADER, bearer.clone());
        Ok(request)
    };
    let http = context.http().await?;
    let response = exchange::send(http, Limits::SERVICE, make, exchange::is_overloaded).await;
    let response =
        response.map_err(|error| error.with_notes(context.endpoint_note(Service::Sso)))?;
    let place = exchange::origin(&uri);
    let parsed: Option<Value> = serde_json::from_slice(response.body()).ok();
    if response.status() != 200 {
        let reason = parsed
            .as_ref()
            .and_then(|parsed| parsed.get("message")?.as_str());
        let reason =
            reason.map_or_else(String::new, |text| format!(": {}", exchange::excerpt(text)));
        let message = format!(
            "IAM Identity Center ({place}) rejected the role {role} of the account {account}: status \
             {}{reason}",
            response.status()
        );
        let kind = match exchange::is_overloaded(&response) {
            true => ErrorKind::Unavailable,
            false => ErrorKind::Rejected,
        };
        let error = Error::new(kind, message);
        return Err(match response.status().as_u16() {
            401 => error.with_notes([sign_on.advice()]),
            _ => error,
        });
    }
    let keys = parsed
        .as_ref()
        .and_then(|parsed| parsed.get("roleCredentials"));
    // Milliseconds since the epoch.
    let expiry = keys.and_then(|keys| keys.get("expiration")?.as_u64());
    let expiry = expiry.and_then(|ms| lambda_invoke_sigv4::Timestamp::from_secs(ms / 1000).ok());
    let (Some(keys), Some(_)) = (keys, expiry) else {
        return Err(Error::new(
            ErrorKind::InvalidResponse,
            format!(
                "{place} did not respond with the credentials of a role, as IAM Identity Center does"
            ),
        ));
    };
    let whose = format!("the credentials of the role {role} of the account {account}");
    let kind = ErrorKind::InvalidResponse;
    Ok(Obtained {
        credentials: obtained::credentials(keys, obtained::SIGN_IN, expiry, &whose, kind)?,
        how: format!("the role {role} of the account {account} in IAM Identity Center ({place})"),
        is_of_metadata: false,
        is_of_process: false,
    })
}
