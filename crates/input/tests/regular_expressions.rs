//! The parsers against the service's regular expressions: 100,000 generated texts for each,
//! consisting of valid names, names with a few wrong characters, and random text.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../testing/src/input/oracle.rs"]
mod oracle;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

const CASES: u32 = 100_000;

/// Valid values in every form.
const VALID: &[&str] = &[
    "thumbnail",
    "thumbnail:live",
    "function:thumbnail:$LATEST",
    "123456789012:thumbnail",
    "us-gov-west-1:123456789012:function:thumbnail:7",
    "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail",
    "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:$LATEST.PUBLISHED",
    "arn:aws-iso-b:lambda:us-isob-east-1:123456789012:thumbnail:live",
    "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:thumbnail:live",
    "arn:aws:lambda:thumbnail",
    "arn:aws:lambda:us-east-1:111111111111:function",
    "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:$LATEST/durable-execution/order-1/0a",
    "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:7/durable-execution/order-1/0a",
    "$LATEST",
    "12",
    "org=7 / blue@example",
    "eyJjdXN0b20iOnsidGVuYW50IjoiYmx1ZSJ9fQ==",
];

/// The characters that the grammars distinguish, and one outside ASCII.
const CHARACTERS: &str = "aAzZ09:-_.$/=+@ LTSPwsnfgovciuelmbd!\n\u{e9}";

fn text() -> impl Strategy<Value = String> {
    let character = select(CHARACTERS.chars().collect::<Vec<_>>());
    let parts = vec(select(oracle::PARTS), 0..7).prop_map(|parts| parts.concat());
    let mutated = (
        select(VALID),
        vec((any::<Index>(), 0..5_u8, character.clone()), 1..4),
    )
        .prop_map(|(valid, edits)| mutate(valid, &edits));
    // Long enough to reach every limit on a length.
    let long = (
        select(VALID),
        0..330_usize,
        select(&["a", "0", "-", "aé"][..]),
    )
        .prop_map(|(valid, count, pad)| format!("{valid}{}", pad.repeat(count)));
    let random = vec(character, 0..24).prop_map(|text| text.into_iter().collect());
    prop_oneof![4 => parts, 4 => mutated, 1 => long, 2 => random, 1 => any::<String>()]
}

fn mutate(valid: &str, edits: &[(Index, u8, char)]) -> String {
    let mut text: Vec<char> = valid.chars().collect();
    for &(index, kind, character) in edits {
        if text.is_empty() {
            break;
        }
        let at = index.index(text.len());
        match kind {
            0 => text[at] = character,
            1 => text.insert(at, character),
            2 => drop(text.remove(at)),
            3 => text.truncate(at),
            _ => text.insert(at, text[at]),
        }
    }
    text.into_iter().collect()
}

fn check_all(check: fn(&str)) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&text(), |text| {
            check(&text);
            Ok(())
        })
        .unwrap();
}

#[test]
fn function_names_are_what_the_three_patterns_match_with_the_parts_that_they_capture() {
    check_all(oracle::check_function_name);
}

#[test]
fn qualifiers_are_what_the_patterns_match() {
    check_all(oracle::check_qualifier);
}

#[test]
fn tenant_ids_are_what_the_pattern_matches() {
    check_all(oracle::check_tenant_id);
}

#[test]
fn durable_execution_names_are_what_the_pattern_matches() {
    check_all(oracle::check_durable_execution_name);
}

#[test]
fn durable_execution_arns_are_what_the_pattern_matches() {
    check_all(oracle::check_durable_execution_arn);
}

#[test]
fn executed_versions_are_what_the_pattern_matches() {
    check_all(oracle::check_executed_version);
}

#[test]
fn client_contexts_are_base64() {
    check_all(oracle::check_client_context);
}

/// The generator is useful only if it generates enough accepted and enough rejected names.
#[test]
fn generated_names_are_accepted_and_rejected_in_good_numbers() {
    let accepted = std::cell::Cell::new(0);
    let config = Config {
        cases: 4_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&text(), |text| {
            if lambda_invoke_input::FunctionName::try_from(&text).is_ok() {
                accepted.set(accepted.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    let accepted = accepted.get();
    assert!(
        (500..3_500).contains(&accepted),
        "{accepted} of 4,000 accepted"
    );
}
