//! Detects text that is not plain UTF-8 by its first bytes.

use std::fmt;

/// An encoding that text editors and shells write, but that neither JSON nor the shared files
/// allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8 after a byte order mark.
    MarkedUtf8,
    /// UTF-16, the low byte first.
    Utf16LittleEndian,
    /// UTF-16, the high byte first.
    Utf16BigEndian,
    /// UTF-32, the low byte first.
    Utf32LittleEndian,
    /// UTF-32, the high byte first.
    Utf32BigEndian,
}

pub(crate) const UTF8_MARK: [u8; 3] = *b"\xef\xbb\xbf";

impl Encoding {
    /// Detects an encoding other than plain UTF-8, by the byte order mark, or by the zero bytes around
    /// the first character, which is ASCII in JSON (RFC 4627, section 3).
    #[must_use]
    pub fn detect(text: &[u8]) -> Option<Self> {
        match text {
            [0xef, 0xbb, 0xbf, ..] => Some(Self::MarkedUtf8),
            [0xff, 0xfe, 0, 0, ..] | [1..=0x7f, 0, 0, 0, ..] => Some(Self::Utf32LittleEndian),
            [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, 1..=0x7f, ..] => Some(Self::Utf32BigEndian),
            [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Some(Self::Utf16LittleEndian),
            [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Some(Self::Utf16BigEndian),
            _ => None,
        }
    }

    /// The name of the encoding for `iconv -f`.
    const fn name(self) -> &'static str {
        match self {
            Self::MarkedUtf8 => "UTF-8",
            Self::Utf16LittleEndian => "UTF-16LE",
            Self::Utf16BigEndian => "UTF-16BE",
            Self::Utf32LittleEndian => "UTF-32LE",
            Self::Utf32BigEndian => "UTF-32BE",
        }
    }

    /// How to convert the text to plain UTF-8.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::MarkedUtf8 => "save it as UTF-8 without a byte order mark".to_owned(),
            other => format!(
                "save it as UTF-8 without a byte order mark, such as with iconv -f {} -t UTF-8",
                other.name()
            ),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MarkedUtf8 => f.write_str("begins with a UTF-8 byte order mark"),
            other => write!(f, "is {}", other.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_detected_by_its_mark_or_its_zero_bytes() {
        for (text, encoding) in [
            (&b"\xef\xbb\xbf{}"[..], Some(Encoding::MarkedUtf8)),
            (b"\xef\xbb\xbf", Some(Encoding::MarkedUtf8)),
            (b"\xff\xfe{\0", Some(Encoding::Utf16LittleEndian)),
            (b"{\0}\0", Some(Encoding::Utf16LittleEndian)),
            (b"1\0", Some(Encoding::Utf16LittleEndian)),
            (b"\xfe\xff\0{", Some(Encoding::Utf16BigEndian)),
            (b"\0{\0}", Some(Encoding::Utf16BigEndian)),
            (b"\xff\xfe\0\0{\0\0\0", Some(Encoding::Utf32LittleEndian)),
            (b"{\0\0\0", Some(Encoding::Utf32LittleEndian)),
            (b"\0\0\xfe\xff\0\0\0{", Some(Encoding::Utf32BigEndian)),
            (b"\0\0\0{", Some(Encoding::Utf32BigEndian)),
            (b"", None),
            (b"{}", None),
            (b"\xef\xbb", None),
            (b"\0\0", None),
            ("\u{e9}".as_bytes(), None),
        ] {
            assert_eq!(Encoding::detect(text), encoding, "{text:x?}");
        }
    }
}
