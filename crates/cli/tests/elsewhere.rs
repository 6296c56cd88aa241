//! Settings that change where requests go, or whose credentials sign them, are applied or rejected,
//! and never ignored.
#![allow(clippy::unwrap_used, clippy::panic)]

mod home;
mod host;
mod program;

use std::net::TcpListener;
use std::process::Command;

use home::{KEYS, at_home, call, home, host};
use program::{local, text};

/// The ends of URLs whose port is invalid.
const NO_PORTS: [&str; 12] = [
    ":",
    ":0",
    ":00080",
    ":65536",
    ":99999",
    ":18446744073709551696",
    ":+80",
    ":-1",
    ":80a",
    ": 80",
    ":８０",
    ":80:80",
];

/// Runs a call that must be rejected without connecting to the server, and returns its message.
fn rejected(command: &mut Command, server: &TcpListener) -> String {
    let output = command.output().unwrap();
    let said = text(&output.stderr).to_owned();
    assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{command:?}");
    assert!(server.accept().is_err(), "{command:?} connected");
    said
}

/// A server that receives the requests if a setting is ignored.
fn server() -> (TcpListener, String) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    (server, url)
}

#[test]
fn a_url_with_an_invalid_port_is_rejected() {
    let (server, url) = server();
    for port in NO_PORTS {
        for host in ["http://127.0.0.1", "https://127.0.0.1", "http://[::1]"] {
            let address = format!("{host}{port}");
            for command in ["invoke", "stream", "sign"] {
                rejected(
                    local().args([command, "echo", "--endpoint-url", &address]),
                    &server,
                );
            }
            // The variable for the service takes precedence even if its value is invalid.
            rejected(
                local()
                    .args(["invoke", "echo"])
                    .env("AWS_ENDPOINT_URL", &url)
                    .env("AWS_ENDPOINT_URL_LAMBDA", &address),
                &server,
            );
            rejected(
                local()
                    .args(["invoke", "echo"])
                    .env("AWS_ENDPOINT_URL", &address),
                &server,
            );
            rejected(
                local().args(["sign", "--service", "s3", "--url", &address]),
                &server,
            );
        }
    }
    let said = rejected(
        local().args(["invoke", "echo", "--endpoint-url", "http://127.0.0.1:99999"]),
        &server,
    );
    assert!(said.contains("--endpoint-url"), "{said}");
    assert!(said.contains("a number from 1 to 65535"), "{said}");
}

#[test]
fn a_url_with_unused_parts_is_rejected() {
    let (server, _) = server();
    for (address, why) in [
        ("http://user:hunter2@127.0.0.1", "user's name"),
        ("http://127.0.0.1/#fragment", "fragment"),
        ("http://", "URL"),
        ("http://:9001", "no host"),
        ("ftp://127.0.0.1", "http:// or https://"),
        ("127.0.0.1:9001", "http:// or https://"),
    ] {
        for arguments in [
            &["invoke", "echo", "--endpoint-url", address][..],
            &["sign", "echo", "--endpoint-url", address],
            &["sign", "--service", "s3", "--url", address],
        ] {
            let said = rejected(local().args(arguments), &server);
            assert!(said.contains(why), "{arguments:?}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
    let said = rejected(
        local().args(["invoke", "echo", "--endpoint-url", "http://127.0.0.1/?a=b"]),
        &server,
    );
    assert!(said.contains("query"), "{said}");
}

#[test]
fn a_quoted_profile_name_is_found() {
    let host = host();
    let section = format!("region = eu-west-3\nendpoint_url = {}\n{KEYS}", host.url);
    for (header, name) in [
        ("[profile \"dev\"]", "dev"),
        ("[profile 'dev']", "dev"),
        ("[profile 'my dev']", "my dev"),
        ("[profile \"a \\\"b\\\" \\\\\"]", "a \"b\" \\"),
        ("[profile \"a]b\"] # comment", "a]b"),
    ] {
        let config = format!("[default]\nregion = us-east-1\n{header}\n{section}");
        let home = home("quoted", Some(&config), None);
        let output = at_home(&home)
            .args(["invoke", "echo", "-p", "[1]", "--profile", name])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{header}: {}",
            text(&output.stderr)
        );
    }
    // A role in that profile is not ignored either.
    let config = "[profile \"dev\"]\nregion = eu-west-3\nrole_arn = arn:aws:iam::1:role/x\n";
    let home = home("quoted", Some(config), Some(&format!("[dev]\n{KEYS}")));
    let (code, said) = call(at_home(&home).env("AWS_PROFILE", "dev"), &host);
    assert_eq!(code, Some(2));
    assert!(said.contains("profile 'dev' has a role_arn"), "{said}");
}

#[test]
fn a_byte_order_mark_before_a_shared_file_is_skipped_and_utf16_named() {
    let host = host();
    let config = "\u{feff}[profile dev]\r\nregion = eu-west-3\r\n";
    let credentials = format!("\u{feff}[dev]\n{KEYS}");
    let home = home("marked", Some(config), Some(&credentials));
    let (code, said) = call(at_home(&home).env("AWS_PROFILE", "dev"), &host);
    assert_eq!((code, said), (Some(0), String::new()));

    let utf16: Vec<u8> = credentials
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(home.join(".aws").join("credentials"), utf16).unwrap();
    let (code, said) = call(at_home(&home).env("AWS_PROFILE", "dev"), &host);
    assert_eq!(code, Some(2));
    assert!(said.contains("it is UTF-16LE"), "{said}");
    assert!(said.contains("save it as UTF-8"), "{said}");
}

#[test]
fn a_missing_profile_is_an_error_even_with_credentials_in_the_environment() {
    let (server, url) = server();
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let mut command = local();
        command
            .args(["invoke", "echo", "--endpoint-url", &url])
            .env(name, "prod");
        let said = rejected(&mut command, &server);
        assert!(said.contains(name) && said.contains("'prod'"), "{said}");
    }
    let mut command = local();
    command.args([
        "invoke",
        "echo",
        "--endpoint-url",
        &url,
        "--profile",
        "prod",
    ]);
    let said = rejected(&mut command, &server);
    assert!(said.contains("--profile"), "{said}");

    // The environment's credentials take precedence over an existing profile, unless --profile
    // names it.
    let host = host();
    let config = "[profile prod]\nregion = eu-west-3\n";
    let home = home(
        "beside",
        Some(config),
        Some("[prod]\naws_access_key_id = x\n"),
    );
    let mut command = at_home(&home);
    command
        .env("AWS_PROFILE", "prod")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own");
    assert_eq!(call(&mut command, &host), (Some(0), String::new()));
    let mut command = at_home(&home);
    command
        .args([
            "invoke",
            "echo",
            "--profile",
            "prod",
            "--endpoint-url",
            &host.url,
        ])
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("only one half"), "{said}");
    assert!(
        said.contains("aws_secret_access_key of profile 'prod'"),
        "{said}"
    );
}

