//! The error of a stream: as trailers, or as two lines in a chunk of data, which the Rust runtime
//! sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::header::lossy;
use crate::{Failure, FailureKind};

pub(super) const TYPE: &str = "lambda-runtime-function-error-type";
const BODY: &str = "lambda-runtime-function-error-body";

/// The maximum length of an error in a chunk, in bytes. Anything longer is data.
const MAX_HELD: usize = 256 * 1024;

/// Reads the error of a stream from its trailers, declared or not.
pub(crate) fn from_trailers(trailers: &HeaderMap) -> Option<Failure> {
    let text = |name| lossy(trailers.get(name));
    failure(text(TYPE).as_deref(), text(BODY).as_deref())
}

fn failure(error_type: Option<&str>, body: Option<&str>) -> Option<Failure> {
    if error_type.is_none() && body.is_none() {
        return None;
    }
    let body = body.unwrap_or_default().trim();
    let body = STANDARD
        .decode(body)
        .unwrap_or_else(|_| body.as_bytes().to_vec());
    Some(Failure::reported(
        FailureKind::Function,
        error_type.map(str::trim),
        body.into(),
    ))
}

/// Holds back data that may be the error lines of the Rust runtime until the stream continues or
/// ends.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: BytesMut,
    /// Where in the lines these bytes end.
    place: Place,
}

impl Held {
    /// Takes a chunk. Returns everything that is certainly data: nothing, the chunk, or the held
    /// bytes and the chunk.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Vec<Bytes> {
        // The name in the first line arrives in one piece, so a shorter chunk is never delayed.
        let is_short = chunk.len() <= TYPE.len();
        let is_long = self.bytes.len() + chunk.len() > MAX_HELD;
        let place = match (self.bytes.is_empty() && is_short) || is_long {
            true => None,
            false => self.place.after(&chunk),
        };
        if let Some(place) = place {
            self.place = place;
            self.bytes.extend_from_slice(&chunk);
            return Vec::new();
        }
        if self.bytes.is_empty() {
            return vec![chunk];
        }
        let mut data = vec![std::mem::take(self).bytes.freeze()];
        data.extend(self.push(chunk));
        data
    }

    /// Ends the stream. Returns the error, or data that turned out not to be one.
    pub(crate) fn end(self) -> Result<Option<Failure>, Bytes> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let bytes = self.bytes.freeze();
        match parse(&bytes) {
            Some(failure) => Ok(Some(failure)),
            None => Err(bytes),
        }
    }
}

/// A place in the two lines, so that each byte is looked at once.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    is_second: bool,
    /// How many bytes of the line there were, up to its value.
    matched: usize,
}

impl Place {
    /// Returns the place after further bytes; `None` if these cannot belong to the lines.
    fn after(mut self, bytes: &[u8]) -> Option<Self> {
        for byte in bytes {
            let name = if self.is_second { BODY } else { TYPE };
            if self.matched <= name.len() {
                let expected = name.as_bytes().get(self.matched).unwrap_or(&b':');
                if byte.to_ascii_lowercase() != *expected {
                    return None;
                }
                self.matched += 1;
            } else if *byte == b'\n' && !self.is_second {
                self = Self {
                    is_second: true,
                    matched: 0,
                };
            } else if !matches!(byte, b' '..=b'~' | b'\r' | b'\n') {
                return None;
            }
        }
        Some(self)
    }
}

