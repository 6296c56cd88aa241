//! `serve --console` and function URLs, as a process.
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
