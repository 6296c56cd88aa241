#![forbid(unsafe_code)]
//! AWS Lambda's Invoke and InvokeWithResponseStream as pure functions between typed values and http messages
