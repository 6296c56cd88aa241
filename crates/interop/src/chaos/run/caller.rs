//! Who calls: this project's client here, other clients in [`peers`](crate::chaos::peers).

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::{BoxError, Client, Error, Execution, Timeouts, Transport};
use tokio::io::AsyncReadExt;

use super::site::{Site, function};
use crate::chaos::case::{Asked, Case, Over, Policy, Waits};
use crate::chaos::schedule::random::choose;

/// The timeouts for the parts of a call, where one of them never arrives.
const FIRST_BYTE: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_millis(400);
const TOTAL: Duration = Duration::from_secs(4);
/// The timeouts if it depends on a few bytes whether the head of the response arrives. If it does, a
/// request that is sent again at the timeout would count as one that was sent again in spite of a
/// response.
const FIRST_BYTE_IF_ANY: Duration = Duration::from_secs(10);
const TOTAL_IF_ANY: Duration = Duration::from_secs(12);
/// The timeouts for a process that is suspended for longer, or a function that never ends.
const PROCESS_CONNECT: Duration = Duration::from_secs(3);
const PROCESS_FIRST_BYTE: Duration = Duration::from_secs(3);
const PROCESS_IDLE: Duration = Duration::from_secs(1);
const PROCESS_TOTAL: Duration = Duration::from_secs(8);
/// The timeout of a call of a process that has no other.
const PROCESS_IN_TOTAL: Duration = Duration::from_secs(2);
/// Longer than those timeouts, except that of the call which has others, by more than the second by which a
/// timer that is late on a busy machine extends them.
pub const SUSPENDED: Duration = Duration::from_secs(5);
/// The timeouts for the parts of a call that are late, but arrive.
const LONG: Duration = Duration::from_secs(20);
/// The timeout of calls that must succeed.
pub const PATIENT: Duration = Duration::from_secs(45);

/// The largest response that a caller accepts.
pub const MAX_RESPONSE: u64 = 8 << 20;

/// What the caller got.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A success with this payload.
    Whole(Bytes),
    /// A stream that ended without an error and without its last event. This project's client has no
    /// such outcome; others leave it to their users to look for the event.
    Unproved,
    Failed(Failed),
}

/// A failure, as the client reports it.
#[derive(Clone, Debug)]
pub struct Failed {
    pub text: String,
    /// What the client says about the execution, if anything.
    pub execution: Option<Execution>,
    pub attempts: Option<u32>,
    pub kind: String,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            execution: Some(error.execution()),
            attempts: Some(error.attempts()),
            kind: format!("{:?}", error.kind()),
            text: error.to_string(),
        }
    }
}

pub type Calling<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Makes calls to one address.
pub trait Caller: Send + Sync {
    fn call(&self, asked: Asked, payload: Bytes) -> Calling<'_>;

    /// Makes a call that nothing disturbs, for the connection that it leaves behind.
    fn warm(&self, asked: Asked, payload: Bytes) -> Calling<'_> {
        self.call(asked, payload)
    }
}

/// The address that a case calls, and how it calls.
#[derive(Clone, Copy, Debug)]
pub struct To {
    pub over: Over,
    pub address: SocketAddr,
    pub policy: Policy,
    pub reading: Reading,
    pub waits: Waits,
}

/// Builds callers, each with connections of its own.
pub trait Callers: Send + Sync {
    /// # Errors
    ///
    /// If there is no such client.
    fn caller(&self, site: &Site, to: To) -> Result<Box<dyn Caller>, BoxError>;
}

/// This project's clients.
#[derive(Debug)]
pub struct OurClients;

impl Callers for OurClients {
    fn caller(&self, site: &Site, to: To) -> Result<Box<dyn Caller>, BoxError> {
        let (url, transport) = match to.over {
            Over::Plain => (format!("http://{}", to.address), Transport::new()),
            Over::Tls | Over::Inside => {
                let transport = Transport::builder()
                    .bundled_roots(false)
                    .ca_pem(site.authority.pem.as_bytes())?;
                let url = format!("https://localhost:{}", to.address.port());
                (url, transport.build())
            }
        };
        let ours = Ours::new(&url, to.policy, transport, to.reading, to.waits)?;
        Ok(Box::new(ours))
    }
}

/// Builds this project's client for an address.
fn client(
    url: &str,
    policy: Policy,
    transport: Transport,
    waits: Waits,
) -> Result<Client, BoxError> {
    let retry = match waits {
        Waits::AsPeers => policy.to_retry(),
        _ => policy
            .to_retry()
            .with_max_backoff(Duration::from_millis(20)),
    };
    Ok(Client::builder()
        .region("us-east-1")
        .credentials(lambda_invoke::Credentials::new("local", "local")?)
        .endpoint_url(url)
        .transport(transport)
        .retry(retry)
        .timeouts(timeouts(Waits::ForHead))
        .max_reply_bytes(MAX_RESPONSE)
        .build()?)
}

fn timeouts(waits: Waits) -> Timeouts {
    let total = total(waits);
    let first_byte = match waits {
        Waits::Never => return Timeouts::default().with_total(total),
        Waits::AsPeers => {
            return Timeouts::default()
                .with_connect(PEERS)
                .with_first_byte(PEERS)
                .with_idle(PEERS);
        }
        Waits::ForLong => {
            return Timeouts::default()
                .with_first_byte(LONG)
                .with_idle(LONG)
                .with_total(total);
        }
        Waits::ForProcess => {
            return Timeouts::none()
                .with_connect(PROCESS_CONNECT)
                .with_first_byte(PROCESS_FIRST_BYTE)
                .with_idle(PROCESS_IDLE)
                .with_total(total);
        }
        Waits::ForProcessInTotal => {
            return Timeouts::none()
                .with_connect(PROCESS_CONNECT)
                .with_total(total);
        }
        Waits::ForBody => total,
        Waits::ForEither => FIRST_BYTE_IF_ANY,
        Waits::ForHead => FIRST_BYTE,
    };
    Timeouts::default()
        .with_connect(Duration::from_secs(2))
        .with_first_byte(first_byte)
        .with_idle(IDLE)
        .with_total(total)
}

