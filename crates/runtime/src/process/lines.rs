//! Splits the output of an instance into lines and the records of the official runtime clients.
//!
//! A record, such as a traceback, may have several lines and stays in one piece. It has a header of
//! 16 bytes, in big-endian order: the type `A5 5A 00 xx`, the length of the text, and the time in
//! microseconds. The lower two bits of `xx` are 2 for JSON and 3 for text, and the next three are
//! the level. (`FramedTelemetryLogSink` in `awslambdaric`, `LogPatch.js` in `aws-lambda-ric`.)

use crate::limits::MAX_LINE;

/// The first bytes of a record. In UTF-8, NUL never follows these two.
const MARK: [u8; 3] = [0xA5, 0x5A, 0];

const HEADER: usize = 16;

/// Receives lines and records.
pub(super) type OnText<'a> = dyn Fn(String) + Send + Sync + 'a;

/// The bytes that do not yet form a complete line or record.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// The bytes that may be the header of a record.
    header: Vec<u8>,
    record: Option<Record>,
}

#[derive(Debug)]
struct Record {
    text: Vec<u8>,
    missing: usize,
    /// Whether it was longer than [`MAX_LINE`], and a part of it has been passed on.
    is_split: bool,
}

impl Lines {
    /// Takes the bytes that were read, and passes on the lines and records that are complete.
    pub(super) fn push(&mut self, mut read: &[u8], on_text: &OnText<'_>) {
        while !read.is_empty() {
            read = if self.record.is_some() {
                self.push_record(read, on_text)
            } else if self.header.is_empty() {
                self.push_line(read, on_text)
            } else {
                self.push_header(read, on_text)
            };
        }
    }

    /// Passes on the beginning of a line, unless a record has begun within it.
    pub(super) fn end_line(&mut self, on_text: &OnText<'_>) {
        // Within a character, the first byte of a mark is a byte of that character.
        if self.header.len() < MARK.len() && incomplete(&self.line) > 0 {
            self.line.append(&mut self.header);
        }
        if self.record.is_none() && self.header.is_empty() && !self.line.is_empty() {
            on_text(text(&std::mem::take(&mut self.line)));
        }
    }

    /// Passes on the rest at the end of the output.
    pub(super) fn end(&mut self, on_text: &OnText<'_>) {
        if let Some(record) = self.record.take() {
            record.pass_on(on_text);
        }
        self.line.append(&mut self.header);
        if !self.line.is_empty() {
            on_text(text(&std::mem::take(&mut self.line)));
        }
    }

    /// Reads to the end of the line, or to the start of a possible record.
    fn push_line<'a>(&mut self, read: &'a [u8], on_text: &OnText<'_>) -> &'a [u8] {
        let ends = |byte: &u8| *byte == b'\n' || *byte == MARK[0];
        let end = read.iter().position(ends).unwrap_or(read.len());
        let (before, after) = read.split_at(end);
        self.line.extend_from_slice(before);
        let rest = match after {
            [b'\n', rest @ ..] => {
                let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
                on_text(text(line));
                self.line.clear();
                rest
            }
            [mark, rest @ ..] => {
                self.header.push(*mark);
                rest
            }
            [] => after,
        };
        if self.line.len() >= MAX_LINE {
            pass_on_part(&mut self.line, on_text);
        }
        rest
    }

    /// Reads one byte of a header. Bytes that turn out not to be a header belong to the line.
    fn push_header<'a>(&mut self, read: &'a [u8], on_text: &OnText<'_>) -> &'a [u8] {
        let Some((byte, rest)) = read.split_first() else {
            return read;
        };
        let is_header = match self.header.len() {
            place @ 0..=2 => MARK.get(place) == Some(byte),
            // JSON or text, with a level.
            3 => *byte < 0x20 && *byte & 2 != 0,
            _ => true,
        };
        self.header.push(*byte);
        if !is_header {
            let bytes = std::mem::take(&mut self.header);
            if let Some((first, others)) = bytes.split_first() {
                self.line.push(*first);
                // The rest is shorter than before, so the recursion ends.
                self.push(others, on_text);
            }
            return rest;
        }
        if let [_, _, _, _, a, b, c, d, ..] = self.header[..] {
            if self.header.len() == HEADER {
                self.header.clear();
                let missing = u32::from_be_bytes([a, b, c, d]);
                let record = Record {
                    text: Vec::new(),
                    missing: usize::try_from(missing).unwrap_or(usize::MAX),
                    is_split: false,
                };
                match record.missing {
                    0 => record.pass_on(on_text),
                    _ => self.record = Some(record),
                }
            }
        }
        rest
    }

