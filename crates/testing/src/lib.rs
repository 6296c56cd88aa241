#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a property that does not hold panics"
)]
//! Differential tests and fuzzing for codecs of `application/vnd.amazon.eventstream` and for signers
//! of AWS Signature Version 4.
//!
//! A property is a function that takes raw bytes, builds its input from them, and panics if the
//! property does not hold: any fuzzer can call it, and so can a test over [the seeds](corpus).
//!
//! The properties of codecs and signers are always available; those of the project's other crates
//! need a feature each, or `project` for all of them, since they depend on these crates.

pub mod codec;
pub mod corpus;
#[cfg(feature = "credentials")]
pub mod credentials;
#[cfg(feature = "endpoint")]
pub mod endpoint;
#[cfg(feature = "error")]
pub mod error;
pub mod event_stream;
#[cfg(feature = "input")]
pub mod input;
#[cfg(feature = "lambda-invoke")]
pub mod lambda_invoke;
#[cfg(feature = "map")]
pub mod map;
#[cfg(feature = "protocol")]
pub mod protocol;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod signer;
pub mod sigv4;
#[cfg(feature = "transport")]
pub mod transport;

/// A property: a function that panics if the property does not hold for these bytes.
pub type Property = fn(&[u8]);

/// Every property, under the name of its fuzz target.
#[cfg(feature = "project")]
pub const TARGETS: &[(&str, Property)] = &[
    ("credentials_files", credentials::files),
    ("credentials_responses", credentials::responses),
    ("endpoint_fault", endpoint::fault),
    ("endpoint_request", endpoint::request),
    ("error_code_places", error::code_places),
    ("error_parse_any", error::parse_any),
    ("error_precedence", error::precedence),
    ("error_render_made", error::render_made),
    ("error_truncated_body", error::truncated_body),
    ("transport_connection", transport::connection),
    ("function_url_event", protocol::function_url_event),
    ("function_url_response", protocol::function_url_response),
    ("protocol_http_request", protocol::http_request),
    ("protocol_http_response", protocol::http_response),
    ("protocol_json_check", protocol::json_check),
    ("protocol_prelude_split", protocol::prelude_split),
    ("protocol_report", protocol::report),
    ("protocol_request_round_trip", protocol::request_round_trip),
    ("protocol_retry", protocol::retry),
    ("protocol_stream_split", protocol::stream_split),
    ("protocol_text", protocol::text),
    ("input_client_context", input::client_context),
    ("input_function_name", input::function_name),
    ("input_made_function_name", input::made_function_name),
    ("input_qualifier", input::qualifier),
    ("input_target", input::target),
    ("input_values", input::values),
    ("event_stream_decode", event_stream::decode),
    (
        "event_stream_differential",
        codec::differential::<codec::LambdaInvoke>,
    ),
    ("event_stream_flip", event_stream::flip),
    ("event_stream_headers", event_stream::headers),
    ("event_stream_limits", event_stream::limits),
    ("event_stream_round_trip", event_stream::round_trip),
    ("event_stream_sequence", event_stream::sequence),
    ("lambda_invoke_reply", lambda_invoke::reply),
    ("lambda_invoke_stream", lambda_invoke::stream),
    ("map_journal", map::journal),
    ("map_journal_any", map::journal_any),
    ("map_lines", map::lines),
    ("map_table", map::table),
    ("runtime_machine", runtime::machine),
    ("sigv4_canonical_twin", sigv4::canonical_twin),
    ("sigv4_chunks", sigv4::chunks),
    (
        "sigv4_differential",
        signer::differential::<signer::LambdaInvoke>,
    ),
    ("sigv4_messages", sigv4::messages),
    ("sigv4_rules", sigv4::rules),
    ("sigv4_sequence", sigv4::sequence),
    ("sigv4_sign_verify", sigv4::sign_verify),
    ("sigv4_tampered", sigv4::tampered),
    ("sigv4_timestamp", sigv4::timestamp),
    ("sigv4_verify_any", sigv4::verify_any),
];

// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
