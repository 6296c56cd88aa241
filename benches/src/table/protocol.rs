//! Requests, events and errors: only ours, for counts of allocations and instructions.

use std::hint::black_box;

use bytes::Bytes;
use lambda_invoke_error::ServiceError;
use lambda_invoke_input::{FunctionName, LogType};
use lambda_invoke_protocol::{StreamEvent, StreamReader, StreamRequest};

use super::{Contender, Group, OURS};
use crate::fixture::{ARN, payload};

pub(super) fn groups() -> Vec<Group> {
    let write = Group::new("write-request", 1, || {
        let mut request = StreamRequest::new(FunctionName::try_from(ARN).unwrap());
        request.log_type = LogType::Tail;
        request.payload = Bytes::from_static(b"{\"key\":\"cat.jpg\"}");
        let base = http::Uri::from_static("https://lambda.eu-west-1.amazonaws.com");
        vec![Contender::new(OURS, move || {
            black_box(black_box(&request).to_http(&base).unwrap());
        })]
    });
    let read = Group::new("read-event", 1, || {
        let mut frame = Vec::new();
        let chunk = StreamEvent::PayloadChunk(payload(64).into());
        chunk.encode(&mut frame).unwrap();
        let (mut reader, frame) = (StreamReader::new(), Bytes::from(frame));
        vec![Contender::new(OURS, move || {
            reader.push(frame.clone());
            black_box(reader.next_event().unwrap());
        })]
    });
    let parse = Group::new("parse-error", 1, || {
        let body = br#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
        let header =
            |name: &str| (name == "x-amzn-errortype").then_some("TooManyRequestsException");
        vec![Contender::new(OURS, move || {
            black_box(ServiceError::parse(429, header, black_box(body)));
        })]
    });
    vec![write, read, parse]
}
