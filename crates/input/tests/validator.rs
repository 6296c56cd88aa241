//! The validator names every violated constraint of every member, as the service does.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{
    Constraint, FunctionName, Member, NameRules, Qualifier, RequestValidator, Target,
};

#[test]
fn every_member_with_every_constraint_that_it_violates_is_named_in_order() {
    let long = "x".repeat(300);
    let request = RequestValidator::new()
        .durable_execution_name("")
        .tenant_id(&long)
        .log_type("All")
        .invocation_type("event")
        .function_name("a b")
        .qualifier("");
    let violations = request.validate(&NameRules::default()).unwrap_err();
    let found: Vec<_> = violations
        .iter()
        .map(|each| (each.member, each.constraint))
        .collect();
    let kinds: Vec<_> = found
        .iter()
        .map(|(member, constraint)| {
            let kind = match constraint {
                Constraint::MinLength(1) => "too short",
                Constraint::MaxLength(_) => "too long",
                Constraint::Pattern(_) => "pattern",
                Constraint::Enum(_) => "keyword",
                other => panic!("{other:?}"),
            };
            (*member, kind)
        })
        .collect();
    assert_eq!(
        kinds,
        [
            (Member::Qualifier, "too short"),
            (Member::Qualifier, "pattern"),
            (Member::FunctionName, "pattern"),
            (Member::InvocationType, "keyword"),
            (Member::LogType, "keyword"),
            (Member::TenantId, "too long"),
            (Member::DurableExecutionName, "too short"),
            (Member::DurableExecutionName, "pattern"),
        ]
    );
    assert_eq!(violations.len(), kinds.len());
    let message = violations.to_string();
    assert!(
        message.starts_with("8 validation errors detected: "),
        "{message}"
    );
    let sentence = "Value '' at 'durableExecutionName' failed to satisfy constraint: Member must have \
                    length greater than or equal to 1";
    assert!(message.contains(sentence), "{message}");
    let valid = RequestValidator::new()
        .invocation_type("Event")
        .log_type("Tail")
        .durable_execution_name("order-7");
    assert_eq!(valid.validate(&NameRules::default()), Ok(()));
}

#[test]
fn a_target_is_taken_apart_as_it_was_put_together() {
    let name = FunctionName::try_from("thumbnail:live").unwrap();
    let target = Target::from(name.clone());
    assert_eq!(target.qualifier(), None);
    assert_eq!(target.effective_qualifier().unwrap().as_str(), "live");
    let live = Qualifier::try_from("live").unwrap();
    let owned = Target::new(name.clone(), Some(live.clone()))
        .unwrap()
        .into_owned();
    assert_eq!(owned.name(), &name);
    assert_eq!(owned.into_parts(), (name, Some(live)));
}
