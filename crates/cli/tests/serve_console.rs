//! `serve` and browsers: the console, function URLs, and the addresses that it listens on.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use program::{Serve, tools};

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

/// Checks that both loopback addresses lead to the server: `localhost` may resolve to either.
fn listens_on_both(serve: &Serve) {
    let (_, port) = serve.url.rsplit_once(':').unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        if host == "[::1]" && tools::lacks_ipv6() {
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
    match Serve::attempt(command) {
        Ok(serve) => {
            assert_eq!(serve.url, "http://127.0.0.1:9001");
            listens_on_both(&serve);
        }
        // Another program has the port.
        Err(ended) => {
            assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
            let reason = "cannot listen on localhost:9001";
            assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        }
    }
}
