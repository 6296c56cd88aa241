//! A service over real sockets with a limit of concurrent calls that can be changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_invoke::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The body of a response that throttles because of concurrency.
pub const THROTTLED: &str = r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;

pub struct Limited {
    url: String,
    /// How many calls may run at once.
    pub limit: Arc<AtomicUsize>,
}

impl Limited {
    /// Serves calls that take this long.
    pub async fn start(limit: usize, takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let limit = Arc::new(AtomicUsize::new(limit));
        let running = Arc::new(AtomicUsize::new(0));
        let shared = (Arc::clone(&limit), running);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (limit, running) = shared.clone();
                tokio::spawn(serve(stream, limit, running, takes));
            }
        });
        Self { url, limit }
    }

    pub fn client(&self) -> Client {
        Client::local(self.url.as_str()).unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    limit: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    takes: Duration,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1)?;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        while buffer.len() < end + length {
            stream.read_buf(&mut buffer).await.ok()?;
        }
        buffer.drain(..end + length);
        let before = running.fetch_add(1, Ordering::SeqCst);
        let (head, body) = match before < limit.load(Ordering::SeqCst) {
            true => {
                tokio::time::sleep(takes).await;
                (
                    "200 OK\r\nx-amzn-requestid: 1\r\ncontent-type: application/json",
                    "{}",
                )
            }
            false => (
                "429 Too Many Requests\r\nx-amzn-errortype: TooManyRequestsException\r\ncontent-type: application/json",
                THROTTLED,
            ),
        };
        running.fetch_sub(1, Ordering::SeqCst);
        let response = format!(
            "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(response.as_bytes()).await.ok()?;
    }
}
