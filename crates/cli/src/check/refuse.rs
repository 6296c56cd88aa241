//! What is wrong with a name, and where.

use lambda_invoke_input::{InputError, NameRules, QualifierMismatch, RequestValidator, Snippet};
use serde_json::{Value, json};

use super::Refused;

/// For a person: the value with carets under the fault, and what would be right.
pub(super) fn text(
    refused: &Refused,
    name: &str,
    qualifier: Option<&str>,
    accepted: &[&str],
) -> String {
    let snippet = snippet(refused, name, qualifier).to_string();
    let snippet = snippet.replace('\n', "\n  ");
    let mut text = format!("{}\n  {snippet}", message(refused));
    if !accepted.is_empty() {
        text.push_str(&format!("\n  other rules take it: {}", accepted.join(", ")));
    }
    if let Some(answer) = service_answer(refused, name, qualifier) {
        text.push_str(&format!("\n  the service would answer: {answer}"));
    }
    text
}

/// For a machine: one object.
pub(super) fn json(refused: &Refused, name: &str, qualifier: Option<&str>) -> Value {
    let at = |error: &InputError, value: &str| match error.expected() {
        Some(_) => (error.offset(), error.span(value)),
        None => (error.span(value).0, error.span(value)),
    };
    let (offset, (start, end)) = match refused {
        Refused::Name(error) => at(error, name),
        Refused::Qualifier(error) => at(error, qualifier.unwrap_or_default()),
        Refused::Mismatch(mismatch) => (mismatch.offset, (mismatch.offset, name.len())),
    };
    let expected = match refused {
        Refused::Name(error) | Refused::Qualifier(error) => error.expected(),
        Refused::Mismatch(_) => None,
    };
    let expected = expected.map(|expected| {
        json!({
            "characters": expected.bytes().map(char::from).collect::<String>(),
            "end": expected.end(),
            "parts": expected.parts().map(|part| part.to_string()).collect::<Vec<_>>(),
        })
    });
    let member = match refused {
        Refused::Name(error) | Refused::Qualifier(error) => error.member().as_str(),
        Refused::Mismatch(_) => "functionName",
    };
    json!({
        "valid": false,
        "error": {
            "member": member,
            "offset": offset,
            "span": [start, end],
            "message": message(refused),
            "allowed": expected,
            "service_answer": service_answer(refused, name, qualifier),
        },
    })
}

fn message(refused: &Refused) -> String {
    match refused {
        Refused::Name(error) | Refused::Qualifier(error) => error.to_string(),
        Refused::Mismatch(mismatch) => mismatch.to_string(),
    }
}

/// The value that is wrong, with marks under the place.
fn snippet<'a>(refused: &Refused, name: &'a str, qualifier: Option<&'a str>) -> Snippet<'a> {
    match refused {
        Refused::Name(error) => error.snippet(name),
        Refused::Qualifier(error) => error.snippet(qualifier.unwrap_or_default()),
        Refused::Mismatch(mismatch) => mismatch.snippet(name),
    }
}

/// What the service says to it, as far as that was recorded.
fn service_answer(refused: &Refused, name: &str, qualifier: Option<&str>) -> Option<String> {
    if let Refused::Mismatch(_) = refused {
        let message = QualifierMismatch::MESSAGE;
        return Some(format!("400 InvalidParameterValueException, {message}"));
    }
    let mut request = RequestValidator::new().function_name(name);
    if let Some(qualifier) = qualifier {
        request = request.qualifier(qualifier);
    }
    let violations = request.validate(&NameRules::recorded()).err()?;
    Some(format!("400 ValidationException, {violations}"))
}