    fn push_record<'a>(&mut self, read: &'a [u8], on_text: &OnText<'_>) -> &'a [u8] {
        let Some(record) = &mut self.record else {
            return read;
        };
        let room = MAX_LINE - record.text.len();
        let (own, rest) = read.split_at(record.missing.min(read.len()).min(room));
        record.text.extend_from_slice(own);
        record.missing -= own.len();
        if record.missing == 0 {
            if let Some(record) = self.record.take() {
                record.pass_on(on_text);
            }
        } else if record.text.len() == MAX_LINE {
            record.is_split = true;
            pass_on_part(&mut record.text, on_text);
        }
        rest
    }
}

impl Record {
    /// Passes on the text, without the line end that some clients write.
    fn pass_on(self, on_text: &OnText<'_>) {
        let line = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        if !line.is_empty() || !self.is_split {
            on_text(text(line));
        }
    }
}

/// Passes on a part up to its last whole character, and keeps the rest.
fn pass_on_part(bytes: &mut Vec<u8>, on_text: &OnText<'_>) {
    let rest = bytes.split_off(bytes.len() - incomplete(bytes));
    on_text(text(&std::mem::replace(bytes, rest)));
}

/// The number of bytes at the end that begin a character and do not end it.
fn incomplete(bytes: &[u8]) -> usize {
    let mut last = bytes.iter().rev().take(3);
    let Some(place) = last.position(|byte| byte & 0xC0 != 0x80) else {
        return 0;
    };
    let needed = match bytes.get(bytes.len() - 1 - place) {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    if place + 1 < needed { place + 1 } else { 0 }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    fn record(kind: u8, message: &str) -> Vec<u8> {
        let mut bytes = vec![0xA5, 0x5A, 0, kind];
        bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        bytes.extend(1_795_660_000_000_000_u64.to_be_bytes());
        bytes.extend(message.as_bytes());
        bytes
    }

    fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let found = Mutex::new(Vec::new());
        let on_text = |text| found.lock().unwrap().push(text);
        let mut lines = Lines::default();
        for part in parts {
            lines.push(part, &on_text);
        }
        lines.end(&on_text);
        found.into_inner().unwrap()
    }

    fn mixed() -> (Vec<u8>, Vec<&'static str>) {
        let mut bytes = b"one\r\n".to_vec();
        bytes.extend(record(0x17, "[ERROR] E\nTraceback:\n  here\n"));
        bytes.extend("begin of å".as_bytes());
        bytes.extend(record(0x0E, "{}"));
        bytes.extend(" its end\n".as_bytes());
        bytes.extend(record(0x03, ""));
        bytes.extend(b"last");
        let texts = vec![
            "one",
            "[ERROR] E\nTraceback:\n  here",
            "{}",
            "begin of å its end",
            "",
            "last",
        ];
        (bytes, texts)
    }

    #[test]
    fn the_end_of_a_line_is_not_the_beginning_of_a_record() {
        for unfinished in ["å", "100 ¥", "奥", "åZ"] {
            let found = Mutex::new(Vec::new());
            let on_text = |text| found.lock().unwrap().push(text);
            let mut lines = Lines::default();
            lines.push(unfinished.as_bytes(), &on_text);
            lines.end_line(&on_text);
            lines.push(b"x\n", &on_text);
            assert_eq!(*found.lock().unwrap(), [unfinished, "x"]);
        }
    }

    #[test]
    fn a_long_text_is_split_between_characters() {
        let euros = "€".repeat(MAX_LINE / 3 + 10);
        assert_eq!(read([&record(3, &euros)[..]]).concat(), euros);
        let line = format!("{euros}\n");
        assert_eq!(read(line.as_bytes().chunks(8_192)).concat(), euros);
    }

    #[test]
    fn records_stay_whole_between_lines_and_within_one() {
        let (bytes, texts) = mixed();
        assert_eq!(read([&bytes[..]]), texts);
    }

    #[test]
    fn every_split_yields_the_same() {
        let (bytes, texts) = mixed();
        for at in 0..=bytes.len() {
            let (one, two) = bytes.split_at(at);
            assert_eq!(read([one, two]), texts, "at {at}");
        }
        assert_eq!(read(bytes.chunks(1)), texts);
    }

    #[test]
    fn a_line_can_be_ended_without_its_end_but_no_record() {
        let found = Mutex::new(Vec::new());
        let on_text = |text| found.lock().unwrap().push(text);
        let mut lines = Lines::default();
        lines.end_line(&on_text);
        lines.push(b"one", &on_text);
        lines.end_line(&on_text);
        let record = record(3, "record");
        for length in [2, 18] {
            lines.push(b"two ", &on_text);
            lines.push(&record[..length], &on_text);
            lines.end_line(&on_text);
            lines.push(&record[length..], &on_text);
            lines.end_line(&on_text);
        }
        let expected = ["one", "record", "two ", "record", "two "];
        assert_eq!(found.into_inner().unwrap(), expected);
    }

    #[test]
    fn what_only_looks_like_a_record_is_text() {
        for bytes in [
            &b"\xA5\n"[..],
            b"\xA5\x5A\n",
            b"\xA5\xA5\x5A\x00\x04\n",
            b"\xA5\x5A\x00\xA5\x5A\x00\xFF\n",
            b"\xA5\x5A\x00\x23\n",
        ] {
            let expected = String::from_utf8_lossy(&bytes[..bytes.len() - 1]);
            assert_eq!(read([bytes]), [expected], "{bytes:x?}");
        }
    }

    #[test]
    fn a_record_that_never_ends_is_passed_on_in_parts() {
        let mut bytes = vec![0xA5, 0x5A, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF];
        bytes.extend([0; 8]);
        bytes.resize(16 + MAX_LINE + 5, b'x');
        let lengths: Vec<_> = read([&bytes[..]]).iter().map(String::len).collect();
        assert_eq!(lengths, [MAX_LINE, 5]);
        let (one, two) = bytes.split_at(MAX_LINE);
        assert_eq!(read([one, two]), read([&bytes[..]]));
        assert_eq!(MAX_LINE, 262_144);
        let exact = record(3, &"x".repeat(MAX_LINE));
        assert_eq!(read([&exact[..]]).len(), 1);
        let ended = record(3, &format!("{}\n", "x".repeat(MAX_LINE)));
        assert_eq!(read([&ended[..]]).len(), 1);
    }

    #[test]
    fn an_empty_record_is_passed_on_at_once() {
        let found = Mutex::new(Vec::new());
        let on_text = |text| found.lock().unwrap().push(text);
        Lines::default().push(&record(3, ""), &on_text);
        assert_eq!(*found.lock().unwrap(), [""]);
    }

    proptest! {
        /// Text without records is split at its line ends, like `str::lines`.
        #[test]
        fn plain_text_is_split_into_its_lines(text in "[a-zå\u{a5}Z\n ]{0,60}", size in 1_usize..9) {
            let expected: Vec<&str> = text.lines().collect();
            prop_assert_eq!(read(text.as_bytes().chunks(size)), expected);
        }

        #[test]
        fn any_bytes_are_taken_under_any_split(
            bytes in prop::collection::vec(
                prop_oneof![Just(0xA5), Just(0x5A), Just(0), Just(3), Just(b'\n'), any::<u8>()],
                0..80,
            ),
            size in 1_usize..9,
        ) {
            prop_assert_eq!(read(bytes.chunks(size)), read([&bytes[..]]));
        }
    }
}
