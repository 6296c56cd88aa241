//! Finds the end of the prelude in a stream that arrives in pieces.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{HttpPrelude, PreludeError, SEPARATOR};

/// A part of a stream that may begin with a prelude.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a stream has a prelude and a body")]
pub enum Part {
    /// The prelude: at most one, before any part of the body.
    Prelude(HttpPrelude),
    /// A piece of the body, never empty. After the prelude it is a slice of what was pushed.
    Body(Bytes),
}

/// Separates a prelude from the body after it, however the stream is split into pieces.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_protocol::prelude::{Part, PreludeSplitter};
///
/// let mut splitter = PreludeSplitter::optional();
/// splitter.push(Bytes::from_static(b"{\"statusCode\":404}\0\0\0"));
/// assert_eq!(splitter.next_part(), None);
/// splitter.push(Bytes::from_static(b"\0\0\0\0\0not here"));
/// let Some(Ok(Part::Prelude(prelude))) = splitter.next_part() else { unreachable!() };
/// assert_eq!(prelude.status_code, 404);
/// assert_eq!(splitter.next_part(), Some(Ok(Part::Body(Bytes::from_static(b"not here")))));
/// ```
#[derive(Clone, Debug)]
pub struct PreludeSplitter {
    state: State,
    required: bool,
    scan: Scan,
    limit: usize,
    ready: VecDeque<Part>,
}

#[derive(Clone, Debug)]
enum State {
    /// Collecting bytes that may be a prelude.
    Collecting(BytesMut),
    Body,
    Failed(PreludeError),
}

/// Finds that a text goes on after its first JSON object, which is then not a prelude: such as lines
/// of JSON, which would otherwise be held back up to the limit.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    has_ended: bool,
}

impl Scan {
    fn goes_on(&mut self, text: &[u8]) -> bool {
        for byte in text {
            match byte {
                space if self.has_ended && space.is_ascii_whitespace() => {}
                _ if self.has_ended => return true,
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.is_string => self.is_escaped = true,
                b'"' => self.is_string = !self.is_string,
                _ if self.is_string => {}
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.has_ended = self.depth == 0;
                }
                _ => {}
            }
        }
        false
    }
}

impl PreludeSplitter {
    /// The default limit of a prelude's length, including the separator: 64 KiB.
    pub const DEFAULT_LIMIT: usize = 64 * 1024;

    /// Creates a splitter for a stream that may begin with a prelude.
    ///
    /// If the stream does not begin with a valid prelude and the separator within the limit, all of
    /// it belongs to the body. This never fails.
    #[must_use]
    pub fn optional() -> Self {
        Self {
            state: State::Collecting(BytesMut::new()),
            required: false,
            scan: Scan::default(),
            limit: Self::DEFAULT_LIMIT,
            ready: VecDeque::new(),
        }
    }

    /// Creates a splitter for a stream that must begin with a prelude, as its content type says. A
    /// stream without one is an error.
    #[must_use]
    pub fn required() -> Self {
        Self {
            required: true,
            ..Self::optional()
        }
    }

