//! A function that returns its payload: the smallest client of the Runtime API.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;

/// Runs until the host ends this process.
pub(crate) fn run() -> Result<()> {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    let mut api = TcpStream::connect(address)?;
    api.set_nodelay(true)?;
    loop {
        api.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n")?;
        let (head, event) = receive(&mut api)?;
        let id = header(&head, "lambda-runtime-aws-request-id")?;
        let length = event.len();
        let mut response = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: api\r\n\
             Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        response.extend(event);
        api.write_all(&response)?;
        receive(&mut api)?;
    }
}

/// Reads the head and the body of a response.
fn receive(api: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut data = Vec::new();
    let mut end = None;
    loop {
        if end.is_none() {
            end = data.windows(4).position(|window| window == b"\r\n\r\n");
        }
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&data[..end]).to_lowercase();
            let length: usize = header(&head, "content-length")?
                .parse()
                .map_err(Error::other)?;
            if data.len() >= end + 4 + length {
                return Ok((head, data.split_off(end + 4)));
            }
        }
        let mut buffer = [0; 4096];
        match api.read(&mut buffer)? {
            0 => return Err(Error::other("the Runtime API closed the connection")),
            read => data.extend(&buffer[..read]),
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Result<&'h str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(found, value)| (found == name).then_some(value))
        .ok_or_else(|| Error::other(format!("no {name}")))
}
