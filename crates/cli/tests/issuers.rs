//! The services that issue credentials: which settings apply to them, which apply to Lambda only,
//! and what is logged about them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod authority;
mod home;
mod host;
mod program;
#[path = "../../credentials/tests/stand_in/mod.rs"]
mod stand_in;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use home::{KEYS, at_home, home};
use host::Host;
use lambda_invoke::Credentials;
use lambda_invoke_endpoint::{AccessKey, Endpoint};
use program::{local, text};
use stand_in::{Respond, StandIn, imds, sts_keys};

const ROLE: &str = "role_arn = arn:aws:iam::123456789012:role/app\n";

/// An endpoint that accepts only the role's credentials.
fn lambda() -> Host {
    let keys = Credentials::new("ASIAROLE", "secret-of-ASIAROLE").unwrap();
    let keys = keys.with_session_token("token-of-ASIAROLE").unwrap();
    let builder = Endpoint::builder().builtins().region("eu-west-3");
    Host::start(builder.access_key(AccessKey::new(keys)))
}

fn end(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}

/// Starts a proxy that cannot resolve the host of any tunnel. Returns its URL and the hosts that it
/// was asked for.
fn unresolving_proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), Vec::new());
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_err() {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap_or_default();
            kept.lock().unwrap().push(target.to_owned());
            let _ = stream.write_all(b"HTTP/1.1 502 Unknown host\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (url, asked)
}

#[test]
fn a_fips_name_that_does_not_resolve_is_an_error_that_says_so() {
    // The region does not exist, so its host never will. RES_OPTIONS makes the resolver give up
    // quickly.
    let (code, said) = end(local()
        .args(["invoke", "echo", "--region", "xx-nowhere-9"])
        .args(["--retry", "none"])
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("RES_OPTIONS", "timeout:1 attempts:1"));
    assert_eq!(code, Some(4), "{said}");
    let host = "could not connect to lambda-fips.xx-nowhere-9.amazonaws.com: dns error";
    assert!(said.contains(host), "{said}");
    assert!(said.contains("the name does not resolve"), "{said}");
    assert!(said.contains("they are not replaced"), "{said}");
}

#[test]
fn no_other_host_takes_the_place_of_a_fips_name_that_does_not_resolve() {
    let (proxy, asked) = unresolving_proxy();
    let (code, said) = end(local()
        .args(["invoke", "echo", "--retry", "at-least-once"])
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("HTTPS_PROXY", &proxy));
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("lambda-fips.us-east-1.amazonaws.com"),
        "{said}"
    );
    let lambda = "lambda-fips.us-east-1.amazonaws.com:443";
    let hosts = std::mem::take(&mut *asked.lock().unwrap());
    assert!(!hosts.is_empty(), "{said}");
    assert!(hosts.iter().all(|host| host == lambda), "{hosts:?}");

    // The same applies to the services that issue credentials.
    let config = format!("[default]\nregion = us-east-1\n{ROLE}source_profile = default\n{KEYS}");
    let home = home("fips-sts", Some(&config), None);
    let mut command = at_home(&home);
    let (code, said) = end(command
        .arg("whoami")
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("HTTPS_PROXY", &proxy));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("sts-fips.us-east-1.amazonaws.com"), "{said}");
    assert!(said.contains("it is not replaced by another"), "{said}");
    let hosts = asked.lock().unwrap();
    assert!(!hosts.is_empty(), "{said}");
    let sts = "sts-fips.us-east-1.amazonaws.com:443";
    assert!(hosts.iter().all(|host| host == sts), "{hosts:?}");
}

/// Starts a server behind TLS with a certificate authority of its own, which responds with this body
/// to a request that contains this text. Returns its URL and the authority's certificate.
fn https(request: &'static str, body: String) -> (String, String) {
    let (config, pem) = authority::server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut read = Vec::new();
            let mut buffer = [0; 4096];
            // A client that does not trust the certificate disconnects here.
            while !String::from_utf8_lossy(&read).contains(request) {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(length) => read.extend_from_slice(&buffer[..length]),
                }
            }
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    (format!("https://localhost:{port}"), pem)
}

