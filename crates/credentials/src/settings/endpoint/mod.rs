//! The endpoints that requests are sent to.

use std::fmt;

use lambda_invoke_sigv4::region::Variant;

use super::{Setting, Settings};
use crate::Error;
use crate::exchange::Address;

/// A service with an endpoint that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Lambda.
    Lambda,
    /// The Security Token Service, which issues the keys of roles.
    Sts,
    /// The portal of IAM Identity Center, which issues the keys of a sign-on.
    Sso,
    /// The service that renews the token of a sign-on.
    SsoOidc,
    /// The service that renews the token of a console login.
    Signin,
}

impl Service {
    /// Returns the service's name in `services` sections, and in upper case in
    /// `AWS_ENDPOINT_URL_<SERVICE>`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sts => "sts",
            Self::Sso => "sso",
            Self::SsoOidc => "sso_oidc",
            Self::Signin => "signin",
        }
    }
}

/// Which endpoint a service is called at. `Debug` does not show a URL that cannot be used, since it
/// may contain a password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointSetting {
    /// A URL that is configured.
    Url(Setting<String>),
    /// One of the service's own endpoints, and the settings that select it, if any.
    Own(Variant, Vec<String>),
}

impl fmt::Debug for EndpointSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(Setting { value, by }) => {
                let url = Address(value.clone());
                f.debug_tuple("Url").field(&url).field(by).finish()
            }
            Self::Own(variant, by) => f.debug_tuple("Own").field(variant).field(by).finish(),
        }
    }
}

impl Settings {
    /// Returns the endpoint that is configured for a service.
    ///
    /// An explicit URL comes first, for Lambda only; then the environment, then the profile. Within
    /// each, a URL for the service takes precedence over one for all services.
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` turns off all but the explicit one.
    ///
    /// # Errors
    ///
    /// If settings are invalid or contradict each other; the error names them.
    pub fn endpoint(&self, service: Service) -> Result<EndpointSetting, Error> {
        let fips = self.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        let dual_stack = self.switch("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        let chosen = |switch: &Option<Setting<bool>>| switch.as_ref().is_some_and(|one| one.value);
        let variant = Variant::default()
            .with_fips(chosen(&fips))
            .with_dual_stack(chosen(&dual_stack));
        let switches = [fips, dual_stack].into_iter().flatten();
        let mut by = switches.filter(|one| one.value).map(|one| one.by);
        match self.configured_url(service)? {
            None => Ok(EndpointSetting::Own(variant, by.collect())),
            Some(url) => match by.next() {
                None => Ok(EndpointSetting::Url(url)),
                Some(switch) => Err(Error::configuration(format!(
                    "{switch} and {} cannot be used together: the first selects one of the \
                     service's own endpoints, the second another endpoint\n  hint: remove one of \
                     them",
                    url.by
                ))),
            },
        }
    }

    pub(crate) fn configured_url(
        &self,
        service: Service,
    ) -> Result<Option<Setting<String>>, Error> {
        self.url_of(
            service.id(),
            match service {
                Service::Lambda => {
                    let explicit = self.inner.builder.endpoint_url.as_ref();
                    explicit.map(|url| url.0.as_str())
                }
                _ => None,
            },
        )
    }

    fn url_of(
        &self,
        service: &str,
        explicit: Option<&str>,
    ) -> Result<Option<Setting<String>>, Error> {
        if let Some(url) = explicit {
            return Ok(Some(Setting::new(
                url,
                self.inner.builder.names.endpoint_url,
            )));
        }
        let ignore = self.switch(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        )?;
        if ignore.is_some_and(|ignore| ignore.value) {
            return Ok(None);
        }
        let own = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        for name in [own.as_str(), "AWS_ENDPOINT_URL"] {
            if let Some(url) = self.variable(name)? {
                return Ok(Some(Setting::new(url, name)));
            }
        }
        if let Some(section) = self.files().get(self.profile(), "services") {
            match self.files().of_service(section, service, "endpoint_url") {
                Some(Some(url)) => {
                    let by = format!("endpoint_url of [services {section}]");
                    return Ok(Some(Setting::new(url, by)));
                }
                Some(None) => {}
                None => {
                    return Err(Error::configuration(format!(
                        "profile '{}' has services = {section}, but there is no section [services \
                         {section}] in {}",
                        self.profile(),
                        self.files().config.place()
                    )));
                }
            }
        }
        let url = self.files().get(self.profile(), "endpoint_url");
        Ok(url.map(|url| Setting::new(url, self.of_profile("endpoint_url"))))
    }
}

#[cfg(test)]
mod tests;
