//! How cost grows: frames from 16 B to 16 MiB, 0 to 100 headers, signed bodies to 6 MB, and up to a
//! thousand functions in turn.

use lambda_invoke_event_stream::{HeaderBlock, HeaderValue};

use super::signers::{sign, turns};
use super::{Group, codecs};
use crate::fixture::{frame_with, frames, request};

pub(super) fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    for power in (4..=24).step_by(2) {
        let size = 1 << power;
        let (stream, count) = frames(size, 64 * 1024);
        groups.push(codecs::decode(
            format!("curve-frame/{size}"),
            &stream,
            count,
        ));
    }
    let names: Vec<String> = (0..100).map(|n| format!("header-number-{n:02}")).collect();
    for count in [0, 1, 2, 3, 5, 10, 20, 50, 100] {
        let headers = names.iter().take(count);
        let headers =
            headers.map(|name| (name.as_str(), HeaderValue::String("a value of some length")));
        let frame = frame_with(HeaderBlock::from_headers(headers).unwrap(), 1024);
        groups.push(codecs::decode(format!("curve-headers/{count}"), &frame, 1));
    }
    for size in [0, 1_000, 10_000, 100_000, 1_000_000, 6_000_000] {
        groups.push(sign(format!("curve-body/{size}"), vec![request()], size));
    }
    for functions in [1, 3, 8, 30, 100, 300, 1000] {
        groups.push(turns(format!("curve-functions/{functions}"), functions, 0));
    }
    groups
}
