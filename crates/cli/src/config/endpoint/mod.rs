//! The endpoint that requests are sent to.

use std::fmt::Write as _;

use lambda_invoke::{EndpointUrl, EndpointVariant};

use super::Config;
use crate::exit::{Failure, causes};

/// The service's name in `services` sections, and in upper case in `AWS_ENDPOINT_URL_<SERVICE>`.
const SERVICE: &str = "lambda";

/// The value of a setting, and the name of what sets it.
#[derive(Debug, PartialEq, Eq)]
struct Setting<T> {
    value: T,
    by: String,
}

impl Config<'_> {
    /// The configured endpoint, or the service's own in the region.
    ///
    /// # Errors
    ///
    /// If a URL is invalid, or settings contradict each other; the failure names them.
    pub(crate) fn endpoint(&self, region: &str) -> Result<EndpointUrl, Failure> {
        let fips = self.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        let dual_stack = self.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        let chosen = |flag: &Option<Setting<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
        let Some(url) = self.url(SERVICE)? else {
            let variant = EndpointVariant::default()
                .with_fips(chosen(&fips))
                .with_dual_stack(chosen(&dual_stack));
            return EndpointUrl::of_region(region, variant)
                .map_err(|error| invalid("the region", &error));
        };
        for flag in [fips, dual_stack].into_iter().flatten() {
            if flag.value {
                return Err(Failure::usage(format!(
                    "{} and {} cannot be used together: the first selects one of the service's own \
                     endpoints, the second another endpoint\n  hint: remove one of them",
                    flag.by, url.by
                )));
            }
        }
        EndpointUrl::parse(&url.value).map_err(|error| invalid(&url.by, &error))
    }

    /// The URL that is configured for a service: by the option, the environment or the profile, in
    /// this order; within each, a URL for this service takes precedence over one for all services.
    fn url(&self, service: &str) -> Result<Option<Setting<String>>, Failure> {
        let found = |value: &str, by: &str| {
            let (value, by) = (value.to_owned(), by.to_owned());
            Ok(Some(Setting { value, by }))
        };
        if let Some(url) = &self.options.endpoint_url {
            return found(url, "--endpoint-url");
        }
        let ignore = self.flag(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        )?;
        if ignore.is_some_and(|ignore| ignore.value) {
            return Ok(None);
        }
        let own = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        for name in [own.as_str(), "AWS_ENDPOINT_URL"] {
            if let Some(url) = self.environment.get(name)? {
                return found(&url, name);
            }
        }
        if let Some(section) = self.files.get(&self.profile, "services") {
            match self.files.of_service(section, service, "endpoint_url") {
                Some(Some(url)) => {
                    return found(url, &format!("endpoint_url of [services {section}]"));
                }
                Some(None) => {}
                None => {
                    return Err(Failure::usage(format!(
                        "profile '{}' has services = {section}, but there is no section [services \
                         {section}] in {}",
                        self.profile,
                        self.files.config.place()
                    )));
                }
            }
        }
        match self.files.get(&self.profile, "endpoint_url") {
            Some(url) => found(url, &format!("endpoint_url of profile '{}'", self.profile)),
            None => Ok(None),
        }
    }

    /// A boolean setting. The variable takes precedence over the profile.
    fn flag(&self, variable: &str, key: &str) -> Result<Option<Setting<bool>>, Failure> {
        let (text, by) = match self.environment.get(variable)? {
            Some(text) => (text, variable.to_owned()),
            None => match self.files.get(&self.profile, key) {
                Some(text) => (
                    text.to_owned(),
                    format!("{key} of profile '{}'", self.profile),
                ),
                None => return Ok(None),
            },
        };
        let value = match text.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => {
                return Err(Failure::usage(format!(
                    "{by} is '{text}', expected true or false"
                )));
            }
        };
        Ok(Some(Setting { value, by }))
    }
}

fn invalid(by: &str, error: &lambda_invoke::Error) -> Failure {
    let mut message = format!("{by}: {error}");
    for cause in causes(error) {
        let cause = cause.to_string();
        // The client's message has some of its causes in it.
        if !message.contains(&cause) {
            // Writing to a string does not fail.
            let _ = write!(message, "\n  caused by: {cause}");
        }
    }
    Failure::usage(message)
}

#[cfg(test)]
mod tests;
