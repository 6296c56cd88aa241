//! The longest length that is accepted and the next one, which is not, for every form of every
//! value.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InputError, NameRules, Qualifier, TenantId,
};

/// Every form of a name has one of these prefixes and one of the suffixes.
const PREFIXES: &[&str] = &[
    "",
    "function:",
    "123456789012:",
    "123456789012:function:",
    "us-east-1:",
    "us-east-1:function:",
    "us-east-1:123456789012:",
    "us-gov-west-1:123456789012:function:",
    "arn:aws:lambda:us-east-1:123456789012:",
    "arn:aws:lambda:us-east-1:123456789012:function:",
    "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:",
];
const SUFFIXES: &[&str] = &["", ":7", ":live", ":$LATEST"];

fn forms() -> impl Iterator<Item = (&'static str, &'static str)> {
    PREFIXES
        .iter()
        .flat_map(|prefix| SUFFIXES.iter().map(move |suffix| (*prefix, *suffix)))
}

/// A name of the given form and total length.
fn name(prefix: &str, suffix: &str, length: usize) -> String {
    let text = format!(
        "{prefix}{}{suffix}",
        "n".repeat(length - prefix.len() - suffix.len())
    );
    assert_eq!(text.len(), length);
    text
}

#[track_caller]
fn assert_limit(rules: NameRules, prefix: &str, suffix: &str, limit: usize) {
    let longest = name(prefix, suffix, limit);
    let parsed = FunctionName::parse_with(&longest, &rules).unwrap();
    assert_eq!(
        parsed.name().len(),
        limit - prefix.len() - suffix.len(),
        "{longest}"
    );

    let too_long = name(prefix, suffix, limit + 1);
    let error = FunctionName::parse_with(&too_long, &rules).unwrap_err();
    assert_eq!(error.offset(), limit, "{too_long}");
    match error {
        InputError::TooLong {
            length,
            limit: told,
            ..
        }
        | InputError::BareNameTooLong {
            length,
            limit: told,
            ..
        } => {
            assert_eq!((length, told), (limit + 1, limit), "{too_long}");
        }
        other => panic!("{too_long}: {other:?}"),
    }
}

#[test]
fn every_form_but_the_bare_name_has_at_most_170_characters_in_the_published_reference_and_by_default()
 {
    for rules in [NameRules::published(), NameRules::default()] {
        for (prefix, suffix) in forms().filter(|form| *form != ("", "")) {
            assert_limit(rules, prefix, suffix, 170);
            // The limit of 64 is for bare names only.
            let text = format!("{prefix}{}{suffix}", "n".repeat(65));
            assert!(FunctionName::parse_with(&text, &rules).is_ok(), "{text}");
        }
    }
}

#[test]
fn a_bare_name_has_at_most_64_characters_in_the_published_reference_and_by_default() {
    for rules in [NameRules::published(), NameRules::default()] {
        assert_limit(rules, "", "", 64);
        // The limit that applies to every form is reported first.
        let bare = |length| FunctionName::parse_with(name("", "", length), &rules).unwrap_err();
        assert!(matches!(
            bare(65),
            InputError::BareNameTooLong {
                length: 65,
                limit: 64,
                ..
            }
        ));
        assert!(matches!(
            bare(170),
            InputError::BareNameTooLong {
                length: 170,
                limit: 64,
                ..
            }
        ));
        assert!(matches!(
            bare(171),
            InputError::TooLong {
                length: 171,
                limit: 170,
                ..
            }
        ));
    }
}

#[test]
fn every_form_has_at_most_256_characters_in_the_newest_model() {
    for (prefix, suffix) in forms() {
        assert_limit(NameRules::newest(), prefix, suffix, 256);
    }
}

#[test]
fn no_form_has_a_maximum_length_in_the_recorded_rules() {
    for (prefix, suffix) in forms() {
        for length in [64, 65, 170, 171, 256, 257, 100_000] {
            // In some forms, the prefix and suffix leave no room for a name within 64 characters.
            if length > prefix.len() + suffix.len() {
                let text = name(prefix, suffix, length);
                assert!(
                    FunctionName::parse_with(&text, &NameRules::recorded()).is_ok(),
                    "{length}"
                );
            }
        }
    }
}

#[test]
fn the_parameter_has_at_most_128_characters_and_a_qualifier_in_a_name_may_have_more() {
    let all = [
        NameRules::published(),
        NameRules::default(),
        NameRules::newest(),
        NameRules::recorded(),
    ];
    for rules in all {
        for fill in ["a", "7", "$", "-", "_"] {
            assert!(Qualifier::parse_with(fill.repeat(128), &rules).is_ok());
            let error = Qualifier::parse_with(fill.repeat(129), &rules).unwrap_err();
            assert!(matches!(
                error,
                InputError::TooLong {
                    length: 129,
                    limit: 128,
                    ..
                }
            ));
        }
        let text = format!("n:{}", "a".repeat(129));
        let parsed = FunctionName::parse_with(&text, &rules).unwrap();
        assert_eq!(parsed.qualifier().unwrap().as_str().len(), 129);
    }
}

