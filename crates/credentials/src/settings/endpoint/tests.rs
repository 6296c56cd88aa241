use std::fmt::Write as _;

use crate::official::{json, suite};
use serde_json::Value;

use super::*;
use crate::testing::{Machine, settings_of};

fn settings(variables: &[(&str, &str)], config: &str) -> Result<Settings, String> {
    let machine = Machine::default().variables(variables).config(config);
    settings_of(&machine, |builder| builder).map_err(|error| error.to_string())
}

/// The URL of Lambda: the configured one, or the service's own.
fn endpoint(variables: &[(&str, &str)], config: &str) -> Result<String, String> {
    let setting = settings(variables, config)?.endpoint(Service::Lambda);
    match setting.map_err(|error| error.to_string())? {
        EndpointSetting::Url(url) => Ok(url.value),
        EndpointSetting::Own(variant, _) => {
            let host = lambda_invoke_sigv4::region::host("lambda", "us-gov-east-1", variant);
            Ok(format!("https://{}/", host.unwrap()))
        }
    }
}

#[test]
fn fips_and_dual_stack_select_the_services_own_endpoints() {
    for (variables, config, host) in [
        (&[][..], "", "lambda.us-gov-east-1.amazonaws.com"),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "true")],
            "",
            "lambda-fips.us-gov-east-1.amazonaws.com",
        ),
        (
            &[],
            "[default]\nuse_fips_endpoint = True",
            "lambda-fips.us-gov-east-1.amazonaws.com",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "FALSE")],
            "[default]\nuse_fips_endpoint = true",
            "lambda.us-gov-east-1.amazonaws.com",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "")],
            "[default]\nuse_fips_endpoint = true",
            "lambda-fips.us-gov-east-1.amazonaws.com",
        ),
        (
            &[("AWS_USE_DUALSTACK_ENDPOINT", "true")],
            "",
            "lambda.us-gov-east-1.api.aws",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "true")],
            "[default]\nuse_dualstack_endpoint = true",
            "lambda-fips.us-gov-east-1.api.aws",
        ),
        // An ignored endpoint does not conflict with FIPS.
        (
            &[
                ("AWS_USE_FIPS_ENDPOINT", "true"),
                ("AWS_ENDPOINT_URL", "http://localhost"),
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ],
            "[default]\nservices = missing",
            "lambda-fips.us-gov-east-1.amazonaws.com",
        ),
    ] {
        let expected = Ok(format!("https://{host}/"));
        assert_eq!(
            endpoint(variables, config),
            expected,
            "{variables:?} {config}"
        );
    }
}

#[test]
fn a_profile_sends_nothing_elsewhere_where_its_endpoints_are_ignored() {
    let elsewhere = "https://elsewhere.example/";
    let own = "https://lambda.us-gov-east-1.amazonaws.com/";
    let global = format!("[default]\nendpoint_url = {elsewhere}");
    let of_service = format!(
        "[default]\nservices = mine\n[services mine]\nlambda =\n  endpoint_url = {elsewhere}"
    );
    for config in [&global, &of_service] {
        assert_eq!(endpoint(&[], config).as_deref(), Ok(elsewhere));
        let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(endpoint(&ignored, config).as_deref(), Ok(own), "{config}");
    }
}

#[test]
fn contradictory_and_invalid_settings_are_named() {
    for (variables, config, expected) in [
        (
            &[
                ("AWS_USE_FIPS_ENDPOINT", "true"),
                ("AWS_ENDPOINT_URL", "http://localhost"),
            ][..],
            "",
            "AWS_USE_FIPS_ENDPOINT and AWS_ENDPOINT_URL cannot be used together",
        ),
        (
            &[],
            "[default]\nuse_dualstack_endpoint = true\nendpoint_url = http://localhost",
            "use_dualstack_endpoint of profile 'default' and endpoint_url of profile 'default' cannot",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "yes")],
            "",
            "AWS_USE_FIPS_ENDPOINT is 'yes', expected true or false",
        ),
        (
            &[],
            "[default]\nignore_configured_endpoint_urls = 1",
            "ignore_configured_endpoint_urls of profile 'default' is '1'",
        ),
        (
            &[],
            "[default]\nservices = x\n[services y]\n",
            "there is no section [services x]",
        ),
        (
            &[("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "b")],
            "[profile a]\n[profile b]\n",
            "AWS_PROFILE is 'a' and AWS_DEFAULT_PROFILE is 'b'",
        ),
        (
            &[("AWS_DEFAULT_PROFILE", "b")],
            "[profile a]\n",
            "AWS_DEFAULT_PROFILE names a profile that does not exist",
        ),
    ] {
        let message = endpoint(variables, config).unwrap_err();
        assert!(
            message.contains(expected),
            "{variables:?} {config}: {message}"
        );
    }
}

