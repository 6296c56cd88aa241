//! Qualifiers: which version of a function is meant.

use alloc::borrow::Cow;

use crate::error::{InputError, Member};
use crate::grammar::Language;
use crate::limits;
use crate::rules::Rules;
use crate::text::{check, impl_text};

/// What a qualifier means.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QualifierKind {
    /// `$LATEST`: the unpublished version.
    Latest,
    /// `$LATEST.PUBLISHED`: the newest published version.
    LatestPublished,
    /// Digits: a published version.
    Version,
    /// Letters, digits, `-` and `_`, not digits alone: an alias.
    Alias,
    /// Accepted by the pattern, but the name of nothing: it has a `$` and is neither of the first
    /// two.
    Other,
}

/// A qualifier: the `Qualifier` parameter of a request, or the end of a [`FunctionName`].
///
/// As a parameter it is 1 to 128 characters. An empty one (`Qualifier=`) is refused; an absent one
/// is no `Qualifier` at all.
///
/// Compared, ordered and hashed as text. Borrows from what it is parsed from, without allocating.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{Qualifier, QualifierKind};
///
/// assert_eq!(Qualifier::parse("$LATEST")?.kind(), QualifierKind::Latest);
/// assert_eq!(Qualifier::parse("7")?.kind(), QualifierKind::Version);
/// assert_eq!(Qualifier::parse("live")?.kind(), QualifierKind::Alias);
/// assert!(Qualifier::parse("").is_err());
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
///
/// [`FunctionName`]: crate::FunctionName
#[derive(Clone, Debug)]
pub struct Qualifier<'a>(Cow<'a, str>);

impl<'a> Qualifier<'a> {
    /// Parses the `Qualifier` parameter under the default [`Rules`].
    ///
    /// # Errors
    ///
    /// If it is not one, empty or too long: where, and what would be allowed there.
    pub fn parse(text: &'a str) -> Result<Self, InputError> {
        Self::from_text(Cow::Borrowed(text))
    }

    /// Parses the `Qualifier` parameter under the given rules.
    ///
    /// # Errors
    ///
    /// If it is not one, empty or too long: where, and what would be allowed there.
    pub fn parse_with(text: impl Into<Cow<'a, str>>, rules: &Rules) -> Result<Self, InputError> {
        let text = text.into();
        let language = Language::Qualifier(rules.pattern());
        check(Member::Qualifier, language, &text, limits::QUALIFIER)?;
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means.
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

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Qualifier<'static> {
        Qualifier(Cow::Owned(self.0.into_owned()))
    }

    /// The end of a function name that was parsed: the grammar of names has checked it.
    pub(crate) fn from_name(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
        Self::parse_with(text, &Rules::default())
    }

    fn into_text(self) -> Cow<'a, str> {
        self.0
    }
}

impl_text!(Qualifier);
