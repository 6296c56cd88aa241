//! The function that the measured hosts run.
//!
//!     function greet    greets whom the event names, on the official runtime client
//!     function ticks    streams the time, ten times a second, on the same
//!     function pipe     writes the same chunks to a pipe, for each line that it reads

use std::io::{Read, Write};

use bench_client_common::{TICK, TICKS, stamp};
use lambda_runtime::streaming::{Body, Response, channel};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::time::{Instant, Interval};

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match std::env::args().nth(1).as_deref() {
        Some("greet") => runtime.block_on(lambda_runtime::run(service_fn(greet))),
        Some("ticks") => runtime.block_on(lambda_runtime::run(service_fn(ticks))),
        Some("pipe") => runtime.block_on(pipe()),
        _ => Err("usage: function greet|ticks|pipe".into()),
    }
}

async fn greet(event: LambdaEvent<Value>) -> Result<String, Error> {
    let name = event.payload["name"]
        .as_str()
        .ok_or("an event without a name")?;
    Ok(format!("Hello, {name}. What a fine day it is."))
}

async fn ticks(_event: LambdaEvent<Value>) -> Result<Response<Body>, Error> {
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        let mut every = every();
        for _ in 0..TICKS {
            every.tick().await;
            // An error means that the host is gone.
            if sender.send_data(stamp().into()).await.is_err() {
                return;
            }
        }
    });
    Ok(Response::from(body))
}

async fn pipe() -> Result<(), Error> {
    let mut byte = [0];
    while std::io::stdin().read(&mut byte)? == 1 {
        let mut every = every();
        for _ in 0..TICKS {
            every.tick().await;
            let mut out = std::io::stdout().lock();
            out.write_all(&stamp())?;
            out.flush()?;
        }
    }
    Ok(())
}

/// The times of the writes. A late write does not delay the next one.
fn every() -> Interval {
    tokio::time::interval_at(Instant::now() + TICK, TICK)
}
