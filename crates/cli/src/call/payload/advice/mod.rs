//! What was probably meant by a payload that is not JSON.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_invoke_protocol::json;

/// A text as one word of a POSIX shell.
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
        is_data && !text.contains(['{', '"', '\n'])
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
    // Only if that makes it JSON: an apostrophe may well be part of a text.
    let double = trimmed.replace('\'', "\"");
    if trimmed.contains('\'') && json::check(double.as_bytes()).is_ok() {
        return Some(format!("JSON needs double quotes: -p {}", quoted(&double)));
    }
    let plain = trimmed.replace("\\\"", "\"");
    if trimmed.contains("\\\"") && json::check(plain.as_bytes()).is_ok() {
        return Some(format!(
            "within single quotes, double quotes need no backslash: -p {}",
            quoted(&plain)
        ));
    }
    let word = format!("\"{trimmed}\"");
    if json::check(word.as_bytes()).is_ok() && !trimmed.starts_with(['{', '[']) {
        return Some(format!("a text needs double quotes: -p {}", quoted(&word)));
    }
    let named = with_quoted_names(trimmed);
    if json::check(named.as_bytes()).is_ok() {
        return Some(format!(
            "names and texts need double quotes, which a shell removes unless single quotes \
             protect them: -p {}",
            quoted(&named)
        ));
    }
    None
}

/// Puts double quotes around words that are neither in quotes nor JSON: `{a:1,b:[x]}` becomes
/// `{"a":1,"b":["x"]}`.
fn with_quoted_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut word = String::new();
    let mut in_string = false;
    let finish = |word: &mut String, out: &mut String| {
        let is_json = word.is_empty() || json::check(word.as_bytes()).is_ok();
        match is_json {
            true => out.push_str(word),
            false => out.push_str(&format!("\"{word}\"")),
        }
        word.clear();
    };
    for character in text.chars() {
        let is_mark = "{}[]:,".contains(character) || character.is_whitespace();
        match character {
            '"' => {
                finish(&mut word, &mut out);
                in_string = !in_string;
                out.push(character);
            }
            _ if in_string => out.push(character),
            _ if is_mark => {
                finish(&mut word, &mut out);
                out.push(character);
            }
            _ => word.push(character),
        }
    }
    finish(&mut word, &mut out);
    out
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
            ("hello", r#"a text needs double quotes: -p '"hello"'"#),
            ("it's", r#"a text needs double quotes: -p '"it'\''s"'"#),
            (
                "{a: 1,b:[x, true]}",
                "names and texts need double quotes, which a shell removes unless single quotes \
                 protect them: -p '{\"a\": 1,\"b\":[\"x\", true]}'",
            ),
            (
                "eyJhIjoxfQ==",
                "it is JSON in base64, as the AWS CLI takes it: pass the JSON itself",
            ),
        ] {
            assert_eq!(for_inline(text).as_deref(), Some(advice), "{text}");
        }
        for text in ["", " ", r#"{"a":}"#, "{", r#"["a" "b"]"#] {
            assert_eq!(for_inline(text), None, "{text}");
        }
    }
}
