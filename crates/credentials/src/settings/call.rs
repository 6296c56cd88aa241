//! Settings of calls to Lambda: retries, and the headers that identify the caller.

use super::{Setting, Settings};
use crate::Error;
use crate::exchange::excerpt;

/// The longest id of an application that AWS's tools send.
const MAX_APP_ID: usize = 50;

impl Settings {
    /// Returns the number of attempts: `AWS_MAX_ATTEMPTS`, or else `max_attempts` of the profile.
    ///
    /// # Errors
    ///
    /// If it is not a number of at least 1.
    pub fn max_attempts(&self) -> Result<Option<Setting<u32>>, Error> {
        let Some(Setting { value, by }) = self.value("AWS_MAX_ATTEMPTS", "max_attempts")? else {
            return Ok(None);
        };
        match value.trim().parse::<u32>() {
            Ok(attempts) if attempts > 0 => Ok(Some(Setting::new(attempts, by))),
            _ => Err(Error::configuration(format!(
                "{by} is '{}', expected a number from 1 up",
                excerpt(&value)
            ))),
        }
    }

    /// Returns the name of the retry mode: `AWS_RETRY_MODE`, or else `retry_mode` of the profile.
    ///
    /// # Errors
    ///
    /// If it is not `legacy`, `standard` or `adaptive`.
    pub fn retry_mode(&self) -> Result<Option<Setting<&'static str>>, Error> {
        let Some(Setting { value, by }) = self.value("AWS_RETRY_MODE", "retry_mode")? else {
            return Ok(None);
        };
        let known = ["legacy", "standard", "adaptive"];
        match known
            .into_iter()
            .find(|mode| value.eq_ignore_ascii_case(mode))
        {
            Some(mode) => Ok(Some(Setting { value: mode, by })),
            None => Err(Error::configuration(format!(
                "{by} is '{}', expected {}",
                excerpt(&value),
                known.join(", ")
            ))),
        }
    }

    /// Returns the id of the application for the user agent: `AWS_SDK_UA_APP_ID`, or else
    /// `sdk_ua_app_id` of the profile. Characters that a product's name cannot have become `-`.
    ///
    /// # Errors
    ///
    /// If it is longer than 50 characters, the maximum that AWS's tools send.
    pub fn app_id(&self) -> Result<Option<Setting<String>>, Error> {
        let Some(Setting { value, by }) = self.value("AWS_SDK_UA_APP_ID", "sdk_ua_app_id")? else {
            return Ok(None);
        };
        if value.chars().count() > MAX_APP_ID {
            return Err(Error::configuration(format!(
                "{by} is longer than {MAX_APP_ID} characters"
            )));
        }
        // The characters of a token (RFC 9110, section 5.6.2).
        let allowed = |one: char| one.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(one);
        let id: String = value
            .chars()
            .map(|one| if allowed(one) { one } else { '-' })
            .collect();
        Ok(Some(Setting::new(id, by)))
    }

    /// Returns the value of `X-Amzn-Trace-Id` for calls from within a Lambda function: that of
    /// `_X_AMZN_TRACE_ID`, if `AWS_LAMBDA_FUNCTION_NAME` is set too. Lambda uses it to detect
    /// loops of functions. Characters that a header cannot have are percent-encoded.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let environment = self.system().environment();
        let get = |name| environment.var(name).filter(|value| !value.is_empty());
        get("AWS_LAMBDA_FUNCTION_NAME")?;
        let id = get("_X_AMZN_TRACE_ID")?;
        let mut header = String::new();
        for byte in id.as_encoded_bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => header.push(char::from(*byte)),
                byte if b"-=;:+&[]{}\"'., ".contains(byte) => header.push(char::from(*byte)),
                byte => header.push_str(&format!("%{byte:02X}")),
            }
        }
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use crate::official::{json, suite};

    use super::*;
    use crate::testing::{Machine, settings_of};

    fn settings(variables: &[(&str, &str)], config: &str) -> Settings {
        let machine = Machine::default().variables(variables).config(config);
        settings_of(&machine, |builder| builder).unwrap()
    }

    #[test]
    fn retries_come_from_the_environment_or_the_profile() {
        let config = "[default]\nmax_attempts = 7\nretry_mode = Adaptive\n";
        let of_profile = settings(&[], config);
        assert_eq!(of_profile.max_attempts().unwrap().unwrap().value, 7);
        assert_eq!(of_profile.retry_mode().unwrap().unwrap().value, "adaptive");
        let both = settings(
            &[("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", "standard")],
            config,
        );
        assert_eq!(both.max_attempts().unwrap().unwrap().value, 1);
        assert_eq!(both.retry_mode().unwrap().unwrap().value, "standard");
        for text in ["0", "-1", "many", "99999999999"] {
            let wrong = settings(&[("AWS_MAX_ATTEMPTS", text)], "");
            let said = wrong.max_attempts().unwrap_err().to_string();
            assert!(said.contains("a number from 1 up"), "{said}");
        }
        let wrong = settings(&[("AWS_RETRY_MODE", "often")], "");
        let said = wrong.retry_mode().unwrap_err().to_string();
        assert!(said.contains("legacy, standard, adaptive"), "{said}");
    }

    #[test]
    fn an_app_id_is_a_token_of_bounded_length() {
        let id = |text: &str| settings(&[("AWS_SDK_UA_APP_ID", text)], "").app_id();
        assert_eq!(id("my app/1").unwrap().unwrap().value, "my-app-1");
        assert_eq!(id(&"a".repeat(50)).unwrap().unwrap().value.len(), 50);
        assert!(id(&"a".repeat(51)).is_err());
        assert!(settings(&[], "").app_id().unwrap().is_none());
    }

    #[test]
    fn official_recursion_detection() {
        suite("credentials/recursion-detection", |folder| {
            let path = "profile/smithy-rs/aws-runtime/test-data/recursion-detection.json";
            let data = json(&folder.join(path));
            let cases = data.as_array().unwrap();
            for case in cases {
                let variables: Vec<(&str, &str)> = case["env"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                    .collect();
                let header = |member: &str| {
                    let headers = case[member].as_array().unwrap();
                    headers.first().map(|header| {
                        let header = header.as_str().unwrap();
                        header.strip_prefix("X-Amzn-Trace-Id: ").unwrap().to_owned()
                    })
                };
                let expected = header("requestHeadersAfter");
                if let Some(before) = header("requestHeadersBefore") {
                    // A value that the caller sets stays: the client never replaces a call's
                    // header.
                    assert_eq!(expected, Some(before), "{case}");
                    continue;
                }
                let found = settings(&variables, "").trace_id();
                assert_eq!(found, expected, "{case}");
            }
            cases.len()
        });
    }
}
