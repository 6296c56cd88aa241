//! The official data: the patterns of the service's model over time, and its recorded responses to
//! malformed names.
//!
//! The project's own cases for the same behavior are in `forms.rs`, `boundaries.rs` and here.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{
    Constraint, DurableExecutionArn, DurableExecutionName, FunctionName, NameRules, Pattern,
    Qualifier, QualifierMismatch, RequestValidator, Target, TenantId, limits, patterns,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer}: {value}"))
}

/// Replaces the placeholders of the recordings.
fn filled_in(text: &str) -> String {
    let mut text = text
        .replace("<partition>", "aws")
        .replace("<region>", "us-east-1");
    while let Some(start) = text.find("<a:len(") {
        let length: usize = text[start + 7..]
            .split(')')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let end = start + text[start..].find(")>").unwrap() + 2;
        text.replace_range(start..end, &"a".repeat(length));
    }
    text
}

#[test]
fn patterns_and_lengths_are_those_of_the_model() {
    suite("input/constraints", |folder| {
        let data = json(&folder.join("model/constraints.json"));
        let current = [
            (
                "NamespacedFunctionName",
                patterns::FUNCTION_NAME_NEWEST,
                limits::FUNCTION_NAME_NEWEST,
            ),
            (
                "Qualifier",
                patterns::QUALIFIER_PUBLISHED,
                limits::QUALIFIER,
            ),
            (
                "NumericLatestPublishedOrAliasQualifier",
                patterns::QUALIFIER_NEWEST,
                limits::QUALIFIER,
            ),
            (
                "DurableExecutionName",
                patterns::DURABLE_EXECUTION_NAME,
                limits::DURABLE_EXECUTION_NAME,
            ),
            (
                "DurableExecutionArn",
                patterns::DURABLE_EXECUTION_ARN,
                limits::DURABLE_EXECUTION_ARN,
            ),
            ("TenantId", patterns::TENANT_ID, limits::TENANT_ID),
            (
                "Version",
                patterns::EXECUTED_VERSION,
                limits::EXECUTED_VERSION,
            ),
        ]
        .map(|(shape, pattern, max)| (format!("/current/{shape}"), pattern, max));
        let older = [
            (
                "FunctionName",
                patterns::FUNCTION_NAME_PUBLISHED,
                limits::FUNCTION_NAME,
            ),
            (
                "Qualifier",
                patterns::QUALIFIER_PUBLISHED,
                limits::QUALIFIER,
            ),
        ]
        .map(|(shape, pattern, max)| (format!("/older_published/{shape}"), pattern, max));
        let mut cases = 0;
        for (shape, pattern, max) in current.into_iter().chain(older) {
            assert_eq!(text(&data, &format!("{shape}/pattern")), pattern, "{shape}");
            assert_eq!(
                data.pointer(&format!("{shape}/max")).unwrap(),
                max,
                "{shape}"
            );
            assert_eq!(data.pointer(&format!("{shape}/min")).unwrap(), 1, "{shape}");
            cases += 1;
        }
        let recorded = &data["service_side_regex_recorded_2025-11-25"];
        let name = text(recorded, "/FunctionName for invoke~1get_function");
        assert_eq!(name, patterns::FUNCTION_NAME_NEWEST);
        assert_eq!(text(recorded, "/Qualifier"), patterns::QUALIFIER_NEWEST);
        cases + 2
    });
}

#[test]
fn recorded_responses_to_names_are_those_of_the_recorded_rules() {
    suite("input/recorded-names", |folder| {
        let data = json(&folder.join("model/names/localstack-function-name-validation.json"));
        let cases = data["cases"].as_array().unwrap();
        for case in cases {
            check_recorded_response(case);
        }
        cases.len() + check_related(&data["related"])
    });
}

