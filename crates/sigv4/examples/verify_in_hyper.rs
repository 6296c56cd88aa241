//! A hyper server that accepts only signed requests, and a client that sends it one.
//!
//! ```text
//! cargo run -p lambda-invoke-sigv4 --example verify_in_hyper
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp, Verifier};
use tokio::net::{TcpListener, TcpStream};

type AnyError = Box<dyn Error + Send + Sync>;

/// The largest accepted body: since the hash covers the whole body, it must be in memory before it
/// is verified.
const MOST: usize = 1 << 20;

async fn respond(
    request: Request<Incoming>,
    verifier: Arc<Verifier>,
    keys: Arc<Credentials>,
) -> Result<Response<Full<Bytes>>, AnyError> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MOST).collect().await?.to_bytes();
    let now = Timestamp::try_from(SystemTime::now())?;
    let verified = verifier.verify(&parts, &PayloadHash::of(&body), &*keys, now);
    let (status, text) = match verified {
        Ok(verified) => (
            StatusCode::OK,
            format!("hello {}", verified.access_key_id()),
        ),
        Err(error) => (StatusCode::FORBIDDEN, error.code().to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let keys = Credentials::new("AKIDEXAMPLE", "secret")?;
    let signer = Signer::new(keys.clone(), "eu-west-1", "example")?;
    let verifier = Arc::new(Verifier::new("eu-west-1", "example")?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let keys = Arc::new(keys);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (verifier, keys) = (Arc::clone(&verifier), Arc::clone(&keys));
            let service = service_fn(move |request| {
                respond(request, Arc::clone(&verifier), Arc::clone(&keys))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service);
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        }
    });

    for (body, expected) in [("as signed", 200), ("tampered with", 403)] {
        let mut request = Request::post("/")
            .header("host", address.to_string())
            .body(())?;
        let now = Timestamp::try_from(SystemTime::now())?;
        signer.sign_request(&mut request, &PayloadHash::of("as signed"), now)?;
        let request = request.map(|()| Full::new(Bytes::from(body)));
        let socket = TokioIo::new(TcpStream::connect(address).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(socket).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        println!("{body}: {}", response.status());
        if response.status() != expected {
            return Err(format!("expected {expected}").into());
        }
    }
    Ok(())
}
