//! A role assumed with the token of a web identity, which is in a file.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::obtained::{Obtained, Outcome};
use super::sts::{self, Role};
use crate::context::Context;
use crate::{Error, ErrorKind, Tried};

/// The role and the token of a web identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebIdentity {
    pub(crate) role: Role,
    pub(crate) token_file: PathBuf,
}

impl WebIdentity {
    /// Reads the token, which is replaced before it expires, and assumes the role.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is empty, or STS rejects the token.
    pub(crate) async fn assume(&self, context: &Context) -> Result<Obtained, Error> {
        let path = self.token_file.display();
        let unusable = |what: &str| {
            Error::configuration(format!(
                "the web identity token of {} ({path}) {what}",
                self.role.by
            ))
        };
        let bytes = context.system().read(self.token_file.clone()).await;
        let bytes =
            Zeroizing::new(bytes.map_err(|error| unusable("cannot be read").with_source(error))?);
        let token = std::str::from_utf8(&bytes).map_err(|_| unusable("is not UTF-8"))?;
        let token = token.trim();
        if token.is_empty() {
            return Err(unusable("is empty"));
        }
        let credentials = sts::assume_role_with_web_identity(context, &self.role, token).await?;
        Ok(Obtained {
            credentials,
            how: format!("the role {} by the web identity in {path}", self.role.arn),
            is_of_metadata: false,
            is_of_process: false,
        })
    }
}

/// The web identity in the environment, as EKS and CI systems set it.
///
/// # Errors
///
/// If it is configured only in part, or not usable.
pub(crate) async fn provide(context: &Context) -> Result<Outcome, Error> {
    let settings = &context.settings;
    let (file_name, role_name) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
    let Some(token_file) = settings.path_variable(file_name)? else {
        return Ok(Outcome::Nothing(vec![Tried::new(
            format!("{file_name} in the environment"),
            "not set",
        )]));
    };
    let Some(arn) = settings.variable(role_name)? else {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("{file_name} is set, but {role_name} in the environment is not"),
        ));
    };
    let identity = WebIdentity {
        role: Role {
            arn,
            by: "AWS_ROLE_ARN in the environment".to_owned(),
            session_name: settings.variable("AWS_ROLE_SESSION_NAME")?,
            external_id: None,
            duration_seconds: None,
        },
        token_file,
    };
    identity.role.check()?;
    identity.assume(context).await.map(Outcome::Found)
}
