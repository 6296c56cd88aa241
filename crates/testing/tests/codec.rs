//! The differential property of codecs: the project's codec satisfies it over thousands of random
//! inputs, and the property detects the fault of each flawed codec.

use bytes::{Buf, Bytes};
use lambda_invoke_testing::codec::{
    Codec, LambdaInvoke, PlainMessage, Rule, differential, differential_stream, naive,
};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn our_codec_agrees_with_the_naive_one(kind in 0..3_u8, data in vec(any::<u8>(), 0..600)) {
        differential::<LambdaInvoke>(&[&[kind][..], &data].concat());
    }
}

/// A codec that collects the whole stream and passes it to the naive one, except for its fault.
struct Flawed<const FAULT: u8>(Vec<u8>);

const NONE: u8 = 0;
const IGNORES_THE_END: u8 = 1;
const LOSES_A_HEADER: u8 = 2;
const STOPS_AT_A_PIECE: u8 = 3;
const ACCEPTS_LONG_VALUES: u8 = 4;
const SAYS_SO: u8 = 5;

impl<const FAULT: u8> Codec for Flawed<FAULT> {
    const NAME: &'static str = "flawed";
    type Message = PlainMessage;
    type Error = String;

    fn new() -> Self {
        Self(Vec::new())
    }

    fn decode(&mut self, piece: Bytes, mut each: impl FnMut(PlainMessage)) -> Result<(), String> {
        self.0.extend_from_slice(&piece);
        let (messages, verdict) = naive::decode(&self.0);
        let used: usize = messages
            .iter()
            .map(|message| naive::encode(message).len())
            .sum();
        for mut message in messages {
            if FAULT == LOSES_A_HEADER {
                message.headers.pop();
            }
            each(message);
        }
        self.0.drain(..used);
        match verdict {
            Err(Rule::MaxValueLength) if [ACCEPTS_LONG_VALUES, SAYS_SO].contains(&FAULT) => {
                self.0.clear();
                Ok(())
            }
            Err(Rule::CompleteMessage) if FAULT == STOPS_AT_A_PIECE => Err("incomplete".to_owned()),
            Err(Rule::CompleteMessage) | Ok(()) => Ok(()),
            Err(rule) => Err(format!("{rule:?}")),
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        match self.0.is_empty() || FAULT == IGNORES_THE_END {
            true => Ok(()),
            false => Err("incomplete".to_owned()),
        }
    }

    fn encode(&mut self, message: &PlainMessage) -> Result<impl Buf, String> {
        Ok(Bytes::from(naive::encode(message)))
    }

    fn to_plain(message: &PlainMessage) -> PlainMessage {
        message.clone()
    }

    fn from_plain(message: &PlainMessage) -> Result<PlainMessage, String> {
        Ok(message.clone())
    }

    fn enforces(rule: Rule) -> bool {
        FAULT != SAYS_SO || rule != Rule::MaxValueLength
    }
}

/// Whether the property holds for a codec, over a valid stream and over one whose value is too
/// long.
fn holds<C: Codec>() -> bool {
    let message = PlainMessage {
        headers: vec![(
            "a".to_owned(),
            lambda_invoke_testing::codec::PlainValue::Byte(1),
        )],
        payload: b"payload".to_vec(),
    };
    let valid = naive::encode(&message);
    let long = naive::seal(&[&b"\x01a\x06\x80\x00"[..], &[0; 32_768]].concat(), b"");
    std::panic::catch_unwind(|| {
        differential_stream::<C>(&valid, &[7]);
        differential_stream::<C>(&valid[..valid.len() - 1], &[7]);
        differential_stream::<C>(&long, &[200]);
    })
    .is_ok()
}

#[test]
fn the_property_finds_every_fault_that_is_not_declared() {
    assert!(holds::<Flawed<NONE>>());
    assert!(!holds::<Flawed<IGNORES_THE_END>>());
    assert!(!holds::<Flawed<LOSES_A_HEADER>>());
    assert!(!holds::<Flawed<STOPS_AT_A_PIECE>>());
    assert!(!holds::<Flawed<ACCEPTS_LONG_VALUES>>());
    assert!(holds::<Flawed<SAYS_SO>>());
}
