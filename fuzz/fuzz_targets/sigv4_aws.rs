//! The SDK's signer against the naive judge, as `sigv4_differential` for ours.
#![no_main]
#[path = "../../benches/src/signers/aws_sigv4.rs"]
mod aws;
use lambda_invoke_testing::signer::differential;
libfuzzer_sys::fuzz_target!(|data: &[u8]| differential::<aws::Contender>(data));
