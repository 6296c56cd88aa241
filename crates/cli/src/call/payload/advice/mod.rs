//! Suggests what was probably meant by a payload that is not JSON.

mod repair;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_invoke_protocol::json;

use self::repair::Fault;

/// Quotes a text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Advice for a payload that was given inline and is not JSON.
pub(super) fn for_inline(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let looks_like_file = |text: &str| {
        let extension = Path::new(text).extension();
        let is_data = extension.is_some_and(|extension| extension == "json" || extension == "txt");
        is_data && !text.contains(['{', '"', '\n']) && !text.contains("://")
    };
    if looks_like_file(trimmed) || Path::new(trimmed).is_file() {
        return Some(format!("to send the content of a file, use -p @{trimmed}"));
    }
    if STANDARD
        .decode(trimmed)
        .is_ok_and(|bytes| !bytes.is_empty() && json::check(&bytes).is_ok())
    {
        return Some(
            "it is JSON in base64, as the AWS CLI takes it: pass the JSON itself".to_owned(),
        );
    }
    // The command prompt of Windows passes single quotes on to the program.
    let inner = trimmed
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    if inner.is_some_and(|inner| json::check(inner.as_bytes()).is_ok()) {
        return Some(
            "the single quotes are part of the payload: leave them out, or, in the command prompt of \
             Windows, use double quotes around it and \\\" within"
                .to_owned(),
        );
    }
    let plain = trimmed.replace("\\\"", "\"");
    if trimmed.contains("\\\"") && json::check(plain.as_bytes()).is_ok() {
        return Some(format!(
            "within single quotes, double quotes need no backslash: -p {}",
            quoted(&plain)
        ));
    }
    if let Some(name) = trimmed.strip_prefix('$').filter(|name| is_variable(name)) {
        return Some(format!(
            "within single quotes, the shell does not replace ${name}: use -p \"${name}\""
        ));
    }
    let word = format!("\"{trimmed}\"");
    if json::check(word.as_bytes()).is_ok() && !trimmed.starts_with(['{', '[']) {
        return Some(format!(
            "a string needs double quotes: -p {}",
            quoted(&word)
        ));
    }
    repaired(trimmed)
        .map(|(rules, meant)| format!("{rules}: -p {}", quoted(&meant)))
        .or_else(|| at_fault(trimmed))
}

/// Advice for a payload from a file or from stdin that is not JSON.
pub(super) fn for_file(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some("save it as UTF-8, such as with iconv -f ISO-8859-1 -t UTF-8".to_owned());
    };
    repaired(text.trim())
        .map(|(rules, _)| rules)
        .or_else(|| at_fault(text.trim()))
}

fn is_variable(name: &str) -> bool {
    let name = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
        .unwrap_or(name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns the rules that a text breaks, and the JSON that was probably meant.
fn repaired(text: &str) -> Option<(String, String)> {
    let (meant, faults) = repair::repair(text)?;
    if faults.is_empty() || json::check(meant.as_bytes()).is_err() {
        return None;
    }
    let rules: Vec<&str> = faults.into_iter().map(Fault::rule).collect();
    Some((rules.join("; "), meant.trim().to_owned()))
}

/// Advice that depends on where a text stops being JSON.
fn at_fault(text: &str) -> Option<String> {
    let fault = json::check(text.as_bytes()).err()?;
    let (before, after) = text.split_at_checked(fault.offset())?;
    if after.is_empty() {
        // In this order, so that the missing bracket is named.
        let missing = ["}", "]", "\"", "\"}", "\"]", "}}", "]}"];
        let end = missing
            .into_iter()
            .find(|end| json::check(format!("{text}{end}").as_bytes()).is_ok());
        return end.map(|end| format!("{end} is missing at the end"));
    }
    if after.starts_with(['{', '[']) && json::check(before.as_bytes()).is_ok() {
        return Some("there is more than one JSON text: use map to send each one".to_owned());
    }
    if before.ends_with('\\') {
        return Some("within a string, a backslash is written as two: \\\\".to_owned());
    }
    let word = before.rsplit([':', ',', '[', ' ']).next()?;
    let is_of_number = |c: char| c.is_ascii_digit() || "+-._xX".contains(c);
    if word.chars().all(is_of_number) && after.starts_with(is_of_number) {
        return Some(
            "a number begins with a digit or -, and with 0 only before a point; a string needs double \
             quotes"
                .to_owned(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_probably_meant() {
        for (text, advice) in [
            (
                "missing.json",
                "to send the content of a file, use -p @missing.json",
            ),
            ("{'a':1}", r#"JSON needs double quotes: -p '{"a":1}'"#),
            (
                r#"{\"a\":1}"#,
                r#"within single quotes, double quotes need no backslash: -p '{"a":1}'"#,
            ),
            ("hello", r#"a string needs double quotes: -p '"hello"'"#),
            ("it's", r#"a string needs double quotes: -p '"it'\''s"'"#),
            (
                "{a: 1,b:[x, true]}",
                "names and strings need double quotes, which a shell removes unless single quotes \
                 protect them: -p '{\"a\": 1,\"b\":[\"x\", true]}'",
            ),
            ("{", "} is missing at the end"),
            (r#"{"a":[1"#, "]} is missing at the end"),
            (
                r#"{"a":1}{"a":2}"#,
                "there is more than one JSON text: use map to send each one",
            ),
            (
                r#"{"path":"C:\dir"}"#,
                r"within a string, a backslash is written as two: \\",
            ),
            (
                r#"{"zip":01234}"#,
                "a number begins with a digit or -, and with 0 only before a point; a string needs double \
                 quotes",
            ),
            (
                "'{}'",
                "the single quotes are part of the payload: leave them out, or, in the command prompt of \
                 Windows, use double quotes around it and \\\" within",
            ),
            (
                "$PAYLOAD",
                "within single quotes, the shell does not replace $PAYLOAD: use -p \"$PAYLOAD\"",
            ),
            (
                "eyJhIjoxfQ==",
                "it is JSON in base64, as the AWS CLI takes it: pass the JSON itself",
            ),
        ] {
            assert_eq!(for_inline(text).as_deref(), Some(advice), "{text}");
        }
        for text in ["", " ", r#"{"a":}"#, r#"["a" "b"]"#] {
            assert_eq!(for_inline(text), None, "{text}");
        }
    }
}
