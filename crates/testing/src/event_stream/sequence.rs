//! Decodes many messages that are nearly the same with one decoder.

use arbitrary::{Arbitrary, Unstructured};

use super::{lengths, same_under_any_split};
use crate::codec::{Codec as _, LambdaInvoke, PlainMessage, naive};

/// How a message differs from the one before.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Change {
    Nothing,
    /// A byte of the header block.
    Byte(u16, u8),
    /// The last bytes of the header block are missing.
    Shorter(u8),
    /// The header block before the last change.
    Back,
    /// The header block is repeated: a long one, with the same headers.
    Doubled,
    Payload(u8),
    /// No headers, as a new decoder expects them.
    Empty,
}

/// The maximum number of messages.
const MOST: usize = 64;
/// The longest header block that grows.
const LONGEST: usize = 2048;

/// Each message differs from the previous one in one change, and all have correct checksums. One
/// decoder reads the same from them as the naive decoder, which has no cache, and rejects the first
/// invalid one.
pub fn sequence(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let input = lengths(&mut u)
        .and_then(|lengths| Ok((lengths, u.arbitrary::<PlainMessage>()?)))
        .and_then(|(lengths, first)| Ok((lengths, first, u.arbitrary::<Vec<Change>>()?)));
    let Ok((lengths, first, changes)) = input else {
        return;
    };
    let mut block = naive::block(&first.headers);
    let mut before = block.clone();
    let mut payload = first.payload;
    payload.truncate(64);
    let mut stream = naive::seal(&block, &payload);
    for change in changes.iter().take(MOST) {
        let last = block.clone();
        let length = block.len().max(1);
        match *change {
            Change::Nothing => {}
            Change::Byte(at, byte) => {
                if let Some(changed) = block.get_mut(usize::from(at) % length) {
                    *changed = byte;
                }
            }
            Change::Shorter(by) => block.truncate(block.len().saturating_sub(by.into())),
            Change::Back => block.clone_from(&before),
            Change::Doubled if block.len() < LONGEST => block.extend_from_within(..),
            Change::Doubled => {}
            Change::Payload(byte) => payload = vec![byte; usize::from(byte % 16)],
            Change::Empty => block.clear(),
        }
        before = last;
        stream.extend(naive::seal(&block, &payload));
    }
    let (expected, verdict) = naive::decode(&stream);
    let (read, end) = same_under_any_split(&stream, &lengths);
    let read: Vec<PlainMessage> = read.iter().map(LambdaInvoke::to_plain).collect();
    assert_eq!(read, expected);
    assert_eq!(
        end.is_ok(),
        verdict.is_ok(),
        "{end:?}, expected {verdict:?}"
    );
}