fn check_recorded_response(case: &Value) {
    let rules = NameRules::recorded();
    let id = text(case, "/id");
    let name = text(case, "/input/FunctionName");
    let qualifier = case.pointer("/input/Qualifier").and_then(Value::as_str);
    let response = &case["observed"]["invoke"];

    let mut request = RequestValidator::new().function_name(name);
    if let Some(qualifier) = qualifier {
        request = request.qualifier(qualifier);
    }
    let target = FunctionName::parse_with(name, &rules).and_then(|name| {
        Ok((
            name,
            qualifier
                .map(|q| Qualifier::parse_with(q, &rules))
                .transpose()?,
        ))
    });
    match text(response, "/Code") {
        "ValidationException" => {
            let violations = request.validate(&rules).unwrap_err();
            let errors = response["Errors"].as_array().unwrap();
            let errors: Vec<_> = errors
                .iter()
                .map(|e| filled_in(e.as_str().unwrap()))
                .collect();
            let found: Vec<_> = violations.iter().map(ToString::to_string).collect();
            assert_eq!(found, errors, "{id}");
            assert_eq!(response["Count"], violations.len(), "{id}");
            let error = target.unwrap_err();
            assert!(
                error.expected().is_some() || error.offset() == limits::QUALIFIER,
                "{id}"
            );
            assert_eq!(case["service_accepts_syntax_for_invoke"], false, "{id}");
        }
        // The syntax is valid; the service rejects it in a later step.
        code => {
            assert_eq!(request.validate(&rules), Ok(()), "{id}");
            let (name, qualifier) = target.unwrap();
            let target = Target::new(name.clone(), qualifier);
            let message = filled_in(text(response, "/Message"));
            if code == "InvalidParameterValueException" {
                assert_eq!(message, QualifierMismatch::MESSAGE, "{id}");
                target.unwrap_err();
            } else {
                assert_eq!(code, "ResourceNotFoundException", "{id}");
                // The message names the function and the qualifier in effect.
                let qualifier = target.unwrap().effective_qualifier().map(|q| q.to_string());
                let called = format!(
                    ":{}:{}",
                    name.name(),
                    qualifier.as_deref().unwrap_or("$LATEST")
                );
                assert!(message.ends_with(&called), "{id}: {message}");
            }
            assert_eq!(case["service_accepts_syntax_for_invoke"], true, "{id}");
        }
    }
}

/// Checks responses about names and qualifiers, including those to other operations.
fn check_related(related: &Value) -> usize {
    let related = related.as_object().unwrap();
    for (test, recording) in related {
        let content = &recording["recorded-content"];
        let name = |text| FunctionName::parse_with(text, &NameRules::recorded()).unwrap();
        if test.starts_with("test_ops_with_arn_qualifier_mismatch") {
            assert_eq!(
                text(content, "/not_match_exception/Error/Message"),
                QualifierMismatch::MESSAGE
            );
            let arn = name("arn:aws:lambda:us-east-1:111111111111:function:some-function:$LATEST");
            let other = Qualifier::try_from("not-latest").unwrap();
            Target::new(arn.clone(), Some(other)).unwrap_err();
            // If the qualifiers agree, the service gets as far as looking for the function.
            assert_ne!(
                text(content, "/match_exception/Error/Message"),
                QualifierMismatch::MESSAGE
            );
            let same = Qualifier::try_from("$LATEST").unwrap();
            Target::new(arn, Some(same)).unwrap();
        } else if test == "test_get_function_wrong_region[invoke]" {
            // The syntax is valid, and the message quotes the region in the name.
            let arn = name("arn:aws:lambda:eu-west-1:111111111111:function:some-function");
            let message = text(content, "/wrong_region_exception/Message")
                .replace("<wrong-region>", arn.region().unwrap());
            assert!(message.starts_with("Functions from 'eu-west-1' are not reachable"));
        } else {
            assert_eq!(test, "test_invalid_invoke");
            let arn = "arn:aws:lambda:us-east-1:123400000000@function:myfn";
            let violations = RequestValidator::new()
                .function_name(arn)
                .validate(&NameRules::recorded())
                .unwrap_err();
            let message = text(content, "/invoke_function_name_pattern_exc/Error/Message");
            assert_eq!(violations.to_string(), filled_in(message));
        }
    }
    related.len()
}

