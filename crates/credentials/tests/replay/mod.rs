//! Recorded exchanges, a file system below a folder, and a clock that stands still.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use lambda_invoke_credentials::{Clock, Files, HttpClient, HttpFuture, LocalFiles};
use serde_json::Value;

/// A file system whose root is this folder.
#[derive(Debug)]
pub struct Rooted(pub PathBuf);

impl Files for Rooted {
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        LocalFiles::default().read(&self.0.join(path.strip_prefix("/").unwrap()), max)
    }

    fn write_private(&self, path: &Path, _: &[u8]) -> io::Result<()> {
        panic!("{path:?} was written");
    }
}

#[derive(Debug)]
pub struct FixedClock(pub u64);

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

/// One recorded exchange.
#[derive(Debug)]
struct Exchange {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    request: Vec<u8>,
    /// `None` if there was no response.
    status: Option<u16>,
    response_headers: Vec<(String, String)>,
    response: Vec<u8>,
}

/// Replays recorded exchanges in order.
#[derive(Clone, Debug)]
pub struct Replay(Arc<Mutex<std::collections::VecDeque<Exchange>>>);

fn data(value: &Value) -> Vec<u8> {
    match value["Utf8"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => {
            use base64::Engine as _;
            let text = value["Base64"].as_str().unwrap();
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap()
        }
    }
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let headers = value.as_object().into_iter().flatten();
    headers
        .map(|(name, values)| (name.clone(), values[0].as_str().unwrap().to_owned()))
        .collect()
}

impl Replay {
    pub fn of(traffic: &Value) -> Self {
        let mut exchanges: Vec<(u64, Exchange)> = Vec::new();
        for event in traffic["events"].as_array().unwrap() {
            let id = event["connection_id"].as_u64().unwrap();
            let action = &event["action"];
            if let Some(request) = action["Request"]["request"].as_object() {
                exchanges.push((
                    id,
                    Exchange {
                        method: request["method"].as_str().unwrap().to_owned(),
                        uri: request["uri"].as_str().unwrap().to_owned(),
                        headers: headers(&request["headers"]),
                        request: Vec::new(),
                        status: None,
                        response_headers: Vec::new(),
                        response: Vec::new(),
                    },
                ));
                continue;
            }
            let exchange = exchanges.iter_mut().rev().find(|(found, _)| *found == id);
            let (_, exchange) = exchange.unwrap();
            if action["Data"].is_object() {
                let bytes = data(&action["Data"]["data"]);
                match action["Data"]["direction"].as_str().unwrap() {
                    "Request" => exchange.request.extend(bytes),
                    _ => exchange.response.extend(bytes),
                }
            }
            if let Some(response) = action["Response"]["response"]["Ok"].as_object() {
                exchange.status =
                    Some(u16::try_from(response["status"].as_u64().unwrap()).unwrap());
                exchange.response_headers = headers(&response["headers"]);
            }
        }
        let exchanges = exchanges.into_iter().map(|(_, exchange)| exchange);
        Self(Arc::new(Mutex::new(exchanges.collect())))
    }

    /// Checks that every recorded exchange took place.
    pub fn assert_used_up(&self, name: &str) {
        let left = self.0.lock().unwrap();
        assert!(left.is_empty(), "{name}: not requested: {left:?}");
    }
}

/// The parameters of a query or a form. Left out are the session's name, which is made anew for
/// each request, and the role's account and the identity token, which do not always agree between
/// the recordings and the machine.
fn parameters(text: &str) -> BTreeSet<String> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .filter(|part| !part.starts_with("RoleSessionName="))
        .map(|part| match part.strip_prefix("RoleArn=") {
            Some(arn) => {
                let letters = arn.chars().filter(|one| !one.is_ascii_digit());
                format!("RoleArn={}", letters.collect::<String>())
            }
            None if part.starts_with("WebIdentityToken=") => "WebIdentityToken".to_owned(),
            None => part.to_owned(),
        })
        .collect()
}

/// Splits a URI into the part before its query and the query's parameters.
fn split(uri: &str) -> (String, BTreeSet<String>) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    // A URI without a path is the same as one with the path `/`.
    (path.trim_end_matches('/').to_owned(), parameters(query))
}

impl HttpClient for Replay {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        let line = format!("{} {}", request.method(), request.uri());
        let next = self.0.lock().unwrap().pop_front();
        let exchange = next.unwrap_or_else(|| panic!("not recorded: {line}"));
        assert_eq!(request.method().as_str(), exchange.method, "{line}");
        assert_eq!(
            split(&request.uri().to_string()),
            split(&exchange.uri),
            "{line}"
        );
        let body = |bytes: &[u8]| parameters(std::str::from_utf8(bytes).unwrap());
        assert_eq!(body(request.body()), body(&exchange.request), "{line}");
        // Compare what authenticates the request, except for signatures, which depend on the time.
        for (name, value) in &exchange.headers {
            let name = name.to_ascii_lowercase();
            let is_checked =
                name.starts_with("x-aws-ec2-metadata") || name == "x-amz-sso_bearer_token";
            if name == "x-amz-security-token" {
                // The token differs from the recorded one, which was replaced in the recorded
                // response.
                assert!(
                    request.headers().contains_key("x-amz-security-token"),
                    "{line}"
                );
            }
            if is_checked {
                assert_eq!(request.headers()[name.as_str()], value.as_str(), "{line}");
            }
        }
        let is_signed = |names: Vec<String>| names.iter().any(|name| name == "authorization");
        let recorded = exchange
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase());
        let recorded = is_signed(recorded.collect());
        assert!(
            recorded || !request.headers().contains_key("x-amz-date"),
            "{line} is signed, and the recorded one is not"
        );
        Box::pin(async move {
            let Some(status) = exchange.status else {
                return Err("there was no response".into());
            };
            let mut response = Response::builder().status(status);
            for (name, value) in &exchange.response_headers {
                response = response.header(name, value);
            }
            Ok(response.body(exchange.response.into())?)
        })
    }
}
