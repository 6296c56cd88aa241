//! The service's limits, all inclusive: lengths of values in characters, sizes of payloads in bytes.

/// A function name of any form, in the published reference: 170 characters.
pub const FUNCTION_NAME: usize = 170;

/// A function name of any form, in the newest model: 256 characters.
pub const FUNCTION_NAME_NEWEST: usize = 256;

/// A function name without ARN, region, account, `function:` and qualifier: 64 characters.
pub const BARE_NAME: usize = 64;

/// The `Qualifier` parameter: 128 characters.
pub const QUALIFIER: usize = 128;

/// The value of `X-Amz-Client-Context`: 3,583 bytes of base64.
pub const CLIENT_CONTEXT: usize = 3_583;

/// The value of `X-Amz-Tenant-Id`: 256 characters.
pub const TENANT_ID: usize = 256;

/// The value of `X-Amz-Durable-Execution-Name`: 64 characters.
pub const DURABLE_EXECUTION_NAME: usize = 64;

/// The value of `X-Amz-Durable-Execution-Arn`: 1,024 characters.
pub const DURABLE_EXECUTION_ARN: usize = 1_024;

/// The value of `X-Amz-Executed-Version`: 1,024 characters.
pub const EXECUTED_VERSION: usize = 1_024;

/// The log that `LogType::Tail` returns, decoded: the last 4 KiB.
pub const LOG_TAIL: usize = 4_096;

/// The value of `X-Amz-Log-Result`: [`LOG_TAIL`] bytes as padded base64, 5,464 characters.
pub const LOG_RESULT: usize = LOG_TAIL.div_ceil(3) * 4;

/// A request's payload for `RequestResponse`, and for `InvokeWithResponseStream`: 6 MiB.
pub const REQUEST_PAYLOAD: usize = 6 * 1024 * 1024;

/// A request's payload for `Event`: 1 MiB. (Until 2025 the limit was 262,144 bytes, as recorded
/// responses say.)
pub const EVENT_PAYLOAD: usize = 1024 * 1024;

/// The payload of the deprecated `InvokeAsync` operation: 256 KiB.
pub const INVOKE_ASYNC_PAYLOAD: usize = 256 * 1024;

/// A buffered response's payload: 6 MiB and 100 bytes, 6,291,556.
pub const RESPONSE_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

/// A streamed response's payload, all chunks together: 200 MiB.
pub const STREAM_PAYLOAD: u64 = 200 * 1024 * 1024;
