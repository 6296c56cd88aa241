//! The header, which says what a journal belongs to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::SLOT;
use crate::counted::counted;

/// The first line of every journal, for people who open it. It ends with the version of the format.
const MAGIC: &[u8; 32] = b"lambda-invoke map journal, 0001\n";

/// The version in [`MAGIC`], and where it begins.
const VERSION: u16 = 1;
const VERSION_AT: usize = MAGIC.len() - 5;

/// After the first line come the length of the content, the complement of that length, and a
/// checksum of the content. A damaged length must not make a journal look like the beginning of
/// one.
const FIXED: usize = MAGIC.len() + 12;

/// The maximum length of a header, in bytes.
const MAX: usize = 64 << 10;

/// The run that a journal belongs to: a function, options, and, if it was known at the start, the
/// source of the payloads.
///
/// # Example
///
/// ```
/// use lambda_invoke_map::journal::{Decoded, Header};
///
/// let header = Header::new("thumbnail").with_option("batch", "10").with_seed(7);
/// let bytes = header.encode()?;
/// assert_eq!(Header::decode(&bytes)?, Decoded::Complete(header.clone(), bytes.len()));
/// let other = Header::new("thumbnail").with_option("batch", "1");
/// let difference = other.difference(&header).unwrap();
/// assert_eq!(difference.to_string(), "the option batch was 10, and is 1");
/// # Ok::<(), lambda_invoke_map::journal::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The function, with its version or alias.
    pub function: String,
    /// The options that change the effect of a payload, by name.
    pub options: BTreeMap<String, String>,
    /// The payloads, if they were counted before the first was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// A random number that is part of the checksum of every record.
    pub seed: u32,
}

/// Identifies the payloads of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "data without invariants")]
pub struct SourceId {
    /// The number of payloads.
    pub items: u64,
    /// Their total length in bytes.
    pub bytes: u64,
    /// A CRC-32 of the checksums of all of them, in order.
    pub check: u32,
}

/// The result of decoding a header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a header is complete or is not")]
pub enum Decoded {
    /// The header, and its length in bytes: a multiple of [`SLOT`].
    Complete(Header, usize),
    /// The beginning of a header: nothing can have been sent yet.
    Incomplete,
}

/// Why bytes are not the header of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is of another kind.
    NotAJournal,
    /// The journal has another version of the format.
    OtherVersion(u16),
    /// The header is damaged.
    Damaged,
    /// The function's name and the options take more than 64 KiB.
    TooLong,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherVersion(found) => {
                return write!(
                    f,
                    "the journal has version {found} of the format; this program reads version \
                     {VERSION}"
                );
            }
            Self::NotAJournal => "the file is not a journal of lambda-invoke map",
            Self::Damaged => "the header of the journal is damaged",
            Self::TooLong => "the function's name and the options take more than 64 KiB",
        })
    }
}

impl std::error::Error for HeaderError {}

/// How a journal's header differs from the run that should use it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What differs: `function`, `option NAME` or `payloads`.
    pub what: String,
    /// The journal's value.
    pub was: String,
    /// The present value.
    pub is: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, was, is } = self;
        let verb = match what.as_str() {
            "payloads" => ("were", "are"),
            _ => ("was", "is"),
        };
        write!(f, "the {what} {} {was}, and {} {is}", verb.0, verb.1)
    }
}

impl Header {
    /// Creates the header of a new journal for a function.
    #[must_use]
    pub fn new(function: impl Into<String>) -> Self {
        Self {
            function: function.into(),
            options: BTreeMap::new(),
            source: None,
            seed: 0,
        }
    }

    /// Adds an option that changes the effect of a payload.
    #[must_use]
    pub fn with_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Sets the payloads, if they are known.
    #[must_use]
    pub fn with_source(mut self, source: Option<SourceId>) -> Self {
        self.source = source;
        self
    }

    /// Sets the random number.
    #[must_use]
    pub fn with_seed(mut self, seed: u32) -> Self {
        self.seed = seed;
        self
    }

