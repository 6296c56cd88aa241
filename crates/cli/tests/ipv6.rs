//! The program with an endpoint that verifies signatures, connected only by IPv6.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use program::{Serve, local, program, text, tools};

/// Starts `serve` on the loopback address of IPv6; returns `None` on a machine without IPv6.
fn serve() -> Option<Serve> {
    if tools::lacks_ipv6() {
        return None;
    }
    let mut command = program();
    command.args(["serve", "--listen", "[::1]:0"]);
    let serve = Serve::of(command);
    assert!(serve.url.starts_with("http://[::1]:"), "{}", serve.url);
    Some(serve)
}

#[test]
fn calls_and_streams_are_signed_for_an_address_in_brackets() {
    let Some(serve) = serve() else { return };
    for command in ["invoke", "stream"] {
        let output = local()
            .args([command, "echo", "-p", "[1,2]", "--endpoint-url", &serve.url])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).trim_end(), "[1,2]", "{command}");
    }
    // Signatures are really verified: a request that is signed with another secret is rejected.
    let output = local()
        .env("AWS_SECRET_ACCESS_KEY", "other")
        .args(["invoke", "echo", "--endpoint-url", &serve.url])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_ne!(output.status.code(), Some(0));
    assert!(said.contains("InvalidSignatureException"), "{said}");
}

#[test]
fn the_address_may_come_from_the_environment_and_bypasses_a_proxy() {
    let Some(serve) = serve() else { return };
    for except in ["::1", "[::1]", "::/64", "*"] {
        let output = local()
            .env("AWS_ENDPOINT_URL_LAMBDA", &serve.url)
            // Nothing listens on this port.
            .env("http_proxy", "http://[::1]:1")
            .env("no_proxy", except)
            .args(["invoke", "echo", "-p", "{}"])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{except}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stdout).trim_end(), "{}", "{except}");
    }
}

#[test]
fn a_refused_connection_is_reported_with_the_address() {
    let Some(serve) = serve() else { return };
    let url = serve.url.clone();
    drop(serve);
    let output = local()
        .args(["invoke", "echo", "--endpoint-url", &url])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    let authority = url.trim_start_matches("http://");
    assert!(
        said.contains(&format!("could not connect to {authority}")),
        "{said}"
    );
    assert!(said.contains("is the endpoint running?"), "{said}");
}

#[test]
fn whoami_shows_the_address() {
    let Some(serve) = serve() else { return };
    let output = local()
        .env("AWS_ENDPOINT_URL", &serve.url)
        .arg("whoami")
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains(&serve.url), "{shown}");
}
