//! The program with the kinds of credentials that people have, and `whoami`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod home;
mod host;
mod program;
#[path = "../../credentials/tests/stand_in/mod.rs"]
mod stand_in;

use std::process::Command;

use home::{KEYS, at_home, call, home, host};
use host::Host;
use lambda_invoke::Credentials;
use lambda_invoke_endpoint::{AccessKey, Endpoint};
use program::text;
use serde_json::Value;
use stand_in::{Respond, StandIn, imds, sts_keys};

const ROLE: &str = "role_arn = arn:aws:iam::123456789012:role/app\n";

/// An endpoint that accepts only the credentials that the stand-ins issue.
fn host_of(id: &str) -> Host {
    let keys = Credentials::new(id, format!("secret-of-{id}")).unwrap();
    let keys = keys.with_session_token(format!("token-of-{id}")).unwrap();
    let builder = Endpoint::builder().builtins().region("eu-west-3");
    Host::start(builder.access_key(AccessKey::new(keys)))
}

fn sts(id: &'static str) -> StandIn {
    StandIn::start(move |_, _| Respond::ok(sts_keys("AssumeRole", id)))
}

#[test]
fn a_role_is_assumed_and_the_endpoint_option_is_for_lambda_alone() {
    let (host, sts) = (host_of("ASIAROLE"), sts("ASIAROLE"));
    let config = format!(
        "[default]\nregion = eu-west-3\n{ROLE}source_profile = base\n[profile base]\n{KEYS}"
    );
    let home = home("role", Some(&config), None);
    let mut command = at_home(&home);
    let found = call(command.env("AWS_ENDPOINT_URL_STS", &sts.url), &host);
    assert_eq!(found, (Some(0), String::new()));
    assert_eq!(sts.lines(), ["POST /"]);
}

#[test]
fn a_role_that_is_rejected_says_why_and_exits_with_2() {
    let sts = StandIn::start(|_, _| {
        let error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
        Respond::With(403, error.to_owned())
    });
    let config = format!("[default]\nregion = eu-west-3\n{ROLE}source_profile = default\n{KEYS}");
    let home = home("role-rejected", Some(&config), None);
    let mut command = at_home(&home);
    let (code, said) = call(command.env("AWS_ENDPOINT_URL_STS", &sts.url), &host());
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("role/app") && said.contains("AccessDenied: not you"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn the_prompt_of_a_program_is_seen_and_its_output_is_not() {
    let script = "#!/bin/sh\necho 'touch your device' >&2\necho '{\"Version\":1,\"AccessKeyId\":\"AKIDTEST\",\
                  \"SecretAccessKey\":\"a/secret+of=its:own\"}'\n";
    let home = home("process", None, None);
    let program = home.join("creds");
    // Written by another process: while this one has it open for writing, a child that another test
    // forks would keep it from being run.
    std::fs::write(home.join("text"), script).unwrap();
    let mut copy = std::process::Command::new("cp");
    let copied = copy.arg(home.join("text")).arg(&program).status();
    assert!(copied.unwrap().success());
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let config = format!(
        "[default]\nregion = eu-west-3\ncredential_process = {}\n",
        program.display()
    );
    std::fs::write(home.join(".aws/config"), config).unwrap();
    let (code, said) = call(&mut at_home(&home), &host());
    assert_eq!((code, said.as_str()), (Some(0), "touch your device\n"));
}

#[test]
fn an_instance_gives_credentials_and_region() {
    let (host, imds) = (host_of("ASIAINSTANCE"), imds("ASIAINSTANCE"));
    let home = home("instance", None, None);
    let mut command = at_home(&home);
    command
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url);
    assert_eq!(call(&mut command, &host), (Some(0), String::new()));
    // Requests to the instance's own metadata bypass the proxy.
    let before = imds.received().len();
    let output = command
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(imds.received().len() > before, "{}", text(&output.stderr));
}

/// Returns the output of `whoami`, which must not show a secret.
fn whoami(command: &mut Command, arguments: &[&str]) -> String {
    let output = command.arg("whoami").args(arguments).output().unwrap();
    let shown = text(&output.stdout).to_owned();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        !shown.contains("secret-of") && !shown.contains("token-of"),
        "{shown}"
    );
    assert!(!shown.contains("a/secret"), "{shown}");
    shown
}

