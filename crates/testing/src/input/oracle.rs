//! Compares `lambda-invoke-input` with the service's regular expressions, by the `regex` crate and
//! its automata.
//!
//! Each `check_*` takes any text and panics if the two differ in whether the text is accepted, in
//! its parts, or in where it goes wrong and what was expected there. The property tests and the
//! fuzz targets share these functions.

use std::sync::LazyLock;

use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, Expected,
    FunctionName, InputError, NameRules, Qualifier, RequestValidator, TenantId, limits, patterns,
};
use regex::{Regex, RegexBuilder};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::{start, syntax};

/// Parts of values, valid and almost valid ones, to generate texts from.
pub(crate) const PARTS: &[&str] = &[
    "arn:aws:lambda:",
    "arn:aws-cn:lambda:",
    "arn:aws-us-gov:lambda:",
    "arn::lambda:",
    "arn:awsX-y:lambda:",
    "arn:aws1:lambda:",
    "arn:aw:lambda:",
    "arn:aws:ec2:",
    "arn:aws:",
    "arn:",
    "us-east-1:",
    "us-gov-west-1:",
    "us-gov-1:",
    "us-iso-east-1:",
    "us-isob-east-1:",
    "us-isoab-east-1:",
    "us-isob-1:",
    "eusc-de-east-1:",
    "eusc-1:",
    "ab-c-12:",
    "ab-c-:",
    "AB-c-1:",
    "123456789012:",
    "12345678901:",
    "1234567890123:",
    "function:",
    "functio:",
    "functions:",
    ":",
    "us-east-1",
    "eusc-de-east-1",
    "123456789012",
    "function",
    "arn",
    "thumbnail",
    "my.function",
    "my_function-2",
    "$LATEST",
    "$LATEST.PUBLISHED",
    "$LATES",
    "$LATEST.",
    "$",
    ":$LATEST",
    ":$LATEST.PUBLISHED",
    ":live",
    ":7",
    ":a.b",
    ":",
    "!",
    " ",
    "é",
    "\n",
    "/durable-execution/",
    "/",
    "=",
    "==",
    "e30",
    "@",
    "EU-WEST-1:",
    "Lambda:",
    "layer:",
    "https://",
    "a.lambda-url.eu-west-1.on.aws",
];

/// One expression, anchored, with `\d` as `[0-9]`: for captures, and as an automaton that knows
/// which prefixes can be completed.
struct Oracle {
    regex: Regex,
    automaton: dense::DFA<Vec<u32>>,
    may_be_empty: bool,
}

impl Oracle {
    fn new(pattern: &str) -> Self {
        let anchored = format!(r"\A(?:{pattern})\z");
        let regex = RegexBuilder::new(&anchored).unicode(false).build().unwrap();
        let automaton = dense::Builder::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .configure(dense::Config::new().start_kind(StartKind::Anchored))
            .build(&anchored)
            .unwrap();
        Self {
            regex,
            automaton,
            may_be_empty: pattern == BASE64,
        }
    }

    fn accepts(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The capture groups of `text`, each without the `:` that some end in.
    fn captures<'t, const N: usize>(
        &self,
        text: &'t str,
        groups: [usize; N],
    ) -> [Option<&'t str>; N] {
        let captures = self.regex.captures(text).unwrap();
        groups.map(|group| {
            captures
                .get(group)
                .map(|part| part.as_str().trim_end_matches(':'))
        })
    }

    /// The length of the longest prefix of `text` that can be completed, and what can follow it.
    fn frontier(&self, text: &str) -> (usize, [bool; 256], bool) {
        let dfa = &self.automaton;
        let start = start::Config::new().anchored(regex_automata::Anchored::Yes);
        let mut state = dfa.start_state(&start).unwrap();
        let mut offset = 0;
        for &byte in text.as_bytes() {
            let next = dfa.next_state(state, byte);
            if dfa.is_dead_state(next) {
                break;
            }
            state = next;
            offset += 1;
        }
        let mut expected = [false; 256];
        for byte in 0..=255_u8 {
            expected[usize::from(byte)] = !dfa.is_dead_state(dfa.next_state(state, byte));
        }
        (
            offset,
            expected,
            dfa.is_match_state(dfa.next_eoi_state(state)),
        )
    }

