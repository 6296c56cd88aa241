//! The grammars, as `nom` parsers over bytes.
//!
//! The parsers are generic over nom's mode and run in two modes: *complete*, to parse a value, and
//! *streaming*, where `Incomplete` means that the value can be completed to an accepted one. With
//! the streaming mode alone, [`diagnosis`](crate::diagnosis) finds where a rejected value goes
//! wrong and what was expected there, so it cannot disagree with the parsers.

use core::cell::Cell;

use nom::branch::alt;
use nom::bytes::{tag, take_while, take_while_m_n, take_while1};
use nom::character::char;
use nom::combinator::{not, opt, recognize, verify};
use nom::{Check, Emit, Err, IsStreaming, OutputM, OutputMode, PResult, Parser};

use crate::expected::{Part, Parts};
use crate::name_rules::Pattern;

/// The parts of a function name within which streaming runs ended.
pub(crate) type Reached = Cell<Parts>;

/// The language of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Language {
    FunctionName(Pattern),
    Qualifier(Pattern),
    ClientContext,
    TenantId,
    DurableExecutionName,
    DurableExecutionArn,
    ExecutedVersion,
}

impl Language {
    /// Whether `value` as a whole is in the language.
    pub(crate) fn accepts(self, value: &[u8]) -> bool {
        self.run::<nom::Complete>(value, &Reached::default()) == Outcome::Whole
    }

    /// Whether `prefix` can be completed to a value of the language. Records the parts within which it
    /// ends.
    pub(crate) fn is_viable(self, prefix: &[u8], reached: &Reached) -> bool {
        self.run::<nom::Streaming>(prefix, reached) != Outcome::Rejected
    }

    fn run<S: IsStreaming>(self, input: &[u8], reached: &Reached) -> Outcome {
        match self {
            Self::FunctionName(Pattern::Published) => {
                outcome::<S, _>(published_name(reached), input)
            }
            Self::FunctionName(Pattern::Newest) => outcome::<S, _>(newest_name(reached), input),
            Self::Qualifier(Pattern::Published) => outcome::<S, _>(published_qualifier(), input),
            Self::Qualifier(Pattern::Newest) => outcome::<S, _>(newest_qualifier(), input),
            Self::ClientContext => outcome::<S, _>(base64(), input),
            Self::TenantId => outcome::<S, _>(take_while1(is_tenant_byte), input),
            Self::DurableExecutionName => outcome::<S, _>(take_while1(is_word_byte), input),
            Self::DurableExecutionArn => outcome::<S, _>(durable_execution_arn(), input),
            Self::ExecutedVersion => outcome::<S, _>(executed_version(), input),
        }
    }
}

#[derive(PartialEq)]
enum Outcome {
    Whole,
    Incomplete,
    Rejected,
}

fn outcome<'a, S: IsStreaming, P: Parser<&'a [u8], Error = ()>>(
    mut parser: P,
    input: &'a [u8],
) -> Outcome {
    match parser.process::<OutputM<Check, Check, S>>(input) {
        Ok(([], ())) => Outcome::Whole,
        Err(Err::Incomplete(_)) => Outcome::Incomplete,
        _ => Outcome::Rejected,
    }
}

/// The parts of a function name, as slices of it.
#[derive(Clone, Copy)]
pub(crate) struct NameParts<'a> {
    /// The partition of a name that begins with `arn:`; it may be empty.
    pub(crate) arn: Option<&'a [u8]>,
    pub(crate) region: Option<&'a [u8]>,
    pub(crate) account: Option<&'a [u8]>,
    pub(crate) name: &'a [u8],
    pub(crate) qualifier: Option<&'a [u8]>,
}

/// Parses a whole function name.
#[inline]
pub(crate) fn function_name(pattern: Pattern, input: &[u8]) -> Option<NameParts<'_>> {
    let reached = Reached::default();
    match pattern {
        Pattern::Published => whole(published_name(&reached), input),
        Pattern::Newest => whole(newest_name(&reached), input),
    }
}

/// The parts of the ARN of a durable execution, as slices of it.
#[derive(Clone, Copy)]
pub(crate) struct DurableExecutionArnParts<'a> {
    pub(crate) partition: &'a [u8],
    pub(crate) region: &'a [u8],
    pub(crate) account: &'a [u8],
    pub(crate) function: &'a [u8],
    pub(crate) version: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) id: &'a [u8],
}

/// Parses a whole ARN of a durable execution.
pub(crate) fn whole_durable_execution_arn(input: &[u8]) -> Option<DurableExecutionArnParts<'_>> {
    whole(durable_execution_arn(), input)
}

#[inline]
fn whole<'a, P: Parser<&'a [u8], Error = ()>>(mut parser: P, input: &'a [u8]) -> Option<P::Output> {
    match parser.process::<OutputM<Emit, Check, nom::Complete>>(input) {
        Ok(([], parts)) => Some(parts),
        _ => None,
    }
}

