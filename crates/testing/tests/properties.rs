//! Every property over hundreds or thousands of inputs in each run, beyond those in the corpora:
//! random bytes, and seeds with some of their bytes changed, which reach deeper.

#![allow(clippy::expect_used, clippy::panic, reason = "a test's helper may")]

use lambda_invoke_testing::{Property, TARGETS, corpus};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::prop_oneof;
use proptest::test_runner::{TestCaseError, TestRunner};

/// A position, and what is done there: a byte is replaced, inserted or removed.
type Edit = (u16, u8, u8);

fn edited(mut seed: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for &(place, byte, kind) in edits {
        let place = usize::from(place) % (seed.len() + 1);
        match (kind % 3, seed.get_mut(place)) {
            (0, Some(there)) => *there = byte,
            (1, Some(_)) => drop(seed.remove(place)),
            _ => seed.insert(place, byte),
        }
    }
    seed
}

/// Random bytes up to a length, or a seed of the target with a few changes.
fn inputs(target: &str, longest: usize) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds = corpus::seeds(target).expect("the seeds can be read");
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let seed = proptest::sample::select(seeds);
    let edits = prop_oneof![Just(Vec::new()), vec(any::<Edit>(), 1..4)];
    prop_oneof![
        vec(any::<u8>(), 0..longest),
        (seed, edits).prop_map(|(seed, edits)| edited(seed, &edits)),
    ]
}

/// Runs the property of a target over this many inputs.
fn holds(target: &str, cases: u32, longest: usize) {
    let (_, property): &(_, Property) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let run = runner.run(&inputs(target, longest), |data| {
        // The property panics; the panic message is printed, and belongs to the failed case.
        let held = std::panic::catch_unwind(|| property(&data));
        held.map_err(|_| TestCaseError::fail(format!("{target} does not hold")))
    });
    assert!(run.is_ok(), "{run:?}");
}

macro_rules! properties {
    ($($target:ident: $cases:literal inputs of $longest:literal bytes;)*) => {
        const COVERED: &[&str] = &[$(stringify!($target)),*];
        $(
            #[test]
            fn $target() {
                holds(stringify!($target), $cases, $longest);
            }
        )*
    };
}

properties! {
    credentials_files: 1000 inputs of 300 bytes;
    credentials_responses: 1000 inputs of 200 bytes;
    endpoint_fault: 2000 inputs of 60 bytes;
    endpoint_request: 300 inputs of 300 bytes;
    error_code_places: 1000 inputs of 200 bytes;
    error_parse_any: 1000 inputs of 400 bytes;
    error_precedence: 3000 inputs of 100 bytes;
    error_render_made: 1000 inputs of 200 bytes;
    error_truncated_body: 1000 inputs of 200 bytes;
    event_stream_decode: 1000 inputs of 200 bytes;
    event_stream_differential: 1000 inputs of 400 bytes;
    event_stream_flip: 500 inputs of 400 bytes;
    event_stream_headers: 1000 inputs of 100 bytes;
    event_stream_limits: 1000 inputs of 30 bytes;
    event_stream_round_trip: 500 inputs of 400 bytes;
    event_stream_sequence: 500 inputs of 400 bytes;
    function_url_event: 1000 inputs of 400 bytes;
    function_url_response: 1000 inputs of 200 bytes;
    input_client_context: 1000 inputs of 100 bytes;
    input_function_name: 1000 inputs of 100 bytes;
    input_made_function_name: 1000 inputs of 100 bytes;
    input_qualifier: 1000 inputs of 60 bytes;
    input_target: 1000 inputs of 100 bytes;
    input_values: 1000 inputs of 100 bytes;
    lambda_invoke_reply: 1000 inputs of 200 bytes;
    lambda_invoke_stream: 500 inputs of 200 bytes;
    map_journal: 1000 inputs of 200 bytes;
    map_journal_any: 1000 inputs of 200 bytes;
    map_lines: 1000 inputs of 100 bytes;
    map_table: 1000 inputs of 200 bytes;
    protocol_http_request: 2000 inputs of 200 bytes;
    protocol_http_response: 2000 inputs of 200 bytes;
    protocol_json_check: 2000 inputs of 100 bytes;
    protocol_prelude_split: 1000 inputs of 300 bytes;
    protocol_report: 1000 inputs of 200 bytes;
    protocol_request_round_trip: 1000 inputs of 400 bytes;
    protocol_retry: 3000 inputs of 120 bytes;
    protocol_stream_split: 1000 inputs of 400 bytes;
    protocol_text: 1000 inputs of 200 bytes;
    runtime_machine: 500 inputs of 200 bytes;
    sigv4_canonical_twin: 1000 inputs of 300 bytes;
    sigv4_chunks: 300 inputs of 300 bytes;
    sigv4_differential: 500 inputs of 400 bytes;
    sigv4_messages: 300 inputs of 300 bytes;
    sigv4_rules: 3000 inputs of 60 bytes;
    sigv4_sequence: 300 inputs of 400 bytes;
    sigv4_sign_verify: 500 inputs of 300 bytes;
    sigv4_tampered: 1000 inputs of 300 bytes;
    sigv4_timestamp: 2000 inputs of 30 bytes;
    sigv4_verify_any: 1000 inputs of 200 bytes;
    transport_connection: 300 inputs of 300 bytes;
}

#[test]
fn every_target_has_a_property_test() {
    let mut targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(targets, COVERED);
}
