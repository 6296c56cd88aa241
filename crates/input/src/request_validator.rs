//! Validates the values of a whole request, and reports violations in the service's own words.

use alloc::vec::Vec;
use core::fmt;

use crate::error::Member;
use crate::grammar::Language;
use crate::header::{InvocationType, LogType};
use crate::name_rules::NameRules;
use crate::{limits, patterns};

/// A constraint of the service's model.
///
/// `Display` writes the service's sentence: `Member must have length less than or equal to 128`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// At least this many characters.
    MinLength(usize),
    /// At most this many characters.
    MaxLength(usize),
    /// This regular expression, anchored at both ends.
    Pattern(&'static str),
    /// One of these.
    Enum(&'static [&'static str]),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinLength(length) => {
                write!(
                    f,
                    "Member must have length greater than or equal to {length}"
                )
            }
            Self::MaxLength(length) => {
                write!(f, "Member must have length less than or equal to {length}")
            }
            Self::Pattern(pattern) => {
                write!(
                    f,
                    "Member must satisfy regular expression pattern: {pattern}"
                )
            }
            Self::Enum(values) => {
                f.write_str("Member must satisfy enum value set: [")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// A value that violates a constraint.
///
/// `Display` writes the service's sentence: `Value 'a b' at 'functionName' failed to satisfy
/// constraint: ...`. It quotes the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation<'a> {
    /// Which value.
    pub member: Member,
    /// The value.
    pub value: &'a str,
    /// The violated constraint.
    pub constraint: Constraint,
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Value '{}' at '{}' failed to satisfy constraint: {}",
            self.value,
            self.member.as_str(),
            self.constraint
        )
    }
}

/// Every violated constraint of a request. Never empty.
///
/// `Display` writes the message of the service's `ValidationException`, which counts and joins them:
/// `2 validation errors detected: Value ...; Value ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations<'a>(Vec<Violation<'a>>);

