//! How much of an answer is kept: whatever comes off the wire, an error stays small.

/// The longest message that is kept, in bytes.
pub const MAX_MESSAGE: usize = 8 * 1024;

/// The longest code or request id that is kept, in bytes.
pub const MAX_TOKEN: usize = 256;

/// How much of a body is read as JSON, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The longest text that stands in for a message when a body is not JSON, in bytes.
pub const MAX_TEXT: usize = 512;

/// The longest prefix of `text` that has at most `max` bytes and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `text` without spaces around it, if it is 1 to [`MAX_TOKEN`] visible ASCII characters, so that
/// it can stand in a header.
pub(crate) fn token(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\t']);
    let fits = !text.is_empty() && text.len() <= MAX_TOKEN;
    (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// The code in `text`, which may have a namespace before it (`aws.example#Code`), a URI after it
/// (`Code:http://..`) and further codes (`Code,Other`): Smithy's restJson1 protocol, "Operation
/// error serialization".
pub(crate) fn code(text: &str) -> Option<&str> {
    let text = text.split([':', ',']).next()?;
    token(text.rsplit('#').next()?)
}

#[cfg(test)]
mod tests {
    use super::{code, cut, token};

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("é", 1), "");
    }

    #[test]
    fn takes_the_code_out_of_its_wrapping() {
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
    fn refuses_tokens_that_no_header_can_hold() {
        assert_eq!(token("7f-1"), Some("7f-1"));
        assert_eq!(token(&"x".repeat(256)).map(str::len), Some(256));
        assert_eq!(token(&"x".repeat(257)), None);
    }
}
