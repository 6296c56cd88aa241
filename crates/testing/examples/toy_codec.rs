//! Compares two toy codecs with the specification: one that is right, and one that loses messages
//! without a payload.
//!
//! ```text
//! cargo run -p lambda-invoke-testing --example toy_codec
//! ```

use std::error::Error;
use std::panic;

use bytes::{Buf, Bytes};
use lambda_invoke_testing::codec::{Codec, PlainMessage, Rule, differential, naive};
use lambda_invoke_testing::corpus;

/// Keeps everything that has arrived, and decodes it again with each piece.
struct Toy<const LOSES_EMPTY: bool>(Vec<u8>);

impl<const LOSES_EMPTY: bool> Codec for Toy<LOSES_EMPTY> {
    const NAME: &'static str = "toy";
    type Message = PlainMessage;
    type Error = String;

    fn new() -> Self {
        Self(Vec::new())
    }

    fn decode(&mut self, piece: Bytes, mut each: impl FnMut(PlainMessage)) -> Result<(), String> {
        self.0.extend_from_slice(&piece);
        let (messages, verdict) = naive::decode(&self.0);
        for message in messages {
            self.0.drain(..naive::encode(&message).len());
            if !(LOSES_EMPTY && message.payload.is_empty()) {
                each(message);
            }
        }
        match verdict {
            // An incomplete message may still be completed.
            Ok(()) | Err(Rule::CompleteMessage) => Ok(()),
            Err(rule) => Err(format!("{rule:?} is broken")),
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err("an incomplete message".to_owned()),
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
}

fn main() -> Result<(), Box<dyn Error>> {
    let seeds = corpus::seeds("event_stream_differential")?;
    for (_, seed) in &seeds {
        differential::<Toy<false>>(seed);
    }
    println!("{} seeds: the first codec is right", seeds.len());

    // `differential` panics at a difference; one is enough for this example.
    panic::set_hook(Box::new(|_| {}));
    let found = seeds
        .iter()
        .find(|(_, seed)| panic::catch_unwind(|| differential::<Toy<true>>(seed)).is_err());
    let (name, _) = found.ok_or("the second codec passes for right")?;
    println!("the second differs with {}", name.display());
    Ok(())
}