#[test]
fn configured_credentials_that_fail_are_not_replaced_by_others() {
    let host = host();
    let region = ("AWS_REGION", "eu-west-3");
    // A web identity of which only half is set is an error, and an empty variable counts as unset.
    let (file, role) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
    let nobody = home("identity", None, None);
    let (code, said) = call(at_home(&nobody).env(file, "x").envs([region]), &host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(file) && said.contains(role), "{said}");
    let (code, said) = call(at_home(&nobody).env(role, "x").envs([region]), &host);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no credentials were found"), "{said}");
    // Access keys in a profile take precedence over a web identity in the environment.
    let both = format!("[default]\nregion = eu-west-3\n{KEYS}");
    let keys = home("identity", None, Some(&both));
    for value in ["x", ""] {
        let found = call(at_home(&keys).env(file, value), &host);
        assert_eq!(found, (Some(0), String::new()));
    }
    for (key, value) in [
        ("sso_account_id", "x"),
        ("sso_role_name", "x"),
        ("credential_process", "no-such-program"),
        ("login_session", "no-such-session"),
    ] {
        let config = format!("[default]\nregion = eu-west-3\n{key} = {value}\n{KEYS}");
        let home = home("identity", Some(&config), None);
        let (code, said) = call(&mut at_home(&home), &host);
        assert_eq!(code, Some(2), "{key}: {said}");
        assert!(
            said.contains("of profile 'default'") || said.contains(key),
            "{said}"
        );
    }
    for name in [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ] {
        let home = home("identity", None, None);
        let (code, said) = call(at_home(&home).env(name, "x").envs([region]), &host);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn a_session_token_is_sent_under_either_name() {
    let sign = |command: &mut Command| {
        let output = command.args(["sign", "echo"]).output().unwrap();
        text(&output.stdout).to_owned()
    };
    for name in ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] {
        let shown = sign(local().env(name, "tok"));
        assert!(
            shown.contains("x-amz-security-token: tok"),
            "{name}: {shown}"
        );
    }
    for name in ["aws_session_token", "aws_security_token"] {
        let credentials = format!("[default]\nregion = eu-west-3\n{KEYS}{name} = tok\n");
        let home = home("token", None, Some(&credentials));
        let shown = sign(&mut at_home(&home));
        assert!(
            shown.contains("x-amz-security-token: tok"),
            "{name}: {shown}"
        );
    }
}

#[test]
fn the_endpoint_of_a_services_section_is_used() {
    let host = host();
    let config = format!(
        "[default]\nregion = eu-west-3\nservices = local\nendpoint_url = http://127.0.0.1:1\n{KEYS}\n\
         [services local]\ns3 =\n  endpoint_url = http://127.0.0.1:1\nlambda =\n  \
         endpoint_url = {}\n",
        host.url
    );
    let home = home("services", Some(&config), None);
    let output = at_home(&home)
        .args(["invoke", "echo", "-p", "[1]", "--retry", "none"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` sends requests to the service's own endpoint.
    for set in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"] {
        let output = at_home(&home)
            .args(["sign", "echo", "--curl"])
            .env(set, "http://127.0.0.1:1")
            .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
            .output()
            .unwrap();
        let shown = text(&output.stdout);
        assert!(
            shown.contains("https://lambda.eu-west-3.amazonaws.com/"),
            "{shown}"
        );
    }
}

#[test]
fn fips_and_dual_stack_select_the_host_or_are_an_error() {
    let sign = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = local();
        let output = command
            .args(["sign", "echo", "--curl"])
            .args(more)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), text(&said).to_owned())
    };
    for (variables, host) in [
        (
            &[("AWS_USE_FIPS_ENDPOINT", "true")][..],
            "https://lambda-fips.us-east-1.amazonaws.com/",
        ),
        (
            &[("AWS_USE_DUALSTACK_ENDPOINT", "True")],
            "https://lambda.us-east-1.api.aws/",
        ),
    ] {
        let (code, said) = sign(variables, &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(host), "{said}");
        let (code, said) = sign(variables, &["--endpoint-url", "http://127.0.0.1:9001"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains(variables[0].0) && said.contains("--endpoint-url"),
            "{said}"
        );
    }
    let (code, said) = sign(&[("AWS_USE_FIPS_ENDPOINT", "1")], &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("AWS_USE_FIPS_ENDPOINT is '1'"), "{said}");
}
