//! The Security Token Service: `AssumeRole`, and `AssumeRoleWithWebIdentity`, which is unsigned.

mod response;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};

use self::response::{rejection, session};
use super::obtained::Members;
use crate::context::Context;
use crate::exchange::{self, Limits, encoded};
use crate::{Error, ErrorKind, Service, random};

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    /// Where the role is configured, for messages.
    pub(crate) by: String,
    pub(crate) session_name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) duration_seconds: Option<u32>,
}

/// The maximum duration of a role that is assumed with another role's keys, in seconds.
pub(crate) const MOST_CHAINED: u32 = 3600;

impl Role {
    /// Finds values that STS would reject, so that the error can say where they are configured.
    ///
    /// # Errors
    ///
    /// If the ARN, the session's name or the duration is invalid.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let by = &self.by;
        if !self.arn.starts_with("arn:") || self.arn.len() < 20 || self.arn.len() > 2048 {
            return Err(Error::configuration(format!(
                "the role of {by} is '{}', expected an ARN such as \
                 arn:aws:iam::123456789012:role/NAME",
                exchange::excerpt(&self.arn)
            )));
        }
        if let Some(name) = &self.session_name {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
            if !(2..=64).contains(&name.len()) || !name.bytes().all(is_allowed) {
                return Err(Error::configuration(format!(
                    "the role session name of {by} is '{}', expected 2 to 64 letters, digits and \
                     characters of _+=,.@-",
                    exchange::excerpt(name)
                )));
            }
        }
        match self.duration_seconds {
            Some(seconds) if !(900..=43_200).contains(&seconds) => Err(Error::configuration(
                format!("duration_seconds of {by} is {seconds}, expected 900 to 43200"),
            )),
            _ => Ok(()),
        }
    }

    fn session_name(&self, context: &Context) -> String {
        match &self.session_name {
            Some(name) => name.clone(),
            None => {
                let number = (random::fraction() * 1e6) as u32;
                format!("lambda-invoke-{}-{number:06}", context.now().as_secs())
            }
        }
    }
}

/// Assumes a role with the keys of `source`.
///
/// # Errors
///
/// If STS cannot be reached, rejects the request or returns something else.
pub(crate) async fn assume_role(
    context: &Context,
    role: &Role,
    source: &Credentials,
) -> Result<Credentials, Error> {
    let mut form = form("AssumeRole", role, &role.session_name(context));
    if let Some(seconds) = role.duration_seconds {
        form.push_str(&format!("&DurationSeconds={seconds}"));
    }
    if let Some(id) = &role.external_id {
        form.push_str(&format!("&ExternalId={}", encoded(id)));
    }
    call(context, role, form, Some(source)).await
}

/// Assumes a role with the token of a web identity. The request is not signed.
///
/// # Errors
///
/// As [`assume_role`].
pub(crate) async fn assume_role_with_web_identity(
    context: &Context,
    role: &Role,
    token: &str,
) -> Result<Credentials, Error> {
    let mut form = form(
        "AssumeRoleWithWebIdentity",
        role,
        &role.session_name(context),
    );
    form.push_str(&format!("&WebIdentityToken={}", encoded(token)));
    if let Some(seconds) = role.duration_seconds {
        form.push_str(&format!("&DurationSeconds={seconds}"));
    }
    call(context, role, form, None).await
}

fn form(action: &str, role: &Role, session_name: &str) -> String {
    format!(
        "Action={action}&Version=2011-06-15&RoleArn={}&RoleSessionName={}",
        encoded(&role.arn),
        encoded(session_name)
    )
}

async fn call(
    context: &Context,
    role: &Role,
    form: String,
    source: Option<&Credentials>,
) -> Result<Credentials, Error> {
    let region = context.region("assuming a role").await?;
    let uri = context.base(Service::Sts, &region)?.root()?;
    let signer = match source {
        Some(source) => Some(Signer::new(source.clone(), region.as_str(), "sts").map_err(
            |error| Error::configuration("the region cannot be signed for").with_source(error),
        )?),
        None => None,
    };
    let body = Bytes::from(form);
    let hash = PayloadHash::of(&body);
    let make = || {
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        if let Some(signer) = &signer {
            signer
                .sign_request(&mut request, &hash, context.now())
                .map_err(|error| {
                    Error::configuration("the request to STS cannot be signed").with_source(error)
                })?;
        }
        Ok(request)
    };
    let http = context.http().await?;
    let response = exchange::send(http, Limits::SERVICE, make, response::is_retryable).await;
    let response = response.map_err(|error| {
        error
            .with_notes(context.endpoint_note(Service::Sts))
            .within(format!("the role {} could not be assumed", role.arn))
    })?;
    if response.status() != 200 {
        let message = format!(
            "STS rejected the role {} of {}: {}",
            role.arn,
            role.by,
            rejection(&response)
        );
        let kind = match response.status().is_server_error() {
            true => ErrorKind::Unavailable,
            false => ErrorKind::Rejected,
        };
        return Err(Error::new(kind, message));
    }
    let session = session(response.body()).ok_or_else(|| {
        let origin = exchange::origin(&uri);
        Error::new(
            ErrorKind::InvalidResponse,
            format!("{origin} did not respond with the credentials of a role, as STS does"),
        )
    })?;
    let members = Members {
        id: Some(&session.id),
        secret: Some(&session.secret),
        token: Some(&session.token),
        expiry: Some(session.expiry),
    };
    let whose = format!("the credentials of the role {}", role.arn);
    members.into_credentials(&whose, ErrorKind::InvalidResponse)
}
