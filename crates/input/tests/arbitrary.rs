//! Generated values are valid, and reach every form.
#![cfg(feature = "arbitrary")]
// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InputError, InvocationType, LogType, NameRules, Qualifier, QualifierKind, Target, TenantId,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

/// Generates values from many random inputs, including short ones, and passes each value to
/// `check`.
fn each<T>(mut check: impl FnMut(&T))
where
    T: for<'a> Arbitrary<'a> + Debug,
{
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let bytes = prop::collection::vec(any::<u8>(), 0..600);
    for _ in 0..3_000 {
        let bytes = bytes.new_tree(&mut runner).unwrap().current();
        let value = T::arbitrary(&mut Unstructured::new(&bytes))
            .unwrap_or_else(|error| panic!("{error} from {bytes:?}"));
        check(&value);
    }
}

/// Checks that every generated value parses again, and returns the lengths that occurred.
fn lengths<T>(parse: fn(String) -> Result<T, InputError>) -> HashSet<usize>
where
    T: for<'a> Arbitrary<'a> + Debug + PartialEq + AsRef<str>,
{
    let mut lengths = HashSet::new();
    each(|value: &T| {
        let text = value.as_ref();
        assert_eq!(&parse(text.to_owned()).unwrap(), value);
        lengths.insert(text.len());
    });
    lengths
}

#[test]
fn function_names_of_every_form() {
    let mut forms = HashSet::new();
    each(|name: &FunctionName<'static>| {
        for rules in [NameRules::default(), NameRules::newest()] {
            assert_eq!(
                &FunctionName::parse_with(name.as_str(), &rules).unwrap(),
                name
            );
        }
        forms.insert((
            name.is_arn(),
            name.partition().is_some(),
            name.region().is_some(),
            name.account().is_some(),
            name.qualifier().is_some(),
        ));
    });
    // Every combination of parts that is allowed; a partition occurs only in an ARN.
    assert_eq!(forms.len(), 24, "{forms:?}");
}

#[test]
fn qualifiers_of_every_kind() {
    let mut kinds = HashMap::new();
    let mut bytes = HashSet::new();
    each(|qualifier: &Qualifier<'static>| {
        *kinds.entry(qualifier.kind()).or_insert(0) += 1;
        bytes.extend(qualifier.as_str().bytes());
    });
    // A quarter are versions, and there are some of every other kind.
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    assert!(kinds[&QualifierKind::Version] > 500, "{kinds:?}");
    assert!((b'a'..=b'z').all(|byte| bytes.contains(&byte)));
}

#[test]
fn targets_that_do_not_contradict_themselves() {
    let mut kinds = HashSet::new();
    each(|target: &Target<'static>| {
        let (name, qualifier) = target.clone().into_parts();
        // A longer qualifier cannot be a parameter.
        let own = name.qualifier().filter(|own| own.as_str().len() <= 128);
        kinds.insert((own.is_some(), qualifier.is_some()));
        assert_eq!(&Target::new(name.clone(), qualifier).unwrap(), target);
    });
    assert_eq!(kinds.len(), 4);
}

#[test]
fn client_contexts_up_to_the_limit() {
    let mut longest = 0;
    for seed in 0..=255 {
        let bytes: Vec<u8> = (0..10_000_usize)
            .map(|at| (at * 7_919 + at * at * 31 + seed * 104_729) as u8)
            .collect();
        let context = ClientContext::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        longest = longest.max(context.to_json().len());
    }
    assert_eq!(longest, 2_685);
}

#[test]
fn header_values_up_to_their_limits() {
    let seen = lengths::<TenantId<'static>>(TenantId::try_from);
    assert!(seen.contains(&1) && seen.contains(&256), "{seen:?}");
    let seen = lengths::<DurableExecutionName<'static>>(DurableExecutionName::try_from);
    assert!(seen.contains(&1) && seen.contains(&64), "{seen:?}");
    let seen = lengths::<Qualifier<'static>>(Qualifier::try_from);
    assert!(seen.contains(&1) && seen.contains(&128), "{seen:?}");
    let seen = lengths::<ExecutedVersion<'static>>(ExecutedVersion::try_from);
    assert!(seen.contains(&7) && seen.contains(&10), "{seen:?}");
    lengths::<DurableExecutionArn<'static>>(DurableExecutionArn::try_from);
    let seen = lengths::<ClientContext<'static>>(ClientContext::try_from);
    assert!(seen.contains(&0) && seen.len() > 20, "{seen:?}");
}

#[test]
fn every_keyword() {
    let (mut types, mut logs) = (HashSet::new(), HashSet::new());
    each(|value: &InvocationType| {
        types.insert(*value);
    });
    each(|value: &LogType| {
        logs.insert(*value);
    });
    assert_eq!((types.len(), logs.len()), (3, 2));
}
