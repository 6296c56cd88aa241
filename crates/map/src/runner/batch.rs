//! Several payloads in one invocation, as a JSON array, and the results in the response.
//!
//! The response follows the contract of Lambda's own batches ("partial batch responses"):
//! `{"batchItemFailures": [{"itemIdentifier": "..."}]}`. An identifier is the item's key or its position
//! in the array, from 0. A response that is empty, null, or an object without failures reports success;
//! an identifier that is empty, null or unknown, and a response that is not JSON, fail the whole batch.
//!
//! A function may also return an array with a result for each payload.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke::InvocationType;
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::attempt::Mode;
use crate::counted::counted;
use crate::written;

/// Returns the maximum length of a batch's array in bytes: the service's limit for the payload of a
/// request, 1 MiB for an event and 6 MiB for other calls.
pub(super) const fn max_bytes(mode: Mode) -> usize {
    match mode {
        Mode::Event => InvocationType::Event.max_payload(),
        Mode::Invoke | Mode::Stream => InvocationType::RequestResponse.max_payload(),
    }
}

/// The response's results for the items, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BatchResponse {
    /// Whether each item failed.
    Failed(Vec<bool>),
    /// A result for each item.
    Results(Vec<Bytes>),
    /// The whole batch failed, because the response is not valid for a batch.
    Invalid(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Response<'r> {
    #[serde(borrow, default)]
    batch_item_failures: Option<&'r RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Failure<'r> {
    #[serde(borrow, default)]
    item_identifier: Option<&'r RawValue>,
}

/// Joins payloads to an array.
pub(super) fn join<'p>(payloads: impl Iterator<Item = &'p Bytes>) -> Bytes {
    let mut out = vec![b'['];
    for (at, payload) in payloads.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(payload);
    }
    out.push(b']');
    out.into()
}

/// Reads the response to a batch of items with these keys.
pub(super) fn read(response: &Bytes, keys: &[Option<Arc<str>>]) -> BatchResponse {
    if response.trim_ascii().is_empty() {
        return BatchResponse::Failed(vec![false; keys.len()]);
    }
    let is_array = response.trim_ascii_start().starts_with(b"[");
    if is_array {
        let mut results = Vec::new();
        let count = elements(response, |result: &RawValue| {
            if results.len() < keys.len() {
                results.push(response.slice_ref(result.get().as_bytes()));
            }
        });
        return match count {
            Ok(count) if count == keys.len() => BatchResponse::Results(results),
            Ok(count) => BatchResponse::Invalid(format!(
                "the function returned an array of {} for a batch of {}",
                counted(count as u64, "result"),
                keys.len()
            )),
            Err(error) => {
                BatchResponse::Invalid(format!("the response to a batch is not JSON: {error}"))
            }
        };
    }
    let mut failed = BTreeSet::new();
    let mut unknown = None;
    let read = serde_json::from_slice::<Option<Response<'_>>>(response).and_then(|response| {
        let failures = response.and_then(|response| response.batch_item_failures);
        let failures = failures.map_or("[]", RawValue::get).as_bytes();
        elements(failures, |Failure { item_identifier }| {
            let identifier = item_identifier.unwrap_or(RawValue::NULL);
            let named = positions(identifier, keys);
            if named.is_empty() && unknown.is_none() {
                unknown = Some(identifier.to_owned());
            }
            failed.extend(named);
        })
    });
    match (read, unknown) {
        (Err(error), _) => BatchResponse::Invalid(format!(
            "the response to a batch is not an object with batchItemFailures: {error}"
        )),
        (Ok(_), Some(identifier)) => BatchResponse::Invalid(format!(
            "batchItemFailures names {identifier}, which is neither the key nor the position of an item"
        )),
        (Ok(_), None) => {
            BatchResponse::Failed((0..keys.len()).map(|at| failed.contains(&at)).collect())
        }
    }
}

/// Reads the elements of an array one by one, and returns their number. A function wrote the array, and may
/// have written millions.
fn elements<'j, T: Deserialize<'j>>(
    array: &'j [u8],
    each: impl FnMut(T),
) -> serde_json::Result<usize> {
    let mut json = serde_json::Deserializer::from_slice(array);
    let count = json.deserialize_seq(Elements {
        each,
        of: PhantomData,
    })?;
    json.end()?;
    Ok(count)
}