#[test]
fn an_empty_value_is_rejected_where_one_character_is_taken() {
    let all = [
        NameRules::published(),
        NameRules::default(),
        NameRules::newest(),
        NameRules::recorded(),
    ];
    for rules in all {
        let error = Qualifier::parse_with("", &rules).unwrap_err();
        assert!(matches!(error, InputError::Empty { .. }));
        assert!(Qualifier::parse_with("q", &rules).is_ok());
        let error = FunctionName::parse_with("", &rules).unwrap_err();
        assert!(matches!(error, InputError::Empty { .. }));
        assert!(FunctionName::parse_with("n", &rules).is_ok());
    }
    assert!(TenantId::try_from("").is_err() && TenantId::try_from(" ").is_ok());
    assert!(
        DurableExecutionName::try_from("").is_err() && DurableExecutionName::try_from("d").is_ok()
    );
    assert!(ExecutedVersion::try_from("").is_err() && ExecutedVersion::try_from("1").is_ok());
    assert!(DurableExecutionArn::try_from("").is_err());
}

#[test]
fn a_client_context_has_at_most_3583_bytes_of_base64() {
    // Padded base64 cannot have 3,583 characters: the longest that fits has 3,580, and the next
    // 3,584.
    assert!(ClientContext::try_from("A".repeat(3_583)).is_ok());
    assert!(ClientContext::try_from("A".repeat(3_580)).is_ok());
    let error = ClientContext::try_from("A".repeat(3_584)).unwrap_err();
    assert!(matches!(
        error,
        InputError::TooLong {
            length: 3_584,
            limit: 3_583,
            ..
        }
    ));

    assert_eq!(
        ClientContext::from_json([b' '; 2_685])
            .unwrap()
            .as_base64()
            .len(),
        3_580
    );
    let error = ClientContext::from_json([b' '; 2_686]).unwrap_err();
    assert!(matches!(
        error,
        InputError::TooLong {
            length: 3_584,
            limit: 3_583,
            ..
        }
    ));
}

#[test]
fn the_other_values_have_the_lengths_of_the_model() {
    let rejected_at = |error: InputError, limit: usize| {
        assert!(
            matches!(error, InputError::TooLong { length, limit: told, .. }
            if told == limit && length == limit + 1)
        );
    };
    assert!(ExecutedVersion::try_from("1".repeat(1_024)).is_ok());
    rejected_at(
        ExecutedVersion::try_from("1".repeat(1_025)).unwrap_err(),
        1_024,
    );
    assert!(TenantId::try_from("a".repeat(256)).is_ok());
    rejected_at(TenantId::try_from("a".repeat(257)).unwrap_err(), 256);
    assert!(DurableExecutionName::try_from("a".repeat(64)).is_ok());
    rejected_at(
        DurableExecutionName::try_from("a".repeat(65)).unwrap_err(),
        64,
    );
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/n/";
    let arn = |length: usize| format!("{arn}{}", "i".repeat(length - arn.len()));
    assert!(DurableExecutionArn::try_from(arn(1_024)).is_ok());
    rejected_at(
        DurableExecutionArn::try_from(arn(1_025)).unwrap_err(),
        1_024,
    );
}

/// The service counts characters. A value that is too long only in bytes is rejected for its
/// characters.
#[test]
fn lengths_are_counted_in_characters() {
    let text = "é".repeat(128);
    assert!(matches!(
        Qualifier::try_from(&text).unwrap_err(),
        InputError::Unexpected {
            offset: 0,
            found: Some('é'),
            ..
        }
    ));
    let text = "é".repeat(129);
    assert!(matches!(
        Qualifier::try_from(&text).unwrap_err(),
        InputError::TooLong {
            length: 129,
            limit: 128,
            ..
        }
    ));
}

/// A parser that backtracks would take hours for these names.
#[test]
fn names_without_a_limit_are_parsed_in_linear_time() {
    let million = 1_000_000;
    for unit in [
        "a",
        "-",
        "a-",
        "us-east-1",
        "aws",
        "0",
        "us-east-1:",
        "function:",
        "arn:aws:lambda:",
    ] {
        let long = unit.repeat(million / unit.len());
        for text in [
            long.clone(),
            format!("{long}:$LATES"),
            format!("arn:aws{long}:lambda:{long}!"),
        ] {
            let started = std::time::Instant::now();
            let parsed = FunctionName::parse_with(text.as_str(), &NameRules::recorded());
            assert_eq!(parsed.is_ok(), !text.contains([':', '!']), "{unit}");
            assert!(
                started.elapsed().as_secs() < 20,
                "{unit}: {:?}",
                started.elapsed()
            );
        }
    }
}
