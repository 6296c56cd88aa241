//! What requests that follow each other have in common: all but the values of their headers.

use std::sync::Arc;

use crate::canonical::{Head, Header, Start, WRITTEN, hash_around};
use crate::memo::Day;
use crate::names;
use crate::request::HeaderNames;
use crate::sign::Role;
use crate::{RawRequest, Signer, Timestamp};

/// The values of a request's headers in their order, and of those that signing adds.
pub(crate) struct Values<'a> {
    values: [&'a [u8]; MOST],
    count: usize,
}

/// A request with more values has no shape.
const MOST: usize = 16;
/// So many are signing's.
const ADDED: usize = 4;
/// Path, query and names of a request have so many bytes at the most, or it has no shape.
const LONGEST: usize = 2048;

/// How requests of one method, path and query, with headers of the same names, are signed on one
/// day. Has no value of a header.
pub(crate) struct Shape {
    pub(crate) day: Arc<Day>,
    method: Box<str>,
    path: Box<[u8]>,
    query: Box<[u8]>,
    sent: HeaderNames,
    /// Whether the request has no `host` header.
    pub(crate) adds_host: bool,
    /// Whether `x-amz-content-sha256` is added, or replaced.
    pub(crate) adds_hash: bool,
    /// Whether the credentials' token is one of the values.
    pub(crate) signs_token: bool,
    /// The canonical request's lines up to the headers.
    head: Box<[u8]>,
    lines: Box<[Line]>,
    /// What is between them and what is said of the body.
    tail: Box<[u8]>,
    /// The value of `authorization` up to the signature.
    pub(crate) authorization: Box<str>,
}

/// A header's line in the canonical request.
struct Line {
    start: LineStart,
    /// Which of the values.
    value: usize,
}

/// See [`Start`].
enum LineStart {
    Short([u8; WRITTEN], usize),
    Long(Box<str>),
    Again,
}

impl Shape {
    /// The shape of a request that was just signed, with this head and these names of its headers;
    /// `None` if it has too many, or if it is too long to be kept.
    pub(crate) fn new(
        signer: &Signer,
        request: &RawRequest<'_>,
        head: &Head<'_>,
        names: &str,
        day: Arc<Day>,
    ) -> Option<Self> {
        let length = request.path.len() + request.query.len() + names.len();
        if request.header_count() + ADDED > MOST || length > LONGEST {
            return None;
        }
        let (mut count, mut covered) = (0, Vec::new());
        let mut adds_host = true;
        let mut adds_hash = signer.settings.content_sha256_header;
        request.for_each_header(|name, _| {
            match signer.role(name) {
                Role::Covered => covered.push((Header::new(name, b""), count)),
                Role::Host => {
                    adds_host = false;
                    covered.push((Header::new(name, b""), count));
                }
                Role::ContentHash => adds_hash = true,
                Role::Uncovered => {}
            }
            count += 1;
        });
        let signs_token = signer.signed_token().is_some();
        let added = [
            (names::HOST, adds_host),
            (names::DATE, true),
            (names::CONTENT_SHA256, adds_hash),
            (names::SECURITY_TOKEN, signs_token),
        ];
        let added = added.into_iter().filter(|(_, adds)| *adds);
        let added = (count..).zip(added);
        covered.extend(added.map(|(index, (name, _))| (Header::new(name, b""), index)));
        covered.sort_by(|(header, _), (other, _)| header.compare(other));
        Some(Self {
            method: request.method.into(),
            path: request.path.into(),
            query: request.query.into(),
            sent: request.names(),
            adds_host,
            adds_hash,
            signs_token,
            head: head.to_bytes().into(),
            lines: lines(&covered),
            tail: ["\n", names, "\n"].concat().into_bytes().into(),
            authorization: day.before_signature(names).concat().into(),
            day,
        })
    }

    /// Whether a request at that time has this shape; takes its values, if so.
    #[inline]
    pub(crate) fn fits<'a>(
        &self,
        request: &RawRequest<'a>,
        time: Timestamp,
        values: &mut Values<'a>,
    ) -> bool {
        self.day.key.is_for(time)
            && *self.path == *request.path
            && *self.query == *request.query
            && *self.method == *request.method
            && request.has_names(&self.sent, |value| values.push(value))
    }

    /// The SHA-256 of the canonical request with these values, and with what is said of the body.
    pub(crate) fn hash(&self, values: &Values<'_>, payload: &[u8]) -> [u8; 32] {
        let lines = self
            .lines
            .iter()
            .map(|line| (line.start.borrow(), values.values[line.value]));
        hash_around(&self.head, lines, [&self.tail, payload])
    }
}

impl<'a> Values<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            values: [b""; MOST],
            count: 0,
        }
    }

    /// Adds a value, of which there are not more than a shape has.
    #[inline]
    pub(crate) fn push(&mut self, value: &'a [u8]) {
        if let Some(free) = self.values.get_mut(self.count) {
            *free = value;
            self.count += 1;
        }
    }
}

impl LineStart {
    fn new(name: &str) -> Self {
        let mut text = [0; WRITTEN];
        match text.get_mut(..=name.len()) {
            Some(start) => {
                start[..name.len()].copy_from_slice(name.as_bytes());
                start.make_ascii_lowercase();
                start[name.len()] = b':';
                Self::Short(text, name.len() + 1)
            }
            None => Self::Long(name.to_ascii_lowercase().into()),
        }
    }

    #[inline]
    fn borrow(&self) -> Start<'_> {
        match self {
            Self::Short(text, length) => Start::Written(text, *length),
            Self::Long(name) => Start::Name(name),
            Self::Again => Start::Again,
        }
    }
}

/// The lines of sorted headers, each given with the index of its value.
fn lines(sorted: &[(Header<'_>, usize)]) -> Box<[Line]> {
    let mut before = &Header::default();
    let mut lines = Vec::with_capacity(sorted.len());
    for (header, value) in sorted {
        let start = if header.is_same(before) {
            LineStart::Again
        } else {
            LineStart::new(header.name)
        };
        let value = *value;
        lines.push(Line { start, value });
        before = header;
    }
    lines.into()
}
