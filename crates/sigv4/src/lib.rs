#![forbid(unsafe_code)]
//! AWS Signature Version 4 for http requests: sign, presign and verify