#[test]
fn derived_verdicts_on_each_generation_are_ours() {
    suite("input/pattern-delta", |folder| {
        let data = json(&folder.join("model/names/pattern-delta.json"));
        let list = |key: &str| data[key].as_array().unwrap().clone();
        let mut cases = 0;
        for case in list("function_name") {
            let name = sample(&case, "name", "name_recipe");
            assert_eq!(case["length"], name.chars().count());
            // The recorded verdicts consider the pattern and the maximum total length, but not the
            // limit of a bare name. No rule set has the pattern of 2025-12-01, which lacks `eusc-`,
            // or that of 2026-07-13, which was withdrawn.
            let accepts = |rules: NameRules| {
                FunctionName::parse_with(name.as_str(), &rules.with_max_bare_name(None)).is_ok()
            };
            let verdicts = &case["accepted_by"];
            let model = Some(limits::FUNCTION_NAME_NEWEST);
            assert_eq!(
                verdicts["2018-10-15 (older published)"],
                accepts(NameRules::published())
            );
            assert_eq!(
                verdicts["2026-06-18"],
                accepts(NameRules::recorded().with_max_length(model))
            );
            assert_eq!(verdicts["2026-11 (newest)"], accepts(NameRules::newest()));
            let newest = FunctionName::parse_with(name.as_str(), &NameRules::newest());
            assert_eq!(
                verdicts["2026-11 (newest)"],
                newest.is_ok(),
                "without changes to the rules"
            );
            cases += 1;
        }
        for case in list("qualifier") {
            let qualifier = sample(&case, "qualifier", "recipe");
            let accepts = |rules| Qualifier::parse_with(qualifier.as_str(), &rules).is_ok();
            let verdicts = &case["accepted_by"];
            assert_eq!(
                verdicts["2016-02-11 (older published)"],
                accepts(NameRules::published())
            );
            assert_eq!(
                verdicts["2025-12-01 (newest)"],
                accepts(NameRules::newest())
            );
            assert_eq!(
                verdicts["2025-12-01 (newest)"],
                accepts(NameRules::default())
            );
            cases += 1;
        }
        type Accepts = fn(&str) -> bool;
        let parsers: [(&str, Accepts); 3] = [
            ("tenant_id", |text| TenantId::try_from(text).is_ok()),
            ("durable_execution_name", |text| {
                DurableExecutionName::try_from(text).is_ok()
            }),
            ("durable_execution_arn", |text| {
                DurableExecutionArn::try_from(text).is_ok()
            }),
        ];
        for (key, accepts) in parsers {
            for case in list(key) {
                let value = sample(&case, "value", "recipe");
                assert_eq!(case["accepted"], accepts(&value), "{key} {value}");
                cases += 1;
            }
        }
        cases
    });
}

/// Returns the text of a derived case, which is stated literally or as a character and a count.
fn sample(case: &Value, key: &str, recipe: &str) -> String {
    match case[key].as_str() {
        Some(text) => text.to_owned(),
        None => {
            let count = usize::try_from(case[recipe]["count"].as_u64().unwrap()).unwrap();
            text(&case[recipe], "/repeat").repeat(count)
        }
    }
}

#[test]
fn client_contexts_of_naughty_strings_come_back() {
    suite("input/client-context", |folder| {
        let strings = lambda_invoke_vectors::text(&folder.join("model/client-context/blns.txt"));
        let strings = strings
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut cases = 0;
        for string in strings {
            let context = lambda_invoke_input::ClientContext::from_json(string.as_bytes()).unwrap();
            assert_eq!(context.to_json(), string.as_bytes());
            let received = lambda_invoke_input::ClientContext::try_from(context.as_base64());
            assert_eq!(received.unwrap(), context);
            cases += 1;
        }
        cases
    });
}

// The project's own cases.

