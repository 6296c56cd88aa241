//! Limits on what is kept of a response, so that an error stays small whatever was received.

/// The longest message kept, in bytes.
pub const MAX_MESSAGE: usize = 8 * 1024;

/// The longest code or request id kept, in bytes.
pub const MAX_TOKEN: usize = 256;

/// How much of a body is parsed as JSON, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The longest text kept as the message of a body that is not JSON, in bytes.
pub const MAX_TEXT: usize = 512;

/// Trims `text` and returns it if it is 1 to [`MAX_TOKEN`] visible ASCII characters, so that it can
/// be a header's value.
pub(crate) fn token(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\t']);
    let fits = !text.is_empty() && text.len() <= MAX_TOKEN;
    (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// Extracts the code from `text`, which may have a namespace before it (`aws.example#Code`), and a
/// URI (`Code:http://..`) or further codes (`Code,Other`) after it. Source: Smithy's restJson1
/// protocol, "Operation error serialization".
pub(crate) fn code(text: &str) -> Option<&str> {
    let text = text.split([':', ',']).next()?;
    token(text.rsplit('#').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_a_few_kib() {
        assert_eq!((MAX_MESSAGE, MAX_TOKEN), (8_192, 256));
        assert_eq!((MAX_BODY, MAX_TEXT), (65_536, 512));
    }

    #[test]
    fn extracts_the_code_from_namespace_and_uri() {
        for wrapped in [
            "Code",
            " Code ",
            "ns#Code",
            "Code:http://a/#b",
            "a.b#Code:http://a/",
            "Code,X",
        ] {
            assert_eq!(code(wrapped), Some("Code"), "{wrapped}");
        }
        for none in ["", " ", ":Code", "ns#", "a code", "c\u{f6}de", "co\nde"] {
            assert_eq!(code(none), None, "{none:?}");
        }
    }

    #[test]
    fn rejects_tokens_that_no_header_can_hold() {
        assert_eq!(token(" \t7f-1\t "), Some("7f-1"));
        assert_eq!(token("7f-1"), Some("7f-1"));
        assert_eq!(token(&"x".repeat(256)).map(str::len), Some(256));
        assert_eq!(token(&"x".repeat(257)), None);
    }
}
