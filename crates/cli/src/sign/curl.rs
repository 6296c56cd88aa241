//! A request as a curl command, safe to paste into any POSIX shell.

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderValue, Method};

/// One argument of a program may have 128 KiB on Linux; `printf`, which is the shell's own, is not
/// bound by that.
const LONGEST_ARGUMENT: usize = 100_000;

/// The command. What curl would add and the signature does not know is switched off.
pub(super) fn command(parts: &Parts, body: &[u8]) -> String {
    // --no-buffer: a stream's frames are shown as they come. --globoff and --path-as-is: the URL
    // goes out as it was signed.
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
        // curl sends the URL's own, which is what was signed, unless it was given.
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
        // An empty value has curl leave its own out.
        command.push_str(" --header 'content-type:'");
    }
    let mut input = String::new();
    if has_body && is_long_or_binary(body) {
        input = format!("{} | ", printed(body));
        command.push_str(" --data-binary @-");
    } else if has_body {
        // Unlike --data, it takes no leading '@' for a file.
        let _ = write!(command, " --data-raw {}", quoted(body));
    }
    let _ = write!(command, " {}", quoted(parts.uri.to_string().as_bytes()));
    input + &command
}

/// curl takes `name;` for a header without a value.
fn header(name: &str, value: &HeaderValue) -> String {
    if value.is_empty() {
        return quoted(format!("{name};").as_bytes());
    }
    quoted(&[name.as_bytes(), b": ", value.as_bytes()].concat())
}

fn is_long_or_binary(body: &[u8]) -> bool {
    // A NUL cannot be in an argument, and a newline at the end would be lost on the way.
    body.len() > LONGEST_ARGUMENT || !is_plain(body)
}

/// Whether a person can paste it: text, without what a terminal or a shell's line editor would
/// obey.
fn is_plain(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !text.contains(char::is_control))
}

/// A word for a POSIX shell.
fn quoted(word: &[u8]) -> String {
    match std::str::from_utf8(word) {
        Ok(text) if is_plain(word) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("\"$({})\"", printed(word)),
    }
}

/// A command that writes these bytes.
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
            // Three digits, always, so that no digit after them can be taken for a fourth.
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

    /// What a shell makes of a word.
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
    fn words_mean_themselves_to_a_shell() {
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
    fn every_byte_is_printed_as_it_is() {
        let all: Vec<u8> = (0..=255).chain(b"12\n\n".iter().copied()).collect();
        let output = Command::new("sh")
            .arg("-c")
            .arg(printed(&all))
            .output()
            .unwrap();
        assert_eq!(output.stdout, all);
    }

    #[test]
    fn a_payload_is_never_taken_for_a_file() {
        let (parts, ()) = http::Request::post("http://h/")
            .body(())
            .unwrap()
            .into_parts();
        let command = command(&parts, b"@/etc/passwd");
        assert!(command.contains("--data-raw '@/etc/passwd'"), "{command}");
    }
}