    /// Encodes the header.
    ///
    /// # Errors
    ///
    /// [`HeaderError::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, HeaderError> {
        let body = serde_json::to_vec(self).map_err(|_| HeaderError::Damaged)?;
        let length = (FIXED + body.len()).next_multiple_of(SLOT);
        if length > MAX {
            return Err(HeaderError::TooLong);
        }
        let body_length = body.len() as u32;
        let mut content = body;
        content.resize(length - FIXED, 0);
        let mut out = MAGIC.to_vec();
        for word in [body_length, !body_length, crc32fast::hash(&content)] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&content);
        Ok(out)
    }

    /// Decodes the header at the beginning of a file, given its first 64 KiB, or all of a shorter
    /// file.
    ///
    /// # Errors
    ///
    /// If the file is not a journal, or its header is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Decoded, HeaderError> {
        let common = bytes.len().min(MAGIC.len());
        if bytes[..common] != MAGIC[..common] {
            let other = version(bytes).map(HeaderError::OtherVersion);
            return Err(other.unwrap_or(HeaderError::NotAJournal));
        }
        let word = |at: usize| {
            let bytes = bytes.get(MAGIC.len() + at..)?.first_chunk()?;
            Some(u32::from_le_bytes(*bytes))
        };
        let (Some(body), Some(complement)) = (word(0), word(4)) else {
            return Ok(Decoded::Incomplete);
        };
        let length = FIXED.saturating_add(body as usize).next_multiple_of(SLOT);
        if body != !complement || length > MAX {
            return Err(HeaderError::Damaged);
        }
        let (Some(sum), Some(content)) = (word(8), bytes.get(FIXED..length)) else {
            return Ok(Decoded::Incomplete);
        };
        if crc32fast::hash(content) != sum {
            return Err(HeaderError::Damaged);
        }
        let header = content
            .get(..body as usize)
            .and_then(|body| serde_json::from_slice(body).ok());
        header.map_or(Err(HeaderError::Damaged), |header| {
            Ok(Decoded::Complete(header, length))
        })
    }

    /// Returns the first difference between this header, of the current run, and that of a journal;
    /// `None` if the journal belongs to the run. Payloads are compared only if both are known.
    #[must_use]
    pub fn difference(&self, journal: &Self) -> Option<Difference> {
        let differ = |what: &str, was: &str, is: &str| {
            (was != is).then(|| Difference {
                what: what.to_owned(),
                was: was.to_owned(),
                is: is.to_owned(),
            })
        };
        if let Some(found) = differ("function", &journal.function, &self.function) {
            return Some(found);
        }
        let names = self.options.keys().chain(journal.options.keys());
        for name in names {
            let value = |header: &Self| match header.options.get(name) {
                Some(value) => value.clone(),
                None => "not given".to_owned(),
            };
            let what = format!("option {name}");
            if let Some(found) = differ(&what, &value(journal), &value(self)) {
                return Some(found);
            }
        }
        let (was, is) = (journal.source?, self.source?);
        if was == is {
            return None;
        }
        let describe = |source: SourceId| {
            format!(
                "{} of {} with the checksum {:08x}",
                counted(source.items, "item"),
                counted(source.bytes, "byte"),
                source.check
            )
        };
        differ("payloads", &describe(was), &describe(is))
    }
}

/// The version of the format, if the first line is that of a journal.
fn version(bytes: &[u8]) -> Option<u16> {
    let rest = bytes.strip_prefix(&MAGIC[..VERSION_AT])?;
    let (digits, rest) = rest.split_first_chunk::<4>()?;
    let is_line = rest.starts_with(b"\n") && digits.iter().all(u8::is_ascii_digit);
    let digits = is_line.then_some(digits)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_another_version_is_named_as_such() {
        let mut bytes = header().encode().unwrap();
        assert_eq!(version(&bytes), Some(VERSION));
        bytes[VERSION_AT..VERSION_AT + 4].copy_from_slice(b"0012");
        let error = Header::decode(&bytes).unwrap_err();
        assert_eq!(error, HeaderError::OtherVersion(12));
        assert_eq!(
            error.to_string(),
            "the journal has version 12 of the format; this program reads version 1"
        );
        bytes[VERSION_AT] = b'x';
        assert_eq!(Header::decode(&bytes), Err(HeaderError::NotAJournal));
    }

    fn header() -> Header {
        Header::new("thumbnail:live")
            .with_option("batch", "1")
            .with_seed(77)
            .with_source(Some(SourceId {
                items: 3,
                bytes: 12,
                check: 9,
            }))
    }

    #[test]
    fn every_beginning_is_incomplete_and_every_change_is_found() {
        let bytes = header().encode().unwrap();
        assert_eq!(bytes.len() % SLOT, 0);
        for end in 0..bytes.len() {
            assert_eq!(
                Header::decode(&bytes[..end]),
                Ok(Decoded::Incomplete),
                "{end}"
            );
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(Header::decode(&changed).is_err(), "{at}");
            }
        }
        assert_eq!(
            Header::decode(b"{\"a\":1}\n"),
            Err(HeaderError::NotAJournal)
        );
        assert_eq!(Header::decode(b""), Ok(Decoded::Incomplete));
    }

    #[test]
    fn each_difference_is_named() {
        let journal = header();
        assert_eq!(header().difference(&journal), None);
        let unknown = header().with_source(None);
        assert_eq!(unknown.difference(&journal), None);
        let mut other = header();
        other.function = "other".to_owned();
        assert_eq!(other.difference(&journal).unwrap().what, "function");
        let other = header().with_option("event", "yes");
        assert_eq!(
            other.difference(&journal).unwrap().to_string(),
            "the option event was not given, and is yes"
        );
        let mut other = header();
        other.source.as_mut().unwrap().check = 10;
        assert_eq!(
            other.difference(&journal).unwrap().to_string(),
            "the payloads were 3 items of 12 bytes with the checksum 00000009, and are 3 items of \
             12 bytes with the checksum 0000000a"
        );
        let source = other.source.as_mut().unwrap();
        (source.items, source.bytes) = (1, 1);
        let difference = other.difference(&journal).unwrap();
        assert_eq!(difference.is, "1 item of 1 byte with the checksum 0000000a");
    }
}
