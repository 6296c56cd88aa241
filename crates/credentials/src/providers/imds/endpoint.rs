//! The address of instance metadata.

use crate::exchange::Base;
use crate::{Error, Settings};

/// The configured endpoint, or the default endpoint of the configured mode.
///
/// # Errors
///
/// If the endpoint or the mode is invalid.
pub(super) fn base(settings: &Settings) -> Result<Base, Error> {
    let endpoint = settings.value(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "ec2_metadata_service_endpoint",
    )?;
    if let Some(endpoint) = endpoint {
        return Base::parse(&endpoint.value, &endpoint.by);
    }
    let mode = settings.value(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "ec2_metadata_service_endpoint_mode",
    )?;
    let address = match &mode {
        None => "169.254.169.254",
        Some(mode) if mode.value.eq_ignore_ascii_case("ipv4") => "169.254.169.254",
        Some(mode) if mode.value.eq_ignore_ascii_case("ipv6") => "[fd00:ec2::254]",
        Some(mode) => {
            return Err(Error::configuration(format!(
                "{} is '{}', expected IPv4 or IPv6",
                mode.by, mode.value
            )));
        }
    };
    Base::parse(&format!("http://{address}"), "the metadata endpoint")
}

#[cfg(test)]
mod tests {
    use crate::official::{json, suite};

    use super::*;
    use crate::testing::{Machine, settings_of};

    #[test]
    fn official_endpoints() {
        suite("credentials/imds-endpoints", |folder| {
            let path =
                "profile/smithy-rs/aws-config/test-data/imds-config/imds-endpoint-tests.json";
            let data = json(&folder.join(path));
            let cases = data
                .as_array()
                .unwrap_or_else(|| data["tests"].as_array().unwrap());
            for case in cases {
                let mut machine = Machine::default();
                for (name, value) in case["env"].as_object().unwrap() {
                    machine = machine.variables(&[(name, value.as_str().unwrap())]);
                }
                for (name, text) in case["fs"].as_object().unwrap() {
                    machine.files.put(name, text.as_str().unwrap());
                }
                // The cases' overrides in code are variables here, since there is no other way to
                // set them.
                for (member, name) in [
                    ("endpoint_override", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
                    ("mode_override", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
                ] {
                    if let Some(value) = case[member].as_str() {
                        machine = machine.variables(&[(name, value)]);
                    }
                }
                let found = settings_of(&machine, |builder| builder)
                    .and_then(|settings| base(&settings)?.join("/latest/api/token"));
                match case["result"]["Ok"].as_str() {
                    Some(expected) => assert_eq!(found.unwrap().to_string(), expected, "{case}"),
                    None => {
                        assert!(case["result"]["Err"].is_string(), "{case}");
                        found.unwrap_err();
                    }
                }
            }
            cases.len()
        });
    }
}
