//! A function on the official Rust runtime that returns its event, fails, or streams.

use std::time::Duration;

use lambda_runtime::streaming::{Body, Response, channel};
use lambda_runtime::{Error, FunctionResponse, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<FunctionResponse<Value, Body>, Error> {
    let event = event.payload;
    match event["kind"].as_str() {
        Some("echo") => Ok(FunctionResponse::BufferedResponse(
            json!({ "event": event }),
        )),
        Some("fail") => Err("on purpose".into()),
        _ => {
            let (mut sender, body) = channel();
            tokio::spawn(async move {
                let pause = Duration::from_secs_f64(event["seconds"].as_f64().unwrap_or(0.2));
                for number in 0..event["chunks"].as_u64().unwrap_or(5) {
                    println!("chunk {number}");
                    let chunk = format!("chunk {number}\n");
                    if sender.send_data(chunk.into()).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            });
            Ok(FunctionResponse::StreamingResponse(Response::from(body)))
        }
    }
}