    /// Checks a rejection for a character (or for an early end) against the automaton.
    fn check_rejection(&self, text: &str, error: InputError) {
        match error {
            InputError::Unexpected {
                offset,
                found,
                expected,
                mistake,
                span: (start, end),
                ..
            } => {
                let (frontier, bytes, may_end) = self.frontier(text);
                assert_eq!(offset, frontier, "offset in {text:?}");
                assert_eq!(found, text[offset..].chars().next(), "found in {text:?}");
                // An empty value is rejected for its length, although some expressions match it.
                check_expected(
                    text,
                    expected,
                    bytes,
                    may_end && (offset > 0 || self.may_be_empty),
                );
                assert_eq!(error.expected(), Some(expected));
                assert_eq!(error.offset(), offset);
                assert_eq!(error.mistake(), mistake);
                // The span is in the text, and empty only at its end.
                assert!(text.get(start..end).is_some(), "{start}..{end} in {text:?}");
                assert!(start < end || found.is_none(), "{start}..{end} in {text:?}");
                check_snippet(text, error);
            }
            InputError::Empty { .. } => assert!(text.is_empty(), "{text:?} is not empty"),
            other => panic!("{text:?}: {other:?}"),
        }
        assert!(
            !self.accepts(text) || text.is_empty(),
            "{text:?} was rejected: {error}"
        );
    }
}

/// A snippet has a line with the value and a line with carets, and neither has control characters.
fn check_snippet(text: &str, error: InputError) {
    let snippet = error.snippet(text).to_string();
    let (value, marks) = snippet.split_once('\n').unwrap();
    assert!(!value.contains(char::is_control), "{snippet:?}");
    assert!(marks.ends_with('^'), "{snippet:?}");
    assert_eq!(marks.trim_matches(['^', '~', ' ']), "", "{snippet:?}");
    let (value, marks) = (value.chars().count(), marks.chars().count());
    assert!(marks <= value + 1, "{snippet:?}");
}

fn check_expected(text: &str, expected: Expected, bytes: [bool; 256], end: bool) {
    for byte in 0..=255_u8 {
        assert_eq!(
            expected.contains(byte),
            bytes[usize::from(byte)],
            "{:?} in {text:?}",
            char::from(byte)
        );
    }
    assert_eq!(expected.end(), end, "end in {text:?}");
    assert!(expected.bytes().all(|byte| expected.contains(byte)));
}

macro_rules! oracle {
    ($pattern:expr) => {{
        static ORACLE: LazyLock<Oracle> = LazyLock::new(|| Oracle::new($pattern));
        &*ORACLE
    }};
}

