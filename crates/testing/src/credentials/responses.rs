//! What services and programs respond: the XML of STS, and the JSON of instance metadata, of containers,
//! of `credential_process` and of IAM Identity Center.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{Method, Request, Response};
use lambda_invoke_credentials::{
    Chain, Clock, CommandLine, Error, Files, HttpClient, HttpFuture, Identity, ProcessFuture,
    ProcessOutput, Processes, Settings, System, Variables,
};
use lambda_invoke_sigv4::Timestamp;
use serde_json::{Map, Value};

/// The time on the machine.
const NOW: u64 = 1_800_000_000;

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Process,
    Container,
    Metadata,
    Sts,
    /// The response of IAM Identity Center, for a valid token.
    SignOn,
    /// The file with the token of a sign-on.
    SignOnToken,
}

impl From {
    const ALL: [Self; 6] = [
        Self::Process,
        Self::Container,
        Self::Metadata,
        Self::Sts,
        Self::SignOn,
        Self::SignOnToken,
    ];

    /// The names of the id, the secret, the token and the expiry.
    const fn names(self) -> [&'static str; 4] {
        match self {
            Self::Process | Self::Sts => [
                "AccessKeyId",
                "SecretAccessKey",
                "SessionToken",
                "Expiration",
            ],
            Self::Container | Self::Metadata => {
                ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
            }
            Self::SignOn | Self::SignOnToken => [
                "accessKeyId",
                "secretAccessKey",
                "sessionToken",
                "expiration",
            ],
        }
    }
}

/// A machine whose services, programs and files respond with this.
#[derive(Clone, Debug)]
struct Machine {
    from: From,
    status: u16,
    body: Bytes,
    /// The token that the last request to IAM Identity Center had.
    bearer: Arc<Mutex<Option<String>>>,
}

const SIGN_ON: &str = "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\
                       [sso-session s]\nsso_start_url = https://example.awsapps.com/start\n\
                       sso_region = us-east-1\n";
const SIGN_ON_TOKEN: &[u8] =
    br#"{"accessToken":"bearer","expiresAt":"2080-10-16T03:56:45Z","region":"us-east-1"}"#;
const SIGN_ON_RESPONSE: &[u8] = br#"{"roleCredentials":{"accessKeyId":"ASIAEXAMPLE",
    "secretAccessKey":"secret","sessionToken":"token","expiration":3496276605000}}"#;

impl Files for Machine {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        let path = path.to_str().unwrap_or_default();
        match (path, self.from) {
            ("/home/.aws/config", From::Process) => {
                Ok(b"[default]\ncredential_process = program\n".to_vec())
            }
            ("/home/.aws/config", From::SignOn | From::SignOnToken) => Ok(SIGN_ON.into()),
            ("/token", From::Sts) => Ok(b"token".to_vec()),
            (_, From::SignOn) if path.starts_with("/home/.aws/sso") => Ok(SIGN_ON_TOKEN.to_vec()),
            (_, From::SignOnToken) if path.starts_with("/home/.aws/sso") => Ok(self.body.to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

impl Processes for Machine {
    fn run(&self, _: CommandLine) -> ProcessFuture<'_> {
        let failure = (self.status != 200).then(|| format!("exit status: {}", self.status));
        Box::pin(async move { Ok(ProcessOutput::new(failure, self.body.to_vec())) })
    }
}

impl HttpClient for Machine {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        let bearer = request.headers().get("x-amz-sso_bearer_token");
        if let Some(bearer) = bearer {
            let mut last = self.bearer.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some(String::from_utf8_lossy(bearer.as_bytes()).into_owned());
        }
        let (status, body) = match (self.from, request.uri().path()) {
            (From::Metadata, _) if request.method() == Method::PUT => {
                (200, Bytes::from_static(b"session"))
            }
            (From::Metadata, "/latest/meta-data/iam/security-credentials/") => {
                (200, Bytes::from_static(b"role"))
            }
            (From::SignOnToken, "/federation/credentials") => {
                (200, Bytes::from_static(SIGN_ON_RESPONSE))
            }
            _ => (self.status, self.body.clone()),
        };
        let response = Response::builder().status(status).body(body);
        Box::pin(async move { Ok(response?) })
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        // Retries wait no longer than it takes until nothing else happens.
        .start_paused(true)
        .build()
        .unwrap();
}

fn fetch(machine: &Machine) -> Result<Identity, Error> {
    static BARE: OnceLock<System> = OnceLock::new();
    let mut variables = vec![("HOME", "/home"), ("AWS_REGION", "us-east-1")];
    match machine.from {
        From::Container => {
            variables.push((
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "http://127.0.0.1/task",
            ));
        }
        From::Sts => {
            variables.push(("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"));
            variables.push(("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/name"));
        }
        _ => {}
    }
    let system = BARE.get_or_init(|| System::default().with_clock(Stopped));
    let system = system
        .clone()
        .with_environment(Variables::of(variables))
        .with_files(machine.clone())
        .with_processes(machine.clone())
        .with_http(machine.clone())
        .with_metadata_http(machine.clone());
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let settings = Settings::builder().system(system);
            Chain::builder()
                .settings(settings)
                .build()?
                .identity()
                .await
        })
    })
}