/// The timeout of a whole call, including further attempts.
pub fn total(waits: Waits) -> Duration {
    match waits {
        Waits::Never | Waits::ForBody | Waits::ForLong | Waits::AsPeers => PATIENT,
        Waits::ForEither => TOTAL_IF_ANY,
        Waits::ForHead => TOTAL,
        Waits::ForProcess => PROCESS_TOTAL,
        Waits::ForProcessInTotal => PROCESS_IN_TOTAL,
    }
}

/// How long a call waits at least for a function that never ends: for its first byte, or for the next one
/// of its stream.
pub fn wait(waits: Waits, asked: Asked) -> Duration {
    let timeouts = timeouts(waits);
    let wait = match asked.is_stream() {
        true => timeouts.idle(),
        false => timeouts.first_byte(),
    };
    wait.unwrap_or_default()
}

/// The timeouts of the other clients, for connecting and for reading.
const PEERS: Duration = Duration::from_secs(1);
/// When a call of any of these clients hangs.
const HANGS: Duration = Duration::from_secs(60);

/// How much later than at its timeouts a call may end on a busy machine.
const SLACK: Duration = Duration::from_secs(15);

/// When a call that has not ended hangs: well after the timeout that has to end it.
pub fn limit(waits: Waits) -> Duration {
    match waits {
        // The wait for the next piece of the body has a timeout of its own.
        Waits::ForBody => 2 * SLACK,
        Waits::AsPeers => HANGS,
        _ => total(waits) + SLACK,
    }
}

/// How a stream is read. Every way must lead to the same end.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    Collect,
    Chunks,
    Reader,
}

impl Reading {
    /// The way in which a case reads its stream, which depends on the name alone, so that a case that is
    /// repeated by its name is the same one.
    pub fn of(case: &Case) -> Self {
        match choose(0, &case.name) % 3 {
            0 => Self::Collect,
            1 => Self::Chunks,
            _ => Self::Reader,
        }
    }
}

/// This project's client.
pub struct Ours {
    client: Client,
    reading: Reading,
    waits: Waits,
}

impl Ours {
    pub fn new(
        url: &str,
        policy: Policy,
        transport: Transport,
        reading: Reading,
        waits: Waits,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            client: client(url, policy, transport, waits)?,
            reading,
            waits,
        })
    }

    async fn try_call(
        &self,
        asked: Asked,
        payload: Bytes,
        timeouts: Timeouts,
    ) -> Result<Bytes, Error> {
        let name = function(asked);
        let invoke = || {
            let call = self.client.invoke(name).payload(payload.clone());
            call.timeouts(timeouts)
        };
        let stream = || {
            let call = self.client.stream(name).payload(payload.clone());
            call.timeouts(timeouts)
        };
        match asked {
            Asked::Invoke | Asked::LongInvoke | Asked::Failing => {
                let reply = invoke().log_tail().send().await?.into_result()?;
                Ok(reply.into_payload())
            }
            Asked::Event => Ok(invoke().event().send().await?.into_payload()),
            Asked::DryRun => Ok(invoke().dry_run().send().await?.into_payload()),
            Asked::StreamDryRun => stream().dry_run().send().await.map(|_| Bytes::new()),
            Asked::Stream | Asked::LongStream | Asked::FailingStream => {
                read(stream().send().await?, self.reading).await
            }
        }
    }
}

async fn read(mut stream: lambda_invoke::ResponseStream, how: Reading) -> Result<Bytes, Error> {
    match how {
        Reading::Collect => {
            let collected = stream.collect_at_most(MAX_RESPONSE).await?;
            Ok(collected.to_bytes())
        }
        Reading::Chunks => {
            let mut all = Vec::new();
            while let Some(piece) = stream.next_chunk().await {
                let piece = piece?;
                if all.len() < MAX_RESPONSE as usize {
                    all.extend_from_slice(&piece);
                }
            }
            Ok(all.into())
        }
        Reading::Reader => {
            let mut reader = stream.into_reader();
            let mut buffer = vec![0; 64 * 1024];
            let mut all = Vec::new();
            loop {
                match reader.read(&mut buffer).await {
                    Ok(0) => return Ok(all.into()),
                    Ok(length) if all.len() < MAX_RESPONSE as usize => {
                        all.extend_from_slice(&buffer[..length]);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        return Err(*error
                            .into_inner()
                            .and_then(|inner| inner.downcast::<Error>().ok())
                            .expect("the error of a reader wraps that of its stream"));
                    }
                }
            }
        }
    }
}

impl Ours {
    /// Makes a call with these timeouts instead of its own.
    pub fn waiting(&self, asked: Asked, payload: Bytes, waits: Waits) -> Calling<'_> {
        Box::pin(async move {
            match self.try_call(asked, payload, timeouts(waits)).await {
                Ok(payload) => Outcome::Whole(payload),
                Err(error) => Outcome::Failed(error.into()),
            }
        })
    }
}

impl Caller for Ours {
    fn call(&self, asked: Asked, payload: Bytes) -> Calling<'_> {
        self.waiting(asked, payload, self.waits)
    }

    fn warm(&self, asked: Asked, payload: Bytes) -> Calling<'_> {
        self.waiting(asked, payload, Waits::Never)
    }
}
