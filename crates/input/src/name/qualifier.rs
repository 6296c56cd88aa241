//! Qualifiers: versions and aliases of a function.

use alloc::borrow::Cow;

use crate::error::{InputError, Member};
use crate::grammar::Language;
use crate::limits;
use crate::name_rules::NameRules;
use crate::text::{check, impl_text};

/// What a qualifier names.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QualifierKind {
    /// `$LATEST`: the unpublished version.
    Latest,
    /// `$LATEST.PUBLISHED`: the newest published version.
    LatestPublished,
    /// Digits: a published version of that number.
    Version,
    /// Letters, digits, `-` and `_`, but not only digits: an alias.
    Alias,
    /// Accepted by the pattern, but never in use: it has a `$` and is neither `$LATEST` nor
    /// `$LATEST.PUBLISHED`.
    Other,
}

/// A qualifier: the `Qualifier` parameter of a request, or the end of a [`FunctionName`].
///
/// The parameter has 1 to 128 characters. An empty one (`Qualifier=`) is rejected.
///
/// Compared, ordered and hashed as text. Parsing borrows the text and does not allocate.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{Qualifier, QualifierKind};
///
/// assert_eq!(Qualifier::try_from("$LATEST")?.kind(), QualifierKind::Latest);
/// assert_eq!(Qualifier::try_from("7")?.kind(), QualifierKind::Version);
/// assert_eq!(Qualifier::try_from("live")?.kind(), QualifierKind::Alias);
/// assert!(Qualifier::try_from("").is_err());
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
///
/// [`FunctionName`]: crate::FunctionName
#[derive(Clone, Debug)]
pub struct Qualifier<'a>(Cow<'a, str>);

impl<'a> Qualifier<'a> {
    /// Parses the `Qualifier` parameter under the given rules.
    ///
    /// # Errors
    ///
    /// Returns where the value goes wrong and what was expected there, or that it is too long.
    pub fn parse_with(
        text: impl Into<Cow<'a, str>>,
        rules: &NameRules,
    ) -> Result<Self, InputError> {
        let text = text.into();
        let language = Language::Qualifier(rules.pattern());
        check(Member::Qualifier, language, &text, limits::QUALIFIER)?;
        Ok(Self(text))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what it names.
    #[must_use]
    pub fn kind(&self) -> QualifierKind {
        let text = self.as_str();
        if text == "$LATEST" {
            QualifierKind::Latest
        } else if text == "$LATEST.PUBLISHED" {
            QualifierKind::LatestPublished
        } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
            QualifierKind::Version
        } else if text.contains('$') {
            QualifierKind::Other
        } else {
            QualifierKind::Alias
        }
    }

    /// Copies what is borrowed, so that the value borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Qualifier<'static> {
        Qualifier(Cow::Owned(self.0.into_owned()))
    }

    /// Wraps the end of a parsed function name, which has been validated.
    pub(crate) fn from_name(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
        Self::parse_with(text, &NameRules::default())
    }

    fn into_text(self) -> Cow<'a, str> {
        self.0
    }
}

impl_text!(Qualifier);
