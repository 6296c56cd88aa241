//! Stand-ins for the services that issue credentials: real local servers that record every request,
//! byte by byte.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub raw: String,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    /// Returns the value of a header, which must not be repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is repeated");
        value
    }

    /// Returns the names of all headers, in lower case and sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names
    }

    /// Returns the request line and the body.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What a stand-in does with a request.
pub enum Respond {
    /// Responds with a status and a body.
    With(u16, String),
    /// Responds with a status, headers and a body.
    WithHeaders(u16, Vec<(&'static str, String)>, String),
    /// Closes the connection.
    Close,
    /// Keeps the connection open and does not respond.
    Hang,
}

impl Respond {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::With(200, body.into())
    }
}

/// A running stand-in.
#[derive(Clone)]
pub struct StandIn {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl StandIn {
    /// Starts a stand-in. The function gets each request and the number of requests before it.
    pub fn start(respond: impl Fn(&Received, usize) -> Respond + Send + Sync + 'static) -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), respond)
    }

    /// Starts a stand-in on this listener.
    pub fn listening(
        listener: TcpListener,
        respond: impl Fn(&Received, usize) -> Respond + Send + Sync + 'static,
    ) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let respond = Arc::new(respond);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, respond) = (Arc::clone(&kept), Arc::clone(&respond));
                thread::spawn(move || serve(stream.unwrap(), &kept, &*respond));
            }
        });
        Self { url, received }
    }

    /// Returns the requests received so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns the request lines received so far.
    pub fn lines(&self) -> Vec<String> {
        self.received().iter().map(Received::line).collect()
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Received>>,
    respond: &(impl Fn(&Received, usize) -> Respond + ?Sized),
) {
    while let Some(request) = read(&mut stream) {
        let before = {
            let mut kept = kept.lock().unwrap();
            kept.push(request.clone());
            kept.len() - 1
        };
        let (status, headers, body) = match respond(&request, before) {
            Respond::With(status, body) => (status, Vec::new(), body),
            Respond::WithHeaders(status, headers, body) => (status, headers, body),
            Respond::Close => return,
            Respond::Hang => {
                thread::sleep(Duration::from_secs(3600));
                return;
            }
        };
        let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let response = format!("{head}\r\n{body}");
        if stream.write_all(response.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut data = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = data.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(data[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let mut first = lines.next().unwrap().split(' ');
            let (method, target) = (first.next().unwrap(), first.next().unwrap());
            let headers: Vec<(String, String)> = lines
                .map(|line| {
                    let (name, value) = line.split_once(": ").unwrap();
                    (name.to_owned(), value.to_owned())
                })
                .collect();
            let length = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if data.len() >= end + 4 + length {
                let body = String::from_utf8(data[end + 4..].to_vec()).unwrap();
                return Some(Received {
                    raw: String::from_utf8(data).unwrap(),
                    method: method.to_owned(),
                    target: target.to_owned(),
                    headers,
                    body,
                });
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(length) => data.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Returns a response of STS with these credentials, which expire in an hour.
pub fn sts_keys(action: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::1:x</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>secret-of-{id}</SecretAccessKey><SessionToken>token-of-{id}</SessionToken>\
         <Expiration>{}</Expiration></Credentials></{action}Result></{action}Response>",
        in_an_hour()
    )
}

/// Returns the JSON of a metadata service with these credentials.
pub fn metadata_keys(id: &str) -> String {
    format!(
        "{{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"{id}\",\
         \"SecretAccessKey\":\"secret-of-{id}\",\"Token\":\"token-of-{id}\",\"Expiration\":\"{}\"}}",
        in_an_hour()
    )
}

/// Returns the time an hour from now, in the format that services use.
pub fn in_an_hour() -> String {
    at(3600)
}

/// Returns the time this many seconds from now, in the format that services use.
pub fn at(seconds: i64) -> String {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let time = lambda_invoke_sigv4::Timestamp::from_secs((now + seconds) as u64).unwrap();
    let text = time.to_string();
    format!(
        "{}-{}-{}T{}:{}:{}Z",
        &text[..4],
        &text[4..6],
        &text[6..8],
        &text[9..11],
        &text[11..13],
        &text[13..15]
    )
}

/// Instance metadata with one role. It requires the session token.
pub fn imds(id: &'static str) -> StandIn {
    StandIn::start(move |request, _| {
        let token = request.header("x-aws-ec2-metadata-token");
        match request.line().as_str() {
            "PUT /latest/api/token" => Respond::WithHeaders(
                200,
                vec![("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned())],
                "imds-token".to_owned(),
            ),
            _ if token != Some("imds-token") => Respond::With(401, String::new()),
            "GET /latest/meta-data/iam/security-credentials/" => Respond::ok("web-role\n"),
            "GET /latest/meta-data/iam/security-credentials/web-role" => {
                Respond::ok(metadata_keys(id))
            }
            "GET /latest/meta-data/placement/region" => Respond::ok("eu-west-3"),
            other => panic!("{other}"),
        }
    })
}
