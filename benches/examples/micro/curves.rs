//! How cost grows: frames from 16 B to 16 MiB, 0 to 100 headers, signed bodies to 6 MB.

use aws_smithy_eventstream::frame::MessageFrameDecoder;
use lambda_invoke_benches::fixture::{frame_with, frames, request};
use lambda_invoke_event_stream::{Decoder, HeaderBlock, HeaderValue};
use lambda_invoke_sigv4::PayloadHash;

use crate::codec::{crc_pass, ours, theirs};
use crate::contest::{Contender, Contest};
use crate::signing::{Limit, now, signer};

pub fn frames_of_sizes(contest: &Contest) {
    for power in (4..=24).step_by(2) {
        let size = 1 << power;
        let (stream, count) = frames(size, 64 * 1024);
        decode(contest, &format!("curve-frame/{size}"), &stream, count);
    }
}

pub fn headers(contest: &Contest) {
    let names: Vec<String> = (0..100).map(|n| format!("header-number-{n:02}")).collect();
    for count in [0, 1, 2, 3, 5, 10, 20, 50, 100] {
        let headers = names.iter().take(count);
        let headers =
            headers.map(|name| (name.as_str(), HeaderValue::String("a value of some length")));
        let frame = frame_with(HeaderBlock::from_headers(headers).unwrap(), 1024);
        decode(contest, &format!("curve-headers/{count}"), &frame, 1);
    }
}

fn decode(contest: &Contest, group: &str, stream: &bytes::Bytes, count: usize) {
    let length = stream.len() / count;
    let (mut decoder, mut smithy) = (Decoder::new(), MessageFrameDecoder::new());
    let contenders = vec![
        Contender::new("limit", || crc_pass(stream, length)),
        Contender::new("ours", || ours(&mut decoder, stream)),
        Contender::new("aws-smithy-eventstream", || theirs(&mut smithy, stream)),
    ];
    contest.group(group, count, contenders);
}

pub fn bodies(contest: &Contest) {
    for size in [0, 1_000, 10_000, 100_000, 1_000_000, 6_000_000] {
        let body = &vec![b'x'; size][..];
        let (time, signer) = (now(), signer());
        let limit = Limit::new(body, time);
        let contenders = vec![
            Contender::new("limit", || limit.run(body)),
            Contender::prepared("ours", request, |parts| {
                signer.sign(parts, &PayloadHash::of(body), time).unwrap();
            }),
        ];
        contest.group(&format!("curve-body/{size}"), 1, contenders);
    }
}
