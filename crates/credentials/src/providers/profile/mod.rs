//! The credentials that a profile describes.

pub(crate) mod plan;
mod sign_on;

use std::future::Future;
use std::pin::Pin;

use self::plan::{Base, NamedSource, Plan};
use super::obtained::{Obtained, Outcome};
use super::{container, environment, login, process, sso, sts};
use crate::context::Context;
use crate::{Error, Tried};

/// Fetches the credentials of the selected profile: its base, and then each role in turn.
///
/// # Errors
///
/// If the profile is not usable, or one of the sources that it names fails.
pub(crate) async fn provide(context: &Context) -> Result<Outcome, Error> {
    let settings = &context.settings;
    let profile = settings.profile();
    let Some(plan) = plan::resolve(settings)? else {
        let files = settings.files();
        let tried = [&files.credentials, &files.config];
        let tried = tried.map(|file| {
            let why = match file.why_not(profile) {
                "not set" => "the profile has no setting for credentials",
                other => other,
            };
            Tried::new(format!("profile '{profile}' in {}", file.place()), why)
        });
        return Ok(Outcome::Nothing(tried.to_vec()));
    };
    plan.check()?;
    let Plan {
        base,
        base_profile,
        roles,
    } = plan;
    let mut obtained = fetch(context, &base, &base_profile).await?;
    for role in &roles {
        obtained.check_valid(context.now())?;
        let credentials = sts::assume_role(context, role, &obtained.credentials).await?;
        obtained = Obtained {
            credentials,
            how: format!("the role {} with {}", role.arn, obtained.how),
            is_of_metadata: false,
            is_of_process: false,
        };
    }
    Ok(Outcome::Found(obtained))
}

type Fetching<'f> = Pin<Box<dyn Future<Output = Result<Obtained, Error>> + Send + 'f>>;

/// Boxed, so that the future of the whole chain stays small.
fn fetch<'f>(context: &'f Context, base: &'f Base, profile: &'f str) -> Fetching<'f> {
    Box::pin(async move {
        match base {
            Base::Keys(obtained) => Ok(obtained.clone()),
            Base::WebIdentity(identity) => identity.assume(context).await,
            Base::SignOn(sign_on) => sso::provide(context, sign_on).await,
            Base::Login(session) => login::provide(context, profile, session).await,
            Base::Process(command) => process::provide(context.system(), profile, command).await,
            Base::Source(source) => {
                let outcome = match source {
                    NamedSource::Environment => environment::provide(&context.settings)?,
                    NamedSource::EcsContainer => container::provide(context).await?,
                    NamedSource::Ec2InstanceMetadata => {
                        context.imds.credentials(&context.settings).await?
                    }
                };
                match outcome {
                    Outcome::Found(obtained) => Ok(obtained),
                    Outcome::Nothing(tried) => Err(Error::not_found(
                        format!(
                            "credential_source = {source} of profile '{profile}' has no credentials"
                        ),
                        tried,
                    )),
                }
            }
        }
    })
}
