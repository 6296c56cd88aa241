//! Reading what a function or the service wrote takes little more memory than the bytes themselves,
//! whatever they are.
//!
//! This test has a file of its own, since it measures the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use bytes::Bytes;
use lambda_invoke_protocol::function_url::UrlResponse;
use lambda_invoke_protocol::prelude::HttpPrelude;
use lambda_invoke_protocol::{FunctionError, InvokeComplete, LogTail};

const SIZE: usize = 2 << 20;

/// The peak of the process's memory, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

type Reader = fn(&str);

const READERS: [(&str, Reader); 5] = [
    ("errors", |json| drop(FunctionError::parse(json.as_bytes()))),
    ("ends", |json| {
        drop(InvokeComplete::try_from(json.as_bytes()))
    }),
    ("preludes", |json| {
        drop(HttpPrelude::try_from(json.as_bytes()))
    }),
    ("responses", |json| {
        drop(UrlResponse::try_from(Bytes::copy_from_slice(
            json.as_bytes(),
        )))
    }),
    ("reports", |json| {
        let line = format!("{{\"type\":\"platform.report\",{}", &json[1..]);
        let log = LogTail::from_base64(LogTail::from_base64(line).to_base64());
        assert!(log.report().is_none() && log.failure(None).is_none());
    }),
];

#[test]
fn a_payload_of_small_values_is_not_built_in_memory() {
    let zeros = format!("[{}0]", "0,".repeat(SIZE / 2));
    let lines = format!("\"{}\"", r"\n".repeat(SIZE / 2));
    let members: String = (0..SIZE / 10).map(|n| format!("\"{n:x}\":0,")).collect();
    for json in [
        format!("{{\"stackTrace\":{zeros}}}"),
        format!("{{\"stack\":{lines},\"statusCode\":200}}"),
        format!("{{{members}\"more\":{zeros}}}"),
    ] {
        for (what, read) in READERS {
            let before = peak();
            read(&json);
            let grown = peak() - before;
            println!("{what}: {} bytes took {grown} bytes", json.len());
            // Copies of the text. Values built from it would take about thirty times as much.
            assert!(
                grown <= 4 * json.len(),
                "{what}: {grown} bytes for {}",
                json.len()
            );
        }
    }
}