#[test]
fn a_services_section_applies_only_to_its_service() {
    let config = "[default]\nservices = my own\nendpoint_url = http://all\n\
                  [services 'my own']\ns3 =\n  endpoint_url = http://s3\n\
                  [profile a]\nservices = own\n[services own]\nLAMBDA =\n  endpoint_url = http://own";
    assert_eq!(endpoint(&[], config), Ok("http://all".to_owned()));
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let own = endpoint(&[(variable, "a")], config);
        assert_eq!(own, Ok("http://own".to_owned()));
    }
    let both = [("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "a")];
    assert_eq!(endpoint(&both, config), Ok("http://own".to_owned()));
}

/// Renders the data of the cases as a config file.
fn file(suite: &Value) -> String {
    let mut text = String::new();
    for (name, properties) in suite["profiles"].as_object().unwrap() {
        let _ = writeln!(text, "[profile {name}]");
        for (key, value) in properties.as_object().unwrap() {
            let _ = writeln!(text, "{key} = {}", value.as_str().unwrap());
        }
    }
    for (name, services) in suite["services"].as_object().unwrap() {
        let _ = writeln!(text, "[services {name}]");
        for (service, properties) in services.as_object().unwrap() {
            let _ = writeln!(text, "{service} =");
            for (key, value) in properties.as_object().unwrap() {
                let _ = writeln!(text, "  {key} = {}", value.as_str().unwrap());
            }
        }
    }
    text
}

#[test]
fn a_password_in_an_explicit_url_is_not_shown() {
    for url in [
        "http://me:hunter2@localhost",
        "http://localhost/?key=hunter2",
    ] {
        let settings = Settings::builder().endpoint_url(url);
        let shown = format!(
            "{settings:?} {:?}",
            crate::Chain::builder().settings(settings.clone())
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        let setting = settings_of(&Machine::default(), |builder| builder.endpoint_url(url));
        let setting = setting.unwrap().endpoint(Service::Lambda).unwrap();
        assert!(!format!("{setting:?}").contains("hunter2"), "{setting:?}");
    }
    let shown = format!(
        "{:?}",
        Settings::builder().endpoint_url("http://localhost:1/x")
    );
    assert!(shown.contains("\"http://localhost:1/x\""), "{shown}");
}

#[test]
fn official_configured_endpoint_urls() {
    suite("credentials/configured-endpoint-urls", |folder| {
        let path = "profile/botocore/configured-endpoint-urls-profile-tests.json";
        let data = json(&folder.join(path));
        let mut count = 0;
        for suite in data["testSuites"].as_array().unwrap() {
            let config = file(suite);
            for case in suite["endpointUrlTests"].as_array().unwrap() {
                let client = &suite["client_configs"][case["client_config"].as_str().unwrap()];
                let environment = &suite["environments"][case["environment"].as_str().unwrap()];
                let mut variables: Vec<(&str, &str)> = environment
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                    .collect();
                // For this client setting, there is only the variable.
                if client["ignore_configured_endpoint_urls"] == true {
                    variables.push(("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"));
                }
                let service = case["service"].as_str().unwrap();
                let machine = Machine::default().variables(&variables).config(&config);
                let profile = case["profile"].as_str().unwrap();
                let settings = settings_of(&machine, |builder| builder.profile(profile)).unwrap();
                let explicit = client["endpoint_url"].as_str();
                let found = settings.url_of(service, explicit).unwrap();
                let found = found.map(|url| url.value);
                let expected = case["output"]["endpointUrl"].as_str();
                // Where nothing is set, the cases expect the service's own endpoint, which comes from
                // the endpoint rule set.
                let expected = expected.filter(|url| !url.contains("amazonaws.com"));
                assert_eq!(found.as_deref(), expected, "{case}");
                count += 1;
            }
        }
        count
    });
}
