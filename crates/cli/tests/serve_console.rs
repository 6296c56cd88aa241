//! `serve` and browsers: the console, function URLs, and the addresses that it listens on.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use program::Serve;

/// Sends a request without a signature, as a browser does, and returns the response.
fn get(url: &str, path: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn writes_the_console_s_link_to_stderr_and_serves_its_page() {
    let serve = Serve::start(&["--console", "--quiet"]);
    let page = get(&serve.url, "/console/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("<title>lambda-invoke console</title>"));
    let url = serve.url.clone();
    let stderr = serve.stop().stderr;
    let link = stderr.strip_prefix("console: ").unwrap_or_default();
    let token = link
        .strip_prefix(&format!("{url}/console/#"))
        .unwrap_or_default();
    assert_eq!(
        token.lines().next().unwrap_or_default().len(),
        64,
        "{stderr}"
    );
}

#[test]
fn the_front_page_shows_a_command_that_works() {
    let serve = Serve::start(&[]);
    let page = get(&serve.url, "/");
    let shown = page
        .lines()
        .find(|line| line.contains("lambda-invoke stream "));
    let command = shown
        .unwrap()
        .replace("THIS_URL", &serve.url)
        .replace("NAME", "echo");
    let arguments = shlex::split(&command).unwrap();
    let output = program::local().args(&arguments[1..]).output().unwrap();
    let stderr = program::text(&output.stderr);
    assert_eq!(program::text(&output.stdout), "{}", "{stderr}");
}

#[test]
fn every_function_has_a_url_which_keys_of_one_s_own_protect() {
    let open = Serve::start(&[]);
    let response = get(&open.url, "/url/echo/a?b=c");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.contains(r#""rawPath":"/a""#), "{response}");
    let closed = Serve::start(&["--credential", "AKID:secret"]);
    let response = get(&closed.url, "/url/echo/");
    assert!(
        response.starts_with("HTTP/1.1 403 Forbidden\r\n"),
        "{response}"
    );
}

/// Whether the machine has the loopback address of IPv6.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

/// Checks that both loopback addresses lead to the server: `localhost` may resolve to either.
fn listens_on_both(serve: &Serve) {
    let (_, port) = serve.url.rsplit_once(':').unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        if host == "[::1]" && !has_ipv6() {
            println!("skipped: no IPv6 here");
            continue;
        }
        let response = get(&format!("http://{host}:{port}"), "/health");
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n"),
            "{host}: {response}"
        );
    }
}

#[test]
fn localhost_is_both_loopback_addresses() {
    let mut command = program::program();
    command.args(["serve", "--listen", "localhost:0"]);
    listens_on_both(&Serve::of(command));
}

#[test]
fn the_default_address_is_port_9001_on_both_loopback_addresses() {
    let mut command = program::program();
    command.arg("serve");
    let free = ["127.0.0.1:9001", "[::1]:9001"].iter().all(|address| {
        let bound = std::net::TcpListener::bind(address);
        bound.is_ok() || !has_ipv6() && address.starts_with('[')
    });
    if free {
        let serve = Serve::of(command);
        assert_eq!(serve.url, "http://127.0.0.1:9001");
        listens_on_both(&serve);
    } else {
        let output = command.output().unwrap();
        let stderr = program::text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains("cannot listen on localhost:9001"),
            "{stderr}"
        );
    }
}
