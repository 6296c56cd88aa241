//! What is wrong with a name, and where.

use lambda_invoke_input::{InputError, Members, QualifierMismatch, Rules};
use serde_json::{Value, json};

use super::Refused;
use crate::terminal::is_obeyed;

/// How much of a long value is shown on either side of the fault, in characters.
const AROUND: usize = 50;

/// For a person: the value with a caret under the fault, and what would be right.
pub(super) fn text(
    refused: &Refused,
    name: &str,
    qualifier: Option<&str>,
    accepted: &[&str],
) -> String {
    let (value, offset) = fault(refused, name, qualifier);
    let mark = pointed(value, offset, read_as_name(refused));
    let mut text = format!("{}\n{mark}", message(refused));
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
    let (_, offset) = fault(refused, name, qualifier);
    let allowed = match refused {
        Refused::Name(error) | Refused::Qualifier(error) => error.allowed(),
        Refused::Mismatch(_) => None,
    };
    let allowed = allowed.map(|allowed| {
        json!({
            "characters": allowed.bytes().map(char::from).collect::<String>(),
            "end": allowed.end(),
            "parts": allowed.parts().map(|part| part.to_string()).collect::<Vec<_>>(),
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
            "message": message(refused),
            "allowed": allowed,
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

/// The value that is wrong, and the byte at which it goes wrong.
fn fault<'a>(refused: &Refused, name: &'a str, qualifier: Option<&'a str>) -> (&'a str, usize) {
    match refused {
        Refused::Name(error) => (name, offset(error, name)),
        Refused::Qualifier(error) => {
            let qualifier = qualifier.unwrap_or_default();
            (qualifier, offset(error, qualifier))
        }
        Refused::Mismatch(mismatch) => (name, mismatch.offset),
    }
}

/// A length is counted in characters; the place to show is a byte.
fn offset(error: &InputError, value: &str) -> usize {
    match error {
        InputError::TooLong { limit, .. } | InputError::BareNameTooLong { limit, .. } => value
            .char_indices()
            .nth(*limit)
            .map_or(value.len(), |(offset, _)| offset),
        _ => error.offset(),
    }
}

/// What the service says to it, as far as that was recorded.
fn service_answer(refused: &Refused, name: &str, qualifier: Option<&str>) -> Option<String> {
    if let Refused::Mismatch(_) = refused {
        let message = QualifierMismatch::MESSAGE;
        return Some(format!("400 InvalidParameterValueException, {message}"));
    }
    let mut members = Members::new().function_name(name);
    if let Some(qualifier) = qualifier {
        members = members.qualifier(qualifier);
    }
    let violations = members.check(&Rules::recorded()).err()?;
    Some(format!("400 ValidationException, {violations}"))
}

/// The bytes that were read as the function's own name, if that is what went wrong.
fn read_as_name(refused: &Refused) -> Option<(usize, usize)> {
    match refused {
        Refused::Name(InputError::Unexpected { name, .. }) => *name,
        _ => None,
    }
}

/// The value on a line of its own, and below it a caret under the byte at `offset`, and a wavy line
/// under the bytes of `wave`, which come before it.
fn pointed(value: &str, offset: usize, wave: Option<(usize, usize)>) -> String {
    let offset = (0..=offset.min(value.len()))
        .rev()
        .find(|at| value.is_char_boundary(*at))
        .unwrap_or_default();
    let (before, after) = value.split_at(offset);
    let skipped = before.chars().count().saturating_sub(AROUND);
    let is_cut = after.chars().count() > AROUND;
    let shown = |text: &str| text.replace(is_obeyed, "\u{fffd}");
    let mut before: String = shown(&before.chars().skip(skipped).collect::<String>());
    if skipped > 0 {
        before.insert_str(0, "...");
    }
    let mut after: String = shown(&after.chars().take(AROUND).collect::<String>());
    if is_cut {
        after.push_str("...");
    }
    // What is before the fault is ASCII if a name was read in it: a byte is a column.
    let lead = if skipped > 0 { 3 } else { 0 };
    let in_wave = |column: usize| {
        let at = (column + skipped).saturating_sub(lead);
        column >= lead && wave.is_some_and(|(begin, end)| (begin..end).contains(&at))
    };
    let marks: String = (0..before.chars().count())
        .map(|column| if in_wave(column) { '~' } else { ' ' })
        .collect();
    format!("  {before}{after}\n  {marks}^")
}
