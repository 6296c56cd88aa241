//! Calls a function for each of many payloads: a bounded number at once, and again only what cannot
//! have run.
//!
//! ```text
//! cargo run -p lambda-invoke --example batch
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lambda_invoke::{Client, Reply, RetryPolicy};
use lambda_invoke_endpoint::Endpoint;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many calls are made at once.
const CONCURRENCY: usize = 8;
/// How often a call is made again after it was throttled, beyond the client's own attempts.
const ROUNDS: u32 = 5;

/// Calls the function until it ran, unless it may have run already.
async fn call(client: &Client, payload: String) -> Result<Reply, lambda_invoke::Error> {
    let mut round = 0;
    loop {
        let call = client.invoke("echo").payload(payload.clone());
        let error = match call.send().await.and_then(Reply::into_result) {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        // Two separate questions: could it succeed, and is it safe?
        round += 1;
        if !error.is_retryable() || error.may_have_run() || round > ROUNDS {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(50) * round).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Every third call is throttled, and one breaks off after the function ran.
    let server = Endpoint::builder()
        .builtins()
        .fault("echo: throttle=CallerRateLimitExceeded every=3".parse()?)
        .fault("echo: cut-at=1 every=10 times=1".parse()?)
        .bind_local()
        .await?;
    let client = Client::builder()
        .region("us-east-1")
        .credentials(lambda_invoke::Credentials::new("local", "local")?)
        .endpoint_url(server.url())
        .retry(RetryPolicy::none())
        .build()?;

    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let (client, permits) = (client.clone(), Arc::clone(&permits));
        calls.spawn(async move {
            let _permit = permits.acquire_owned().await;
            (number, call(&client, format!("[{number}]")).await)
        });
    }
    let (mut done, mut unknown) = (0, Vec::new());
    while let Some(joined) = calls.join_next().await {
        match joined? {
            (_, Ok(_)) => done += 1,
            // A person decides: the function ran, or may have.
            (number, Err(error)) if error.may_have_run() => unknown.push((number, error)),
            (_, Err(error)) => return Err(error.into()),
        }
    }
    println!("{done} done");
    for (number, error) in &unknown {
        println!("{number}: {error}");
    }
    match (done, unknown.len()) {
        (39, 1) => Ok(()),
        other => Err(format!("expected 39 done and 1 unknown, not {other:?}").into()),
    }
}
