//! Small pieces of work in which the crates with the feature `tracing` report something, for
//! counting their instructions with and without the feature.
//!
//!     bench-tracing call|endpoint|invocation|credentials N [listen]
//!
//! - `call` calls a function that returns its payload, with the client and the endpoint in one
//!   process, over a pipe in memory.
//! - `endpoint` is the endpoint's part of such a call; the client only writes and reads bytes.
//! - `invocation` is the runtime's part of an invocation; the function only writes and reads bytes. Its
//!   process, which does nothing, is this program again, which valgrind does not follow. The runtime
//!   starts it without a supervisor, since that would be a copy of valgrind.
//! - `credentials` fetches credentials from the environment through the whole chain.
//!
//! With `listen`, it prints the targets of all spans and events instead. If nothing in the program could
//! listen, the compiler would remove the very code whose cost is to be counted.

mod function;
#[cfg(feature = "tracing")]
mod listener;

use std::error::Error;
use std::sync::Arc;

use lambda_invoke::{Client, Credentials, Transport};
use lambda_invoke_credentials::Chain;
use lambda_invoke_endpoint::Endpoint;
use lambda_invoke_runtime::{Event, Outcome, Pool, Program};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args == ["function"] {
        return function::run();
    }
    let ([work, count] | [work, count, _]) = args.as_slice() else {
        return Err("usage: bench-tracing call|endpoint|invocation|credentials N [listen]".into());
    };
    let count: usize = count.parse()?;
    let listens = args.get(2).is_some_and(|word| word == "listen");
    #[cfg(feature = "tracing")]
    if listens {
        listener::listen()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match work.as_str() {
            "call" => calls(count).await,
            "endpoint" => requests(count).await,
            "invocation" => invocations(count).await,
            "credentials" => fetches(count).await,
            _ => Err(format!("unknown work: {work}").into()),
        }
    })?;
    #[cfg(feature = "tracing")]
    if listens {
        println!("{}", listener::heard());
    }
    #[cfg(not(feature = "tracing"))]
    if listens {
        return Err("built without the feature".into());
    }
    Ok(())
}

async fn calls(count: usize) -> Result<()> {
    let endpoint = Arc::new(Endpoint::builder().builtins().build()?);
    let transport = Transport::builder()
        .connect_with(move |_| {
            let endpoint = Arc::clone(&endpoint);
            async move {
                let (ours, theirs) = duplex(64 * 1024);
                tokio::spawn(async move { endpoint.serve_connection(theirs).await });
                Ok(ours)
            }
        })
        .build();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local")?)
        .endpoint_url("http://in.memory")
        .transport(transport)
        .build()?;
    for _ in 0..count {
        let response = client.invoke("echo").payload("[1,2,3]").send().await?;
        assert_eq!(response.payload().as_ref(), b"[1,2,3]");
    }
    Ok(())
}

const REQUEST: &[u8] =
    b"POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nHost: in.memory\r\n\
    Content-Type: application/json\r\nContent-Length: 7\r\n\r\n[1,2,3]";

async fn requests(count: usize) -> Result<()> {
    let endpoint = Endpoint::builder().builtins().verify(false).build()?;
    let (mut ours, theirs) = duplex(64 * 1024);
    tokio::spawn(async move { endpoint.serve_connection(theirs).await });
    let mut response = Vec::new();
    for _ in 0..count {
        ours.write_all(REQUEST).await?;
        response.clear();
        while !response.ends_with(b"[1,2,3]") {
            if ours.read_buf(&mut response).await? == 0 {
                return Err("the endpoint closed the connection".into());
            }
        }
        assert!(response.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    Ok(())
}

async fn invocations(count: usize) -> Result<()> {
    let this = std::env::current_exe()?;
    let this = this
        .to_str()
        .ok_or("the path of this program is not text")?;
    let processes = TcpListener::bind("127.0.0.1:0").await?;
    let address = processes.local_addr()?.to_string();
    tokio::spawn(async move {
        function::serve(processes)
            .await
            .map_err(|error| error.to_string())
    });
    let pool = Pool::new(Program::command([this, "function"])?.env(function::TELL, address));
    for number in 0..count {
        let event = Event::new(format!("request-{number}"), "[1,2,3]");
        let mut response = pool.invoke(event).await?;
        assert_eq!(response.chunk().await.as_deref(), Some(&b"[1,2,3]"[..]));
        assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
    }
    pool.shutdown().await;
    Ok(())
}

async fn fetches(count: usize) -> Result<()> {
    for _ in 0..count {
        let chain = Chain::builder().build()?;
        assert_eq!(
            chain.identity().await?.credentials().access_key_id(),
            "AKIDEXAMPLE"
        );
    }
    Ok(())
}
