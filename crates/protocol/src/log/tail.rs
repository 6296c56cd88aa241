//! The log itself: decoding and encoding, and the bounded buffer in which an endpoint collects it.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::{Report, StartLine};
use crate::text::ByteCount;

/// The standard alphabet. Padding is written, but not required when reading.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The last part of an execution's log, decoded.
///
/// The function may write any bytes, so they need not be UTF-8.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::LogTail;
///
/// let log = LogTail::last_of(
///     b"START RequestId: 8f5 Version: 7\nhello\nEND RequestId: 8f5\n\
///       REPORT RequestId: 8f5\tDuration: 2.90 ms\tBilled Duration: 3 ms\t\
///       Memory Size: 128 MB\tMax Memory Used: 36 MB\t\n",
/// );
/// assert_eq!(LogTail::from_base64(log.to_base64()).as_bytes(), log.as_bytes());
/// assert_eq!(log.start().unwrap().version, "7");
/// assert_eq!(log.report().unwrap().max_memory_used_mb, Some(36));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct LogTail {
    bytes: Bytes,
    fault: Option<LogTailError>,
}

impl LogTail {
    /// The maximum number of bytes of a log that the service sends, before base64.
    pub const MAX_BYTES: usize = 4096;

    /// Decodes what the service sent.
    ///
    /// This never fails, so that the caller gets the function's response even if the log is
    /// invalid: text that is not base64 is kept unchanged, and [`fault`](Self::fault) reports the
    /// error.
    #[must_use]
    pub fn from_base64(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        match BASE64.decode(text) {
            Ok(bytes) => Self {
                bytes: bytes.into(),
                fault: None,
            },
            Err(error) => Self {
                bytes: Bytes::copy_from_slice(text),
                fault: Some(LogTailError::from_decode(error, text)),
            },
        }
    }

    /// Takes the part of a whole log that an endpoint sends: its last
    /// [`MAX_BYTES`](Self::MAX_BYTES), without the rest of a split UTF-8 character at the
    /// beginning.
    #[must_use]
    pub fn last_of(log: &[u8]) -> Self {
        let mut buffer = TailBuffer::new();
        buffer.push(log);
        buffer.finish()
    }

    /// Returns why the log could not be decoded; the bytes are then the text that was received.
    #[must_use]
    pub const fn fault(&self) -> Option<LogTailError> {
        self.fault
    }

    /// Encodes the log in base64. A log that could not be decoded is returned as received, with
    /// U+FFFD in place of bytes that are not UTF-8.
    #[must_use]
    pub fn to_base64(&self) -> String {
        match self.fault {
            None => BASE64.encode(&self.bytes),
            Some(_) => self.text().into_owned(),
        }
    }

    /// Returns the log's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the log as text, with U+FFFD in place of bytes that are not UTF-8.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Returns the platform's first line, unless the log was longer than the tail that the service
    /// sends.
    #[must_use]
    pub fn start(&self) -> Option<StartLine> {
        self.text().lines().find_map(|line| line.parse().ok())
    }

    /// Returns the platform's last line: how long the execution took and how it ended.
    ///
    /// The last report counts, since a function can print a line of the same form, and the platform
    /// writes after the function.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.report_of(None)
    }

    /// Returns the last report, or the last one of this request if an id is given.
    pub(super) fn report_of(&self, request_id: Option<&str>) -> Option<Report> {
        let text = self.text();
        let mut reports = text.lines().rev().filter_map(|line| line.parse().ok());
        reports.find(|report: &Report| request_id.is_none_or(|id| report.request_id == id))
    }
}

impl fmt::Debug for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogTail")
            .field("text", &self.text())
            .field("fault", &self.fault)
            .finish()
    }
}

/// Why a log could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogTailError {
    /// A byte is not base64.
    InvalidByte {
        /// The byte's offset.
        offset: usize,
        /// The byte.
        found: u8,
    },
    /// The text ends within a group of four characters.
    Truncated {
        /// The text's length, in bytes.
        length: usize,
    },
}

impl LogTailError {
    fn from_decode(error: base64::DecodeError, text: &[u8]) -> Self {
        // The decoder checks the end before the rest; the first invalid byte is reported here.
        let foreign = |byte: u8| !(byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        let first = text
            .iter()
            .copied()
            .enumerate()
            .find(|(_, byte)| foreign(*byte));
        match (first, error) {
            (Some((offset, found)), _)
            | (
                None,
                base64::DecodeError::InvalidByte(offset, found)
                | base64::DecodeError::InvalidLastSymbol {
                    offset,
                    symbol: found,
                    ..
                },
            ) => Self::InvalidByte { offset, found },
            _ => Self::Truncated { length: text.len() },
        }
    }
}

impl fmt::Display for LogTailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidByte { offset, found } => write!(
                f,
                "the service's tail log has byte {found:#04x} at {offset}, which is not base64"
            ),
            Self::Truncated { length } => {
                let length = ByteCount(*length as u64);
                write!(
                    f,
                    "the service's tail log ends within a base64 group, after {length}"
                )
            }
        }
    }
}

impl std::error::Error for LogTailError {}

