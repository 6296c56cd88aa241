//! The region.

use lambda_invoke_sigv4::region;

use super::{Setting, Settings};
use crate::{Error, Tried};

/// The variables, in order of precedence. Lambda and EKS set the first.
const VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

impl Settings {
    /// Returns the region that is set: explicitly, by `AWS_REGION` or `AWS_DEFAULT_REGION`, or by the
    /// selected profile. Instance metadata is not asked; see
    /// [`Chain::region`](crate::Chain::region).
    ///
    /// # Errors
    ///
    /// If it cannot be part of a host name; the error names the place where it is set.
    pub fn region(&self) -> Result<Option<Setting<String>>, Error> {
        let region = match &self.inner.builder.region {
            Some(region) => Some(Setting::new(region, self.inner.builder.names.region)),
            None => self.region_of_machine()?,
        };
        if let Some(region) = &region {
            region::check(&region.value).map_err(|error| {
                Error::configuration(format!("{} is not a region", region.by)).with_source(error)
            })?;
        }
        Ok(region)
    }

    fn region_of_machine(&self) -> Result<Option<Setting<String>>, Error> {
        for name in VARIABLES {
            if let Some(region) = self.variable(name)? {
                return Ok(Some(Setting::new(region, name)));
            }
        }
        let of_profile = self.files().get(self.profile(), "region");
        Ok(of_profile.map(|region| Setting::new(region, self.of_profile("region"))))
    }

    /// Where [`region`](Self::region) looked.
    pub(crate) fn region_tried(&self) -> Vec<Tried> {
        let (profile, files) = (self.profile(), self.files());
        vec![
            Tried::new(self.inner.builder.names.region, "not given"),
            Tried::new(
                "AWS_REGION and AWS_DEFAULT_REGION in the environment",
                "not set",
            ),
            files.config.missing(profile, "region"),
            files.credentials.missing(profile, "region"),
        ]
    }
}
