//! A function that writes as fast as it can, and a caller that reads slowly: nothing is buffered
//! ahead of the reader.
//!
//! Endpoint, function and client share this process, so that its peak memory covers them all. The
//! caller first reads nothing for a while, then a little at a time, then at full speed.
//!
//! ```text
//! cargo run --release -p lambda-invoke --example slow_reader            1 GiB
//! cargo run --release -p lambda-invoke --example slow_reader -- 64      64 MiB
//! ```
//!
//! The program fails if the peak memory grew by more than 32 MiB, or if the function was ever
//! further ahead of the caller than the sockets' buffers explain.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_invoke::{Client, Credentials};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};

const MIB: u64 = 1 << 20;
const CHUNK: usize = 64 * 1024;
/// How much the peak may exceed the memory in use before the call.
const MEMORY: u64 = 32 * MIB;
/// How far ahead the function may be: both sockets' buffers, as large as Linux lets them grow.
const AHEAD: u64 = 16 * MIB;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let size = match std::env::args().nth(1) {
        Some(mib) => mib.parse::<u64>()? * MIB,
        None => 1024 * MIB,
    };
    let written = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&written);
    let flood = Function::streaming("flood", move |_, mut writer| {
        let counted = Arc::clone(&counted);
        async move {
            let chunk = Bytes::from(vec![b'x'; CHUNK]);
            while counted.load(Ordering::Relaxed) < size {
                writer.write(chunk.clone()).await?;
                counted.fetch_add(CHUNK as u64, Ordering::Relaxed);
            }
            Ok::<_, FunctionError>(())
        }
    });
    let builder = Endpoint::builder().function(flood).max_stream_bytes(None);
    let server = builder.bind_local().await?;
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local")?)
        .endpoint_url(server.url())
        .build()?;

    let before = peak_memory()?;
    let started = Instant::now();
    let mut stream = client.stream("flood").send().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let unread = written.load(Ordering::Relaxed);
    println!("written before anything was read: {} KiB", unread / 1024);

    let mut received = 0;
    let mut ahead = unread;
    while let Some(piece) = stream.next_chunk().await {
        received += piece?.len() as u64;
        ahead = ahead.max(written.load(Ordering::Relaxed).saturating_sub(received));
        if received < MIB {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let grown = peak_memory()? - before;
    println!(
        "received: {} MiB in {:.2?}",
        received / MIB,
        started.elapsed()
    );
    println!(
        "the function was ahead of the caller by at most: {} KiB",
        ahead / 1024
    );
    println!(
        "peak memory (VmHWM): {} KiB before, {} KiB more",
        before / 1024,
        grown / 1024
    );
    if received != size {
        return Err(format!("{received} bytes came, {size} were written").into());
    }
    if ahead > AHEAD {
        return Err(format!("the function was {ahead} bytes ahead, {AHEAD} are allowed").into());
    }
    if grown > MEMORY {
        return Err(format!("memory grew by {grown} bytes, {MEMORY} are allowed").into());
    }
    Ok(())
}

/// The peak memory of this process so far, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .ok_or("no VmHWM")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// On other systems, only the distance between function and caller is measured.
#[cfg(not(target_os = "linux"))]
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    Ok(0)
}
