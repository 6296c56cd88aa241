//! The example in docs/benchmarking.md: the naive codec, which keeps everything that has arrived
//! and decodes it again with each piece.

use bytes::{Buf, Bytes};
use lambda_invoke_testing::codec::{Codec, PlainMessage, Rule, naive};

pub struct Contender(Vec<u8>);

impl Codec for Contender {
    const NAME: &'static str = "patient";
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
            each(message);
        }
        match verdict {
            // An incomplete message may still be completed.
            Ok(()) | Err(Rule::CompleteMessage) => Ok(()),
            Err(rule) => Err(format!("{rule:?} is broken")),
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        let complete = self.0.is_empty();
        complete.then_some(()).ok_or("an incomplete message".into())
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
