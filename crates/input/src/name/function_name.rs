//! Function names in all their forms.

use alloc::borrow::Cow;

use super::Qualifier;
use crate::diagnosis;
use crate::error::{InputError, Member};
use crate::grammar::{self, Language, NameParts};
use crate::name_rules::NameRules;
use crate::other_resource::OtherResource;
use crate::text::{check_length, impl_text};

/// A function name, the `FunctionName` of a request: a name, a partial ARN or an ARN, each with or
/// without a qualifier at the end.
///
/// | form | example |
/// |---|---|
/// | name | `thumbnail` |
/// | name and qualifier | `thumbnail:live`, `thumbnail:7`, `thumbnail:$LATEST` |
/// | partial ARN | `123456789012:function:thumbnail`, `eu-west-1:123456789012:thumbnail`, `function:thumbnail` |
/// | ARN | `arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live` |
///
/// The parts are those that the service's regular expression captures. It is greedy: a part that can
/// match does. `us-east-1:thumbnail` is a function `thumbnail` in a region, not a function
/// `us-east-1` with a qualifier. But `arn:aws:lambda:us-east-1:111111111111:function` is a function
/// called `function`, since something has to follow a `function:` prefix.
///
/// Compared, ordered and hashed as text. Parsing borrows the text and does not allocate.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::FunctionName;
///
/// let name = FunctionName::try_from("123456789012:function:thumbnail:7")?;
/// assert_eq!(name.as_str(), "123456789012:function:thumbnail:7");
/// assert_eq!(name.partition(), None);
/// assert_eq!(name.region(), None);
/// assert_eq!(name.account(), Some("123456789012"));
/// assert_eq!(name.name(), "thumbnail");
/// assert_eq!(name.qualifier().unwrap(), "7");
///
/// let error = FunctionName::try_from("arn:aws:lambda:thumb/nail").unwrap_err();
/// assert_eq!(error.offset(), 20);
/// assert!(error.expected().unwrap().contains(b':'));
/// assert_eq!(
///     error.to_string(),
///     "invalid function name: '/' at byte 20, expected a letter, a digit, '-', '.', '_', ':' or \
///      the end",
/// );
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FunctionName<'a> {
    text: Cow<'a, str>,
    spans: Spans,
}

/// The byte ranges of the parts in the text. A missing part is empty.
#[derive(Clone, Copy, Debug)]
struct Spans {
    partition: Span,
    region: Span,
    account: Span,
    name: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    #[inline]
    fn of(start: usize, length: usize) -> Self {
        Self {
            start,
            end: start.saturating_add(length),
        }
    }

    /// Returns the span of a part, or an empty one at `start`, and where the next part starts: after
    /// the `:` between them.
    #[inline]
    fn optional(start: usize, part: Option<&[u8]>) -> (Self, usize) {
        let span = Self::of(start, part.map_or(0, <[u8]>::len));
        (
            span,
            if part.is_some() {
                span.end.saturating_add(1)
            } else {
                start
            },
        )
    }
}

impl Spans {
    #[inline]
    fn of(text: &str, parts: &NameParts<'_>) -> Self {
        let partition = Span::of("arn:".len(), parts.arn.map_or(0, <[u8]>::len));
        let after_arn = if parts.arn.is_some() {
            partition.end.saturating_add(":lambda:".len())
        } else {
            0
        };
        let (region, after_region) = Span::optional(after_arn, parts.region);
        let (account, _) = Span::optional(after_region, parts.account);
        let qualified = parts
            .qualifier
            .map_or(0, |qualifier| qualifier.len().saturating_add(1));
        let end = text.len().saturating_sub(qualified);
        let name = Span {
            start: end.saturating_sub(parts.name.len()),
            end,
        };
        Self {
            partition,
            region,
            account,
            name,
        }
    }
}

impl<'a> FunctionName<'a> {
    /// Parses a function name under the given rules.
    ///
    /// # Errors
    ///
    /// Returns where the value goes wrong and what was expected there, or that it is too long.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::{FunctionName, NameRules};
    ///
    /// let long = "a".repeat(65);
    /// assert!(FunctionName::parse_with(&long, &NameRules::published()).is_err());
    /// let name = FunctionName::parse_with(long, &NameRules::recorded())?;
    /// assert_eq!(name.name().len(), 65);
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    pub fn parse_with(
        text: impl Into<Cow<'a, str>>,
        rules: &NameRules,
    ) -> Result<Self, InputError> {
        let text = text.into();
        let spans = spans(&text, rules)?;
        Ok(Self { text, spans })
    }

