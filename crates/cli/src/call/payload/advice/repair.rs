//! Repairs texts that are almost JSON: Python's and JavaScript's notation, typographic quotes, comments,
//! commas at the end.

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    TypographicQuotes,
    SingleQuotes,
    Comment,
    FinalComma,
    Constant,
    LineBreak,
    Unquoted,
}

impl Fault {
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::TypographicQuotes => "JSON needs straight double quotes, not typographic ones",
            Self::SingleQuotes => "JSON needs double quotes",
            Self::Comment => "JSON has no comments",
            Self::FinalComma => "JSON has no comma after the last member",
            Self::Constant => "JSON's constants are true, false and null",
            Self::LineBreak => "a line break within a string is written \\n",
            Self::Unquoted => {
                "names and strings need double quotes, which a shell removes unless single quotes \
                 protect them"
            }
        }
    }
}

/// Returns the text that was probably meant, which may still not be JSON, and the faults that were
/// repaired. `None` if a string has no end, or if there is a number in another notation, which may
/// be meant as a string.
pub(super) fn repair(text: &str) -> Option<(String, Vec<Fault>)> {
    let mut repair = Repair {
        out: String::with_capacity(text.len() + 16),
        faults: Vec::new(),
        rest: text,
    };
    while let Some(character) = repair.rest.chars().next() {
        match character {
            '"' | '\'' | '“' | '”' | '„' | '‘' | '’' => repair.quoted(character)?,
            _ if repair.is_at_comment() => repair.comment(),
            '}' | ']' => {
                repair.without_final_comma();
                repair.copy(character);
            }
            '{' | '[' | ':' | ',' => repair.copy(character),
            _ if character.is_whitespace() => repair.copy(character),
            _ => repair.word()?,
        }
    }
    repair.faults.sort_unstable();
    repair.faults.dedup();
    Some((repair.out, repair.faults))
}

struct Repair<'t> {
    out: String,
    faults: Vec<Fault>,
    rest: &'t str,
}

impl Repair<'_> {
    fn copy(&mut self, character: char) {
        self.out.push(character);
        self.skip(character.len_utf8());
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// A text in quotes of any kind.
    fn quoted(&mut self, open: char) -> Option<()> {
        let ends: &[char] = match open {
            '"' => &['"'],
            '\'' => &['\''],
            '‘' | '’' => &['‘', '’'],
            _ => &['“', '”'],
        };
        match open {
            '"' => {}
            '\'' => self.faults.push(Fault::SingleQuotes),
            _ => self.faults.push(Fault::TypographicQuotes),
        }
        self.skip(open.len_utf8());
        self.out.push('"');
        loop {
            let character = self.rest.chars().next()?;
            self.skip(character.len_utf8());
            match character {
                _ if ends.contains(&character) => break,
                '\\' => {
                    let escaped = self.rest.chars().next()?;
                    self.skip(escaped.len_utf8());
                    if escaped != '\'' {
                        self.out.push('\\');
                    }
                    self.out.push(escaped);
                }
                '"' => self.out.push_str("\\\""),
                '\n' => {
                    self.faults.push(Fault::LineBreak);
                    self.out.push_str("\\n");
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
        Some(())
    }

    fn is_at_comment(&self) -> bool {
        ["//", "/*", "#"]
            .iter()
            .any(|start| self.rest.starts_with(start))
    }

    fn comment(&mut self) {
        let end = match self.rest.starts_with("/*") {
            true => self.rest.find("*/").map(|end| end + "*/".len()),
            false => self.rest.find('\n'),
        };
        self.skip(end.unwrap_or(self.rest.len()));
        self.faults.push(Fault::Comment);
    }

    fn without_final_comma(&mut self) {
        let before = self.out.trim_end();
        if let Some(before) = before.strip_suffix(',') {
            self.out.truncate(before.len());
            self.faults.push(Fault::FinalComma);
        }
    }

    /// A word without quotes: a constant, a number, or a name.
    fn word(&mut self) -> Option<()> {
        let is_of_word = |c: char| !c.is_whitespace() && !"{}[]:,\"'“”„‘’".contains(c);
        let length = self
            .rest
            .find(|c| !is_of_word(c))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(length)?;
        let constant = match word {
            "True" | "TRUE" => Some("true"),
            "False" | "FALSE" => Some("false"),
            "None" | "NULL" | "Null" | "nil" | "undefined" | "NaN" | "Infinity" | "-Infinity" => {
                Some("null")
            }
            _ => None,
        };
        if let Some(constant) = constant {
            self.faults.push(Fault::Constant);
            self.out.push_str(constant);
        } else if lambda_invoke_protocol::json::check(word.as_bytes()).is_ok() {
            self.out.push_str(word);
        } else if word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            return None;
        } else {
            self.faults.push(Fault::Unquoted);
            self.out
                .push_str(&format!("\"{}\"", word.replace('\\', "\\\\")));
        }
        self.rest = rest;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_made_json() {
        for (text, meant, faults) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#, vec![]),
            (
                "{“a”: „b”}",
                r#"{"a": "b"}"#,
                vec![Fault::TypographicQuotes],
            ),
            (
                r#"{'a': 'it\'s "x"'}"#,
                r#"{"a": "it's \"x\""}"#,
                vec![Fault::SingleQuotes],
            ),
            ("{\"a\": 1, }", "{\"a\": 1}", vec![Fault::FinalComma]),
            (
                "{'a': True, 'b': [None, False,],}",
                r#"{"a": true, "b": [null, false]}"#,
                vec![Fault::SingleQuotes, Fault::FinalComma, Fault::Constant],
            ),
            (
                "{\"a\": 1, // one\n\"b\": /* two */ 2}",
                "{\"a\": 1, \n\"b\":  2}",
                vec![Fault::Comment],
            ),
            (
                "{\"a\": \"x\ny\"}",
                r#"{"a": "x\ny"}"#,
                vec![Fault::LineBreak],
            ),
            ("{a: [b, 1]}", r#"{"a": ["b", 1]}"#, vec![Fault::Unquoted]),
            (r#"{"u": "http://x#y"}"#, r#"{"u": "http://x#y"}"#, vec![]),
        ] {
            assert_eq!(repair(text), Some((meant.to_owned(), faults)), "{text}");
        }
    }

    #[test]
    fn a_number_in_another_notation_is_not_guessed() {
        for text in ["{\"a\": 01}", "[+5]", "[.5]", "[0x10]", "[1_000]", "{'a"] {
            assert_eq!(repair(text), None, "{text}");
        }
    }
}
