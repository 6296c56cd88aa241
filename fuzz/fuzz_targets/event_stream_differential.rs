#![no_main]
use lambda_invoke_testing::codec::{LambdaInvoke, differential};
libfuzzer_sys::fuzz_target!(|data: &[u8]| differential::<LambdaInvoke>(data));