#[test]
fn certificate_authorities_are_those_of_lambdas_requests() {
    let keys = sts_keys("AssumeRole", "ASIAROLE");
    let (url, pem) = https("RoleSessionName=", keys);
    let keys = format!("region = eu-west-3\n{ROLE}source_profile = default\n{KEYS}");
    let home = home("sts-authority", Some(&format!("[default]\n{keys}")), None);
    let bundle = home.join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    let bundle = bundle.to_str().unwrap();
    let whoami = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = at_home(&home);
        command
            .arg("whoami")
            .args(arguments)
            .env("AWS_ENDPOINT_URL_STS", &url)
            .envs(environment.iter().copied());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), text(&said).to_owned())
    };
    let (code, said) = whoami(&[], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("was rejected"), "{said}");
    for (arguments, environment) in [
        (&["--ca-bundle", bundle][..], &[][..]),
        (&[], &[("AWS_CA_BUNDLE", bundle)]),
    ] {
        let (code, said) = whoami(arguments, environment);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("ASIAROLE"), "{said}");
    }
    let config = format!("[default]\nca_bundle = {bundle}\n{keys}");
    std::fs::write(home.join(".aws/config"), config).unwrap();
    let (code, said) = whoami(&[], &[]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_container_on_this_machine_is_called_directly_over_https_too() {
    let keys = r#"{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"s","Token":"t"}"#;
    let (url, pem) = https("\r\n\r\n", keys.to_owned());
    let (proxy, asked) = unresolving_proxy();
    let home = home("container-https", None, None);
    let bundle = home.join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    let mut command = at_home(&home);
    let output = command
        .args(["whoami", "--region", "eu-west-3"])
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{url}/v1"))
        .env("AWS_CA_BUNDLE", &bundle)
        .env("HTTPS_PROXY", proxy)
        .output()
        .unwrap();
    let said = text(&output.stdout).to_owned() + text(&output.stderr);
    assert!(said.contains("ASIACONTAINER"), "{said}");
    assert_eq!(asked.lock().unwrap().len(), 0);
}

#[test]
fn the_timeouts_of_a_call_are_for_lambda_alone() {
    let host = lambda();
    let sts = StandIn::start(|_, _| {
        std::thread::sleep(Duration::from_millis(3500));
        Respond::ok(sts_keys("AssumeRole", "ASIAROLE"))
    });
    let config = format!("[default]\nregion = eu-west-3\n{ROLE}source_profile = default\n{KEYS}");
    let home = home("timeouts", Some(&config), None);
    let mut command = at_home(&home);
    let (code, said) = end(command
        .args(["invoke", "echo", "-p", "[1]", "--endpoint-url", &host.url])
        .args(["--timeout", "3", "--first-byte-timeout", "3"])
        .args(["--connect-timeout", "3", "--idle-timeout", "3"])
        .env("AWS_ENDPOINT_URL_STS", &sts.url));
    assert_eq!((code, said), (Some(0), String::new()));
    assert_eq!(sts.lines(), ["POST /"]);
}

#[test]
fn the_most_detailed_log_has_nothing_of_what_they_send_and_receive() {
    let (host, imds) = (lambda(), imds("ASIAINSTANCE"));
    let sts = StandIn::start(|_, _| Respond::ok(sts_keys("AssumeRole", "ASIAROLE")));
    let config = format!(
        "[default]\nregion = eu-west-3\n{ROLE}credential_source = Ec2InstanceMetadata\n\
         external_id = the-external-id\n"
    );
    let home = home("log", Some(&config), None);
    let mut command = at_home(&home);
    let (code, said) = end(command
        .args([
            "invoke",
            "echo",
            "-p",
            "[1]",
            "-vv",
            "--endpoint-url",
            &host.url,
        ])
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url)
        .env("AWS_ENDPOINT_URL_STS", &sts.url));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((imds.received().len(), sts.received().len()), (3, 1));
    for service in [&imds, &sts] {
        assert!(said.contains(&service.port().to_string()), "{said}");
    }
    for secret in [
        "imds-token",
        "secret-of-",
        "token-of-",
        "the-external-id",
        "Signature=",
        "RoleSessionName",
    ] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
