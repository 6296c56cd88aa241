//! Proxies from the environment.
#![allow(clippy::unwrap_used, clippy::panic)]

mod home;
mod host;
mod program;

use std::net::TcpListener;
use std::process::Command;

use home::host;
use program::{program, text};

/// Calls `echo` at an address that only a proxy can resolve.
fn command(environment: &[(&str, &str)]) -> Command {
    to("http://lambda.example.invalid", environment)
}

fn to(url: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = program();
    command
        .args(["invoke", "echo", "--retry", "none", "--region", "eu-west-3"])
        .args(["-p", "[1]", "--endpoint-url", url])
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "a/secret+of=its:own")
        .envs(environment.iter().copied());
    command
}

/// Returns the exit code and the message of the call.
fn end(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}

#[test]
fn the_proxy_for_the_scheme_or_for_all_schemes_is_used() {
    // The endpoint accepts requests with an absolute URI, so it can act as the proxy.
    let host = host();
    let proxy = host.url.as_str();
    for environment in [
        &[("HTTP_PROXY", proxy)][..],
        &[("http_proxy", proxy)],
        &[("ALL_PROXY", proxy)],
        &[("HTTP_PROXY", ""), ("http_proxy", proxy)],
        &[("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", proxy)],
        &[("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTP_PROXY", proxy)],
        &[
            ("HTTPS_PROXY", "socks5://127.0.0.1:1"),
            ("HTTP_PROXY", proxy),
        ],
        &[
            ("HTTPS_PROXY", "http://127.0.0.1:99999"),
            ("HTTP_PROXY", proxy),
        ],
        &[("REQUEST_METHOD", "GET"), ("http_proxy", proxy)],
    ] {
        let (code, said) = end(command(environment));
        assert_eq!(code, Some(0), "{environment:?}: {said}");
    }
    for no in [
        ".invalid",
        "lambda.example.invalid",
        "LAMBDA.example.INVALID",
        "*",
    ] {
        let (code, said) = end(command(&[("HTTP_PROXY", proxy), ("NO_PROXY", no)]));
        assert_eq!(code, Some(4), "{no}: {said}");
    }
}

#[test]
fn a_host_in_no_proxy_is_called_directly() {
    let host = host();
    let port = host.url.rsplit_once(':').unwrap().1;
    for no in [
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{port}"),
        "127.0.0.0/8".to_owned(),
        format!("x.test, 127.0.0.1:{port}"),
        "*".to_owned(),
    ] {
        for proxy in [
            "http://127.0.0.1:1",
            "socks5://127.0.0.1:1",
            "http://p:99999",
        ] {
            let (code, said) = end(to(&host.url, &[("ALL_PROXY", proxy), ("NO_PROXY", &no)]));
            assert_eq!(code, Some(0), "{no} {proxy}: {said}");
        }
    }
    let (code, said) = end(to(
        &host.url,
        &[
            ("ALL_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", "127.0.0.1:1"),
        ],
    ));
    assert_eq!(code, Some(4), "{said}");
}

#[test]
fn an_unsupported_proxy_is_named_and_nothing_is_sent() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    for (url, name, value) in [
        (url.as_str(), "HTTP_PROXY", "socks5://127.0.0.1:1"),
        (&url, "ALL_PROXY", "socks5h://127.0.0.1:1"),
        (&url, "http_proxy", "http://user:hunter2@127.0.0.1:99999"),
        (&url, "HTTP_PROXY", "http://127.0.0.1:0"),
        (&url, "HTTP_PROXY", "127.0.0.1:"),
        (&url, "all_proxy", "http://[::1]:+80"),
        (&url, "HTTP_PROXY", "http://user:hunter2"),
        ("https://localhost", "HTTPS_PROXY", "socks5://127.0.0.1:1"),
        ("https://localhost", "all_proxy", "https://127.0.0.1:80a"),
    ] {
        let (code, said) = end(to(url, &[(name, value)]));
        assert_eq!(code, Some(2), "{name}={value}: {said}");
        assert!(said.contains(name), "{name}={value}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(server.accept().is_err(), "something connected");
}
