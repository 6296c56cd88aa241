//! The values that the `arbitrary` feature generates.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_event_stream::{
    HeaderType, HeaderValue, Limits, Message, Payload, Status, decode,
};

/// Bytes that look random, the same in each run.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// ASCII text, so that not all strings end at their first byte.
fn ascii(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = bytes(seed, length);
    bytes.iter_mut().for_each(|byte| *byte &= 0x7f);
    bytes
}

#[test]
fn messages_are_valid_whatever_they_are_made_of() {
    let mut types = BTreeSet::new();
    let (mut headers, mut slices, mut long) = (BTreeSet::new(), BTreeSet::new(), 0);
    let inputs = (0..2000).flat_map(|seed| {
        let length = (seed as usize * 37) % 30_000;
        [bytes(seed, length), ascii(seed, length)]
    });
    for input in inputs.chain([Vec::new(), vec![0; 100_000], vec![0xff; 100_000]]) {
        let message = Message::arbitrary_take_rest(Unstructured::new(&input)).unwrap();
        let wire = message.to_bytes().unwrap();
        let Ok(Status::Complete(read)) = decode(&wire, &Limits::new()) else {
            panic!("{message:?} does not decode");
        };
        assert_eq!(read.to_message(), message);
        types.extend(read.headers().iter().map(|(_, v)| v.header_type().as_u8()));
        headers.insert(read.headers().iter().count());
        slices.insert(message.payload().slices().count());
        long += read
            .headers()
            .iter()
            .filter(|(name, value)| name.len() > 50 && value.as_str().is_some_and(|s| s.len() > 50))
            .count();
    }
    assert_eq!(types, (0..=9).collect());
    assert_eq!(headers, (0..=8).collect());
    assert_eq!(slices, (0..=4).collect());
    assert!(
        long > 10,
        "{long} headers have a long name and a long string"
    );
}

#[test]
fn values_and_payloads_can_be_made_alone() {
    let (mut values, mut payloads) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..500 {
        let input = ascii(seed, 5000);
        let mut u = Unstructured::new(&input);
        values.insert(HeaderValue::arbitrary(&mut u).unwrap().to_string());
        payloads.insert(Payload::arbitrary(&mut u).unwrap().len());
        let bounds = HeaderType::size_hint(0);
        assert_eq!(bounds, (0, Some(1)));
        let before = u.len();
        assert!(HeaderType::arbitrary(&mut u).is_ok() && before - u.len() <= 1);
    }
    assert!(values.len() > 100 && payloads.len() > 100);
}