/// A response with credentials in it.
#[derive(Arbitrary, Debug)]
struct Made {
    id: String,
    secret: String,
    token: String,
    lifetime: u32,
    /// Bits: which of the four members are there, and whether the XML is indented.
    form: u8,
    cut: Option<u16>,
}

/// The start of each secret, by which an error must not show it.
const SECRET: &str = "hunter2-";

impl Made {
    fn id(&self) -> String {
        let letters = self.id.chars().filter(char::is_ascii_alphanumeric);
        format!("ASIA{}", letters.take(20).collect::<String>())
    }

    fn secret(&self) -> String {
        // XML has no control characters, and STS's texts are trimmed.
        let printed = self
            .secret
            .chars()
            .filter(|one| !one.is_control() && !matches!(one, '\u{fffe}' | '\u{ffff}'));
        format!("{SECRET}{}/", printed.take(40).collect::<String>())
    }

    fn token(&self) -> String {
        let graphic = self.token.chars().filter(char::is_ascii_graphic);
        format!("{SECRET}{}", graphic.take(40).collect::<String>())
    }

    /// Half of the lifetimes are over.
    fn expiry(&self) -> Timestamp {
        let end = NOW - (1 << 16) + u64::from(self.lifetime) % (1 << 17);
        Timestamp::from_secs(end).unwrap()
    }

    fn has(&self, member: usize) -> bool {
        // Usually all of them.
        self.form & 0xf0 != 0xf0 || self.form & (1 << member) != 0
    }

    /// The members that are there.
    fn members(&self, from: From) -> Vec<(&'static str, Value)> {
        let time = self.expiry().to_string();
        let written = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &time[..4],
            &time[4..6],
            &time[6..8],
            &time[9..11],
            &time[11..13],
            &time[13..15]
        );
        let expiry = match from {
            From::SignOn => (self.expiry().as_secs() * 1000).into(),
            _ => Value::from(written),
        };
        let values = [
            self.id().into(),
            self.secret().into(),
            self.token().into(),
            expiry,
        ];
        let members = from.names().into_iter().zip(values).enumerate();
        members
            .filter(|(number, _)| self.has(*number))
            .map(|(_, member)| member)
            .collect()
    }

    fn body(&self, from: From) -> Vec<u8> {
        let members = self.members(from);
        if from == From::Sts {
            return self.xml(&members).into_bytes();
        }
        let mut object: Map<String, Value> = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        match from {
            From::Process => drop(object.insert("Version".to_owned(), 1.into())),
            From::Metadata => drop(object.insert("Code".to_owned(), "Success".into())),
            From::SignOn => {
                let keys = Value::Object(std::mem::take(&mut object));
                object.insert("roleCredentials".to_owned(), keys);
            }
            From::SignOnToken => {
                let end = object.remove("expiration").unwrap_or_default();
                object.insert("expiresAt".to_owned(), end);
                let token = object.remove("sessionToken").unwrap_or_default();
                object.insert("accessToken".to_owned(), token);
            }
            _ => {}
        }
        Value::Object(object).to_string().into_bytes()
    }

    fn xml(&self, members: &[(&str, Value)]) -> String {
        let blank = ["", "\n  "][usize::from(self.form >> 3) % 2];
        let mut xml = "<?xml version=\"1.0\"?>\n<AssumeRoleWithWebIdentityResponse \
                       xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Credentials>"
            .to_owned();
        for (name, value) in members {
            let text = value.as_str().unwrap_or_default();
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            xml.push_str(&format!("{blank}<{name}>{blank}{text}</{name}>"));
        }
        xml.push_str("</Credentials></AssumeRoleWithWebIdentityResponse>");
        xml
    }
}