/// Collects a log and keeps only its end, so that memory is bounded however much a function prints.
#[derive(Clone, Debug, Default)]
pub struct TailBuffer {
    /// At most twice the tail, so that old bytes are removed once per tail and not once per line.
    bytes: Vec<u8>,
    truncated: bool,
}

impl TailBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            truncated: false,
        }
    }

    /// Adds bytes that were written.
    pub fn push(&mut self, written: &[u8]) {
        let max = LogTail::MAX_BYTES;
        if let Some(end) = written
            .len()
            .checked_sub(max)
            .and_then(|from| written.get(from..))
        {
            self.truncated |= !self.bytes.is_empty() || written.len() > max;
            self.bytes.clear();
            self.bytes.extend_from_slice(end);
            return;
        }
        self.bytes.extend_from_slice(written);
        if self.bytes.len() > 2 * max {
            self.bytes.drain(..self.bytes.len() - max);
            self.truncated = true;
        }
    }

    /// Returns the tail of everything that was added.
    #[must_use]
    pub fn finish(mut self) -> LogTail {
        let surplus = self.bytes.len().saturating_sub(LogTail::MAX_BYTES);
        self.bytes.drain(..surplus);
        if surplus > 0 || self.truncated {
            // The rest of a split character: at most three bytes of the form 10xxxxxx.
            let orphans = self
                .bytes
                .iter()
                .take(3)
                .take_while(|byte| **byte & 0xC0 == 0x80)
                .count();
            self.bytes.drain(..orphans);
        }
        LogTail {
            bytes: self.bytes.into(),
            fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_not_base64_is_kept_and_flagged() {
        let log = LogTail::from_base64("START*");
        assert_eq!(log.as_bytes(), b"START*");
        assert_eq!(
            log.fault(),
            Some(LogTailError::InvalidByte {
                offset: 5,
                found: b'*'
            })
        );
        assert_eq!(log.to_base64(), "START*");
        assert_eq!(
            LogTail::from_base64("A").fault(),
            Some(LogTailError::Truncated { length: 1 })
        );
    }

    #[test]
    fn padding_is_optional() {
        assert_eq!(LogTail::from_base64("aGk").as_bytes(), b"hi");
        assert_eq!(LogTail::from_base64("aGk=").as_bytes(), b"hi");
        assert_eq!(LogTail::from_base64("").as_bytes(), b"");
    }

    #[test]
    fn keeps_the_last_4096_bytes_and_no_split_character() {
        let exact = vec![b'a'; 4096];
        assert_eq!(LogTail::last_of(&exact).as_bytes(), exact);
        let mut log = "é".as_bytes().to_vec();
        log.extend(vec![b'b'; 4095]);
        assert_eq!(LogTail::last_of(&log).as_bytes(), &log[2..]);
        // Bytes that were never UTF-8 stay if nothing was removed.
        assert_eq!(LogTail::last_of(b"\x80\x80x").as_bytes(), b"\x80\x80x");
    }

    #[test]
    fn the_buffer_gives_the_same_tail_however_it_was_filled() {
        let whole: Vec<u8> = (0..20_000u32)
            .map(|n| b'a' + u8::try_from(n % 26).unwrap())
            .collect();
        for piece in [1, 7, 4095, 4096, 4097, 9000, 20_000] {
            let mut buffer = TailBuffer::new();
            for part in whole.chunks(piece) {
                buffer.push(part);
                assert!(buffer.bytes.len() <= 2 * LogTail::MAX_BYTES);
            }
            assert_eq!(
                buffer.finish().as_bytes(),
                &whole[20_000 - 4096..],
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn the_buffer_drops_a_split_character_only_if_something_is_missing() {
        let filled = |pieces: &[&[u8]]| {
            let mut buffer = TailBuffer::new();
            pieces.iter().for_each(|piece| buffer.push(piece));
            buffer.finish().as_bytes().to_vec()
        };
        let tail = [b"\xa9".to_vec(), vec![b'b'; LogTail::MAX_BYTES - 1]].concat();
        assert_eq!(filled(&[&tail]), tail);
        assert_eq!(filled(&[b"\xc3", &tail]), tail[1..]);
        assert_eq!(filled(&[b"\xc3", &tail[..9], &tail[9..]]), tail[1..]);
        let twice = vec![b'a'; 2 * LogTail::MAX_BYTES];
        assert_eq!(filled(&[&twice, &tail]), tail[1..]);
    }

    #[test]
    fn the_start_is_the_platforms_first_line() {
        let log = LogTail::last_of(b"START RequestId: 4d34 Version: 7\nhello\n");
        assert_eq!(log.start(), Some(StartLine::new("4d34", "7")));
        assert_eq!(LogTail::last_of(b"hello\n").start(), None);
        let debug = format!("{log:?}");
        assert!(
            debug.contains("4d34") && debug.contains("fault: None"),
            "{debug}"
        );
    }

    #[test]
    fn the_last_report_counts() {
        let log = LogTail::last_of(
            b"REPORT RequestId: forged\tDuration: 1.00 ms\nREPORT RequestId: real\tDuration: 2.00 ms\n",
        );
        assert_eq!(log.report().unwrap().request_id, "real");
    }
}
