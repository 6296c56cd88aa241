//! Renders a request as a curl command that is safe to paste into any POSIX shell.

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderValue, Method};
use lambda_invoke::error_model::text::is_interpreted;

/// The longest body passed as an argument. Linux limits an argument to 128 KiB, except for shell
/// built-ins such as `printf`.
const LONGEST_ARGUMENT: usize = 100_000;

/// Renders the command, with everything disabled that curl would add or change.
pub(super) fn command(parts: &Parts, body: &[u8]) -> String {
    // --no-buffer shows the frames of a stream as they arrive. --globoff and --path-as-is send the URL
    // as it was signed.
    let mut command = "curl --silent --show-error --no-buffer --globoff --path-as-is".to_owned();
    let is_empty = body.is_empty();
    let has_body = !is_empty || matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
    if parts.method == Method::HEAD {
        command.push_str(" --head");
    } else {
        let _ = write!(
            command,
            " --request {}",
            quoted(parts.method.as_str().as_bytes())
        );
    }
    for (name, value) in &parts.headers {
        // Skipped if curl sends the same header by itself.
        if name == HOST
            && parts
                .uri
                .authority()
                .is_some_and(|own| value == own.as_str())
        {
            continue;
        }
        let _ = write!(command, " --header {}", header(name.as_str(), value));
    }
    if has_body && !parts.headers.contains_key(CONTENT_TYPE) {
        // Without a value, this removes curl's default header.
        command.push_str(" --header 'content-type:'");
    }
    let mut input = String::new();
    if has_body && needs_stdin(body) {
        input = format!("{} | ", printed(body));
        command.push_str(" --data-binary @-");
    } else if has_body {
        // Unlike --data, --data-raw does not read a file if the body starts with '@'.
        let _ = write!(command, " --data-raw {}", quoted(body));
    }
    let _ = write!(command, " {}", quoted(parts.uri.to_string().as_bytes()));
    input + &command
}

/// The argument of `--header`. curl expects `name;` for a header with an empty value.
fn header(name: &str, value: &HeaderValue) -> String {
    if value.is_empty() {
        return quoted(format!("{name};").as_bytes());
    }
    quoted(&[name.as_bytes(), b": ", value.as_bytes()].concat())
}

fn needs_stdin(body: &[u8]) -> bool {
    // An argument cannot contain a NUL, and $(..) strips newlines at the end.
    body.len() > LONGEST_ARGUMENT || !is_plain(body)
}

/// Whether the text can be pasted: UTF-8 without characters that a terminal, or a shell's line
/// editor, would interpret.
fn is_plain(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !text.contains(is_interpreted))
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &[u8]) -> String {
    match std::str::from_utf8(word) {
        Ok(text) if is_plain(word) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("\"$({})\"", printed(word)),
    }
}

/// A shell command that writes these bytes.
fn printed(bytes: &[u8]) -> String {
    if is_plain(bytes) {
        return format!("printf %s {}", quoted(bytes));
    }
    let mut text = "printf %b '".to_owned();
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b' ' | b'{' | b'}' | b'[' | b']' | b'"' | b':' | b',' => {
                text.push(char::from(byte));
            }
            // Always three digits, so that a following digit is not read as a fourth.
            _ => {
                let _ = write!(text, "\\0{byte:03o}");
            }
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The value of a word in a shell.
    fn in_a_shell(shell: &str, word: &str) -> Vec<u8> {
        let script = format!("printf %s {word}");
        Command::new(shell)
            .arg("-c")
            .arg(script)
            .output()
            .unwrap()
            .stdout
    }

    #[test]
    fn quoted_words_keep_their_value_in_a_shell() {
        let words: [&[u8]; 9] = [
            b"",
            b"plain",
            b"it's '$HOME' `id` \"$(id)\" \\n \\ !! * ~ #",
            b"{\"name\":\"Ada\"}",
            "Zoë 🦀".as_bytes(),
            b"tab\there",
            b"two\nlines",
            b"\x01\x7f%s%b\\0101",
            b"\xff\xfe1234",
        ];
        for shell in ["sh", "bash"] {
            for word in words {
                assert_eq!(
                    in_a_shell(shell, &quoted(word)),
                    word,
                    "{shell}: {}",
                    quoted(word)
                );
            }
        }
    }

    #[test]
    fn every_byte_survives_printf() {
        let all: Vec<u8> = (0..=255).chain(b"12\n\n".iter().copied()).collect();
        let output = Command::new("sh")
            .arg("-c")
            .arg(printed(&all))
            .output()
            .unwrap();
        assert_eq!(output.stdout, all);
    }

    #[test]
    fn a_payload_that_starts_with_an_at_sign_is_not_a_file() {
        let (parts, ()) = http::Request::post("http://h/")
            .body(())
            .unwrap()
            .into_parts();
        let command = command(&parts, b"@/etc/passwd");
        assert!(command.contains("--data-raw '@/etc/passwd'"), "{command}");
    }
}
