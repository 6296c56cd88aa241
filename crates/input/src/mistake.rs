//! Common mistakes that explain why a whole function name was rejected.

use core::fmt;

use crate::expected::Part;
use crate::grammar;
use crate::name_rules::Pattern;
use crate::other_resource::OtherResource;

/// A common mistake in a function name that was rejected.
///
/// An accepted name is never examined: the ARN `arn:aws:lambda:us-east-1:123456789012:layer:tools`
/// is one of a function called `layer`, according to the service's pattern. See
/// [`FunctionName::other_resource`](crate::FunctionName::other_resource).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// A part that must be in lower case is in upper case: `EU-WEST-1`.
    UpperCase(Part),
    /// The ARN is one of another service: `arn:aws:s3:::bucket`.
    OtherService,
    /// The ARN is one of another resource of Lambda: of a layer's version, for example.
    OtherResource(OtherResource),
    /// The value is the URL of a function.
    FunctionUrl,
    /// The value is another URL.
    Url,
    /// The ARN has something else in place of the partition.
    NotAPartition,
    /// There is something else in place of the region.
    NotARegion,
    /// There is something else in place of the account id.
    NotAnAccount,
    /// The account id has another number of digits than 12.
    AccountLength,
    /// There is white space before or after a name that would otherwise be accepted.
    SurroundingWhitespace,
    /// A name that would otherwise be accepted is in quotation marks.
    Quoted,
    /// The qualifier is `$LATEST` or `$LATEST.PUBLISHED`, but not in upper case: `$latest`.
    LatestNotUpperCase,
    /// There is an extra part after the name and its qualifier. The span is the part that was read
    /// as the name, but was often meant to be a region or an account.
    ExtraPart,
}

impl Mistake {
    /// Writes what is wrong at the span and what would be right.
    pub(crate) fn describe(
        self,
        (start, end): (usize, usize),
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let at = Place { start, end };
        match self {
            Self::UpperCase(part) => write!(f, "{part} in upper case {at}, expected lower case"),
            Self::OtherService => write!(f, "an ARN of another service {at}, expected \"lambda\""),
            Self::OtherResource(resource) => {
                write!(f, "an ARN of {resource} {at}, expected one of a function")
            }
            Self::FunctionUrl => write!(
                f,
                "a function URL {at}, expected the function's name or ARN; a URL is called by HTTP"
            ),
            Self::Url => write!(f, "a URL {at}, expected a function's name or ARN"),
            Self::NotAPartition => write!(f, "not a partition {at}, expected one such as aws"),
            Self::NotARegion => write!(f, "not a region {at}, expected one such as eu-west-1"),
            Self::NotAnAccount => write!(f, "not an account id {at}, expected 12 digits"),
            Self::AccountLength => {
                let length = end.saturating_sub(start);
                let plural = if length == 1 { "" } else { "s" };
                write!(
                    f,
                    "an account id of {length} digit{plural} {at}, expected 12"
                )
            }
            Self::SurroundingWhitespace => {
                write!(f, "white space {at}, expected none around the name")
            }
            Self::Quoted => write!(f, "quotation marks {at}, expected the name without them"),
            Self::LatestNotUpperCase => {
                write!(f, "a qualifier in lower case {at}, expected upper case")
            }
            Self::ExtraPart => write!(f, "one part too many; the name was read {at}"),
        }
    }
}

/// The span of a mistake, as a part of a message.
struct Place {
    start: usize,
    end: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at bytes {} to {}", self.start, self.end)
    }
}

/// A mistake and its bytes.
type Found = (Mistake, (usize, usize));

/// Finds the mistake in a rejected function name, if it is a common one.
pub(crate) fn find(pattern: Pattern, text: &str) -> Option<Found> {
    if let Some(mistake) = url(text) {
        return Some((mistake, (0, text.len())));
    }
    if let Some(found) = otherwise_accepted(pattern, text) {
        return Some(found);
    }
    let mut fields = Fields::of(text);
    let first = fields.peek()?;
    let is_arn = first.text.eq_ignore_ascii_case("arn");
    if is_arn {
        fields.next();
        let partition = fields.next()?;
        // Without a service, the text is the name of a function called `arn`.
        let service = fields.next()?;
        let is_partition = |text: &str| grammar::is_partition(text.as_bytes());
        let mistake = if first.text != "arn" {
            Some((Mistake::UpperCase(Part::Arn), first))
        } else if is_partition(partition.text) {
            None
        } else if is_partition(&partition.text.to_ascii_lowercase()) {
            Some((Mistake::UpperCase(Part::Partition), partition))
        } else {
            Some((Mistake::NotAPartition, partition))
        };
        let mistake = mistake.or(match service.text {
            "" | "lambda" => None,
            text if text.eq_ignore_ascii_case("lambda") => {
                Some((Mistake::UpperCase(Part::Service), service))
            }
            _ => Some((Mistake::OtherService, service)),
        });
        if let Some((mistake, field)) = mistake {
            return Some((mistake, field.span()));
        }
    }
    resource(pattern, is_arn, fields).or_else(|| durable_execution(text).filter(|_| is_arn))
}

/// Finds the part of the ARN of a durable execution that follows the function's version.
fn durable_execution(text: &str) -> Option<Found> {
    const KIND: &str = "durable-execution";
    let (function, rest) = text.split_once('/')?;
    let (kind, _) = rest.split_once('/')?;
    let start = function.len().saturating_add(1);
    let span = (start, start.saturating_add(KIND.len()));
    let mistake = Mistake::OtherResource(OtherResource::DurableExecution);
    (kind == KIND).then_some((mistake, span))
}