/// Every set of rules with its expression and the capture groups of partition, region, account,
/// name and qualifier.
fn generations() -> [(NameRules, &'static Oracle, [usize; 5]); 4] {
    let published = oracle!(patterns::FUNCTION_NAME_PUBLISHED);
    let newest = oracle!(patterns::FUNCTION_NAME_NEWEST);
    [
        (NameRules::published(), published, [2, 3, 5, 7, 9]),
        (NameRules::default(), newest, [2, 3, 9, 11, 13]),
        (NameRules::recorded(), newest, [2, 3, 9, 11, 13]),
        (NameRules::newest(), newest, [2, 3, 9, 11, 13]),
    ]
}

pub(crate) fn check_function_name(text: &str) {
    for (rules, oracle, groups) in generations() {
        let length = text.chars().count();
        let too_long = rules.max_length().is_some_and(|limit| length > limit);
        let matches = oracle.accepts(text);
        let bare = !text.contains(':');
        let bare_too_long = bare && rules.max_bare_name().is_some_and(|limit| length > limit);
        let parsed = FunctionName::parse_with(text, &rules);
        let accepted = matches && !too_long && !bare_too_long;
        assert_eq!(
            parsed.is_ok(),
            accepted,
            "{text:?} under {rules:?}: {parsed:?}"
        );
        let violations = RequestValidator::new().function_name(text).validate(&rules);
        assert_eq!(
            violations.is_ok(),
            accepted,
            "{text:?} under {rules:?}: {violations:?}"
        );
        match parsed {
            Ok(parsed) => {
                let [partition, region, account, name, qualifier] = oracle.captures(text, groups);
                assert_eq!(parsed.partition(), partition, "partition of {text:?}");
                assert_eq!(parsed.region(), region, "region of {text:?}");
                assert_eq!(parsed.account(), account, "account of {text:?}");
                assert_eq!(Some(parsed.name()), name, "name of {text:?}");
                let derived = parsed.qualifier();
                assert_eq!(
                    derived.as_ref().map(Qualifier::as_str),
                    qualifier,
                    "{text:?}"
                );
                assert_eq!(parsed.as_str(), text);
                assert_eq!(parsed.is_bare(), bare, "{text:?}");
                let rest = qualifier.map_or(0, |qualifier| qualifier.len() + 1);
                assert_eq!(parsed.unqualified(), &text[..text.len() - rest]);
                let owned = FunctionName::parse_with(text.to_owned(), &rules).unwrap();
                assert_eq!(owned, parsed.into_owned());
            }
            Err(InputError::TooLong {
                length: found,
                limit,
                ..
            }) => {
                assert!(too_long, "{text:?} under {rules:?}");
                assert_eq!((found, Some(limit)), (length, rules.max_length()));
            }
            Err(InputError::BareNameTooLong {
                length: found,
                limit,
                ..
            }) => {
                assert!(
                    matches && bare_too_long && !too_long,
                    "{text:?} under {rules:?}"
                );
                assert_eq!((found, Some(limit)), (length, rules.max_bare_name()));
            }
            Err(error) => oracle.check_rejection(text, error),
        }
    }
}

pub(crate) fn check_qualifier(text: &str) {
    let published = oracle!(patterns::QUALIFIER_PUBLISHED);
    let newest = oracle!(patterns::QUALIFIER_NEWEST);
    for (rules, oracle) in [
        (NameRules::published(), published),
        (NameRules::default(), newest),
        (NameRules::recorded(), newest),
        (NameRules::newest(), newest),
    ] {
        let parsed = Qualifier::parse_with(text, &rules);
        check_value(
            text,
            oracle,
            limits::QUALIFIER,
            parsed.map(|value| value.to_string()),
        );
        let violations = RequestValidator::new().qualifier(text).validate(&rules);
        assert_eq!(
            violations.is_ok(),
            Qualifier::parse_with(text, &rules).is_ok(),
            "{text:?}"
        );
    }
}

pub(crate) fn check_tenant_id(text: &str) {
    let parsed = TenantId::try_from(text).map(|value| value.to_string());
    let violations = RequestValidator::new()
        .tenant_id(text)
        .validate(&NameRules::default());
    assert_eq!(violations.is_ok(), parsed.is_ok(), "{text:?}");
    check_value(
        text,
        oracle!(patterns::TENANT_ID),
        limits::TENANT_ID,
        parsed,
    );
}

pub(crate) fn check_durable_execution_name(text: &str) {
    let parsed = DurableExecutionName::try_from(text).map(|value| value.to_string());
    let violations = RequestValidator::new()
        .durable_execution_name(text)
        .validate(&NameRules::default());
    assert_eq!(violations.is_ok(), parsed.is_ok(), "{text:?}");
    let oracle = oracle!(patterns::DURABLE_EXECUTION_NAME);
    check_value(text, oracle, limits::DURABLE_EXECUTION_NAME, parsed);
}

pub(crate) fn check_executed_version(text: &str) {
    let parsed = ExecutedVersion::try_from(text).map(|value| value.to_string());
    check_value(
        text,
        oracle!(patterns::EXECUTED_VERSION),
        limits::EXECUTED_VERSION,
        parsed,
    );
}

pub(crate) fn check_durable_execution_arn(text: &str) {
    let oracle = oracle!(patterns::DURABLE_EXECUTION_ARN);
    let parsed = DurableExecutionArn::try_from(text);
    if let Ok(arn) = &parsed {
        let parts = [
            arn.partition(),
            arn.region(),
            arn.account(),
            arn.function(),
            arn.version(),
            arn.name(),
            arn.id(),
        ];
        assert_eq!(
            parts.map(Some),
            oracle.captures(text, [1, 2, 3, 4, 5, 6, 7]),
            "{text:?}"
        );
    }
    check_value(
        text,
        oracle,
        limits::DURABLE_EXECUTION_ARN,
        parsed.map(|arn| arn.to_string()),
    );
}

/// The service has no pattern for base64: this is RFC 4648, section 4, with optional padding and
/// without spare bits.
const BASE64: &str =
    "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw](==)?|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=?)?";

pub(crate) fn check_client_context(text: &str) {
    let parsed = ClientContext::try_from(text);
    if let Ok(context) = &parsed {
        let again = ClientContext::from_json(context.to_json());
        // With padding, the text may exceed the limit.
        let unpadded = text.trim_end_matches('=');
        match again {
            Ok(again) => assert_eq!(again.as_base64().trim_end_matches('='), unpadded),
            Err(_) => assert!(unpadded.len() > limits::CLIENT_CONTEXT - 3),
        }
    }
    let parsed = parsed.map(|context| context.to_string());
    check_value(text, oracle!(BASE64), limits::CLIENT_CONTEXT, parsed);
}

fn check_value(text: &str, oracle: &Oracle, limit: usize, parsed: Result<String, InputError>) {
    let length = text.chars().count();
    match parsed {
        Ok(value) => {
            assert_eq!(value, text);
            assert!(
                oracle.accepts(text) && length <= limit,
                "{text:?} was accepted"
            );
        }
        Err(InputError::TooLong {
            length: found,
            limit: told,
            ..
        }) => {
            assert!(length > limit, "{text:?}");
            assert_eq!((found, told), (length, limit));
        }
        Err(error) => oracle.check_rejection(text, error),
    }
}
