#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| lambda_invoke_testing::credentials::responses(data));
