//! Streams to decode: valid ones, almost valid ones, and bytes that nobody would send in good faith.

use arbitrary::{Result, Unstructured};

use super::{PlainMessage, PlainValue, naive};

/// Generates messages until the bytes are used up, at most 16.
///
/// # Errors
///
/// There are too few bytes.
pub fn well_formed(u: &mut Unstructured<'_>) -> Result<Vec<PlainMessage>> {
    let mut messages = Vec::new();
    while !u.is_empty() && messages.len() < 16 {
        messages.push(u.arbitrary()?);
    }
    Ok(messages)
}

/// Generates a stream of valid messages with one fault, or just within a limit.
///
/// # Errors
///
/// There are too few bytes.
pub fn near_miss(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let (kind, place, byte) = u.arbitrary::<(u8, u32, u8)>()?;
    let mut messages = well_formed(u)?;
    if messages.is_empty() {
        messages.push(PlainMessage::default());
    }
    let frames: Vec<Vec<u8>> = messages.iter().map(naive::encode).collect();
    let chosen = place as usize % messages.len();
    let replaced = |frame: Vec<u8>| {
        let mut frames = frames.clone();
        frames[chosen] = frame;
        frames.concat()
    };
    let mut stream = frames.concat();
    let at = place as usize % stream.len();
    let message = &messages[chosen];
    Ok(match kind % 10 {
        0 => {
            stream[at] ^= 1 << (byte % 8);
            stream
        }
        1 => {
            stream.truncate(at);
            stream
        }
        2 => {
            stream.insert(at, byte);
            stream
        }
        3 => {
            stream.remove(at);
            stream
        }
        // A changed byte in the header block, with correct checksums.
        4 => {
            let mut block = naive::block(&message.headers);
            let length = block.len().max(1);
            if let Some(changed) = block.get_mut(place as usize % length) {
                *changed = byte;
            }
            replaced(naive::seal(&block, &message.payload))
        }
        // A header block that is too short or too long, with correct checksums.
        5 => {
            let mut block = naive::block(&message.headers);
            block.truncate(place as usize % (block.len() + 1));
            block.extend((byte % 2 == 1).then_some(byte));
            replaced(naive::seal(&block, &message.payload))
        }
        // Lengths that are slightly off, with a correct checksum of the prelude.
        6 => {
            let (total, headers) = (frames[chosen].len() as u32, naive::block(&message.headers));
            let total = total.wrapping_add_signed(i32::from(byte % 16) - 8);
            let headers = (headers.len() as u32).wrapping_add_signed(i32::from(byte / 16) - 8);
            let mut frame = frames[chosen].clone();
            frame.splice(..12, prelude(total, headers));
            replaced(frame)
        }
        // A value of about the longest length.
        7 => {
            let length = 32_764 + usize::from(byte % 8);
            let mut message = message.clone();
            let value = PlainValue::ByteArray(vec![byte; length]);
            message.headers.push(("long".to_owned(), value));
            replaced(naive::encode(&message))
        }
        // A header block of about the longest length.
        8 => {
            let header = |length| ("n".to_owned(), PlainValue::String("x".repeat(length)));
            let mut headers = vec![header(32_763); 3];
            headers.push(header(32_763 - 4 + usize::from(byte % 8)));
            let payload = message.payload.clone();
            replaced(naive::encode(&PlainMessage { headers, payload }))
        }
        // A message that comes twice is two messages.
        _ => replaced([&frames[chosen][..], &frames[chosen]].concat()),
    })
}

/// Generates random bytes, random bytes with correct checksums, or a prelude that claims arbitrary
/// lengths.
///
/// # Errors
///
/// There are too few bytes.
pub fn hostile(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const LENGTHS: [u32; 9] = [
        0,
        15,
        16,
        128 * 1024,
        128 * 1024 + 1,
        24 * 1024 * 1024,
        24 * 1024 * 1024 + 1,
        i32::MAX as u32,
        u32::MAX,
    ];
    let mut length = || -> Result<u32> {
        let known = u.arbitrary::<u8>()?;
        match LENGTHS.get(usize::from(known % 12)) {
            Some(length) => Ok(*length),
            None => u.arbitrary(),
        }
    };
    let (total, headers) = (length()?, length()?);
    let kind = u.arbitrary::<u8>()?;
    let rest = u.bytes(u.len())?;
    Ok(match kind % 3 {
        0 => rest.to_vec(),
        1 => naive::seal(rest, b"payload"),
        _ => [prelude(total, headers), rest.to_vec()].concat(),
    })
}

/// A prelude with these lengths and a correct checksum.
fn prelude(total: u32, headers: u32) -> Vec<u8> {
    let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    prelude.extend(naive::crc32(&prelude).to_be_bytes());
    prelude
}
