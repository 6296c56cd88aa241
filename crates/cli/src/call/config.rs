//! The region, credentials and endpoint, from options, the environment and the shared files.

use std::fmt::Write as _;
use std::path::PathBuf;

use lambda_invoke::{EndpointUrl, FunctionName, Proxy, RetryPolicy, Timeouts, Transport};
use lambda_invoke_credentials::{
    Chain, EndpointSetting, ErrorKind, Files as _, Identity, LocalFiles, Service, Setting, Settings,
};

use crate::exit::{Failure, causes};
use crate::terminal::say;

/// The maximum length of a file with certificate authorities, in bytes: far above any system's
/// list.
const MAX_BUNDLE: usize = 16 << 20;

/// The options for the region, credentials and endpoint.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Service")]
pub(crate) struct Options {
    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, the function ARN's, or the
    /// instance's]
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The profile in the shared files to take credentials and region from [default: AWS_PROFILE,
    /// AWS_DEFAULT_PROFILE, or 'default'; without this option, credentials in the environment take
    /// precedence]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The endpoint to call instead of the service's own [default: AWS_ENDPOINT_URL_LAMBDA,
    /// AWS_ENDPOINT_URL, or the profile's endpoint_url]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// A file with the certificate authorities to trust, in PEM [default: AWS_CA_BUNDLE, the
    /// profile's ca_bundle, or Mozilla's list]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// The settings, and the credentials that they describe.
#[derive(Debug)]
pub(crate) struct Config {
    settings: Settings,
    chain: Chain,
    /// The region of the function's ARN, if the function is named by one.
    of_arn: Option<String>,
    has_function: bool,
}

impl Config {
    /// Reads the shared files and selects the profile.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the named profile is in neither of them.
    pub(crate) fn new(
        options: &Options,
        function: Option<&FunctionName<'_>>,
    ) -> Result<Self, Failure> {
        let mut builder = Settings::builder().for_command_line();
        if let Some(profile) = &options.profile {
            builder = builder.profile(profile);
        }
        if let Some(region) = &options.region {
            builder = builder.region(region);
        }
        if let Some(url) = &options.endpoint_url {
            builder = builder.endpoint_url(url);
        }
        if let Some(path) = &options.ca_bundle {
            builder = builder.ca_bundle(path);
        }
        let settings = builder.load().map_err(|error| failure(&error))?;
        let of_arn = function.and_then(FunctionName::region).map(str::to_owned);
        let mut chain = Chain::builder()
            .loaded(settings.clone())
            .on_notice(|notice| say(format_args!("lambda-invoke: {notice}")));
        if let Some(region) = &of_arn {
            chain = chain.fallback_region(region);
        }
        Ok(Self {
            chain: chain.build().map_err(|error| failure(&error))?,
            settings,
            of_arn,
            has_function: function.is_some(),
        })
    }

    /// The provider of the credentials, which caches and renews them.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The region that requests are signed for: the one that is set, the one in the function's ARN,
    /// or the instance's.
    ///
    /// # Errors
    ///
    /// If no region is set (the error lists the places that were searched), if the function's ARN
    /// is in a different region from the one that is set, or if the name is not valid for a region.
    pub(crate) async fn region(&self) -> Result<Setting<String>, Failure> {
        let region = self.any_region().await?;
        match misspelled(&region.value) {
            Some((what, right)) => Err(Failure::usage(format!(
                "the region {}, set by {}, is {what}\n  hint: use {right}",
                region.value, region.by
            ))),
            None => Ok(region),
        }
    }

    async fn any_region(&self) -> Result<Setting<String>, Failure> {
        let set = self.settings.region().map_err(|error| failure(&error))?;
        match (set, &self.of_arn) {
            (Some(set), Some(of_arn)) if set.value != *of_arn => Err(Failure::usage(format!(
                "the function's ARN is in the region {of_arn}, but the region is {}, set by {}\n  \
                 hint: use --region {of_arn}, or name a function of {}",
                set.value, set.by, set.value
            ))),
            (Some(set), _) => Ok(set),
            (None, Some(of_arn)) => Ok(Setting::new(of_arn, "the function's ARN")),
            (None, None) => self.chain.region().await.map_err(|error| {
                let mut failure = failure(&error);
                if error.kind() == ErrorKind::NotFound {
                    if self.has_function {
                        let name = "\n  the function's name: not an ARN with a region";
                        failure.message.push_str(name);
                    }
                    let hint = "\n  hint: set it with --region, such as --region us-east-1";
                    failure.message.push_str(hint);
                }
                failure
            }),
        }
    }

    /// The credentials, and where they came from.
    ///
    /// # Errors
    ///
    /// If there are none (the error lists the providers that were tried), or if a provider fails.
    pub(crate) async fn identity(&self) -> Result<Identity, Failure> {
        self.chain.identity().await.map_err(|error| {
            let mut failure = failure(&error);
            if error.kind() == ErrorKind::NotFound {
                failure.message.push_str(
                    "\n  hint: set the two variables, or name a profile that has credentials with \
                     --profile; for a local endpoint both are 'local', unless it was started with \
                     others",
                );
            }
            failure
        })
    }

    /// The region and the credentials. If both are missing, one failure reports both.
    ///
    /// # Errors
    ///
    /// As [`region`](Self::region) and [`identity`](Self::identity).
    pub(crate) async fn signing(&self) -> Result<(Setting<String>, Identity), Failure> {
        match (self.region().await, self.identity().await) {
            (Ok(region), Ok(identity)) => Ok((region, identity)),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
            (Err(region), Err(credentials)) if region.message == credentials.message => Err(region),
            (Err(region), Err(credentials)) => Err(Failure::usage(format!(
                "{}\n{}",
                credentials.message, region.message
            ))),
        }
    }

    /// The configured endpoint, or the service's own in the region, and the setting that selects
    /// it.
    ///
    /// # Errors
    ///
    /// If a URL is invalid, or settings contradict each other; the failure names them.
    pub(crate) fn endpoint(&self, region: &str) -> Result<(EndpointUrl, String), Failure> {
        let setting = self.settings.endpoint(Service::Lambda);
        match setting.map_err(|error| failure(&error))? {
            EndpointSetting::Url(url) => match url.value.parse::<EndpointUrl>() {
                Ok(endpoint) => Ok((endpoint, url.by)),
                Err(error) => Err(invalid(&url.by, &error)),
            },
            EndpointSetting::Own(variant, by) => {
                let endpoint = EndpointUrl::of_region(region, variant);
                let endpoint = endpoint.map_err(|error| invalid("the region", &error))?;
                let by = match by.is_empty() {
                    true => "the service's own".to_owned(),
                    false => by.join(" and "),
                };
                Ok((endpoint, by))
            }
            _ => Err(Failure::usage("the endpoint is set in an unknown way")),
        }
    }

    /// The transport to the endpoint, with the proxies and certificate authorities that are set.
    ///
    /// # Errors
    ///
    /// If a proxy or the CA bundle cannot be used.
    pub(crate) fn transport(
        &self,
        endpoint: &EndpointUrl,
        timeouts: Timeouts,
    ) -> Result<Transport, Failure> {
        let proxy = Proxy::from_env();
        // Resolved before anything is sent: each attempt would fail the same way.
        let via = proxy.via(endpoint.uri()).map_err(Failure::usage)?;
        let mut transport = Transport::builder().timeouts(timeouts).proxy(proxy);
        let is_https = [Some(endpoint.uri()), via.as_ref()]
            .into_iter()
            .flatten()
            .any(|uri| uri.scheme_str() == Some("https"));
        let bundle = self.settings.ca_bundle().map_err(|error| failure(&error))?;
        if let Some(bundle) = bundle.filter(|_| is_https) {
            let unusable = |error: &dyn std::fmt::Display| {
                Failure::usage(format!("the CA bundle {}: {error}", bundle.value.display()))
            };
            let pem = LocalFiles::default().read(&bundle.value, MAX_BUNDLE);
            let pem = pem.map_err(|error| unusable(&error))?;
            transport = transport
                .bundled_roots(false)
                .ca_pem(&pem)
                .map_err(|error| unusable(&error))?;
        }
        Ok(transport.build())
    }

    /// The retry policy with the configured number of attempts. All retry modes have the same
    /// rules: the mode does not decide what may run a function twice.
    ///
    /// # Errors
    ///
    /// If a setting is invalid.
    pub(crate) fn retry(&self, policy: RetryPolicy) -> Result<RetryPolicy, Failure> {
        self.settings
            .retry_mode()
            .map_err(|error| failure(&error))?;
        Ok(match self.max_attempts()? {
            // A policy that never retries was set by an option, which takes precedence.
            Some(attempts) if policy.max_attempts() > 1 => policy.with_max_attempts(attempts),
            _ => policy,
        })
    }

    /// The configured number of attempts.
    ///
    /// # Errors
    ///
    /// If the setting is invalid.
    pub(crate) fn max_attempts(&self) -> Result<Option<u32>, Failure> {
        let attempts = self.settings.max_attempts();
        let attempts = attempts.map_err(|error| failure(&error))?;
        Ok(attempts.map(|attempts| attempts.value))
    }

    /// The headers that identify the caller: the user agent with the application's id, and the
    /// trace of the function that this program runs in.
    ///
    /// # Errors
    ///
    /// If the application's id is too long.
    pub(crate) fn headers(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut headers = Vec::new();
        let id = self.settings.app_id().map_err(|error| failure(&error))?;
        if let Some(id) = id {
            let version = env!("CARGO_PKG_VERSION");
            headers.push((
                "user-agent",
                format!("lambda-invoke/{version} app/{}", id.value),
            ));
        }
        if let Some(trace) = self.settings.trace_id() {
            headers.push(("x-amzn-trace-id", trace));
        }
        Ok(headers)
    }
}

/// Converts an error of the settings or credentials: its message, and its causes.
fn failure(error: &lambda_invoke_credentials::Error) -> Failure {
    Failure::usage(with_causes(error.to_string(), error))
}

fn invalid(by: &str, error: &lambda_invoke::Error) -> Failure {
    Failure::usage(with_causes(format!("{by}: {error}"), error))
}

fn with_causes(mut message: String, error: &(dyn std::error::Error + 'static)) -> String {
    for cause in causes(error) {
        let cause = cause.to_string();
        // A message may already contain some of its causes.
        if !message.contains(&cause) {
            // Writing to a string does not fail.
            let _ = write!(message, "\n  caused by: {cause}");
        }
    }
    message
}

/// What is wrong with a region's name, and what it should be. Names in upper case and those of
/// availability zones do not resolve.
fn misspelled(region: &str) -> Option<(&'static str, String)> {
    let lower = region.to_ascii_lowercase();
    if lower != region {
        return Some(("in upper case", lower));
    }
    let of_zone = region.strip_suffix(|c: char| c.is_ascii_lowercase())?;
    let (place, number) = of_zone.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && place.contains('-')).then(|| ("an availability zone", of_zone.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_and_availability_zones_are_no_regions() {
        for (text, right) in [
            ("EU-WEST-1", "eu-west-1"),
            ("eu-west-1a", "eu-west-1"),
            ("us-gov-west-1c", "us-gov-west-1"),
        ] {
            assert_eq!(misspelled(text).unwrap().1, right);
        }
        for text in ["eu-west-1", "us-iso-east-1", "local", "x-1a", "eu-west"] {
            assert_eq!(misspelled(text), None);
        }
    }
}