    /// Sets the limit of the prelude's length, in bytes, including the separator.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Adds a piece of the stream.
    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        match &mut self.state {
            State::Collecting(_) => self.collect(piece),
            State::Body => self.ready.push_back(Part::Body(piece)),
            State::Failed(_) => {}
        }
    }

    /// Returns the next part; `None` means that another [`push`](Self::push) is needed.
    ///
    /// An error is final: every later call returns it again.
    pub fn next_part(&mut self) -> Option<Result<Part, PreludeError>> {
        match (&self.state, self.ready.pop_front()) {
            (_, Some(part)) => Some(Ok(part)),
            (State::Failed(error), None) => Some(Err(error.clone())),
            (_, None) => None,
        }
    }

    /// Marks the end of the stream. Bytes that were held back belong to the body;
    /// [`next_part`](Self::next_part) returns them.
    ///
    /// # Errors
    ///
    /// If a prelude is required and is not complete.
    pub fn finish(&mut self) -> Result<(), PreludeError> {
        if let State::Collecting(held) = &self.state {
            let length = held.len();
            self.give_up(PreludeError::Truncated { length });
        }
        match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::Collecting(_) | State::Body => Ok(()),
        }
    }

    /// Returns whether the body has begun, so that nothing is held back.
    #[must_use]
    pub const fn is_past_prelude(&self) -> bool {
        matches!(self.state, State::Body)
    }

    fn collect(&mut self, mut piece: Bytes) {
        let State::Collecting(held) = &mut self.state else {
            return;
        };
        // Only what can belong to the prelude is copied: at most the limit.
        let before = held.len();
        let room = self.limit.saturating_sub(before);
        let candidate = piece.get(..room).unwrap_or(&piece);
        held.extend_from_slice(candidate);

        if held.first().is_some_and(|first| *first != b'{') {
            return self.not_a_prelude(before, piece, PreludeError::Missing);
        }
        let nul = held
            .get(before.saturating_sub(SEPARATOR.len())..)
            .unwrap_or_default();
        let Some(at) = nul.iter().position(|byte| *byte == 0) else {
            let added = held.get(before..).unwrap_or_default();
            if !self.required && self.scan.goes_on(added) {
                let error = PreludeError::Missing;
                self.not_a_prelude(before, piece, error);
            } else if held.len() >= self.limit {
                let error = PreludeError::TooLong { limit: self.limit };
                self.not_a_prelude(before, piece, error);
            }
            return;
        };
        let json_end = before.saturating_sub(SEPARATOR.len()) + at;
        let nuls = held.get(json_end..).unwrap_or_default();
        let count = nuls
            .iter()
            .take(SEPARATOR.len())
            .take_while(|byte| **byte == 0)
            .count();
        if count < SEPARATOR.len() {
            if count < nuls.len() {
                let error = PreludeError::Separator {
                    offset: json_end,
                    found: count,
                };
                self.not_a_prelude(before, piece, error);
            } else if held.len() >= self.limit {
                let error = PreludeError::TooLong { limit: self.limit };
                self.not_a_prelude(before, piece, error);
            }
            return;
        }
        match HttpPrelude::try_from(held.get(..json_end).unwrap_or_default()) {
            Ok(prelude) => {
                let body = piece.split_off((json_end + SEPARATOR.len()).saturating_sub(before));
                self.state = State::Body;
                self.ready.push_back(Part::Prelude(prelude));
                self.push(body);
            }
            Err(error) => self.not_a_prelude(before, piece, error),
        }
    }

    /// Gives up on a prelude. Keeps the bytes that were collected before the last piece, and that
    /// piece without copying it.
    fn not_a_prelude(&mut self, before: usize, piece: Bytes, error: PreludeError) {
        if let State::Collecting(held) = &mut self.state {
            held.truncate(before);
        }
        self.give_up(error);
        self.push(piece);
    }

    fn give_up(&mut self, error: PreludeError) {
        if self.required {
            self.state = State::Failed(error);
            return;
        }
        if let State::Collecting(held) = std::mem::replace(&mut self.state, State::Body) {
            self.push(held.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns everything that a splitter finds in a stream of these pieces, with the body joined.
    fn split(
        mut splitter: PreludeSplitter,
        pieces: &[&[u8]],
    ) -> (Option<HttpPrelude>, Vec<u8>, Option<PreludeError>) {
        let (mut prelude, mut body) = (None, Vec::new());
        let mut take = |splitter: &mut PreludeSplitter| {
            while let Some(part) = splitter.next_part() {
                match part {
                    Ok(Part::Prelude(found)) => {
                        assert!(prelude.is_none() && body.is_empty());
                        prelude = Some(found);
                    }
                    Ok(Part::Body(bytes)) => {
                        assert!(!bytes.is_empty());
                        body.extend_from_slice(&bytes);
                    }
                    Err(_) => break,
                }
            }
        };
        for piece in pieces {
            splitter.push(Bytes::copy_from_slice(piece));
            take(&mut splitter);
        }
        let end = splitter.finish().err();
        take(&mut splitter);
        (prelude, body, end)
    }

    const WHOLE: &[u8] = b"{\"statusCode\":418,\"headers\":{\"a\":\"b\"}}\0\0\0\0\0\0\0\0\0tea\0";

    #[test]
    fn the_same_parts_under_every_split_into_two_and_into_single_bytes() {
        for splitter in [PreludeSplitter::optional(), PreludeSplitter::required()] {
            let expected = split(splitter.clone(), &[WHOLE]);
            assert_eq!(expected.0.as_ref().unwrap().status_code, 418);
            // The ninth NUL is the body's own.
            assert_eq!(expected.1, b"\0tea\0");
            assert_eq!(expected.2, None);
            for at in 0..=WHOLE.len() {
                let (left, right) = WHOLE.split_at(at);
                assert_eq!(
                    split(splitter.clone(), &[left, right]),
                    expected,
                    "split at {at}"
                );
            }
            let bytes: Vec<&[u8]> = WHOLE.chunks(1).collect();
            assert_eq!(split(splitter, &bytes), expected);
        }
    }

    #[test]
    fn every_prefix_of_a_required_prelude_is_an_error_with_its_length() {
        let separator_ends = WHOLE.len() - 5;
        for at in 0..separator_ends {
            let (prelude, body, end) = split(PreludeSplitter::required(), &[&WHOLE[..at]]);
            assert_eq!((prelude, body), (None, Vec::new()));
            assert_eq!(end, Some(PreludeError::Truncated { length: at }));
        }
    }

    #[test]
    fn lines_of_json_are_a_body_as_soon_as_the_second_begins() {
        let mut splitter = PreludeSplitter::optional();
        let first = b"{\"a\":\"}{\\\"\",\"b\":[{}]}\n";
        splitter.push(Bytes::from_static(first));
        assert_eq!(splitter.next_part(), None);
        splitter.push(Bytes::from_static(b" {\"a\":2}\n"));
        let mut body = Vec::new();
        while let Some(Ok(Part::Body(piece))) = splitter.next_part() {
            body.extend_from_slice(&piece);
        }
        assert_eq!(body, [&first[..], b" {\"a\":2}\n"].concat());
        assert!(splitter.is_past_prelude());
    }

    #[test]
    fn a_stream_without_a_prelude_is_all_body() {
        let long = [b"{".as_slice(), &[b' '; 100]].concat();
        for stream in [
            b"".as_slice(),
            b"plain",
            b"\0\0\0\0\0\0\0\0after",
            b"{\"json\": \"value\"}",
            b"{not json}\0\0\0\0\0\0\0\0x",
            b"{\"statusCode\":7}\0\0\0\0\0\0\0\0x",
            b"{}\0\0\0\0\0\0\0x",
            b"[1]\0\0\0\0\0\0\0\0x",
            &long,
        ] {
            let splitter = || PreludeSplitter::optional().with_limit(32);
            let expected = (None, stream.to_vec(), None);
            assert_eq!(split(splitter(), &[stream]), expected);
            for at in 0..=stream.len() {
                let (left, right) = stream.split_at(at);
                assert_eq!(split(splitter(), &[left, right]), expected, "split at {at}");
            }
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(split(splitter(), &bytes), expected);
        }
    }

    #[test]
    fn rejects_an_invalid_required_prelude_with_the_reason() {
        let error = |stream: &[u8]| {
            let splitter = PreludeSplitter::required().with_limit(32);
            let (prelude, body, end) = split(splitter.clone(), &[stream]);
            assert_eq!((prelude, body), (None, Vec::new()));
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(split(splitter, &bytes).2, end);
            end.unwrap()
        };
        assert_eq!(error(b"hello"), PreludeError::Missing);
        assert_eq!(
            error(b"{}\0\0\0x"),
            PreludeError::Separator {
                offset: 2,
                found: 3
            }
        );
        assert_eq!(error(&[b'{'; 33]), PreludeError::TooLong { limit: 32 });
        assert_eq!(
            error(b"{x}\0\0\0\0\0\0\0\0"),
            PreludeError::NotObject { line: 1, column: 2 }
        );
        assert_eq!(
            error(b"{\"statusCode\":99}\0\0\0\0\0\0\0\0"),
            PreludeError::StatusCode
        );
        assert_eq!(
            error(b"{\"headers\":[]}\0\0\0\0\0\0\0\0"),
            PreludeError::Headers
        );
        assert_eq!(
            error(b"{\"headers\":{\"a b\":\"\"}}\0\0\0\0\0\0\0\0"),
            PreludeError::Header {
                name: "a b".to_owned()
            }
        );
        assert_eq!(
            error(b"{\"cookies\":[1]}\0\0\0\0\0\0\0\0"),
            PreludeError::Cookies
        );
    }

    #[test]
    fn says_when_the_body_has_begun() {
        assert_eq!(PreludeSplitter::DEFAULT_LIMIT, 65_536);
        let mut splitter = PreludeSplitter::optional();
        splitter.push(Bytes::from_static(&WHOLE[..9]));
        assert!(splitter.next_part().is_none() && !splitter.is_past_prelude());
        splitter.push(Bytes::from_static(&WHOLE[9..]));
        assert!(splitter.next_part().is_some() && splitter.is_past_prelude());
    }

    #[test]
    fn the_body_is_not_copied() {
        let piece = Bytes::from_static(WHOLE);
        let mut splitter = PreludeSplitter::optional();
        splitter.push(piece.clone());
        assert!(matches!(splitter.next_part(), Some(Ok(Part::Prelude(_)))));
        let Some(Ok(Part::Body(body))) = splitter.next_part() else {
            panic!("no body")
        };
        assert_eq!(body.as_ptr(), piece[WHOLE.len() - 5..].as_ptr());
    }
}
