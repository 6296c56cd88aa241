//! A proxy that passes a function's stream on to a browser as server-sent events.
//!
//! ```text
//! cargo run -p lambda-invoke --example axum_events            # calls itself once and ends
//! cargo run -p lambda-invoke --example axum_events -- serve   # for a browser, until Ctrl-C
//! ```
//!
//! A failure mid-stream is visible to both sides: the log has the whole error, with the request's
//! id, and the browser gets an event `failed`. Without that event, a browser would take a truncated
//! stream for a complete one.

use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use lambda_invoke::Client;
use lambda_invoke_endpoint::Endpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Calls a function and sends each piece of its text as an event with a JSON string.
async fn events(State(client): State<Client>, Path(function): Path<String>) -> Response {
    let text = match client.stream(function).payload("{}").send().await {
        Ok(stream) => stream.into_text(),
        // Nothing has been sent to the browser yet, so the response can still have an error status.
        Err(error) => {
            eprintln!("{error}");
            let status = match error.is_throttled() {
                true => StatusCode::SERVICE_UNAVAILABLE,
                false => StatusCode::BAD_GATEWAY,
            };
            return (status, "the function cannot be called").into_response();
        }
    };
    let events = stream::unfold(Some(text), |text| async move {
        let mut text = text?;
        let (event, rest) = match text.next_chunk().await {
            Some(Ok(piece)) => {
                let json = serde_json::Value::from(piece).to_string();
                (Event::default().data(json), Some(text))
            }
            Some(Err(error)) => {
                eprintln!("{error}");
                // The details are only for the log: they may reveal how the function works.
                let kind = format!("{:?}", error.kind());
                (Event::default().event("failed").data(kind), None)
            }
            // The stream ends without an error only if the service reported that the function
            // succeeded.
            None => (Event::default().event("done").data("{}"), None),
        };
        Some((Ok::<_, Infallible>(event), rest))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Endpoint::builder().builtins().bind_local().await?;
    let client = Client::local(server.url())?;
    let router = Router::new()
        .route("/{function}", get(events))
        .with_state(client);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    if std::env::args().nth(1).is_some() {
        println!("open http://{address}/hello");
        return Ok(axum::serve(listener, router).await?);
    }
    tokio::spawn(async move { axum::serve(listener, router).await });

    for (function, end) in [
        ("hello", "event: done"),
        ("fail", "event: failed"),
        ("none", "502"),
    ] {
        // Send the request that a browser would send.
        let mut browser = TcpStream::connect(address).await?;
        let request = format!("GET /{function} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        browser.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        browser.read_to_string(&mut response).await?;
        println!("{response}\n");
        if !response.contains(end) || (end.contains("failed") && response.contains("done")) {
            return Err(format!("{function} does not end with '{end}'").into());
        }
    }
    Ok(())
}
