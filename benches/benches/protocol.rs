//! `lambda-invoke-protocol`, compared with what a program would do without it.
//!
//! The crate's peers are generated parts of SDKs, which cannot be called separately. The
//! comparisons are therefore naive: `format!` and a map for a request, `serde_json` to check a
//! payload, a copying decoder for a stream, a growing buffer for a prelude.

use std::hint::black_box;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lambda_invoke_event_stream::{Decoder, HeaderValue};
use lambda_invoke_input::{ClientContext, FunctionName, LogType, NameRules, Qualifier, Target};
use lambda_invoke_protocol::prelude::{HttpPrelude, Part, PreludeSplitter};
use lambda_invoke_protocol::retry::{Failure, RetryContext, RetryPolicy, decide};
use lambda_invoke_protocol::{
    IncomingRequest, InvokeComplete, LogTail, Report, StreamEvent, StreamReader, StreamRequest,
    json,
};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail";

fn request() -> StreamRequest<'static> {
    let name = FunctionName::try_from(ARN).unwrap();
    let mut request =
        StreamRequest::new(Target::new(name, Some(Qualifier::try_from("prod").unwrap())).unwrap());
    request.log_type = LogType::Tail;
    request.client_context = Some(ClientContext::from_json([b' '; 150]).unwrap());
    request.payload = Bytes::from_static(b"{\"key\":\"cat.jpg\"}");
    request
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol/request");
    let (request, base) = (
        request(),
        "https://lambda.eu-west-1.amazonaws.com".parse().unwrap(),
    );
    group.bench_function("to_http", |b| {
        b.iter(|| black_box(&request).to_http(&base).unwrap())
    });
    group.bench_function("naive: format! and a builder", |b| {
        b.iter(|| {
            let name = ARN.replace(':', "%3A");
            let uri = format!(
                "https://lambda.eu-west-1.amazonaws.com/2021-11-15/functions/{name}/response-streaming-invocations?Qualifier=prod"
            );
            http::Request::post(uri)
                .header("content-type", "application/json")
                .header("x-amz-log-type", "Tail")
                .header("x-amz-client-context", request.client_context.as_ref().unwrap().as_base64())
                .body(request.payload.clone())
                .unwrap()
        });
    });
    let mut plain = request.clone();
    plain.client_context = Some(ClientContext::from_json(b"{\"custom\":{\"a\":\"b\"}}").unwrap());
    let (parts, _) = plain.to_http(&base).unwrap().into_parts();
    let rules = NameRules::recorded();
    group.bench_function("IncomingRequest::from_parts", |b| {
        b.iter(|| IncomingRequest::from_parts(black_box(&parts), &rules).unwrap());
    });
    group.finish();
}

fn stream(size: usize, total: usize) -> Bytes {
    let mut wire = Vec::new();
    for _ in 0..total / size {
        StreamEvent::PayloadChunk(vec![7; size].into())
            .encode(&mut wire)
            .unwrap();
    }
    StreamEvent::InvokeComplete(InvokeComplete::default())
        .encode(&mut wire)
        .unwrap();
    wire.into()
}

/// Reads messages as SDKs do: headers as text, payloads copied.
fn copying(wire: &Bytes) -> usize {
    let mut decoder = Decoder::new();
    decoder.push(wire.clone());
    let mut bytes = 0;
    while let Some(message) = decoder.next_message().unwrap() {
        let text = |name: &str| match message.headers().get(name) {
            Some(HeaderValue::String(text)) => text.to_owned(),
            other => panic!("{other:?}"),
        };
        if text(":message-type") == "event" && text(":event-type") == "PayloadChunk" {
            bytes += black_box(message.payload().to_bytes().to_vec()).len();
        }
    }
    bytes
}

fn streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol/stream");
    for size in [64, 1024, 65_536] {
        let wire = stream(size, 262_144);
        group.throughput(Throughput::Bytes(262_144));
        group.bench_function(format!("StreamReader, chunks of {size} B"), |b| {
            b.iter(|| {
                let mut reader = StreamReader::new();
                reader.push(wire.clone());
                while let Some(event) = reader.next_event().unwrap() {
                    black_box(event);
                }
                reader.finish().unwrap();
                reader.payload_bytes()
            });
        });
        group.bench_function(
            format!("naive: headers and payload copied, chunks of {size} B"),
            |b| {
                b.iter(|| copying(&wire));
            },
        );
        let chunk = Bytes::from(vec![7; size]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("encode_vectored, a chunk of {size} B"), |b| {
            b.iter(|| {
                StreamEvent::PayloadChunk(chunk.clone().into())
                    .encode_vectored()
                    .unwrap()
            });
        });
        group.bench_function(
            format!("naive: encode into a new buffer, a chunk of {size} B"),
            |b| {
                b.iter(|| {
                    let mut out = BytesMut::new();
                    StreamEvent::PayloadChunk(chunk.clone().into())
                        .encode(&mut out)
                        .unwrap();
                    out
                });
            },
        );
    }
    group.finish();
}