#[test]
fn whoami_shows_what_would_be_used_and_where_each_came_from() {
    let config = "[profile dev]\nregion = eu-west-3\n";
    let credentials = format!("[dev]\n{KEYS}");
    let home = home("whoami", Some(config), Some(&credentials));
    let shown = whoami(at_home(&home).env("AWS_PROFILE", "dev"), &[]);
    let place = home.join(".aws/credentials");
    assert_eq!(
        shown,
        format!(
            "provider  profile (the keys of profile 'dev' in {})\nkey       AKIDTEST\n\
             expires   never\nregion    eu-west-3 (region of profile 'dev')\n\
             endpoint  https://lambda.eu-west-3.amazonaws.com/ (the service's own)\n",
            place.display()
        )
    );
    let sts = sts("ASIAROLE");
    let config = format!("[profile app]\n{ROLE}source_profile = base\n[profile base]\n{KEYS}");
    let home = self::home("whoami-role", Some(&config), None);
    let mut command = at_home(&home);
    command
        .env("AWS_ENDPOINT_URL_STS", &sts.url)
        .env("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
        .env("AWS_REGION", "eu-west-1");
    let shown = whoami(&mut command, &["--profile", "app", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["access_key_id"], "ASIAROLE");
    assert_eq!(shown["provider"], "profile");
    assert_eq!(shown["region"], "eu-west-1");
    assert_eq!(shown["region_by"], "AWS_REGION");
    assert_eq!(shown["endpoint"], "http://127.0.0.1:1/");
    assert_eq!(shown["endpoint_by"], "AWS_ENDPOINT_URL_LAMBDA");
    assert!(shown["expires"].is_string());
    let how = shown["provider_detail"].as_str().unwrap();
    assert!(
        how.contains("role/app") && how.contains("profile 'base'"),
        "{how}"
    );
}

#[test]
fn calls_carry_the_application_and_the_trace_of_the_function_they_come_from() {
    let lambda = StandIn::start(|_, _| {
        let headers = vec![("x-amzn-requestid", "1".to_owned())];
        Respond::WithHeaders(200, headers, "{}".to_owned())
    });
    let run = |variables: &[(&str, &str)]| {
        let mut command = program::local();
        let output = command
            .args(["invoke", "f", "--endpoint-url", &lambda.url])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
    let (code, said) = run(&[
        ("AWS_SDK_UA_APP_ID", "my app"),
        ("AWS_LAMBDA_FUNCTION_NAME", "caller"),
        ("_X_AMZN_TRACE_ID", trace),
    ]);
    assert_eq!(code, Some(0), "{said}");
    run(&[("_X_AMZN_TRACE_ID", trace)]);
    let received = lambda.received();
    assert!(
        received[0]
            .header("user-agent")
            .unwrap()
            .ends_with(" app/my-app")
    );
    assert_eq!(received[0].header("x-amzn-trace-id"), Some(trace));
    assert!(
        received[1]
            .header("user-agent")
            .unwrap()
            .starts_with("lambda-invoke/")
    );
    assert_eq!(received[1].header("x-amzn-trace-id"), None);
}

#[test]
fn the_number_of_attempts_comes_from_the_environment_or_the_profile() {
    let attempts = |variables: &[(&str, &str)], arguments: &[&str]| {
        let lambda = StandIn::start(|_, _| {
            let headers = vec![("x-amzn-errortype", "TooManyRequestsException".to_owned())];
            Respond::WithHeaders(429, headers, "{\"Reason\":\"x\"}".to_owned())
        });
        let mut command = program::local();
        let output = command
            .args(["invoke", "f", "--endpoint-url", &lambda.url])
            .args(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (
            lambda.received().len(),
            output.status.code(),
            text(&output.stderr).to_owned(),
        )
    };
    assert_eq!(attempts(&[], &[]).0, 3);
    assert_eq!(attempts(&[("AWS_MAX_ATTEMPTS", "1")], &[]).0, 1);
    assert_eq!(
        attempts(
            &[("AWS_MAX_ATTEMPTS", "2"), ("AWS_RETRY_MODE", "adaptive")],
            &[]
        )
        .0,
        2
    );
    assert_eq!(
        attempts(&[("AWS_MAX_ATTEMPTS", "2")], &["--retry", "none"]).0,
        1
    );
    for (name, value) in [("AWS_MAX_ATTEMPTS", "0"), ("AWS_RETRY_MODE", "often")] {
        let (count, code, said) = attempts(&[(name, value)], &[]);
        assert_eq!((count, code), (0, Some(2)), "{said}");
        assert!(said.contains(name) && said.contains(value), "{said}");
    }
}

#[test]
fn the_bundle_of_the_option_takes_precedence_and_is_named_when_it_is_unusable() {
    let home = home("bundle", None, None);
    let mut command = program::local();
    let output = command
        .args([
            "invoke",
            "f",
            "--endpoint-url",
            "https://127.0.0.1:1",
            "--ca-bundle",
        ])
        .arg(home.join("no-such.pem"))
        .env("AWS_CA_BUNDLE", "other.pem")
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("no-such.pem") && !said.contains("other.pem"),
        "{said}"
    );
    // The bundle also applies to requests to the services that issue credentials.
    let config = format!("[default]\nregion = eu-west-3\n{ROLE}source_profile = default\n{KEYS}");
    std::fs::write(home.join(".aws/config"), config).unwrap();
    let mut command = at_home(&home);
    command
        .env("AWS_CA_BUNDLE", home.join("no-such.pem"))
        .env("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:1");
    let (code, said) = call(&mut command, &host());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no-such.pem (AWS_CA_BUNDLE)"), "{said}");
}
