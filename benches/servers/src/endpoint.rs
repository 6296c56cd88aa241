//! Our endpoint, with in-process functions.
//!
//!     server-endpoint [--no-verify]
//!
//! Prints its URL as soon as it listens.

mod control;

use std::time::Duration;

use bench_client_common::{STAMP, now_ns};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};

/// How long a stream of `hold` is open after its only chunk.
const HOLD: Duration = Duration::from_secs(4);

fn main() {
    let verify = std::env::args().all(|arg| arg != "--no-verify");
    control::listen();
    let small = Function::buffered("small", |_call| async {
        Ok::<_, FunctionError>(bytes::Bytes::from_static(
            br#""Hello, Ada. What a fine day it is.""#,
        ))
    });
    let stamp = || [&STAMP[..], &now_ns().to_be_bytes(), &[b'.'; 48]].concat();
    // At the same times as the bare server: a late tick does not delay the next.
    let ticks = Function::streaming("ticks", move |_call, mut writer| async move {
        let period = Duration::from_millis(100);
        let mut every = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        for _ in 0..50 {
            every.tick().await;
            writer.write(stamp()).await?;
        }
        Ok::<_, FunctionError>(())
    });
    let hold = Function::streaming("hold", move |_call, mut writer| async move {
        writer.write(stamp()).await?;
        tokio::time::sleep(HOLD).await;
        Ok::<_, FunctionError>(())
    });
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let mut endpoint = Endpoint::builder()
                .functions([small, ticks, hold])
                .verify(verify);
            if verify {
                // Keys that nothing uses are rejected.
                endpoint = endpoint.credential("local", "local").unwrap();
            }
            let server = endpoint.bind("127.0.0.1:0").await.unwrap();
            println!("{}", server.url());
            server.run().await;
        });
}
