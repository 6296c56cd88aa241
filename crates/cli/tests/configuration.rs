//! Where credentials, region, endpoint and certificate authorities come from, and the errors when
//! they are missing.
#![allow(clippy::unwrap_used, clippy::panic)]

mod authority;
mod home;
mod host;
mod program;

use std::path::Path;
use std::process::Command;

use home::{KEYS, at_home, builder, call, home, host};
use program::{program, text};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[test]
fn missing_credentials_and_region_list_the_sources_that_were_searched() {
    let home = home("nothing", None, None);
    for command in ["stream", "invoke"] {
        let output = at_home(&home).args([command, "hello"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        let aws = home.join(".aws");
        let (config, credentials) = (aws.join("config"), aws.join("credentials"));
        let (config, credentials) = (config.display(), credentials.display());
        assert_eq!(
            text(&output.stderr),
            format!(
                "\
lambda-invoke: no credentials were found; searched
  environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: not set
  profile 'default' in {credentials}: the file does not exist
  profile 'default' in {config}: the file does not exist
  web identity: AWS_WEB_IDENTITY_TOKEN_FILE in the environment: not set
  container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI in the \
environment: not set
  instance metadata: AWS_EC2_METADATA_DISABLED is true
  hint: set the two variables, or name a profile that has credentials with --profile; for a local \
endpoint both are 'local', unless it was started with others
no region was found; searched
  --region: not given
  AWS_REGION and AWS_DEFAULT_REGION in the environment: not set
  region of profile 'default' in {config}: the file does not exist
  region of profile 'default' in {credentials}: the file does not exist
  instance metadata: AWS_EC2_METADATA_DISABLED is true
  the function's name: not an ARN with a region
  hint: set it with --region, such as --region us-east-1
"
            )
        );
    }
}

#[test]
fn credentials_and_region_come_from_the_environment() {
    let host = host();
    let keys = |command: &mut Command| {
        command
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own");
    };
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        let mut command = program();
        keys(&mut command);
        assert_eq!(
            call(command.env(name, "eu-west-3"), &host),
            (Some(0), String::new())
        );
    }
    // The option takes precedence over the variables, and AWS_REGION over AWS_DEFAULT_REGION.
    let mut command = program();
    keys(&mut command);
    command
        .env("AWS_REGION", "us-east-1")
        .args(["invoke", "echo", "--region", "eu-west-3"]);
    let output = command
        .args(["--endpoint-url", &host.url])
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    let mut command = program();
    keys(&mut command);
    command
        .env("AWS_REGION", "eu-west-3")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    assert_eq!(call(&mut command, &host), (Some(0), String::new()));
    // An empty variable counts as unset.
    let mut command = program();
    keys(&mut command);
    let (code, said) = call(command.env("AWS_REGION", ""), &host);
    assert_eq!(code, Some(2));
    assert!(said.contains("no region was found"), "{said}");
}

#[test]
fn half_of_a_key_pair_is_an_error() {
    let host = host();
    for (set, missing) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ] {
        let mut command = program();
        let (code, said) = call(
            command.env(set, "AKIDTEST").env("AWS_REGION", "eu-west-3"),
            &host,
        );
        assert_eq!(code, Some(2));
        assert!(
            said.contains(&format!("{missing} in the environment: not set")),
            "{said}"
        );
    }
}

#[test]
fn credentials_and_region_come_from_a_profile() {
    let host = host();
    let config = "[default]\nregion = us-east-1\n\n[profile dev]\nregion = eu-west-3\n";
    let credentials = format!("[default]\n{KEYS}\n[dev]\n{KEYS}");
    let home = home("profiles", Some(config), Some(&credentials));

    assert_eq!(
        call(at_home(&home).env("AWS_PROFILE", "dev"), &host),
        (Some(0), String::new())
    );
    let mut command = at_home(&home);
    command.args([
        "invoke",
        "echo",
        "--profile",
        "dev",
        "--endpoint-url",
        &host.url,
    ]);
    // --profile takes precedence over the credentials in the environment.
    command
        .env("AWS_ACCESS_KEY_ID", "other")
        .env("AWS_SECRET_ACCESS_KEY", "other");
    assert_eq!(text(&command.output().unwrap().stderr), "");
    // Without it, the region of `default` is used, which the endpoint rejects.
    let (code, said) = call(&mut at_home(&home), &host);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("region"), "{said}");

    // Credentials in the config file, and both files at other paths than the default ones.
    let whole = format!("[profile one]\nregion=eu-west-3\n{KEYS}");
    let path = home.join("elsewhere");
    std::fs::write(&path, whole).unwrap();
    let mut command = program();
    command
        .env("AWS_CONFIG_FILE", &path)
        .env("AWS_PROFILE", "one");
    assert_eq!(call(&mut command, &host), (Some(0), String::new()));
    let mut command = program();
    std::fs::write(&path, format!("[one]\nregion=eu-west-3\n{KEYS}")).unwrap();
    command
        .env("AWS_SHARED_CREDENTIALS_FILE", &path)
        .env("AWS_PROFILE", "one");
    assert_eq!(call(&mut command, &host), (Some(0), String::new()));
}

#[test]
fn a_missing_profile_is_reported_with_those_that_exist() {
    let home = home(
        "absent",
        Some("[profile dev]\nregion = eu-west-3\n"),
        Some("[prod]\n"),
    );
    let output = at_home(&home)
        .args(["invoke", "x", "--profile", "div"])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("profile 'div'") && said.contains("the profile does not exist"),
        "{said}"
    );
    assert!(
        said.contains("(the profiles in these files: dev, prod)"),
        "{said}"
    );
    // If a profile is named, the environment is not searched for credentials.
    assert!(!said.contains("AWS_ACCESS_KEY_ID"), "{said}");
}