struct Elements<F, T> {
    each: F,
    of: PhantomData<T>,
}

impl<'j, T: Deserialize<'j>, F: FnMut(T)> Visitor<'j> for Elements<F, T> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'j>>(mut self, mut array: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(element) = array.next_element()? {
            (self.each)(element);
            count += 1;
        }
        Ok(count)
    }
}

/// The items that an identifier names: by their key, which several items may have, or else by
/// position.
fn positions(identifier: &RawValue, keys: &[Option<Arc<str>>]) -> Vec<usize> {
    let Ok(Some(text)) = written::text(identifier) else {
        return Vec::new();
    };
    let by_key = keys.iter().enumerate();
    let by_key = by_key.filter(|(_, key)| key.as_deref() == Some(&text));
    let named: Vec<usize> = by_key.map(|(at, _)| at).collect();
    match named.is_empty() {
        true => text
            .parse()
            .ok()
            .filter(|at| *at < keys.len())
            .into_iter()
            .collect(),
        false => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<Option<Arc<str>>> {
        vec![Some("a".into()), Some("b".into()), None]
    }

    fn read(response: &'static str) -> BatchResponse {
        super::read(&Bytes::from_static(response.as_bytes()), &keys())
    }

    #[test]
    fn payloads_become_an_array() {
        let payloads = [Bytes::from("1"), Bytes::from(r#"{"a":[]}"#)];
        assert_eq!(join(payloads.iter()), r#"[1,{"a":[]}]"#);
    }

    #[test]
    fn failures_are_named_by_key_or_position() {
        for response in [
            "",
            "null",
            "{}",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
        ] {
            assert_eq!(
                read(response),
                BatchResponse::Failed(vec![false; 3]),
                "{response}"
            );
        }
        for (identifiers, expected) in [
            (r#"{"itemIdentifier":"b"}"#, [false, true, false]),
            (
                r#"{"itemIdentifier":2},{"itemIdentifier":"a"}"#,
                [true, false, true],
            ),
            (
                r#"{"itemIdentifier":"0"},{"itemIdentifier":"0"}"#,
                [true, false, false],
            ),
        ] {
            let response = format!(r#"{{"batchItemFailures":[{identifiers}]}}"#);
            let read = super::read(&response.into(), &keys());
            assert_eq!(read, BatchResponse::Failed(expected.to_vec()));
        }
    }

    #[test]
    fn a_key_of_several_items_names_all_of_them() {
        let response = r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#;
        let keys = ["a", "b", "a"].map(|key| Some(key.into()));
        let read = super::read(&response.into(), &keys);
        assert_eq!(read, BatchResponse::Failed(vec![true, false, true]));
    }

    #[test]
    fn an_identifier_is_compared_digit_by_digit() {
        let response = r#"{"batchItemFailures":[{"itemIdentifier":12345678901234567890124}]}"#;
        let keys =
            ["12345678901234567890123", "12345678901234567890124"].map(|key| Some(key.into()));
        let read = super::read(&response.into(), &keys);
        assert_eq!(read, BatchResponse::Failed(vec![false, true]));
    }

    #[test]
    fn results_are_taken_one_by_one() {
        let results = [r#"{"a": 1}"#, "null", "\"x\""].map(Bytes::from).to_vec();
        assert_eq!(
            read(r#"[{"a": 1}, null, "x"]"#),
            BatchResponse::Results(results)
        );
    }

    #[test]
    fn other_responses_fail_the_whole_batch() {
        for (response, part) in [
            ("<html>", "not an object"),
            ("\"done\"", "not an object"),
            ("[1]", "an array of 1 result for a batch of 3"),
            ("[1,", "not JSON"),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
                "names \"\"",
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
                "names null",
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"3"}]}"#,
                "names \"3\"",
            ),
            (r#"{"batchItemFailures":[{"wrong":"a"}]}"#, "names null"),
        ] {
            let BatchResponse::Invalid(message) = read(response) else {
                panic!("{response}");
            };
            assert!(message.contains(part), "{message}");
        }
    }
}
