//! Splits text into words as a POSIX shell does, which is how botocore reads the names of sections.

/// Splits a text into words and removes the quotes; `None` if a quote or an escape is not closed.
///
/// The rules are those of Python's `shlex.split`: `'` quotes everything up to the next `'`; within `"`,
/// only `\"` and `\\` are escapes; outside quotes, `\` quotes the next character.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_a_shell_does() {
        for (text, expected) in [
            ("", &[][..]),
            (" \t", &[]),
            ("profile dev", &["profile", "dev"]),
            ("profile\t 'my dev' ", &["profile", "my dev"]),
            (r#"profile "my dev""#, &["profile", "my dev"]),
            (r#"profile 'it'"'"'s'"#, &["profile", "it's"]),
            (r#"profile "a\"b\\c\d""#, &["profile", r#"a"b\c\d"#]),
            (r"profile 'a\b'", &["profile", r"a\b"]),
            (r"profile my\ dev", &["profile", "my dev"]),
            (r#"profile d"e"'v'"#, &["profile", "dev"]),
            (r#"profile """#, &["profile", ""]),
            ("pro'file' Zoë", &["profile", "Zoë"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        for open in ["profile o'brien", "\"", "'", "\"a\\\"", "a\\", "\"\\"] {
            assert_eq!(words(open), None, "{open}");
        }
    }
}
