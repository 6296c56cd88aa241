//! The project's endpoint, with in-process functions.
//!
//!     server-endpoint [--no-verify]
//!
//! Prints its URL as soon as it listens.

mod control;

use std::time::Duration;

use bench_client_common::{TICK, TICKS, stamp};
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
    // The times of the writes are those of the bare server: a late tick does not delay the next
    // one.
    let ticks = Function::streaming("ticks", |_call, mut writer| async move {
        let mut every = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
        for _ in 0..TICKS {
            every.tick().await;
            writer.write(stamp()).await?;
        }
        Ok::<_, FunctionError>(())
    });
    let hold = Function::streaming("hold", |_call, mut writer| async move {
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
                // The endpoint rejects an access key if signatures are not verified.
                endpoint = endpoint.credential("local", "local").unwrap();
            }
            let server = endpoint.bind("127.0.0.1:0").await.unwrap();
            println!("{}", server.url());
            server.run().await;
        });
}
