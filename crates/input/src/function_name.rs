//! Function names in all their forms.

use alloc::borrow::Cow;

use crate::diagnosis;
use crate::error::{InputError, Member};
use crate::grammar::{self, Language, NameParts};
use crate::qualifier::Qualifier;
use crate::rules::Rules;
use crate::text::{check_length, impl_text};

/// The name of a function, as the `FunctionName` of a request: a name, a partial or a full ARN, each
/// with or without a qualifier at its end.
///
/// | form | example |
/// |---|---|
/// | name | `thumbnail` |
/// | name and qualifier | `thumbnail:live`, `thumbnail:7`, `thumbnail:$LATEST` |
/// | partial ARN | `123456789012:function:thumbnail`, `eu-west-1:123456789012:thumbnail`, `function:thumbnail` |
/// | ARN | `arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live` |
///
/// The parts are those that the service's regular expression captures. Where a text can be read in
/// two ways, a part that can be taken is taken: `us-east-1:thumbnail` is a function of a region and
/// not one called `us-east-1`. But `arn:aws:lambda:us-east-1:111111111111:function` is a function
/// called `function`, since a `function:` prefix needs something after it.
///
/// Compared, ordered and hashed as text. Borrows from what it is parsed from, without allocating.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::FunctionName;
///
/// let name = FunctionName::parse("123456789012:function:thumbnail:7")?;
/// assert_eq!(name.as_str(), "123456789012:function:thumbnail:7");
/// assert_eq!(name.partition(), None);
/// assert_eq!(name.region(), None);
/// assert_eq!(name.account(), Some("123456789012"));
/// assert_eq!(name.name(), "thumbnail");
/// assert_eq!(name.qualifier().unwrap(), "7");
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FunctionName<'a> {
    text: Cow<'a, str>,
    spans: Spans,
}

/// Where the parts are in the text, in bytes. A part that is not there is empty.
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

    /// The span of a part, or an empty one at `start`; and where the part after it starts, beyond
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
    /// Parses a function name under the default [`Rules`].
    ///
    /// # Errors
    ///
    /// If it is not one, or too long: where, and what would be allowed there.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::FunctionName;
    ///
    /// let error = FunctionName::parse("arn:aws:ec2:eu-west-1:123456789012:instance").unwrap_err();
    /// assert_eq!(error.offset(), 8);
    /// assert!(error.allowed().unwrap().contains(b'l'));
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"invalid function name: 'e' at byte 8, expected 'l' of ":lambda:""#,
    /// );
    /// ```
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, InputError> {
        Self::from_text(Cow::Borrowed(text))
    }

    /// Parses a function name under the given rules. A `String` is taken over, not copied.
    ///
    /// # Errors
    ///
    /// If it is not one, or too long: where, and what would be allowed there.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::{FunctionName, Rules};
    ///
    /// let long = "a".repeat(65);
    /// assert!(FunctionName::parse_with(&long, &Rules::published()).is_err());
    /// let name = FunctionName::parse_with(long, &Rules::recorded())?;
    /// assert_eq!(name.name().len(), 65);
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    pub fn parse_with(text: impl Into<Cow<'a, str>>, rules: &Rules) -> Result<Self, InputError> {
        let text = text.into();
        let spans = spans(&text, rules)?;
        Ok(Self { text, spans })
    }

    /// The whole, as it was given.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it begins with an `arn:` prefix. The prefix may lack a partition, and under most
    /// rules a region and an account.
    #[must_use]
    pub fn is_arn(&self) -> bool {
        // A function called `arn` begins so too.
        self.spans.name.start > 0 && self.text.starts_with("arn:")
    }

    /// Whether it is nothing but the name.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.spans.name == Span::of(0, self.text.len())
    }

    /// The partition of an ARN: `aws`, `aws-cn`, `aws-us-gov`, ...
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        self.part(self.spans.partition)
    }

    /// The region: `eu-west-1`, ...
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.part(self.spans.region)
    }

    /// The account id, twelve digits.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.part(self.spans.account)
    }

    /// The function's own name. Never empty.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(self.spans.name).unwrap_or_default()
    }

    /// The qualifier at the end. Unlike one that is a parameter, its length has no limit of its own.
    #[must_use]
    pub fn qualifier(&self) -> Option<Qualifier<'_>> {
        self.text
            .get(self.qualifier_offset()..)
            .filter(|qualifier| !qualifier.is_empty())
            .map(Qualifier::from_name)
    }

    /// The same without the qualifier at its end.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::FunctionName;
    ///
    /// let name = FunctionName::parse("123456789012:thumbnail:live")?;
    /// assert_eq!(name.unqualified(), "123456789012:thumbnail");
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    #[must_use]
    pub fn unqualified(&self) -> &str {
        self.text.get(..self.spans.name.end).unwrap_or_default()
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> FunctionName<'static> {
        FunctionName {
            text: Cow::Owned(self.text.into_owned()),
            spans: self.spans,
        }
    }

    /// Where the qualifier begins; past the end if there is none.
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
        Self::parse_with(text, &Rules::default())
    }

    fn into_text(self) -> Cow<'a, str> {
        self.text
    }
}

impl_text!(FunctionName);

#[inline]
fn spans(text: &str, rules: &Rules) -> Result<Spans, InputError> {
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