fn parse(bytes: &[u8]) -> Option<Failure> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (first, rest) = text.split_once('\n')?;
    let second = rest.lines().next()?;
    let value = |line: &str| Some(line.split_once(':')?.1.to_owned());
    let is_body = second.to_ascii_lowercase().starts_with(BODY);
    if !is_body {
        return None;
    }
    failure(Some(&value(first)?), Some(&value(second)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"Lambda-Runtime-Function-Error-Type: Boom\r\nLambda-Runtime-Function-Error-Body: b25lIHR3bw==\r\n";

    #[test]
    fn error_lines_are_found_at_every_split() {
        for split in TYPE.len() + 1..LINES.len() {
            let mut held = Held::default();
            assert!(held.push(Bytes::from_static(&LINES[..split])).is_empty());
            assert!(held.push(Bytes::from_static(&LINES[split..])).is_empty());
            let failure = held.end().unwrap().unwrap();
            assert_eq!(
                (failure.error_type.as_str(), &failure.body[..]),
                ("Boom", &b"one two"[..])
            );
        }
    }

    #[test]
    fn similar_data_is_delivered_unchanged() {
        for data in [
            &b"Lambda"[..],
            b"Lambda-Runtime-Function-Error-Type: x\r\nother",
            b"L",
            b"x",
        ] {
            for split in 0..=data.len() {
                let mut held = Held::default();
                let mut seen = Vec::new();
                for piece in [&data[..split], &data[split..], b"!"] {
                    for chunk in held.push(Bytes::copy_from_slice(piece)) {
                        seen.extend_from_slice(&chunk);
                    }
                }
                if let Err(rest) = held.end() {
                    seen.extend_from_slice(&rest);
                }
                assert_eq!(seen, [data, b"!"].concat());
            }
        }
    }

    #[test]
    fn a_type_or_a_body_alone_is_an_error_and_neither_is_none() {
        let trailers = |names: &[&'static str]| {
            let mut trailers = HeaderMap::new();
            for name in names {
                trailers.insert(*name, "Boom".parse().unwrap());
            }
            from_trailers(&trailers)
        };
        assert_eq!(trailers(&[TYPE]).unwrap().error_type, "Boom");
        assert_eq!(trailers(&[BODY]).unwrap().error_type, "Function.Unknown");
        assert!(trailers(&["x-other"]).is_none());
        for name in [TYPE, BODY] {
            let value = http::HeaderValue::from_bytes("Größe".as_bytes()).unwrap();
            let failure = from_trailers(&HeaderMap::from_iter([(name.parse().unwrap(), value)]));
            let failure = failure.unwrap();
            let is_type = name == TYPE;
            assert_eq!(failure.error_type == "Größe", is_type);
            assert_eq!(failure.message == "Größe", !is_type);
        }
    }

    #[test]
    fn data_that_cannot_be_an_error_is_not_held_back() {
        let mut held = Held::default();
        let data = Bytes::from_static(b"Some other text that is longer than the name of a header");
        assert_eq!(held.push(data.clone()), [data]);
        let begin = Bytes::from_static(b"Lambda-Runtime-Function-Error-Type: Boom");
        assert!(held.push(begin.clone()).is_empty());
        let other = Bytes::from_static(b"\r\nsomething else");
        assert_eq!(held.push(other.clone()), [begin, other]);
        assert!(held.end().unwrap().is_none());
    }

    /// The lines, with spaces after the body up to this length.
    fn padded(length: usize) -> Bytes {
        let mut lines = LINES[..LINES.len() - 2].to_vec();
        lines.resize(length, b' ');
        lines.into()
    }

    #[test]
    fn an_error_in_many_chunks_takes_no_longer_than_in_one() {
        let lines = padded(MAX_HELD);
        let (first, rest) = (lines.slice(..TYPE.len() + 1), lines.slice(TYPE.len() + 1..));
        let mut held = Held::default();
        let began = std::time::Instant::now();
        assert!(held.push(first).is_empty());
        for at in 0..rest.len() {
            assert!(held.push(rest.slice(at..=at)).is_empty());
        }
        assert_eq!(held.end().unwrap().unwrap().error_type, "Boom");
        // Looking at all of it for each byte takes minutes.
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
    }

    #[test]
    fn an_error_is_held_back_up_to_the_limit() {
        let mut held = Held::default();
        assert!(held.push(padded(256 * 1024)).is_empty());
        assert_eq!(held.end().unwrap().unwrap().error_type, "Boom");
        let too_long = padded(256 * 1024 + 1);
        assert_eq!(Held::default().push(too_long.clone()), [too_long]);
    }
}
