//! Ports for tens of thousands of cases a minute.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

/// How often to try again, each time after a second: longer than a closed connection keeps its port.
const TRIES: u32 = 90;

/// Listens on a free loopback port. If every port still belongs to a connection that was closed within the
/// last minute, waits for one.
pub async fn listen() -> io::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind("127.0.0.1:0").await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}
