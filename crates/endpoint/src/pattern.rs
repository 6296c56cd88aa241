//! Patterns for function names: `*` matches any text, and every other character matches itself.

/// A pattern such as `*`, `hello` or `orders-*-test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches the whole name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == name;
        };
        let Some(mut name) = name.strip_prefix(first) else {
            return false;
        };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let last = pieces.pop().unwrap_or_default();
        // The earliest match of each piece leaves the most room for the next ones.
        for piece in pieces {
            let Some((_, after)) = name.split_once(piece) else {
                return false;
            };
            name = after;
        }
        name.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: tries every length for each star.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|n| naive(rest, &name[n..])),
            ([p, rest @ ..], [n, after @ ..]) => p == n && naive(rest, after),
            (_, []) => false,
        }
    }

    #[test]
    fn a_star_matches_any_text_and_the_empty_text() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("hello", "hello", true),
            ("hello", "hello2", false),
            ("hello*", "hello", true),
            ("*lo", "hello", true),
            ("h*l*o", "hello", true),
            ("a*a", "a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    proptest! {
        #[test]
        fn matches_like_the_naive_implementation(pattern in "[ab*]{0,6}", name in "[ab]{0,8}") {
            prop_assert_eq!(
                Pattern::new(pattern.as_str()).matches(&name),
                naive(pattern.as_bytes(), name.as_bytes())
            );
        }
    }
}
