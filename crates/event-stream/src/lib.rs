#![forbid(unsafe_code)]
//! A zero-copy codec for application/vnd.amazon.eventstream
