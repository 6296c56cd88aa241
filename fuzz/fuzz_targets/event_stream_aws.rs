//! The SDK's codec against the naive one, as `event_stream_differential` for ours: where the SDK
//! and the naive one agree, ours agrees with both.
#![no_main]
#[path = "../../benches/src/codecs/aws_smithy_eventstream.rs"]
mod aws;
use lambda_invoke_testing::codec::differential;
libfuzzer_sys::fuzz_target!(|data: &[u8]| differential::<aws::Contender>(data));