impl<'a> Violations<'a> {
    /// Returns the violations in the service's order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Violation<'a>> {
        self.0.iter()
    }

    /// Returns their number.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Violations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.len() == 1 { "" } else { "s" };
        write!(f, "{} validation error{plural} detected: ", self.len())?;
        for (index, violation) in self.iter().enumerate() {
            write!(f, "{}{violation}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for Violations<'_> {}

/// Validates the values of a request as the service does: all of them, before it looks for the
/// function.
///
/// This is for an endpoint, which reports every violated constraint. A typed value (such as
/// [`FunctionName`](crate::FunctionName)) instead reports where it goes wrong. The two agree: if
/// there is no violation, every value parses under the same rules.
///
/// The service was observed to name the qualifier before the function name, and a length before a
/// pattern. The order of the other checks was not recorded; here they follow the order of the
/// methods.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{NameRules, RequestValidator};
///
/// let request = RequestValidator::new().function_name("thumbnail").qualifier("live!");
/// let violations = request.validate(&NameRules::recorded()).unwrap_err();
/// assert_eq!(
///     violations.to_string(),
///     "1 validation error detected: Value 'live!' at 'qualifier' failed to satisfy constraint: \
///      Member must satisfy regular expression pattern: \
///      \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
/// );
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestValidator<'a> {
    qualifier: Option<&'a str>,
    function_name: Option<&'a str>,
    invocation_type: Option<&'a str>,
    log_type: Option<&'a str>,
    tenant_id: Option<&'a str>,
    durable_execution_name: Option<&'a str>,
}

impl<'a> RequestValidator<'a> {
    /// Creates a validator without any value. A value that is not set is valid.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            qualifier: None,
            function_name: None,
            invocation_type: None,
            log_type: None,
            tenant_id: None,
            durable_execution_name: None,
        }
    }

    /// Sets the `Qualifier` parameter.
    #[must_use]
    pub const fn qualifier(mut self, value: &'a str) -> Self {
        self.qualifier = Some(value);
        self
    }

    /// Sets the function name, decoded from the path.
    #[must_use]
    pub const fn function_name(mut self, value: &'a str) -> Self {
        self.function_name = Some(value);
        self
    }

    /// Sets the value of `X-Amz-Invocation-Type`.
    #[must_use]
    pub const fn invocation_type(mut self, value: &'a str) -> Self {
        self.invocation_type = Some(value);
        self
    }

    /// Sets the value of `X-Amz-Log-Type`.
    #[must_use]
    pub const fn log_type(mut self, value: &'a str) -> Self {
        self.log_type = Some(value);
        self
    }

    /// Sets the value of `X-Amz-Tenant-Id`.
    #[must_use]
    pub const fn tenant_id(mut self, value: &'a str) -> Self {
        self.tenant_id = Some(value);
        self
    }

    /// Sets the value of `X-Amz-Durable-Execution-Name`.
    #[must_use]
    pub const fn durable_execution_name(mut self, value: &'a str) -> Self {
        self.durable_execution_name = Some(value);
        self
    }

    /// Validates the values that are set.
    ///
    /// # Errors
    ///
    /// Returns every violated constraint, in the service's order.
    pub fn validate(&self, rules: &NameRules) -> Result<(), Violations<'a>> {
        let mut found = Found(Vec::new());
        if let Some(value) = self.qualifier {
            let pattern = rules.pattern();
            found.text(
                Member::Qualifier,
                value,
                Some(limits::QUALIFIER),
                Language::Qualifier(pattern),
                pattern.qualifier(),
            );
        }
        if let Some(value) = self.function_name {
            let pattern = rules.pattern();
            let language = Language::FunctionName(pattern);
            let limit = match rules.max_bare_name() {
                // An accepted name without a `:` is a bare one.
                Some(bare) if !value.contains(':') => {
                    Some(rules.max_length().map_or(bare, |whole| whole.min(bare)))
                }
                _ => rules.max_length(),
            };
            found.text(
                Member::FunctionName,
                value,
                limit,
                language,
                pattern.function_name(),
            );
        }
        if let Some(value) = self.invocation_type {
            found.keyword(Member::InvocationType, value, InvocationType::KEYWORDS);
        }
        if let Some(value) = self.log_type {
            found.keyword(Member::LogType, value, LogType::KEYWORDS);
        }
        if let Some(value) = self.tenant_id {
            found.text(
                Member::TenantId,
                value,
                Some(limits::TENANT_ID),
                Language::TenantId,
                patterns::TENANT_ID,
            );
        }
        if let Some(value) = self.durable_execution_name {
            found.text(
                Member::DurableExecutionName,
                value,
                Some(limits::DURABLE_EXECUTION_NAME),
                Language::DurableExecutionName,
                patterns::DURABLE_EXECUTION_NAME,
            );
        }
        if found.0.is_empty() {
            Ok(())
        } else {
            Err(Violations(found.0))
        }
    }
}

/// The violations found so far.
struct Found<'a>(Vec<Violation<'a>>);

impl<'a> Found<'a> {
    fn text(
        &mut self,
        member: Member,
        value: &'a str,
        limit: Option<usize>,
        language: Language,
        pattern: &'static str,
    ) {
        if value.is_empty() {
            self.add(member, value, Constraint::MinLength(1));
        }
        if let Some(limit) = limit {
            if value.chars().count() > limit {
                self.add(member, value, Constraint::MaxLength(limit));
            }
        }
        // No language includes the empty value, but one published pattern has an alternative for it.
        let matches_empty = value.is_empty() && pattern == patterns::QUALIFIER_PUBLISHED;
        if !language.accepts(value.as_bytes()) && !matches_empty {
            self.add(member, value, Constraint::Pattern(pattern));
        }
    }

    fn keyword(&mut self, member: Member, value: &'a str, expected: &'static [&'static str]) {
        if !expected.contains(&value) {
            self.add(member, value, Constraint::Enum(expected));
        }
    }

    fn add(&mut self, member: Member, value: &'a str, constraint: Constraint) {
        self.0.push(Violation {
            member,
            value,
            constraint,
        });
    }
}
