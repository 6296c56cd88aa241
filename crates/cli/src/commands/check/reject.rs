//! Reports what is wrong with a name or qualifier, and where.

use lambda_invoke_input::{InputError, NameRules, QualifierMismatch, RequestValidator, Snippet};
use serde_json::{Value, json};

use super::Rejection;

/// The rejection as text: the value with carets under the error, and what is expected there.
pub(super) fn text(
    rejection: &Rejection,
    name: &str,
    qualifier: Option<&str>,
    accepted: &[&str],
) -> String {
    let snippet = snippet(rejection, name, qualifier).to_string();
    let snippet = snippet.replace('\n', "\n  ");
    let mut text = format!("{}\n  {snippet}", message(rejection));
    if !accepted.is_empty() {
        text.push_str(&format!(
            "\n  other rules accept it: {}",
            accepted.join(", ")
        ));
    }
    if let Some(response) = service_response(rejection, name, qualifier) {
        text.push_str(&format!("\n  the service would respond: {response}"));
    }
    text
}

/// The rejection as a JSON object.
pub(super) fn json(rejection: &Rejection, name: &str, qualifier: Option<&str>) -> Value {
    let at = |error: &InputError, value: &str| match error.expected() {
        Some(_) => (error.offset(), error.span(value)),
        None => (error.span(value).0, error.span(value)),
    };
    let (offset, (start, end)) = match rejection {
        Rejection::Name(error) => at(error, name),
        Rejection::Qualifier(error) => at(error, qualifier.unwrap_or_default()),
        Rejection::Mismatch(mismatch) => (mismatch.offset, (mismatch.offset, name.len())),
    };
    let expected = match rejection {
        Rejection::Name(error) | Rejection::Qualifier(error) => error.expected(),
        Rejection::Mismatch(_) => None,
    };
    let expected = expected.map(|expected| {
        json!({
            "characters": expected.bytes().map(char::from).collect::<String>(),
            "end": expected.end(),
            "parts": expected.parts().map(|part| part.to_string()).collect::<Vec<_>>(),
        })
    });
    let member = match rejection {
        Rejection::Name(error) | Rejection::Qualifier(error) => error.member().as_str(),
        Rejection::Mismatch(_) => "functionName",
    };
    json!({
        "valid": false,
        "error": {
            "member": member,
            "offset": offset,
            "span": [start, end],
            "message": message(rejection),
            "expected": expected,
            "service_response": service_response(rejection, name, qualifier),
        },
    })
}

fn message(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Name(error) | Rejection::Qualifier(error) => error.to_string(),
        Rejection::Mismatch(mismatch) => mismatch.to_string(),
    }
}

/// The invalid value, with carets under the error.
fn snippet<'a>(rejection: &Rejection, name: &'a str, qualifier: Option<&'a str>) -> Snippet<'a> {
    match rejection {
        Rejection::Name(error) => error.snippet(name),
        Rejection::Qualifier(error) => error.snippet(qualifier.unwrap_or_default()),
        Rejection::Mismatch(mismatch) => mismatch.snippet(name),
    }
}

/// The service's response to such a request, if it is known from recordings.
fn service_response(rejection: &Rejection, name: &str, qualifier: Option<&str>) -> Option<String> {
    if let Rejection::Mismatch(_) = rejection {
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