fn preludes(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol/prelude");
    let mut prelude = HttpPrelude::new(200);
    prelude
        .headers
        .insert("content-type", "text/html".parse().unwrap());
    let mut wire = prelude.to_bytes().to_vec();
    wire.extend([b'x'; 65_536]);
    let wire = Bytes::from(wire);
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function("PreludeSplitter, pieces of 8 KiB", |b| {
        b.iter(|| {
            let mut splitter = PreludeSplitter::required();
            let mut body = 0;
            for at in (0..wire.len()).step_by(8192) {
                splitter.push(wire.slice(at..wire.len().min(at + 8192)));
                while let Some(part) = splitter.next_part() {
                    if let Part::Body(bytes) = part.unwrap() {
                        body += bytes.len();
                    }
                }
            }
            body
        });
    });
    group.bench_function("naive: the whole stream in one buffer", |b| {
        b.iter(|| {
            let mut all = Vec::new();
            wire.chunks(8192)
                .for_each(|piece| all.extend_from_slice(piece));
            let end = all.windows(8).position(|window| window == [0; 8]).unwrap();
            let head: serde_json::Value = serde_json::from_slice(&all[..end]).unwrap();
            (head, all.split_off(end + 8).len())
        });
    });
    group.finish();
}

fn logs(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol/log");
    let line = "REPORT RequestId: 4d347e4a-ff55-46d4-931b-d45be32d689a\tDuration: 152.47 ms\tBilled Duration: 219 ms\tMemory Size: 128 MB\tMax Memory Used: 23 MB\tInit Duration: 66.17 ms\t";
    group.bench_function("parse a Report", |b| {
        b.iter(|| black_box(line).parse::<Report>().unwrap())
    });
    let pattern = regex::Regex::new(
        r"^REPORT RequestId: (\S*)\tDuration: ([\d.]+) ms\tBilled Duration: ([\d.]+) ms\tMemory Size: (\d+) MB\tMax Memory Used: (\d+) MB\t(?:Init Duration: ([\d.]+) ms\t)?(?:Status: (\S+))?",
    )
    .unwrap();
    group.bench_function("naive: a regular expression, f64", |b| {
        b.iter(|| {
            let found = pattern.captures(black_box(line)).unwrap();
            let number = |index| {
                found
                    .get(index)
                    .and_then(|text| text.as_str().parse::<f64>().ok())
            };
            (
                found[1].to_owned(),
                number(2),
                number(3),
                number(4),
                number(5),
                number(6),
            )
        });
    });
    let log = [vec![b'x'; 3800], b"\n".to_vec(), line.as_bytes().to_vec()].concat();
    let base64 = LogTail::last_of(&log).to_base64();
    group.bench_function("LogTail::from_base64 and report, 4 KB", |b| {
        b.iter(|| LogTail::from_base64(black_box(&base64)).report().unwrap());
    });
    group.finish();
}

fn payloads(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol/json");
    let payload = serde_json::json!(
        (0..2000)
            .map(|n| serde_json::json!({ "id": n, "name": "Ada", "tags": ["a", "b"] }))
            .collect::<Vec<_>>()
    )
    .to_string();
    group.throughput(Throughput::Bytes(payload.len() as u64));
    group.bench_function("json::check", |b| {
        b.iter(|| json::check(black_box(payload.as_bytes())).unwrap())
    });
    group.bench_function("naive: serde_json::Value", |b| {
        b.iter(|| {
            serde_json::from_slice::<serde_json::Value>(black_box(payload.as_bytes())).unwrap()
        });
    });
    group.finish();
}

fn decisions(c: &mut Criterion) {
    let error = lambda_invoke_error::lookup("TooManyRequestsException")
        .unwrap()
        .error("");
    let context = RetryContext::new(Failure::Service(&error), 1, SystemTime::UNIX_EPOCH, 0.5);
    let policy = RetryPolicy::default();
    c.bench_function("protocol/retry/decide", |b| {
        b.iter(|| decide(&policy, black_box(&context)))
    });
}

criterion_group!(
    benches, requests, streams, preludes, logs, payloads, decisions
);
criterion_main!(benches);