// Function names. Each optional group of the regular expression is an `opt` here, which matches
// whenever it can, as the expression's greedy groups do. If the rest fails, the expression
// backtracks and gives up the last group. That helps only if the rest is a qualifier that cannot be
// a name, i.e. one that begins with `$`: `function:$LATEST` is the function `function`. So a group
// does not match before a `$` (`group_end`), and nothing is ever parsed twice.

fn published_name<'a>(
    reached: &Reached,
) -> impl Parser<&'a [u8], Output = NameParts<'a>, Error = ()> {
    let scope = (
        opt(arn(reached)),
        region_and_account(published_region(), reached),
    )
        .map(flat);
    name_after(scope, tag("$LATEST".as_bytes()), reached)
}

fn newest_name<'a>(reached: &Reached) -> impl Parser<&'a [u8], Output = NameParts<'a>, Error = ()> {
    let scope = (
        opt(arn(reached)),
        region_and_account(newest_region(), reached),
    )
        .map(flat);
    name_after(scope, any_latest(), reached)
}

/// An optional part.
type Optional<'a> = Option<&'a [u8]>;

/// Partition, region and account.
type Scope<'a> = (Optional<'a>, Optional<'a>, Optional<'a>);

fn flat<'a>((arn, (region, account)): (Optional<'a>, (Optional<'a>, Optional<'a>))) -> Scope<'a> {
    (arn, region, account)
}

/// The parts after the account, which are the same in all generations.
fn name_after<'a>(
    scope: impl Parser<&'a [u8], Output = Scope<'a>, Error = ()>,
    latest: impl Parser<&'a [u8], Output = &'a [u8], Error = ()>,
    reached: &Reached,
) -> impl Parser<&'a [u8], Output = NameParts<'a>, Error = ()> {
    let function = opt((
        named(Part::Function, tag("function:".as_bytes()), reached),
        group_end(),
    ));
    let name = named(Part::Name, take_while1(is_name_byte), reached);
    let qualifier = named(
        Part::Qualifier,
        alt((latest, take_while1(is_word_byte))),
        reached,
    );
    (scope, function, name, opt((char(':'), qualifier))).map(
        |((arn, region, account), _, name, qualifier)| NameParts {
            arn,
            region,
            account,
            name,
            qualifier: qualifier.map(|(_, qualifier)| qualifier),
        },
    )
}

fn region_and_account<'a>(
    region: impl Parser<&'a [u8], Output = &'a [u8], Error = ()>,
    reached: &Reached,
) -> impl Parser<&'a [u8], Output = (Optional<'a>, Optional<'a>), Error = ()> {
    (
        opt(group(Part::Region, region, reached)),
        opt(group(Part::Account, account(), reached)),
    )
}

/// `arn:(aws[a-zA-Z-]*)?:lambda:`
fn arn<'a>(reached: &Reached) -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    (
        named(Part::Arn, tag("arn:".as_bytes()), reached),
        named(Part::Partition, partition(), reached),
        named(Part::Service, tag(":lambda:".as_bytes()), reached),
    )
        .map(|(_, partition, _)| partition)
}

/// `(aws[a-zA-Z-]*)?`
fn partition<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    recognize(opt((tag("aws".as_bytes()), take_while(is_partition_byte))))
}

/// A part and the `:` after it, unless the rest can only be a qualifier.
fn group<'a>(
    part: Part,
    parser: impl Parser<&'a [u8], Output = &'a [u8], Error = ()>,
    reached: &Reached,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    (named(part, parser, reached), char(':'), group_end()).map(|(part, _, ())| part)
}

fn group_end<'a>() -> impl Parser<&'a [u8], Output = (), Error = ()> {
    not(char('$'))
}

/// `[a-z]{2}(-gov)?-[a-z]+-\d{1}`
fn published_region<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    // In `us-gov-1` there is no infix: `gov` is the area.
    let areas = alt((
        recognize((tag("-gov".as_bytes()), area())),
        recognize(area()),
    ));
    recognize((take_while_m_n(2, 2, is_lower), areas))
}

/// `(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`
fn newest_region<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    let gov = tag("-gov".as_bytes());
    let iso = recognize((tag("-iso".as_bytes()), opt(take_while_m_n(1, 1, is_lower))));
    let areas = alt((recognize((alt((gov, iso)), area())), recognize(area())));
    recognize((
        opt(tag("eusc-".as_bytes())),
        take_while_m_n(2, 2, is_lower),
        areas,
    ))
}

/// `-[a-z]+-\d{1}`
fn area<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    recognize((
        char('-'),
        take_while1(is_lower),
        char('-'),
        take_while_m_n(1, 1, is_digit),
    ))
}

/// `\d{12}`
fn account<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    take_while_m_n(12, 12, is_digit)
}

