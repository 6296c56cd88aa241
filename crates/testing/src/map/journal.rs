//! The journal.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_map::journal::{
    Event, Header, Kind, Record, SLOT, ScanError, Scanner, Settled, Tail,
};
use lambda_invoke_map::{State, Status};

/// Reads records in pieces of these lengths, repeated.
fn scan(bytes: &[u8], seed: u32, pieces: &[u8]) -> Result<(Vec<Event>, Tail), ScanError> {
    let mut scanner = Scanner::new(seed, 0);
    let mut events = Vec::new();
    let mut rest = bytes;
    let mut lengths = pieces
        .iter()
        .map(|length| usize::from(*length).max(1))
        .cycle();
    while !rest.is_empty() {
        let length = lengths.next().unwrap_or(rest.len()).min(rest.len());
        let (now, later) = rest.split_at(length);
        rest = later;
        scanner.feed(now, |event| {
            events.push(event);
            Ok::<_, ScanError>(())
        })?;
    }
    Ok((events, scanner.finish()?))
}

/// Any bytes are a journal, the beginning of one, or an error, with the same result in pieces of
/// any length. After a repair, the rest is a journal without damage, with the same records.
pub fn journal_any(data: &[u8]) {
    let _ = Header::decode(data);
    let (seed, bytes) = match data.split_first_chunk::<4>() {
        Some((seed, bytes)) => (u32::from_le_bytes(*seed), bytes),
        None => (0, data),
    };
    let whole = scan(bytes, seed, &[]);
    assert_eq!(scan(bytes, seed, &[1]), whole);
    assert_eq!(scan(bytes, seed, &[3, 16, 40]), whole);
    let Ok((events, tail)) = whole else { return };
    check_repaired(bytes, seed, &events, &tail);
    let mut state = State::default();
    for event in &events {
        if state.read(event).is_err() {
            break;
        }
    }
    // Memory grows with the number of records, not with what they state.
    assert!(state.len() <= bytes.len() as u64 / SLOT as u64);
}

fn check_repaired(bytes: &[u8], seed: u32, events: &[Event], tail: &Tail) {
    let mut repaired = bytes[..tail.end as usize * SLOT].to_vec();
    for hole in &tail.holes {
        for slot in hole.clone() {
            let mut void = Vec::new();
            let encoded = Record::Void.encode(seed, slot, &mut void);
            assert_eq!(encoded, Ok(slot + 1));
            repaired[slot as usize * SLOT..][..SLOT].copy_from_slice(&void);
        }
    }
    let again = scan(&repaired, seed, &[]);
    let Ok((found, rest)) = again else {
        panic!("a repaired journal is damaged: {again:?}");
    };
    assert!(rest.holes.is_empty() && rest.end == tail.end);
    let records = found.iter().filter(|event| event.found.kind != Kind::Void);
    let before = events.iter().filter(|event| event.found.kind != Kind::Void);
    assert!(
        records
            .map(|event| (event.slot, event.found))
            .eq(before.map(|event| (event.slot, event.found)))
    );
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Sent(u8),
    Settled(u8, u8, u8),
    Synced,
}

/// A journal as a run writes it, and what happens to its file.
#[derive(Arbitrary, Clone, Debug)]
struct Case {
    seed: u32,
    steps: Vec<Step>,
    pieces: Vec<u8>,
    cut: u16,
    flips: Vec<u16>,
    zeros: Option<(u16, u8)>,
}

/// A truncated journal equals the journal of an earlier moment, also if zeros follow. A changed journal is
/// rejected, or does not report an item as done that is not.
pub fn journal(data: &[u8]) {
    let Ok(case) = Case::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut state = State::default();
    let (mut bytes, mut slot) = (Vec::new(), 0);
    // The statuses after each record, by the length of the journal.
    let mut moments: BTreeMap<usize, BTreeMap<u64, Status>> = BTreeMap::new();
    moments.insert(0, BTreeMap::new());
    for step in case.steps.iter().take(64) {
        let record = match *step {
            Step::Sent(index) => {
                let index = u64::from(index) % 8;
                if state.sent(index, 7).is_err() {
                    continue;
                }
                Record::Sent { index, check: 7 }
            }
            Step::Settled(index, how, length) => {
                let index = u64::from(index) % 8;
                let settled = [
                    Settled::Done,
                    Settled::NotStarted,
                    Settled::Started,
                    Settled::Unknown,
                ][usize::from(how) % 4];
                if state.settled(index, settled, slot).is_err() {
                    continue;
                }
                Record::Result {
                    index,
                    settled,
                    data: &[b'x'; 256][..usize::from(length)],
                }
            }
            Step::Synced => Record::Synced { slot },
        };
        let Ok(next) = record.encode(case.seed, slot, &mut bytes) else {
            panic!("a record of at most 255 bytes is too long");
        };
        slot = next;
        let statuses = (0..8).map(|index| (index, state.status(index))).collect();
        moments.insert(bytes.len(), statuses);
    }
    let end = usize::from(case.cut).min(bytes.len());
    let cut = scan(&bytes[..end], case.seed, &case.pieces);
    let Ok((events, _)) = cut else {
        panic!("a journal that was cut is damaged: {cut:?}");
    };
    let mut filled = bytes[..end].to_vec();
    // At least one slot of zeros follows.
    filled.resize(end.next_multiple_of(SLOT) + SLOT + usize::from(case.cut), 0);
    let filled = scan(&filled, case.seed, &case.pieces);
    let Ok((found, tail)) = filled else {
        panic!("a journal that was cut and filled with zeros is damaged: {filled:?}");
    };
    // The last bytes of a record may be zeros themselves.
    assert!(found.starts_with(&events) && found.len() <= events.len() + 1);
    assert!(tail.holes.is_empty());
    let read = replayed(&events);
    let (_, statuses) = moments
        .range(..=end)
        .next_back()
        .expect("the empty journal");
    for index in 0..8 {
        let expected = statuses.get(&index).copied().unwrap_or(Status::Pending);
        assert_eq!(read.as_ref().map(|read| read.status(index)), Some(expected));
    }
    if bytes.is_empty() {
        return;
    }
    let written = bytes.clone();
    for flip in case.flips.iter().take(4) {
        let at = usize::from(*flip) / 8 % bytes.len();
        bytes[at] ^= 1 << (flip % 8);
    }
    if let Some((at, length)) = case.zeros {
        let at = usize::from(at) % bytes.len();
        let end = (at + usize::from(length)).min(bytes.len());
        bytes[at..end].fill(0);
    }
    let Ok((events, tail)) = scan(&bytes, case.seed, &case.pieces) else {
        return;
    };
    check_repaired(&bytes, case.seed, &events, &tail);
    // What is accepted is as it was written.
    for event in &events {
        let (start, slots) = (event.slot as usize, event.found.slots() as usize);
        let record = start * SLOT..(start + slots) * SLOT;
        assert_eq!(bytes[record.clone()], written[record], "{event:?}");
    }
    let Some(read) = replayed(&events) else {
        return;
    };
    for index in 0..8 {
        let is_done = |status| status == Status::Settled(Settled::Done);
        assert!(!is_done(read.status(index)) || is_done(state.status(index)));
    }
}

fn replayed(events: &[Event]) -> Option<State> {
    let mut state = State::default();
    for event in events {
        state.read(event).ok()?;
    }
    Some(state)
}
