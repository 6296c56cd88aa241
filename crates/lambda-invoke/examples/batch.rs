//! Calls a function for each of many payloads, a limited number at a time, and repeats only calls
//! that certainly did not run.
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

/// How many calls run at the same time.
const CONCURRENCY: usize = 8;
/// How often a throttled call is repeated, in addition to the client's own retries.
const ROUNDS: u32 = 5;

/// Calls the function until the call succeeds, or may have run the function.
async fn call(client: &Client, payload: String) -> Result<Reply, lambda_invoke::Error> {
    let mut round = 0;
    loop {
        let call = client.invoke("echo").payload(payload.clone());
        let error = match call.send().await.and_then(Reply::into_result) {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        // These are separate questions: can another attempt succeed, and is it safe?
        round += 1;
        if !error.is_retryable() || error.may_have_run() || round > ROUNDS {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(50) * round).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Every third call is throttled, and the response to one is lost after the function ran.
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
            // The function ran or may have run: a person decides whether to call again.
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