/// The whole of an error: its messages, also those of its causes, and what `Debug` shows.
fn shown(error: &Error) -> String {
    let mut shown = error.to_string();
    // Causes are other crates' errors and this one's own; only lines separate its parts.
    let is_plain = |text: &str| text.chars().all(|one| one == '\n' || !one.is_control());
    assert!(is_plain(&shown), "{shown:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown.push_str(&cause.to_string());
        source = cause.source();
    }
    format!("{shown}{error:?}")
}

const STATUSES: [u16; 10] = [200, 200, 200, 200, 400, 401, 403, 404, 429, 500];

/// Credentials are those of the response, whole, and no error shows a secret.
///
/// The first byte decides whether the rest is a response (0) or what one is made of (1); the next two are
/// where it comes from, and its status.
pub fn responses(data: &[u8]) {
    let [kind, from, status, rest @ ..] = data else {
        return;
    };
    let from = From::ALL[usize::from(*from) % From::ALL.len()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let (body, made) = match kind % 2 {
        0 => (rest.to_vec(), None),
        _ => {
            let Ok(made) = Made::arbitrary(&mut Unstructured::new(rest)) else {
                return;
            };
            let mut body = made.body(from);
            if let Some(cut) = made.cut {
                body.truncate(usize::from(cut) % body.len());
            }
            (body, Some(made))
        }
    };
    let machine = Machine {
        from,
        status,
        body: body.into(),
        bearer: Arc::default(),
    };
    let fetched = fetch(&machine);
    if let Ok(identity) = &fetched {
        // A token in a file has no status.
        assert!(status == 200 || from == From::SignOnToken, "{status}");
        let credentials = identity.credentials();
        assert!(!credentials.access_key_id().is_empty());
        assert!(!credentials.secret_access_key().is_empty());
        assert!(!format!("{identity:?}").contains(SECRET));
        // Instance metadata may be used past its expiry.
        let now = Timestamp::from_secs(NOW).unwrap();
        let is_over = identity.expiry().is_some_and(|expiry| expiry <= now);
        assert!(!is_over || from == From::Metadata, "{identity:?}");
        if from != From::Sts {
            is_that_of_json(&machine, identity);
        }
    }
    match (&made, fetched) {
        (Some(made), fetched) => is_that_of(made, &machine, fetched),
        (None, Err(error)) => drop(shown(&error)),
        (None, Ok(_)) => {}
    }
}

/// The credentials are those that another reader finds in the JSON.
fn is_that_of_json(machine: &Machine, identity: &Identity) {
    let json: Value = serde_json::from_slice(&machine.body).unwrap();
    let credentials = identity.credentials();
    if machine.from == From::SignOnToken {
        let bearer = machine
            .bearer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        assert_eq!(bearer.as_deref(), json["accessToken"].as_str());
        return;
    }
    let json = match machine.from {
        From::SignOn => &json["roleCredentials"],
        _ => &json,
    };
    let [id, secret, token, _] = machine.from.names();
    assert_eq!(Some(credentials.access_key_id()), json[id].as_str());
    assert_eq!(Some(credentials.secret_access_key()), json[secret].as_str());
    let token = json[token].as_str().filter(|token| !token.is_empty());
    assert_eq!(credentials.session_token(), token);
}

/// Complete credentials are found, and incomplete ones never, except that the rest of a response may be
/// missing.
fn is_that_of(made: &Made, machine: &Machine, fetched: Result<Identity, Error>) {
    let (from, is_cut) = (machine.from, made.cut.is_some());
    let needs_all = matches!(from, From::Sts);
    let required = match from {
        From::SignOnToken => made.has(2) && made.has(3),
        // Without a token and an expiry they are those of a user.
        _ => made.has(0) && made.has(1) && (made.has(3) || from != From::SignOn),
    };
    let required = required && (!needs_all || (0..4).all(|member| made.has(member)));
    let is_over = made.has(3) && made.expiry() <= Timestamp::from_secs(NOW).unwrap();
    let is_good = machine.status == 200 || from == From::SignOnToken;
    match fetched {
        Ok(identity) if from != From::SignOnToken => {
            assert!(required);
            assert!(!is_cut || from == From::Sts, "a part of JSON");
            let credentials = identity.credentials();
            assert_eq!(credentials.access_key_id(), made.id());
            assert_eq!(credentials.secret_access_key(), made.secret());
            let token = made.has(2).then(|| made.token());
            assert_eq!(credentials.session_token(), token.as_deref());
            assert_eq!(identity.expiry(), made.has(3).then(|| made.expiry()));
        }
        Ok(_) => assert!(required && !is_cut && !is_over),
        Err(error) => {
            let may = is_cut || !required || !is_good || is_over && from != From::Metadata;
            assert!(may, "{error:?}");
            let shown = shown(&error);
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}
