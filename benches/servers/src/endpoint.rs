//! Our endpoint, with in-process functions.
//!
//!     server-endpoint [--no-verify]
//!
//! Prints its URL as soon as it listens.

mod control;

use std::time::Duration;

use bench_client_common::{STAMP, now_ns};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};

fn main() {
    let verify = std::env::args().all(|arg| arg != "--no-verify");
    control::listen();
    let small = Function::buffered("small", |_call| async {
        Ok::<_, FunctionError>(bytes::Bytes::from_static(
            br#""Hello, Ada. What a fine day it is.""#,
        ))
    });
    let ticks = Function::streaming("ticks", |_call, mut writer| async move {
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            writer
                .write([&STAMP[..], &now_ns().to_be_bytes(), &[b'.'; 48]].concat())
                .await?;
        }
        Ok::<_, FunctionError>(())
    });
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let server = Endpoint::builder()
                .functions([small, ticks])
                .credential("local", "local")
                .unwrap()
                .verify(verify)
                .bind("127.0.0.1:0")
                .await
                .unwrap();
            println!("{}", server.url());
            server.run().await;
        });
}
