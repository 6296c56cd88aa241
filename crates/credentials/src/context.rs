//! The values that the providers of one chain share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lambda_invoke_sigv4::Timestamp;
use lambda_invoke_sigv4::region::{self, Partition, Variant};
use lambda_invoke_transport::TransportBuilder;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::exchange::{self, Base};
use crate::providers::imds::Imds;
use crate::system::{HttpClient, by_environment, direct};
use crate::unsaved::Unsaved;
use crate::{EndpointSetting, Error, Service, Settings, System, TransportClient, Tried};

/// The settings, the region to use if none is set, and the client of instance metadata.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    /// The region of STS if no setting has one.
    pub(crate) fallback_region: Option<String>,
    pub(crate) imds: Arc<Imds>,
    pub(crate) unsaved: Arc<Unsaved>,
    /// The client that the settings describe, made when it is first needed.
    pub(crate) client: OnceCell<TransportClient>,
    /// The same without a proxy.
    pub(crate) direct: OnceCell<TransportClient>,
}

impl Context {
    pub(crate) fn system(&self) -> &System {
        self.settings.system()
    }

    /// Reads the file of a login.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) async fn read_login(&self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        self.unsaved.read(self.system(), path).await
    }

    /// Saves the file of a renewed login, or keeps it in memory if it cannot be written.
    pub(crate) async fn save_login(&self, path: PathBuf, data: Vec<u8>) {
        self.unsaved.save(self.system(), path, data).await;
    }

    /// The client for services, with the certificate authorities and proxies that are set.
    ///
    /// # Errors
    ///
    /// If the CA bundle cannot be used.
    pub(crate) async fn http(&self) -> Result<&dyn HttpClient, Error> {
        self.made(&self.client, by_environment()).await
    }

    /// The same for an address on the machine itself, which no proxy can reach.
    ///
    /// # Errors
    ///
    /// As [`http`](Self::http).
    pub(crate) async fn direct_http(&self) -> Result<&dyn HttpClient, Error> {
        self.made(&self.direct, direct()).await
    }

    async fn made<'c>(
        &'c self,
        client: &'c OnceCell<TransportClient>,
        builder: TransportBuilder,
    ) -> Result<&'c dyn HttpClient, Error> {
        if let Some(http) = self.system().http() {
            return Ok(http);
        }
        Ok(client.get_or_try_init(|| self.make(builder)).await?)
    }

    async fn make(&self, builder: TransportBuilder) -> Result<TransportClient, Error> {
        #[cfg(feature = "tls")]
        let builder = match self.settings.ca_bundle()? {
            None => builder,
            Some(bundle) => {
                let unusable = || {
                    Error::configuration(format!(
                        "the CA bundle {} ({}) cannot be used",
                        bundle.value.display(),
                        bundle.by
                    ))
                };
                let pem = self.system().read(bundle.value.clone()).await;
                let pem = pem.map_err(|error| unusable().with_source(error))?;
                let builder = builder.bundled_roots(false).ca_pem(&pem);
                builder.map_err(|error| unusable().with_source(error))?
            }
        };
        Ok(TransportClient::new(builder.build()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::saturating_from(self.system().clock().now())
    }

    /// The region that STS and the sign-in service are called in.
    ///
    /// # Errors
    ///
    /// If no region is set: the region decides the partition, which must not be guessed.
    pub(crate) async fn region(&self, what_for: &str) -> Result<String, Error> {
        if let Some(region) = self.settings.region()? {
            return Ok(region.value);
        }
        if let Some(region) = &self.fallback_region {
            return Ok(region.clone());
        }
        let why = match self.imds.region(&self.settings).await? {
            Ok(region) => return Ok(region),
            Err(why) => why,
        };
        let mut tried = self.settings.region_tried();
        tried.push(Tried::new("instance metadata", why));
        Err(Error::not_found(
            format!("{what_for} needs a region, and none was found"),
            tried,
        ))
    }

    /// The address of a service in a region: the configured one, or the service's own.
    pub(crate) fn base(&self, service: Service, region: &str) -> Result<Base, Error> {
        match self.settings.endpoint(service)? {
            EndpointSetting::Url(url) => Base::parse(&url.value, &url.by),
            EndpointSetting::Own(variant, _) => {
                region::check(region).map_err(|error| {
                    let (id, region) = (service.id(), exchange::excerpt(region));
                    Error::configuration(format!("the region of {id}, '{region}', is invalid"))
                        .with_source(error)
                })?;
                let host = own_host(service, region, variant);
                Base::parse(&format!("https://{host}"), "the service's own endpoint")
            }
        }
    }

    /// A note for errors of requests: a FIPS or dual-stack host need not exist.
    pub(crate) fn endpoint_note(&self, service: Service) -> Option<String> {
        match self.settings.endpoint(service) {
            Ok(EndpointSetting::Own(_, by)) if !by.is_empty() => Some(format!(
                "this endpoint was selected by {}, and not every region has it; it is not replaced \
                 by another",
                by.join(" and ")
            )),
            _ => None,
        }
    }
}

/// The host of a service's own endpoint in a region that is valid.
fn own_host(service: Service, region: &str, variant: Variant) -> String {
    let partition = Partition::of(region);
    let domain = match variant.is_dual_stack() {
        true => partition.dual_stack_domain(),
        false => partition.domain(),
    };
    // In GovCloud, the ordinary endpoints of these services are those with FIPS.
    let has_fips_name = partition.id() != "aws-us-gov" || variant.is_dual_stack();
    let fips = match variant.is_fips() && has_fips_name {
        true => "-fips",
        false => "",
    };
    match service {
        Service::Lambda => format!(
            "lambda{}.{region}.{domain}",
            if variant.is_fips() { "-fips" } else { "" }
        ),
        Service::Sts => format!("sts{fips}.{region}.{domain}"),
        Service::Sso => format!("portal.sso{fips}.{region}.{domain}"),
        Service::SsoOidc => format!("oidc{fips}.{region}.{domain}"),
        // Its endpoints are those of the console.
        Service::Signin => {
            let fips = if variant.is_fips() {
                "signin-fips"
            } else {
                "signin"
            };
            match partition.id() {
                "aws" => format!("{region}.{fips}.aws.amazon.com"),
                "aws-cn" => format!("{region}.{fips}.amazonaws.cn"),
                "aws-us-gov" => format!("{region}.{fips}.amazonaws-us-gov.com"),
                _ => format!("{fips}.{region}.{domain}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_the_suffix_of_the_regions_partition() {
        let usual = Variant::default();
        let fips = usual.with_fips(true);
        let both = fips.with_dual_stack(true);
        for (service, region, variant, host) in [
            (
                Service::Sts,
                "eu-west-1",
                usual,
                "sts.eu-west-1.amazonaws.com",
            ),
            (
                Service::Sts,
                "cn-north-1",
                usual,
                "sts.cn-north-1.amazonaws.com.cn",
            ),
            (
                Service::Sts,
                "eusc-de-east-1",
                usual,
                "sts.eusc-de-east-1.amazonaws.eu",
            ),
            (
                Service::Sts,
                "us-east-1",
                fips,
                "sts-fips.us-east-1.amazonaws.com",
            ),
            (
                Service::Sts,
                "us-east-1",
                both,
                "sts-fips.us-east-1.api.aws",
            ),
            (
                Service::Sts,
                "us-gov-west-1",
                fips,
                "sts.us-gov-west-1.amazonaws.com",
            ),
            (
                Service::Sso,
                "us-east-2",
                both,
                "portal.sso-fips.us-east-2.api.aws",
            ),
            (
                Service::Sso,
                "cn-north-1",
                usual,
                "portal.sso.cn-north-1.amazonaws.com.cn",
            ),
            (
                Service::SsoOidc,
                "us-iso-east-1",
                usual,
                "oidc.us-iso-east-1.c2s.ic.gov",
            ),
            (
                Service::Signin,
                "us-east-1",
                usual,
                "us-east-1.signin.aws.amazon.com",
            ),
            (
                Service::Signin,
                "cn-north-1",
                usual,
                "cn-north-1.signin.amazonaws.cn",
            ),
            (
                Service::Signin,
                "us-gov-east-1",
                usual,
                "us-gov-east-1.signin.amazonaws-us-gov.com",
            ),
        ] {
            assert_eq!(own_host(service, region, variant), host);
        }
    }
}
