//! Finds the function of a request, and makes the checks on the way: region and account,
//! permission, name and qualifier.

use lambda_invoke_error::ServiceError;
use lambda_invoke_input::{FunctionName, NameRules, Target};

use super::auth::Caller;
use super::errors;
use super::settings::Settings;
use crate::run::registry::{Registered, Registry, Resolved};

/// The rules for names and qualifiers, as recorded from the service.
pub(super) const RULES: NameRules = NameRules::recorded();

/// Finds functions for a caller.
#[derive(Debug)]
pub(super) struct Lookup<'a> {
    pub(super) registry: &'a Registry,
    pub(super) settings: &'a Settings,
    /// `None` if signatures are not verified.
    pub(super) caller: Option<Caller<'a>>,
    /// The action that the caller requests, such as `lambda:InvokeFunction`.
    pub(super) action: &'static str,
}

/// The function of a request.
pub(super) struct Found<'a> {
    pub(super) function: &'a std::sync::Arc<Registered>,
    pub(super) resolved: Resolved<'a>,
    /// The qualifier of the request.
    pub(super) qualifier: Option<String>,
}

impl<'a> Lookup<'a> {
    pub(super) fn find(&self, target: &Target<'_>) -> Result<Found<'a>, ServiceError> {
        let name = target.name();
        self.check_region_and_account(name)?;
        let function = self.registry.get(name.name());
        match function {
            Some(function) => self.authorize(name.name(), function.arn())?,
            None => self.authorize(name.name(), &self.arn(name.name()))?,
        }
        let qualifier = target.effective_qualifier();
        let qualifier = qualifier.map(|qualifier| qualifier.as_str().to_owned());
        function
            .and_then(|function| {
                Some(Found {
                    resolved: function.resolve(qualifier.as_deref())?,
                    function,
                    qualifier: qualifier.clone(),
                })
            })
            .ok_or_else(|| {
                let qualifier = qualifier.as_deref().unwrap_or("$LATEST");
                errors::not_found(&format!("{}:{qualifier}", self.arn(name.name())))
            })
    }

    /// Returns the functions that the caller may use, sorted by name.
    pub(super) fn all(&self) -> Vec<&'a Registered> {
        let names = self.registry.names().into_iter();
        let allowed = names.filter(|name| match &self.caller {
            Some(caller) => caller.may_invoke(name),
            None => true,
        });
        allowed
            .filter_map(|name| self.registry.get(name).map(AsRef::as_ref))
            .collect()
    }

    fn arn(&self, name: &str) -> String {
        format!("{}{name}", self.settings.arn_prefix())
    }

    fn authorize(&self, function: &str, arn: &str) -> Result<(), ServiceError> {
        match &self.caller {
            Some(caller) => caller.authorize(self.action, function, arn, self.settings),
            None => Ok(()),
        }
    }

    /// Checks that the name belongs to this region and account.
    fn check_region_and_account(&self, name: &FunctionName<'_>) -> Result<(), ServiceError> {
        let settings = self.settings;
        if let Some(region) = name.region().filter(|region| *region != settings.region) {
            return Err(errors::other_region(region, &settings.region));
        }
        match name
            .account()
            .filter(|account| *account != settings.account)
        {
            None => Ok(()),
            Some(account) => {
                let (partition, region) = (settings.partition(), &settings.region);
                let arn = format!(
                    "arn:{partition}:lambda:{region}:{account}:function:{}",
                    name.name()
                );
                let root = settings.iam_arn("root");
                Err(errors::other_account(&root, self.action, &arn))
            }
        }
    }
}
