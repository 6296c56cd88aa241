//! A function that returns its payload. Its process only says where its Runtime API is; the requests
//! come from the measured thread, so that the timing of another process cannot change a count.

use std::io::{Error, Write};
use std::net::{SocketAddr, TcpStream};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net;

use super::Result;

/// Where the process of a function sends the address of its Runtime API.
pub(crate) const TELL: &str = "TELL";

/// The process of the function: sends the address, and waits until the host ends it.
pub(crate) fn run() -> Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    TcpStream::connect(std::env::var(TELL)?)?.write_all(api.as_bytes())?;
    loop {
        std::thread::park();
    }
}

/// The requests of the function, until the host closes the connection.
pub(crate) async fn serve(processes: net::TcpListener) -> Result<()> {
    let mut address = String::new();
    let (mut process, _) = processes.accept().await?;
    process.read_to_string(&mut address).await?;
    let mut api = net::TcpStream::connect(address.parse::<SocketAddr>()?).await?;
    api.set_nodelay(true)?;
    let mut data = Vec::with_capacity(4096);
    loop {
        api.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n")
            .await?;
        receive(&mut api, &mut data, b"[1,2,3]").await?;
        let name = b"lambda-runtime-aws-request-id: ";
        let id = after(&data, name).ok_or_else(|| Error::other("no request ID"))?;
        let id = id.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let response = [
            b"POST /2018-06-01/runtime/invocation/",
            id,
            b"/response HTTP/1.1\r\nHost: api\r\nContent-Length: 7\r\n\r\n[1,2,3]",
        ]
        .concat();
        api.write_all(&response).await?;
        receive(&mut api, &mut data, br#"{"status":"OK"}"#).await?;
    }
}

/// Reads a response that ends in `end`.
async fn receive(api: &mut net::TcpStream, data: &mut Vec<u8>, end: &[u8]) -> Result<()> {
    data.clear();
    while !data.ends_with(end) {
        if api.read_buf(data).await? == 0 {
            return Err("the Runtime API closed the connection".into());
        }
    }
    Ok(())
}

/// What follows `name` in `data`.
fn after<'d>(data: &'d [u8], name: &[u8]) -> Option<&'d [u8]> {
    let mut places = data.windows(name.len());
    let place = places.position(|window| window.eq_ignore_ascii_case(name))?;
    data.get(place + name.len()..)
}