    /// Returns the whole text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is an ARN. An ARN may lack the partition, the region and the account.
    #[must_use]
    pub fn is_arn(&self) -> bool {
        // A bare name with a qualifier may also begin with `arn:`: a function called `arn`.
        self.spans.name.start > 0 && self.text.starts_with("arn:")
    }

    /// Whether the text is only the function's name, without qualifier and prefixes.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.spans.name == Span::of(0, self.text.len())
    }

    /// Returns the partition of an ARN: `aws`, `aws-cn`, `aws-us-gov` and so on.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        self.part(self.spans.partition)
    }

    /// Returns the region, such as `eu-west-1`.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.part(self.spans.region)
    }

    /// Returns the account id, which has twelve digits.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.part(self.spans.account)
    }

    /// Returns the function's own name, which is never empty.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(self.spans.name).unwrap_or_default()
    }

    /// Returns the qualifier at the end. Unlike the parameter, it has no separate maximum
    /// length.
    #[must_use]
    pub fn qualifier(&self) -> Option<Qualifier<'_>> {
        self.text
            .get(self.qualifier_offset()..)
            .filter(|qualifier| !qualifier.is_empty())
            .map(Qualifier::from_name)
    }

    /// Returns the text without the qualifier at its end.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::FunctionName;
    ///
    /// let name = FunctionName::try_from("123456789012:thumbnail:live")?;
    /// assert_eq!(name.unqualified(), "123456789012:thumbnail");
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    #[must_use]
    pub fn unqualified(&self) -> &str {
        self.text.get(..self.spans.name.end).unwrap_or_default()
    }

    /// Returns the resource that an ARN without `function:` probably names, in place of a function of
    /// this name.
    ///
    /// The service's pattern does not require `function:`, so it accepts the ARNs of some other
    /// resources, and so does parsing. As a function's, the name is hardly ever meant.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::{FunctionName, OtherResource};
    ///
    /// let name = FunctionName::try_from("arn:aws:lambda:us-east-1:123456789012:layer:tools")?;
    /// assert_eq!(name.name(), "layer");
    /// assert_eq!(name.other_resource(), Some(OtherResource::Layer));
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    #[must_use]
    pub fn other_resource(&self) -> Option<OtherResource> {
        let before = self.text.get(..self.spans.name.start)?;
        let is_whole = self.is_arn() && self.region().is_some() && self.account().is_some();
        let has_id = self.qualifier().is_some();
        if !is_whole || !has_id || before.ends_with("function:") {
            return None;
        }
        OtherResource::of_kind(self.name())
    }

    /// Copies what is borrowed, so that the value borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> FunctionName<'static> {
        FunctionName {
            text: Cow::Owned(self.text.into_owned()),
            spans: self.spans,
        }
    }

    /// Returns the offset of the qualifier; beyond the end if there is none.
    pub(crate) fn qualifier_offset(&self) -> usize {
        self.spans.name.end.saturating_add(1)
    }

    fn part(&self, span: Span) -> Option<&str> {
        self.text
            .get(span.start..span.end)
            .filter(|part| !part.is_empty())
    }

    #[inline]
    fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
        Self::parse_with(text, &NameRules::default())
    }

    fn into_text(self) -> Cow<'a, str> {
        self.text
    }
}

impl_text!(FunctionName);

#[inline]
fn spans(text: &str, rules: &NameRules) -> Result<Spans, InputError> {
    if let Some(limit) = rules.max_length() {
        check_length(Member::FunctionName, text, limit)?;
    }
    let Some(parts) = grammar::function_name(rules.pattern(), text.as_bytes()) else {
        let language = Language::FunctionName(rules.pattern());
        return Err(diagnosis::unexpected(Member::FunctionName, language, text));
    };
    match rules.max_bare_name() {
        Some(limit) if parts.name.len() == text.len() && text.len() > limit => {
            Err(InputError::BareNameTooLong {
                length: text.len(),
                limit,
            })
        }
        _ => Ok(Spans::of(text, &parts)),
    }
}
