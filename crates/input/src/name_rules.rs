//! Which function names and qualifiers are accepted.

use crate::{limits, patterns};

/// A generation of the service's patterns for function names and qualifiers.
///
/// The newest generation accepts more regions (`eusc-`, `-iso`) and the qualifier
/// `$LATEST.PUBLISHED`. [`patterns`] has their texts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The pattern of the published API reference.
    Published,
    /// The pattern of the newest API model, which the service quotes in its responses. It accepts
    /// everything that the published pattern accepts.
    #[default]
    Newest,
}

impl Pattern {
    /// Returns the regular expression of a function name, anchored at both ends.
    #[must_use]
    pub const fn function_name(self) -> &'static str {
        match self {
            Self::Published => patterns::FUNCTION_NAME_PUBLISHED,
            Self::Newest => patterns::FUNCTION_NAME_NEWEST,
        }
    }

    /// Returns the regular expression of a qualifier, anchored at both ends.
    #[must_use]
    pub const fn qualifier(self) -> &'static str {
        match self {
            Self::Published => patterns::QUALIFIER_PUBLISHED,
            Self::Newest => patterns::QUALIFIER_NEWEST,
        }
    }
}

/// Which function names and qualifiers are accepted: a generation of the service's patterns, and
/// the maximum lengths of a function name.
///
/// | | pattern | whole name | bare name | for |
/// |---|---|---|---|---|
/// | [`NameRules::default`] | newest | 170 | 64 | a client: every form of any generation |
/// | [`NameRules::published`] | published | 170 | 64 | exactly the published reference |
/// | [`NameRules::newest`] | newest | 256 | as the whole | exactly the newest API model |
/// | [`NameRules::recorded`] | newest | none | none | an endpoint: what the service rejects with 400 |
///
/// A bare name has no ARN, region, account, `function:` or qualifier. The reference limits it to 64
/// characters, but only in its prose: neither the patterns nor the newest model's constraints do,
/// and the service returns 404, not 400, for a bare name of 65 characters. So only the first two
/// rule sets limit it to 64. Under all of them, a name has at least 1 character and a qualifier 1
/// to 128.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, NameRules};
///
/// let sovereign = "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:thumbnail";
/// assert!(FunctionName::try_from(sovereign).is_ok());
/// assert!(FunctionName::parse_with(sovereign, &NameRules::published()).is_err());
///
/// let long = "n".repeat(100);
/// assert!(FunctionName::try_from(&long).is_err());
/// assert!(FunctionName::parse_with(&long, &NameRules::newest()).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameRules {
    pattern: Pattern,
    max_length: Option<usize>,
    max_bare_name: Option<usize>,
}

impl Default for NameRules {
    fn default() -> Self {
        Self {
            pattern: Pattern::Newest,
            ..Self::published()
        }
    }
}

impl NameRules {
    /// The rules of the published API reference, both in its patterns and in its prose.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            pattern: Pattern::Published,
            max_length: Some(limits::FUNCTION_NAME),
            max_bare_name: Some(limits::BARE_NAME),
        }
    }

    /// The rules of the newest API model: names of up to 256 characters.
    #[must_use]
    pub const fn newest() -> Self {
        Self {
            pattern: Pattern::Newest,
            max_length: Some(limits::FUNCTION_NAME_NEWEST),
            max_bare_name: None,
        }
    }

    /// What the service was observed to check before it looks for the function: the pattern, but no
    /// maximum length of a name. Parsing is linear in the length.
    #[must_use]
    pub const fn recorded() -> Self {
        Self {
            pattern: Pattern::Newest,
            max_length: None,
            max_bare_name: None,
        }
    }

    /// Sets the maximum length of a name of any form, in characters; `None` is no limit.
    #[must_use]
    pub const fn with_max_length(mut self, max_length: Option<usize>) -> Self {
        self.max_length = max_length;
        self
    }

    /// Sets the maximum length of a bare name, in characters; with `None`, only the limit of any
    /// name applies.
    #[must_use]
    pub const fn with_max_bare_name(mut self, max_bare_name: Option<usize>) -> Self {
        self.max_bare_name = max_bare_name;
        self
    }

    /// Returns the generation of patterns.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// Returns the maximum length of a name of any form, in characters.
    #[must_use]
    pub const fn max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// Returns the maximum length of a bare name, in characters.
    #[must_use]
    pub const fn max_bare_name(&self) -> Option<usize> {
        self.max_bare_name
    }
}
