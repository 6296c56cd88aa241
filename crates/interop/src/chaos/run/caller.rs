//! Who calls: this project's client here, other clients in [`peers`](crate::chaos::peers).

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::{BoxError, Client, Error, Execution, Timeouts, Transport};
use tokio::io::AsyncReadExt;

use super::site::{Site, function};
use crate::chaos::case::{Asked, Over, Policy};

/// The timeouts for the parts of a call. No part takes this long unless it is damaged. If the
/// machine is so busy that one does, the case becomes that of a stalled connection.
const FIRST_BYTE: Duration = Duration::from_millis(400);
/// For a policy that sends again after this timeout: a response that has arrived, but that a busy
/// machine has not read yet, must not count as one that has begun.
const FIRST_BYTE_AGAIN: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_millis(400);
const TOTAL: Duration = Duration::from_secs(4);
/// The timeout of calls that must succeed.
pub const PATIENT: Duration = Duration::from_secs(45);

/// The largest response that a caller accepts.
pub const MAX_RESPONSE: u64 = 8 << 20;

/// What the caller got.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A success with this payload.
    Whole(Bytes),
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
}

/// The address that a case calls, and how it calls.
#[derive(Clone, Copy, Debug)]
pub struct To {
    pub over: Over,
    pub address: SocketAddr,
    pub policy: Policy,
    /// The number of the case.
    pub nth: usize,
    /// Whether the call must succeed, however busy the machine is: its timeouts only find calls
    /// that hang.
    pub is_patient: bool,
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
            Over::Tls => {
                let transport = Transport::builder()
                    .bundled_roots(false)
                    .ca_pem(site.authority.pem.as_bytes())?;
                let url = format!("https://localhost:{}", to.address.port());
                (url, transport.build())
            }
        };
        let ours = Ours::new(&url, to.policy, transport, to.nth, to.is_patient)?;
        Ok(Box::new(ours))
    }
}

/// Builds this project's client for an address.
pub fn client(url: &str, policy: Policy, transport: Transport) -> Result<Client, BoxError> {
    let first_byte = match policy {
        Policy::AtLeastOnce => FIRST_BYTE_AGAIN,
        Policy::Default | Policy::None => FIRST_BYTE,
    };
    Ok(Client::builder()
        .region("us-east-1")
        .credentials(lambda_invoke::Credentials::new("local", "local")?)
        .endpoint_url(url)
        .transport(transport)
        .retry(
            policy
                .to_retry()
                .with_max_backoff(Duration::from_millis(20)),
        )
        .timeouts(
            Timeouts::default()
                .with_connect(Duration::from_secs(2))
                .with_first_byte(first_byte)
                .with_idle(IDLE)
                .with_total(TOTAL),
        )
        .max_reply_bytes(MAX_RESPONSE)
        .build()?)
}

/// How a stream is read. Every way must lead to the same end.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    Collect,
    Chunks,
    Reader,
}

/// This project's client.
pub struct Ours {
    client: Client,
    reading: Reading,
    timeouts: Option<Timeouts>,
}

impl Ours {
    pub fn new(
        url: &str,
        policy: Policy,
        transport: Transport,
        nth: usize,
        is_patient: bool,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            client: client(url, policy, transport)?,
            reading: [Reading::Collect, Reading::Chunks, Reading::Reader][nth % 3],
            timeouts: is_patient.then(|| Timeouts::default().with_total(PATIENT)),
        })
    }

    async fn try_call(&self, asked: Asked, payload: Bytes) -> Result<Bytes, Error> {
        let name = function(asked);
        let invoke = || {
            let call = self.client.invoke(name).payload(payload.clone());
            match self.timeouts {
                Some(timeouts) => call.timeouts(timeouts),
                None => call,
            }
        };
        let stream = || {
            let call = self.client.stream(name).payload(payload.clone());
            match self.timeouts {
                Some(timeouts) => call.timeouts(timeouts),
                None => call,
            }
        };
        match asked {
            Asked::Invoke | Asked::Failing => {
                let reply = invoke().log_tail().send().await?.into_result()?;
                Ok(reply.into_payload())
            }
            Asked::Event => Ok(invoke().event().send().await?.into_payload()),
            Asked::DryRun => Ok(invoke().dry_run().send().await?.into_payload()),
            Asked::StreamDryRun => stream().dry_run().send().await.map(|_| Bytes::new()),
            Asked::Stream | Asked::FailingStream => {
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

impl Caller for Ours {
    fn call(&self, asked: Asked, payload: Bytes) -> Calling<'_> {
        Box::pin(async move {
            match self.try_call(asked, payload).await {
                Ok(payload) => Outcome::Whole(payload),
                Err(error) => Outcome::Failed(error.into()),
            }
        })
    }
}
