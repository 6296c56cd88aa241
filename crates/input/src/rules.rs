//! Which names and qualifiers are accepted.

use crate::{limits, patterns};

/// A generation of the service's patterns for function names and qualifiers.
///
/// The newest one knows more regions (`eusc-`, `-iso`) and the qualifier `$LATEST.PUBLISHED`.
/// [`patterns`] has their texts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The published API reference's.
    Published,
    /// The newest API model's, which the service quotes in its responses. It accepts everything that
    /// the published one accepts.
    #[default]
    Newest,
}

impl Pattern {
    /// The regular expression that a function name has to match, anchored at both ends.
    #[must_use]
    pub const fn function_name(self) -> &'static str {
        match self {
            Self::Published => patterns::FUNCTION_NAME_PUBLISHED,
            Self::Newest => patterns::FUNCTION_NAME_NEWEST,
        }
    }

    /// The regular expression that a qualifier has to match, anchored at both ends.
    #[must_use]
    pub const fn qualifier(self) -> &'static str {
        match self {
            Self::Published => patterns::QUALIFIER_PUBLISHED,
            Self::Newest => patterns::QUALIFIER_NEWEST,
        }
    }
}

/// Which function names and qualifiers are accepted: a generation of the service's patterns, and
/// the lengths of a function name.
///
/// | | pattern | whole name | bare name | for |
/// |---|---|---|---|---|
/// | [`Rules::default`] | newest | 170 | 64 | a client: every form of any generation |
/// | [`Rules::published`] | published | 170 | 64 | exactly the published reference |
/// | [`Rules::newest`] | newest | 256 | as the whole | exactly the newest API model |
/// | [`Rules::recorded`] | newest | none | none | an endpoint: what the service answers with 400 |
///
/// A bare name is one that is nothing but the name: no ARN, region, account, `function:` or
/// qualifier. The reference limits it to 64 characters in prose only. No pattern does, the newest
/// model's constraints do not, and the service answers a bare name of 65 characters with 404 and
/// not 400; so only the first two rule sets hold it to 64. A name is at least 1 character, and a
/// qualifier 1 to 128, under all of them.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, Rules};
///
/// let sovereign = "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:thumbnail";
/// assert!(FunctionName::parse(sovereign).is_ok());
/// assert!(FunctionName::parse_with(sovereign, &Rules::published()).is_err());
///
/// let long = "n".repeat(100);
/// assert!(FunctionName::parse(&long).is_err());
/// assert!(FunctionName::parse_with(&long, &Rules::newest()).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    pattern: Pattern,
    max_length: Option<usize>,
    max_bare_name: Option<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            pattern: Pattern::Newest,
            ..Self::published()
        }
    }
}

impl Rules {
    /// The published API reference: both patterns and all lengths.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            pattern: Pattern::Published,
            max_length: Some(limits::FUNCTION_NAME),
            max_bare_name: Some(limits::BARE_NAME),
        }
    }

    /// The newest API model: names of up to 256 characters.
    #[must_use]
    pub const fn newest() -> Self {
        Self {
            pattern: Pattern::Newest,
            max_length: Some(limits::FUNCTION_NAME_NEWEST),
            max_bare_name: None,
        }
    }

    /// What the service was seen to check before it looks for the function: the pattern, and no
    /// greatest length for a name. Parsing is still linear in the length.
    #[must_use]
    pub const fn recorded() -> Self {
        Self {
            pattern: Pattern::Newest,
            max_length: None,
            max_bare_name: None,
        }
    }

    /// The same rules with another greatest length for a name of any form, in characters; `None`
    /// for no limit.
    #[must_use]
    pub const fn with_max_length(mut self, max_length: Option<usize>) -> Self {
        self.max_length = max_length;
        self
    }

    /// The same rules with another greatest length for a bare name, in characters; `None` for no
    /// limit but that of the whole.
    #[must_use]
    pub const fn with_max_bare_name(mut self, max_bare_name: Option<usize>) -> Self {
        self.max_bare_name = max_bare_name;
        self
    }

    /// The generation of patterns.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// The greatest length of a name of any form, in characters.
    #[must_use]
    pub const fn max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// The greatest length of a bare name, in characters.
    #[must_use]
    pub const fn max_bare_name(&self) -> Option<usize> {
        self.max_bare_name
    }
}