#[test]
fn violations_are_counted_and_joined_qualifier_and_length_first() {
    let qualifier = "!".repeat(129);
    let request = RequestValidator::new()
        .function_name("a b")
        .qualifier(&qualifier);
    let violations = request.validate(&NameRules::recorded()).unwrap_err();
    let constraints: Vec<_> = violations
        .iter()
        .map(|violation| violation.constraint)
        .collect();
    assert_eq!(
        constraints,
        [
            Constraint::MaxLength(128),
            Constraint::Pattern(patterns::QUALIFIER_NEWEST),
            Constraint::Pattern(patterns::FUNCTION_NAME_NEWEST),
        ]
    );
    let message = violations.to_string();
    assert!(
        message.starts_with("3 validation errors detected: Value '!!!"),
        "{message}"
    );
    assert_eq!(message.matches("; Value '").count(), 2, "{message}");
    let last = format!(
        "; Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: {}",
        patterns::FUNCTION_NAME_NEWEST
    );
    assert!(message.ends_with(&last), "{message}");
}

#[test]
fn an_empty_qualifier_violates_its_least_length() {
    let constraints = |rules: NameRules| {
        let violations = RequestValidator::new()
            .qualifier("")
            .validate(&rules)
            .unwrap_err();
        violations
            .iter()
            .map(|violation| violation.constraint)
            .collect::<Vec<_>>()
    };
    // The published pattern has an alternative for the empty text; the newest one does not.
    assert_eq!(
        constraints(NameRules::published()),
        [Constraint::MinLength(1)]
    );
    assert_eq!(
        constraints(NameRules::recorded()),
        [
            Constraint::MinLength(1),
            Constraint::Pattern(patterns::QUALIFIER_NEWEST)
        ]
    );
}

#[test]
fn violations_count_characters_and_not_bytes() {
    let qualifier = "é".repeat(128);
    let violations = RequestValidator::new()
        .qualifier(&qualifier)
        .validate(&NameRules::recorded())
        .unwrap_err();
    let constraints: Vec<_> = violations
        .iter()
        .map(|violation| violation.constraint)
        .collect();
    assert_eq!(
        constraints,
        [Constraint::Pattern(patterns::QUALIFIER_NEWEST)]
    );
}

#[test]
fn every_member_is_checked() {
    let request = RequestValidator::new()
        .function_name("a".repeat(65).leak())
        .qualifier("live")
        .invocation_type("Sometimes")
        .log_type("Head")
        .tenant_id("a,b")
        .durable_execution_name("a.b");
    let violations = request.validate(&NameRules::default()).unwrap_err();
    let found: Vec<_> = violations
        .iter()
        .map(|violation| (violation.member.as_str(), violation.constraint))
        .collect();
    assert_eq!(
        found,
        [
            ("functionName", Constraint::MaxLength(64)),
            (
                "invocationType",
                Constraint::Enum(&["RequestResponse", "Event", "DryRun"])
            ),
            ("logType", Constraint::Enum(&["None", "Tail"])),
            ("tenantId", Constraint::Pattern(patterns::TENANT_ID)),
            (
                "durableExecutionName",
                Constraint::Pattern(patterns::DURABLE_EXECUTION_NAME)
            ),
        ]
    );
    assert!(violations.to_string().contains(
        "Value 'Head' at 'logType' failed to satisfy constraint: Member must satisfy enum value \
         set: [None, Tail]"
    ));
    assert_eq!(
        RequestValidator::new().validate(&NameRules::default()),
        Ok(())
    );
}

#[test]
fn a_pattern_has_its_texts() {
    assert_eq!(
        Pattern::Published.function_name(),
        patterns::FUNCTION_NAME_PUBLISHED
    );
    assert_eq!(
        Pattern::Newest.function_name(),
        patterns::FUNCTION_NAME_NEWEST
    );
    assert_eq!(Pattern::Newest.qualifier(), patterns::QUALIFIER_NEWEST);
    assert_eq!(NameRules::default().pattern(), Pattern::Newest);
}