#[test]
fn incomplete_sources_of_credentials_are_rejected_with_what_is_missing() {
    for (key, beside, missing) in [
        ("role_arn", KEYS, "source_profile"),
        // Beside keys, it is for services that take the token itself.
        ("sso_session", "", "[sso-session value]"),
        ("web_identity_token_file", KEYS, "role_arn"),
        ("sso_account_id", KEYS, "sso_region"),
    ] {
        let config = format!("[profile x]\nregion = eu-west-3\n{key} = value\n{beside}");
        let home = home(key, Some(&config), None);
        let output = at_home(&home)
            .args(["invoke", "x", "--profile", "x"])
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(key) && said.contains(missing), "{said}");
    }
}

#[test]
fn a_shared_file_that_cannot_be_read_is_an_error_that_names_it() {
    let home = home("broken", Some("[profile x\n"), None);
    let output = at_home(&home).args(["invoke", "x"]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("config: line 1"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_an_error_that_names_it() {
    let home = home("endless", None, None);
    let said = |variable: &str| {
        let mut command = at_home(&home);
        command
            .args(["invoke", "x", "--endpoint-url", "https://127.0.0.1:1"])
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "eu-west-3")
            .env(variable, "/dev/zero");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr).to_owned()
    };
    for variable in [
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
    ] {
        let said = said(variable);
        assert!(said.contains("/dev/zero"), "{variable}: {said}");
        assert!(said.contains("it is longer than"), "{variable}: {said}");
    }
}

#[test]
fn the_region_of_an_arn_is_used_if_no_other_is_set() {
    let host = host();
    let arn = "arn:aws:lambda:eu-west-3:123456789012:function:echo";
    let mut command = program();
    command
        .args(["invoke", arn, "--endpoint-url", &host.url])
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // If a different region is set, the call fails before anything is sent, and the error names
    // both.
    let output = command.env("AWS_REGION", "us-east-1").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("in the region eu-west-3"), "{said}");
    assert!(said.contains("us-east-1, set by AWS_REGION"), "{said}");
}

#[test]
fn local_needs_no_credentials_and_uses_the_region_of_an_arn() {
    let home = home("local", Some("[profile x\n"), None);
    for name in [
        "echo",
        "arn:aws:lambda:ap-south-1:123456789012:function:echo",
    ] {
        let output = at_home(&home)
            .args(["invoke", name, "--local"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn the_endpoint_comes_from_the_option_the_environment_or_the_profile() {
    let host = host();
    let nowhere = "http://127.0.0.1:1";
    let config = format!(
        "[default]\nregion = eu-west-3\nendpoint_url = {}\n{KEYS}",
        host.url
    );
    let home = home("endpoint", Some(&config), None);
    let of_profile = at_home(&home).args(["invoke", "echo"]).output().unwrap();
    assert_eq!(
        of_profile.status.code(),
        Some(0),
        "{}",
        text(&of_profile.stderr)
    );
    for (environment, code) in [
        (&[("AWS_ENDPOINT_URL", nowhere)][..], 4),
        (
            &[
                ("AWS_ENDPOINT_URL", nowhere),
                ("AWS_ENDPOINT_URL_LAMBDA", &host.url),
            ],
            0,
        ),
    ] {
        let mut command = at_home(&home);
        command
            .args(["invoke", "echo", "--retry", "none"])
            .envs(environment.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        // The option takes precedence over both of them.
        command.args(["--endpoint-url", &host.url]);
        assert_eq!(command.output().unwrap().status.code(), Some(0));
    }
}

/// Serves the endpoint over TLS with a certificate authority of its own. Returns the URL and the
/// authority's certificate.
fn https() -> (String, String) {
    let (config, pem) = authority::server();
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let endpoint = builder().build().unwrap();
            let acceptor = TlsAcceptor::from(config);
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate disconnects here.
                if let Ok(stream) = acceptor.accept(socket).await {
                    endpoint.serve_connection(stream).await;
                }
            }
        });
    });
    let port = address.recv().unwrap().port();
    (format!("https://localhost:{port}"), pem)
}

#[test]
fn certificate_authorities_come_from_the_environment() {
    let (url, pem) = https();
    let home = home("certificates", None, None);
    let bundle = home.join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    let run = |bundle: Option<&Path>| {
        let mut command = program();
        command
            .args([
                "invoke",
                "echo",
                "--region",
                "eu-west-3",
                "--endpoint-url",
                &url,
            ])
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own");
        if let Some(bundle) = bundle {
            command.env("AWS_CA_BUNDLE", bundle);
        }
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr).to_owned())
    };
    assert_eq!(run(Some(&bundle)), (Some(0), String::new()));
    let (code, said) = run(None);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("was rejected"), "{said}");
    assert!(said.contains("the function was not run"), "{said}");
    let (code, said) = run(Some(Path::new("no-such-bundle.pem")));
    assert_eq!(code, Some(2));
    assert!(said.contains("the CA bundle no-such-bundle.pem"), "{said}");
    std::fs::write(&bundle, "no certificate").unwrap();
    let (code, said) = run(Some(&bundle));
    assert_eq!(code, Some(2));
    assert!(said.contains("contains no certificate"), "{said}");
}
