//! Properties of the endpoint: its fault rules, and what it sends over an in-memory connection.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{HeaderValue, Request};
use lambda_invoke_endpoint::{Endpoint, EventSettings, Fault};
use lambda_invoke_event_stream::Decoder;
use lambda_invoke_input::{
    ClientContext, FunctionName, InvocationType, NameRules, Qualifier, Target, TenantId, limits,
};
use lambda_invoke_protocol::{StreamEvent, json};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A fault rule as it is shown is the same rule.
pub fn fault(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.parse::<Fault>() {
        Ok(fault) => {
            let shown = fault.to_string();
            assert_eq!(shown.parse(), Ok(fault), "{shown:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// For any bytes that it receives, the endpoint sends complete, well-formed HTTP responses and then
/// closes the connection, and every stream that it sends is a complete event stream.
///
/// The lowest bit of the first byte decides whether the rest is sent as raw bytes (0) or is input for
/// a generated request (1); the next bit decides whether signatures are verified.
pub fn request(data: &[u8]) {
    let Some((&mode, rest)) = data.split_first() else {
        return;
    };
    let raw = mode & 1 == 0;
    let verify = mode & 2 == 2;
    let (sent, generated) = if raw {
        (rest.to_vec(), None)
    } else {
        let Ok(generated) = Generated::arbitrary(&mut Unstructured::new(rest)) else {
            return;
        };
        let sent = match verify {
            true => generated.signed(),
            false => generated.to_http(),
        };
        (sent, Some(generated))
    };
    // The response to a HEAD request announces the length of a body that it does not have.
    let may_be_head = raw && sent.windows(5).any(|five| five == b"HEAD ");
    let received = exchange(sent, verify);
    if may_be_head {
        return;
    }
    let mut left = &received[..];
    let mut responses = Vec::new();
    while !left.is_empty() {
        let response;
        (response, left) = Response::read(left);
        response.check();
        responses.push(response);
    }
    if let Some(generated) = generated {
        assert_eq!(responses.len(), 1, "one request must get one response");
        generated.check(&responses[0], verify);
    }
}

/// Sends the bytes, and reads until the endpoint closes the connection.
fn exchange(sent: Vec<u8>, verify: bool) -> Vec<u8> {
    // Paused time advances only when there is nothing else to do, so that the endpoint's pauses and
    // timeouts take no real time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
    runtime.block_on(async {
        let events = EventSettings::default().retry_delays([Duration::ZERO; 2]);
        let endpoint = Endpoint::builder()
            .builtins()
            .region(REGION)
            .account(ACCOUNT)
            .alias(ALIAS.0, ALIAS.1, ALIAS.2)
            .verify(verify)
            .max_stream_bytes(Some(64 * 1024))
            .events(events)
            .seed(0)
            .build()
            .expect("an endpoint");
        let (client, server) = tokio::io::duplex(16 * 1024);
        let (mut read, mut write) = tokio::io::split(client);
        let mut received = Vec::new();
        let both = async {
            tokio::join!(
                endpoint.serve_connection(server),
                // The endpoint may close the connection before it has read everything.
                async { write.write_all(&sent).await.ok() },
                read.read_to_end(&mut received),
            )
        };
        let day = Duration::from_secs(86_400);
        let ended = tokio::time::timeout(day, both).await;
        let ((), _, read) = ended.expect("the endpoint closes an idle connection");
        read.expect("an in-memory connection has no errors");
        received
    })
}

/// A well-formed request whose values may be invalid.
#[derive(Debug, Arbitrary)]
struct Generated {
    name: Name,
    operation: u8,
    invocation_type: u8,
    tail: bool,
    context: Option<String>,
    tenant: Option<String>,
    qualifier: Option<String>,
    payload: Vec<u8>,
    signature: u8,
}

/// How a request is signed for an endpoint that verifies signatures.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Signature {
    None,
    Valid,
    /// Of a request that had another body, qualifier or header.
    OfOther(u8),
}

#[derive(Debug, Arbitrary)]
enum Name {
    Builtin(u8),
    Any(String),
}

const BUILTINS: [&str; 4] = ["echo", "hello", "count", "fail"];
const TYPES: [&str; 4] = ["RequestResponse", "Event", "DryRun", "Other"];
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
/// The only alias of a function, and the only version.
const ALIAS: (&str, &str, u64) = ("echo", "live", 3);

/// The longest target that an [`http::Uri`] can be. hyper itself rejects a longer one, and a head that is
/// longer still.
const MOST_TARGET: usize = 65_534;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Invoke,
    Stream,
    Async,
}

impl Generated {
    fn operation(&self) -> Operation {
        [Operation::Invoke, Operation::Stream, Operation::Async][usize::from(self.operation % 3)]
    }

    fn context(&self) -> Option<String> {
        self.context.as_deref().map(visible)
    }

    fn tenant(&self) -> Option<String> {
        self.tenant.as_deref().map(visible)
    }

    fn name(&self) -> &str {
        match &self.name {
            Name::Builtin(which) => BUILTINS[usize::from(which % 4)],
            Name::Any(name) => name,
        }
    }

    fn signature(&self) -> Signature {
        match self.signature % 8 {
            0..=2 => Signature::None,
            3 | 4 => Signature::Valid,
            other => Signature::OfOther(other),
        }
    }

    /// The request with a signature by the endpoint's default key.
    fn signed(&self) -> Vec<u8> {
        let bytes = self.to_http();
        let signature = self.signature();
        let target = self.target();
        if signature == Signature::None || target.len() > MOST_TARGET {
            return bytes;
        }
        let end = bytes.len() - self.payload.len();
        let head = std::str::from_utf8(&bytes[..end]).expect("a head in ASCII");
        let mut request = Request::post(&target);
        for (name, value) in head.split("\r\n").filter_map(|line| line.split_once(": ")) {
            if name != "content-length" {
                request = request.header(name, value);
            }
        }
        let mut request = request.body(()).expect("a valid request");
        let hash = PayloadHash::of(&self.payload);
        let written = hash.to_string().parse().expect("a header's value");
        request
            .headers_mut()
            .insert("x-amz-content-sha256", written);
        let keys = Credentials::new("local", "local").expect("a key");
        let signer = Signer::new(keys, REGION, "lambda").expect("a scope");
        let now = Timestamp::saturating_from(SystemTime::now());
        signer
            .sign_request(&mut request, &hash, now)
            .expect("a request that is not signed yet");
        let mut target = target;
        let mut payload = self.payload.clone();
        match signature {
            Signature::OfOther(5) => {
                target.push_str(["?x=1", "&x=1"][usize::from(target.contains('?'))])
            }
            Signature::OfOther(6) => payload.push(b' '),
            Signature::OfOther(_) => {
                let value = HeaderValue::from_static("yes");
                request.headers_mut().insert("x-amz-not-signed", value);
            }
            _ => {}
        }
        // Not signed, so that it does not give away another body.
        let headers = request.headers_mut();
        headers.insert("content-length", payload.len().into());
        let mut bytes = format!("POST {target} HTTP/1.1\r\n").into_bytes();
        for (name, value) in &*headers {
            bytes.extend_from_slice(name.as_ref());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&payload);
        bytes
    }

    fn target(&self) -> String {
        use lambda_invoke_protocol::path::Encoded;
        let name = Encoded(self.name());
        let path = match self.operation() {
            Operation::Invoke => format!("/2015-03-31/functions/{name}/invocations"),
            Operation::Stream => {
                format!("/2021-11-15/functions/{name}/response-streaming-invocations")
            }
            Operation::Async => format!("/2014-11-13/functions/{name}/invoke-async/"),
        };
        let qualifier = self.qualifier.as_deref().map(Encoded);
        let query = qualifier
            .map(|text| format!("?Qualifier={text}"))
            .unwrap_or_default();
        path + &query
    }

    fn to_http(&self) -> Vec<u8> {
        let mut text = format!(
            "POST {} HTTP/1.1\r\nhost: local\r\nx-amz-invocation-type: {}\r\n",
            self.target(),
            TYPES[usize::from(self.invocation_type % 4)]
        );
        if self.tail {
            text.push_str("x-amz-log-type: Tail\r\n");
        }
        let headers = [
            ("x-amz-client-context", self.context()),
            ("x-amz-tenant-id", self.tenant()),
        ];
        for (name, value) in headers {
            text.extend(value.map(|value| format!("{name}: {value}\r\n")));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.payload.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    fn check(&self, response: &Response, verify: bool) {
        if matches!(response.status, 414 | 431) {
            let head = self.to_http().len() - self.payload.len();
            assert!(head > MOST_TARGET, "a head of {head} bytes is too long");
            return;
        }
        let expected = self.expected(verify);
        assert_eq!(response.status, expected, "{self:?}");
        assert!(response.header("x-amzn-requestid").is_some());
        let is_echoed = self.name() == "echo" && self.operation() == Operation::Invoke;
        if expected == 200 && is_echoed {
            let payload = if self.payload.is_empty() {
                b"{}"
            } else {
                &self.payload[..]
            };
            assert_eq!(response.body, payload, "echo returns its payload");
        }
    }

    /// The status that the service's checks lead to, in their order: the size of the payload, the
    /// signature, the values, the function and the JSON.
    fn expected(&self, verify: bool) -> u16 {
        let values = self.values();
        let limit = match (&values, self.operation()) {
            (Err(_), _) => limits::REQUEST_PAYLOAD,
            (Ok(_), Operation::Async) => limits::INVOKE_ASYNC_PAYLOAD,
            (Ok((_, invocation_type)), _) => invocation_type.max_payload(),
        };
        if self.payload.len() > limit {
            return 413;
        }
        if verify && self.signature() != Signature::Valid {
            return 403;
        }
        let (target, invocation_type) = match values {
            Ok(values) => values,
            Err(status) => return status,
        };
        let name = target.name();
        if name.region().is_some_and(|region| region != REGION) {
            return 404;
        }
        if name.account().is_some_and(|account| account != ACCOUNT) {
            return 403;
        }
        let (function, alias, version) = ALIAS;
        let qualifier = target.effective_qualifier();
        let exists = match qualifier.as_ref().map(Qualifier::as_str) {
            None | Some("$LATEST") => true,
            Some("$LATEST.PUBLISHED") => name.name() == function,
            Some(text) => name.name() == function && (text == alias || text.parse() == Ok(version)),
        };
        if !BUILTINS.contains(&name.name()) || !exists {
            return 404;
        }
        if !self.payload.is_empty() && json::check(&self.payload).is_err() {
            return 400;
        }
        match invocation_type {
            InvocationType::Event => 202,
            InvocationType::DryRun => 204,
            _ => 200,
        }
    }

    /// The values of the request that select the function and what is done with it; or the status for
    /// an invalid one.
    fn values(&self) -> Result<(Target<'_>, InvocationType), u16> {
        let rules = NameRules::recorded();
        let is_async = self.operation() == Operation::Async;
        let invocation_type = match (self.invocation_type % 4, self.operation()) {
            (_, Operation::Async) | (1, Operation::Invoke) => InvocationType::Event,
            (0, _) => InvocationType::RequestResponse,
            (2, _) => InvocationType::DryRun,
            _ => return Err(400),
        };
        let name = FunctionName::parse_with(self.name(), &rules).map_err(|_| 400u16)?;
        let qualifier = self.qualifier.as_deref().filter(|_| !is_async);
        let qualifier = qualifier.map(|text| Qualifier::parse_with(text, &rules));
        let qualifier = qualifier.transpose().map_err(|_| 400u16)?;
        let target = Target::new(name, qualifier).map_err(|_| 400u16)?;
        let tenant = self.tenant().filter(|_| !is_async);
        if tenant.is_some_and(|tenant| TenantId::try_from(tenant).is_err()) {
            return Err(400);
        }
        // An event has no context.
        let context = self.context();
        let context = context.filter(|_| invocation_type != InvocationType::Event);
        if context.is_some_and(|context| !is_object(&context)) {
            return Err(400);
        }
        Ok((target, invocation_type))
    }
}

/// What of a text can be sent in a header.
fn visible(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

/// Whether a client context is base64 of a JSON object.
fn is_object(context: &str) -> bool {
    ClientContext::try_from(context).is_ok_and(|context| {
        serde_json::from_slice::<BTreeMap<String, &RawValue>>(&context.to_json()).is_ok()
    })
}

/// A response as received.
struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// Reads a complete, well-formed response, and returns it with the remaining bytes.
    fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a complete head");
        let (head, rest) = bytes.split_at(end + 4);
        let head = std::str::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().expect("a status line");
        let status = status.strip_prefix("HTTP/1.").expect("HTTP/1")[2..5]
            .parse()
            .unwrap();
        let headers: Vec<_> = lines
            .map(|line| {
                line.split_once(": ")
                    .or_else(|| line.split_once(':'))
                    .expect("a header")
            })
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Self {
            status,
            headers,
            body: Vec::new(),
        };
        let rest = if response.header("transfer-encoding") == Some("chunked") {
            response.read_chunks(rest)
        } else if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().unwrap();
            assert!(rest.len() >= length, "a body shorter than its length");
            let (body, rest) = rest.split_at(length);
            response.body = body.to_vec();
            rest
        } else {
            // Without a length, a body ends with the connection; a 204 has no body.
            let (body, rest) = rest.split_at(if status == 204 { 0 } else { rest.len() });
            response.body = body.to_vec();
            rest
        };
        (response, rest)
    }

    fn read_chunks<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        loop {
            let end = rest
                .windows(2)
                .position(|two| two == b"\r\n")
                .expect("the size of a chunk");
            let size = std::str::from_utf8(&rest[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).expect("a size in hexadecimal");
            let (chunk, after) = rest[end + 2..].split_at(size);
            rest = after.strip_prefix(b"\r\n").expect("the end of a chunk");
            if size == 0 {
                return rest;
            }
            self.body.extend_from_slice(chunk);
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn check(&self) {
        let Some(id) = self.header("x-amzn-requestid") else {
            // This is hyper's own response to bytes that are not HTTP.
            assert!((400..500).contains(&self.status) && self.body.is_empty());
            return;
        };
        assert_eq!(id.len(), 36);
        if self.status >= 400 {
            assert!(self.header("x-amzn-errortype").is_some());
            let body: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
            assert!(body.is_object());
        }
        if self.header("content-type") == Some("application/vnd.amazon.eventstream") {
            let mut decoder = Decoder::new();
            decoder.push(Bytes::copy_from_slice(&self.body));
            let mut last = None;
            while let Some(message) = decoder.next_message().expect("an event stream") {
                last = Some(StreamEvent::try_from(message).expect("an event"));
            }
            assert!(
                matches!(last, Some(StreamEvent::InvokeComplete(_))),
                "the stream has no InvokeComplete"
            );
        }
    }
}