/// `\$LATEST(\.PUBLISHED)?`
fn any_latest<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    alt((
        tag("$LATEST.PUBLISHED".as_bytes()),
        tag("$LATEST".as_bytes()),
    ))
}

/// Whether the whole input is a partition, which may be empty.
pub(crate) fn is_partition(input: &[u8]) -> bool {
    whole(partition(), input).is_some()
}

/// Whether the whole input is a region of this generation.
pub(crate) fn is_region(pattern: Pattern, input: &[u8]) -> bool {
    match pattern {
        Pattern::Published => whole(published_region(), input).is_some(),
        Pattern::Newest => whole(newest_region(), input).is_some(),
    }
}

/// Whether the whole input is an account id.
pub(crate) fn is_account(input: &[u8]) -> bool {
    whole(account(), input).is_some()
}

// The other values.

/// `(|[a-zA-Z0-9$_-]+)`, and not empty.
fn published_qualifier<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    take_while1(is_qualifier_byte)
}

/// `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`
fn newest_qualifier<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    alt((
        tag("$LATEST.PUBLISHED".as_bytes()),
        take_while1(is_qualifier_byte),
    ))
}

/// `(\$LATEST|[0-9]+)`
fn executed_version<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = ()> {
    alt((tag("$LATEST".as_bytes()), take_while1(is_digit)))
}

/// The pattern is [`DURABLE_EXECUTION_ARN`](crate::patterns::DURABLE_EXECUTION_ARN).
fn durable_execution_arn<'a>()
-> impl Parser<&'a [u8], Output = DurableExecutionArnParts<'a>, Error = ()> {
    let plain = || take_while1(|byte: u8| byte.is_ascii_alphanumeric() || byte == b'-');
    let word = || take_while1(is_word_byte);
    let version = alt((any_latest(), take_while1(is_digit)));
    (
        (tag("arn:".as_bytes()), plain()),
        (tag(":lambda:".as_bytes()), plain()),
        (char(':'), account()),
        (tag(":function:".as_bytes()), word()),
        (char(':'), version),
        (tag("/durable-execution/".as_bytes()), word()),
        (char('/'), word()),
    )
        .map(
            |(
                (_, partition),
                (_, region),
                (_, account),
                (_, function),
                (_, version),
                (_, name),
                (_, id),
            )| DurableExecutionArnParts {
                partition,
                region,
                account,
                function,
                version,
                name,
                id,
            },
        )
}

/// Base64 with the standard alphabet, padded or not, and no spare bits (RFC 4648, section 4).
fn base64<'a>() -> impl Parser<&'a [u8], Output = Option<&'a [u8]>, Error = ()> {
    verify(take_while(is_base64_byte), has_no_spare_bits).flat_map(|text: &[u8]| {
        opt(tag(match text.len() % 4 {
            2 => "==".as_bytes(),
            3 => "=".as_bytes(),
            _ => "".as_bytes(),
        }))
    })
}

/// Whether unpadded base64 text ends with a whole byte: its last symbol has no spare bits set.
fn has_no_spare_bits(text: &[u8]) -> bool {
    match (text.len() % 4, text.last()) {
        (2, Some(last)) => b"AQgw".contains(last),
        (3, Some(last)) => b"AEIMQUYcgkosw048".contains(last),
        (remainder, _) => remainder == 0,
    }
}

// Characters.

/// `[a-zA-Z0-9-_\.]`
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// `[a-zA-Z0-9-_]`
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// `[a-zA-Z0-9$_-]`
fn is_qualifier_byte(byte: u8) -> bool {
    is_word_byte(byte) || byte == b'$'
}

/// `[a-zA-Z0-9\._:\/=+\-@ ]`
fn is_tenant_byte(byte: u8) -> bool {
    is_name_byte(byte) || matches!(byte, b':' | b'/' | b'=' | b'+' | b'@' | b' ')
}

/// `[a-zA-Z0-9+/]`
fn is_base64_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// `[a-zA-Z-]`
fn is_partition_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'-'
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Records `part` as reached whenever a streaming run ends within it.
fn named<P>(part: Part, parser: P, reached: &Reached) -> Named<'_, P> {
    Named {
        part,
        parser,
        reached,
    }
}

struct Named<'p, P> {
    part: Part,
    parser: P,
    reached: &'p Reached,
}

impl<I, P: Parser<I>> Parser<I> for Named<'_, P> {
    type Output = P::Output;
    type Error = P::Error;

    #[inline(always)]
    fn process<M: OutputMode>(&mut self, input: I) -> PResult<M, I, Self::Output, Self::Error> {
        let result = self.parser.process::<M>(input);
        if M::Incomplete::is_streaming() && matches!(result, Err(Err::Incomplete(_))) {
            self.reached.set(self.reached.get().with(self.part));
        }
        result
    }
}