/// Finds the one mistake that keeps the name from being accepted.
fn otherwise_accepted(pattern: Pattern, text: &str) -> Option<Found> {
    let accepted = |text: &str| grammar::function_name(pattern, text.as_bytes()).is_some();
    let trimmed = text.trim();
    if accepted(trimmed) {
        let leading = text.len().saturating_sub(text.trim_start().len());
        let trailing = text.trim_end().len();
        let span = if leading > 0 {
            (0, leading)
        } else {
            (trailing, text.len())
        };
        return Some((Mistake::SurroundingWhitespace, span));
    }
    let unquoted = text
        .strip_prefix(QUOTATION_MARKS)
        .and_then(|text| text.strip_suffix(QUOTATION_MARKS));
    if unquoted.is_some_and(accepted) {
        return Some((Mistake::Quoted, (0, text.len())));
    }
    let (name, qualifier) = text.rsplit_once(':')?;
    let upper = qualifier.to_ascii_uppercase();
    if matches!(upper.as_str(), "$LATEST" | "$LATEST.PUBLISHED")
        && accepted(&alloc::format!("{name}:{upper}"))
    {
        let start = name.len().saturating_add(1);
        return Some((Mistake::LatestNotUpperCase, (start, text.len())));
    }
    None
}

/// Quotation marks of shells, JSON and word processors.
const QUOTATION_MARKS: [char; 7] = [
    '"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}',
];

/// Finds the mistake in what follows an ARN's service, or in a name that is not an ARN.
fn resource(pattern: Pattern, is_arn: bool, fields: Fields<'_>) -> Option<Found> {
    let parts = [fields.nth(0), fields.nth(1), fields.nth(2)];
    // The parts before `function:` or `layer:` were meant to be a region, an account or both.
    let other = |field: Field<'_>| OtherResource::of_kind(field.text);
    let kind = parts.iter().zip(0_u8..).position(|(field, index)| {
        field.is_some_and(|field| {
            let is_other = index > 0 && other(field).is_some();
            is_other || field.text.eq_ignore_ascii_case("function")
        })
    });
    let meant = match (parts, kind) {
        ([Some(region), Some(account), _], Some(2)) => {
            [Some((region, true)), Some((account, false))]
        }
        ([Some(field), ..], Some(1)) => [Some((field, !is_account_like(field.text))), None],
        // Without either, a region or an account is recognized only by its form.
        ([Some(first), Some(second), Some(_)], None) => {
            let is_region = is_region_like(pattern, first.text);
            let is_account = is_account_like(first.text);
            let region_or_account = (is_region || is_account).then_some((first, is_region));
            let account = (is_arn || is_region) && is_account_like(second.text);
            [region_or_account, account.then_some((second, false))]
        }
        _ => [None, None],
    };
    for (field, is_region) in meant.into_iter().flatten() {
        let mistake = if is_region {
            region_mistake(pattern, field.text)
        } else {
            account_mistake(field.text)
        };
        if let Some(mistake) = mistake {
            return Some((mistake, field.span()));
        }
    }
    let field = parts.get(kind?).copied().flatten()?;
    let mistake = match other(field) {
        Some(resource) => Mistake::OtherResource(resource),
        None if field.text == "function" => return None,
        None => Mistake::UpperCase(Part::Function),
    };
    Some((mistake, field.span()))
}

fn url(text: &str) -> Option<Mistake> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let has_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    let rest = if has_scheme { rest } else { text };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or_default();
    if contains_ignoring_case(host, ".lambda-url.") {
        Some(Mistake::FunctionUrl)
    } else {
        has_scheme.then_some(Mistake::Url)
    }
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.as_bytes()
        .windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn region_mistake(pattern: Pattern, text: &str) -> Option<Mistake> {
    if text.is_empty() || grammar::is_region(pattern, text.as_bytes()) {
        None
    } else if is_region_like(pattern, text) {
        Some(Mistake::UpperCase(Part::Region))
    } else {
        Some(Mistake::NotARegion)
    }
}

fn account_mistake(text: &str) -> Option<Mistake> {
    if text.is_empty() || grammar::is_account(text.as_bytes()) {
        None
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(Mistake::AccountLength)
    } else {
        Some(Mistake::NotAnAccount)
    }
}

/// Whether it is a region in upper or lower case.
fn is_region_like(pattern: Pattern, text: &str) -> bool {
    grammar::is_region(pattern, text.to_ascii_lowercase().as_bytes())
}

/// Whether it is digits, possibly with hyphens, as the console shows account ids.
fn is_account_like(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The text between two `:`, and its offset.
#[derive(Clone, Copy)]
struct Field<'a> {
    text: &'a str,
    start: usize,
}

impl Field<'_> {
    fn span(self) -> (usize, usize) {
        (self.start, self.start.saturating_add(self.text.len()))
    }
}

/// The fields of a text from a byte offset on.
#[derive(Clone, Copy)]
struct Fields<'a> {
    rest: Option<&'a str>,
    start: usize,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: Some(text),
            start: 0,
        }
    }

    fn peek(mut self) -> Option<Field<'a>> {
        self.next()
    }

    fn nth(mut self, index: usize) -> Option<Field<'a>> {
        Iterator::nth(&mut self, index)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.rest?;
        let (text, after) = match rest.split_once(':') {
            Some((text, after)) => (text, Some(after)),
            None => (rest, None),
        };
        let field = Field {
            text,
            start: self.start,
        };
        self.start = field.span().1.saturating_add(1);
        self.rest = after;
        Some(field)
    }
}
