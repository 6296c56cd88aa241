//! Many connections, many streams, and too few file descriptors.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use lambda_invoke::{BoxError, Client, Transport};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use nix::sys::resource::{Resource, setrlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Barrier;

use super::run::caller::PATIENT;

const IDLE_CONNECTIONS: usize = 10_000;
const STREAMS: usize = 2_000;
/// The number of file descriptors of the endpoint that has too few, and the number of connections
/// made to it: those that it does not accept fit into the operating system's queue.
const FEW: u64 = 64;
const CONNECTIONS: usize = 150;
/// The most that this endpoint may grow, however long it lasts.
const MAX_GROWTH_MIB: f64 = 32.0;

/// Serves until it is killed, with at most this many file descriptors. This runs in the endpoint's
/// process.
///
/// # Errors
///
/// If it cannot listen.
pub async fn serve(descriptors: u64) -> Result<(), BoxError> {
    setrlimit(Resource::RLIMIT_NOFILE, descriptors, descriptors)?;
    let echo = Function::buffered("echo", |invocation| async move {
        Ok::<_, FunctionError>(invocation.payload().clone())
    });
    let slow = Function::streaming("slow", |_, mut writer| async move {
        for _ in 0..20 {
            writer.write("piece ").await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok::<_, FunctionError>(())
    });
    let server = Endpoint::builder()
        .functions([echo, slow])
        .recorded_bytes(0)
        .bind("127.0.0.1:0")
        .await?;
    println!("{}", server.local_addr());
    match server.run().await {}
}

struct Serving {
    address: SocketAddr,
    child: Child,
}

impl Serving {
    async fn start(descriptors: u64) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["loaded", &descriptors.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let address = line.ok_or("the endpoint did not start")?.parse()?;
        Ok(Self { address, child })
    }

    fn resident_mib(&self) -> f64 {
        let id = self.child.id().unwrap_or_default();
        let path = Path::new("/proc").join(id.to_string()).join("status");
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    }

    fn client(&self) -> Result<Client, BoxError> {
        Ok(Client::local(format!("http://{}", self.address))?)
    }
}

/// Runs all three loads, prints figures, and returns whether all calls succeeded.
///
/// # Errors
///
/// If an endpoint does not start, or this process may not open enough files.
pub async fn load(starving: Duration) -> Result<bool, BoxError> {
    Ok(idle().await? & streams().await? & starve(starving).await?)
}

/// Connections that have made a request and are then idle.
async fn idle() -> Result<bool, BoxError> {
    let serving = Serving::start(20_000).await?;
    let before = serving.resident_mib();
    let started = Instant::now();
    let connect = async |_| {
        let mut stream = TcpStream::connect(serving.address).await?;
        // The request is rejected, since it is not signed; the connection stays open.
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        Ok::<_, std::io::Error>(stream)
    };
    let opening = stream::iter(0..IDLE_CONNECTIONS)
        .map(connect)
        .buffer_unordered(128);
    let connections: Vec<TcpStream> = opening.try_collect().await?;
    let opened = started.elapsed();
    let after = serving.resident_mib();
    let called = Instant::now();
    let reply = serving
        .client()?
        .invoke("echo")
        .payload("1")
        .timeout(PATIENT)
        .send()
        .await?;
    let latency = called.elapsed();
    let is_open = |connection: &TcpStream| {
        let read = connection.try_read(&mut [0; 64 * 1024]);
        // The rest of the first response may not have been read yet.
        matches!(&read, Ok(1..)) || read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    let open = connections
        .iter()
        .filter(|connection| is_open(connection))
        .count();
    let is_good = reply.payload() == "1" && open == IDLE_CONNECTIONS;
    drop(connections);
    println!(
        "{IDLE_CONNECTIONS} idle connections: opened in {opened:.1?}, {open} still open, {:.1} KiB each \
         at the endpoint, a call beside them in {latency:.1?}",
        (after - before) * 1024.0 / IDLE_CONNECTIONS as f64
    );
    Ok(is_good)
}

/// Streams of four seconds, all open at once.
async fn streams() -> Result<bool, BoxError> {
    let serving = Serving::start(20_000).await?;
    let before = serving.resident_mib();
    let client = serving.client()?;
    let all_open = Arc::new(Barrier::new(STREAMS + 1));
    let started = Instant::now();
    let calls: Vec<_> = (0..STREAMS)
        .map(|_| {
            let (client, all_open) = (client.clone(), Arc::clone(&all_open));
            tokio::spawn(async move {
                let stream = client.stream("slow").timeout(PATIENT).send().await;
                all_open.wait().await;
                let all: Bytes = stream?.collect_all().await?.to_bytes();
                Ok::<_, lambda_invoke::Error>(all == "piece ".repeat(20))
            })
        })
        .collect();
    all_open.wait().await;
    let (opened, resident) = (started.elapsed(), serving.resident_mib());
    let mut whole = 0;
    for call in calls {
        match call.await? {
            Ok(is_whole) => whole += usize::from(is_whole),
            Err(error) => println!("a stream failed: {error}"),
        }
    }
    println!(
        "{STREAMS} streams at once: open in {opened:.1?}, whole {whole}, ended after {:.1?}, \
         {:.1} KiB each at the endpoint",
        started.elapsed(),
        (resident - before) * 1024.0 / STREAMS as f64
    );
    Ok(whole == STREAMS)
}

/// Opens more connections than the endpoint has descriptors for, and then fewer again.
async fn starve(length: Duration) -> Result<bool, BoxError> {
    let serving = Serving::start(FEW).await?;
    let before = serving.resident_mib();
    let started = Instant::now();
    let (mut responses, mut failures) = (0, 0);
    while started.elapsed() < length {
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS {
            held.push(TcpStream::connect(serving.address).await?);
        }
        // A call waits in vain while the endpoint cannot accept its connection.
        let call = serving.client()?;
        let call = call
            .invoke("echo")
            .payload("1")
            .timeout(Duration::from_millis(500));
        match call.send().await {
            Ok(_) => responses += 1,
            Err(_) => failures += 1,
        }
        drop(held);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let recovering = Instant::now();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(lambda_invoke::Credentials::new("local", "local")?)
        .endpoint_url(format!("http://{}", serving.address))
        .transport(Transport::builder().pool_size(4).build())
        .build()?;
    let reply = client
        .invoke("echo")
        .payload("1")
        .timeout(PATIENT)
        .send()
        .await?;
    let recovered = recovering.elapsed();
    let grown = serving.resident_mib() - before;
    println!(
        "{CONNECTIONS} connections to an endpoint with {FEW} descriptors for {:.0?}: {failures} calls \
         beside them failed, {responses} succeeded; recovered in {recovered:.1?}; memory {:+.1} MiB",
        started.elapsed(),
        grown
    );
    let is_bounded = grown < MAX_GROWTH_MIB && recovered < Duration::from_secs(10);
    Ok(reply.payload() == "1" && failures > 0 && is_bounded)
}
