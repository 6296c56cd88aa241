//! Properties of `lambda-invoke-input`: its grammars are the service's regular expressions.

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_input::{
    ClientContext, FunctionName, NameRules, Qualifier, RequestValidator, Target,
};

mod oracle;

/// Any text, as a function name under every set of rules, is accepted exactly if the expression
/// accepts it, with the parts that the expression captures, or rejected at the place that its
/// automaton finds.
pub fn function_name(data: &[u8]) {
    oracle::check_function_name(&String::from_utf8_lossy(data));
}

/// The same as [`function_name`] for texts composed of complete parts, most of which are almost
/// names.
pub fn made_function_name(data: &[u8]) {
    oracle::check_function_name(&composed(&mut Unstructured::new(data)));
}

/// Any text as a qualifier.
pub fn qualifier(data: &[u8]) {
    oracle::check_qualifier(&String::from_utf8_lossy(data));
}

/// Any text as each of the other header values.
pub fn values(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    oracle::check_tenant_id(&text);
    oracle::check_durable_execution_name(&text);
    oracle::check_durable_execution_arn(&text);
    oracle::check_executed_version(&text);
}

/// Any text as base64, and any bytes as JSON: decoding reverses encoding.
pub fn client_context(data: &[u8]) {
    oracle::check_client_context(&String::from_utf8_lossy(data));
    match ClientContext::from_json(data) {
        Ok(context) => {
            assert_eq!(context.to_json(), data);
            let received = ClientContext::try_from(context.as_base64());
            assert_eq!(
                received.map(|received| received.to_json()).as_deref(),
                Ok(data)
            );
        }
        Err(_) => assert!(data.len() > 2_685),
    }
}

/// A name and a qualifier that contradict each other are rejected as a target, and the service's list
/// of violations is empty exactly for values that parse.
pub fn target(data: &[u8]) {
    let input = &mut Unstructured::new(data);
    let name = composed(input);
    let qualifier = match bool::arbitrary(input) {
        Ok(true) => Some(composed(input)),
        _ => None,
    };
    for rules in [
        NameRules::default(),
        NameRules::published(),
        NameRules::newest(),
        NameRules::recorded(),
    ] {
        let parsed_name = FunctionName::parse_with(name.as_str(), &rules);
        let parsed_qualifier = qualifier
            .as_deref()
            .map(|text| Qualifier::parse_with(text, &rules))
            .transpose();

        let mut request = RequestValidator::new().function_name(&name);
        if let Some(qualifier) = &qualifier {
            request = request.qualifier(qualifier);
        }
        let rejected = usize::from(parsed_name.is_err()) + usize::from(parsed_qualifier.is_err());
        match request.validate(&rules) {
            Ok(()) => assert_eq!(rejected, 0),
            Err(violations) => {
                // Up to three for each value: minimum length, maximum length, pattern.
                assert!(rejected > 0 && (rejected..=3 * rejected).contains(&violations.len()));
                let plural = if violations.len() == 1 { "" } else { "s" };
                let begin = format!("{} validation error{plural} detected: ", violations.len());
                assert!(violations.to_string().starts_with(&begin));
            }
        }

        let (Ok(name), Ok(qualifier)) = (parsed_name, parsed_qualifier) else {
            continue;
        };
        let derived = name.qualifier().map(Qualifier::into_owned);
        let contradict = derived.is_some() && qualifier.is_some() && derived != qualifier;
        match Target::new(name.clone(), qualifier.clone()) {
            Ok(target) => {
                assert!(!contradict);
                assert_eq!(target.effective_qualifier(), qualifier.clone().or(derived));
                assert_eq!(target.into_owned().into_parts(), (name, qualifier));
            }
            Err(mismatch) => {
                assert!(contradict);
                let derived = derived.as_ref().map(Qualifier::as_str);
                assert_eq!(name.as_str().get(mismatch.offset..), derived);
            }
        }
    }
}

/// A text of up to seven complete parts, with up to two of its characters replaced.
fn composed(input: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    for _ in 0..input.int_in_range(0..=7).unwrap_or_default() {
        text.push_str(input.choose(oracle::PARTS).copied().unwrap_or_default());
    }
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..input.int_in_range(0..=2).unwrap_or_default() {
        if let (Ok(index), Ok(character)) =
            (input.choose_index(characters.len()), char::arbitrary(input))
        {
            characters[index] = character;
        }
    }
    characters.into_iter().collect()
}
