//! A table as the CSV library reads it: with a limit on each row, and without a quote that never closes.

use std::io::{self, Read};

use crate::source::{MARK, MAX_ITEM};

/// The length of a byte order mark and one byte more.
const MARK_AND_MORE: usize = MARK.len() + 1;

/// Ends with an error before a row takes more than [`MAX_ITEM`]: the library reads rows of any length.
pub(super) struct Bounded<R> {
    inner: R,
    /// How many bytes may be read before the next row begins.
    left: usize,
    has_begun: bool,
    /// The bytes that were read last. The library takes all of them before it reads more.
    last: Vec<u8>,
    /// The offset of their end.
    end: u64,
    /// The offset of a byte that is wanted, and the byte as soon as it has been read.
    wanted: (u64, Option<u8>),
    quotes: Quotes,
}

/// What the bytes so far mean for the next quote (RFC 4180). The library takes a quoted field that does
/// not end for one that ends with the table, and all rows after the quote for a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quotes {
    /// A field begins.
    #[default]
    Start,
    /// Within a field that is not quoted, or after a quoted one.
    Field,
    Quoted,
    /// After a quote in a quoted field: its end, or the first of two that stand for one.
    Quote,
}

impl Quotes {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::Start | Self::Quote, b'"') => Self::Quoted,
            (_, b',' | b'\r' | b'\n') => Self::Start,
            _ => Self::Field,
        }
    }
}

impl<R: Read> Bounded<R> {
    /// Reads the start of the table in one piece. The library skips a byte order mark only if one read
    /// returns all of it, and takes a read that returns nothing else for the end of the table.
    fn begin(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < MARK_AND_MORE {
            match self.inner.read(&mut buffer[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.has_begun = true;
        Ok(read)
    }
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            left: MAX_ITEM,
            has_begun: false,
            last: Vec::new(),
            end: 0,
            wanted: (0, None),
            quotes: Quotes::default(),
        }
    }

    /// Begins a row, whose first byte is at `offset`.
    pub(super) fn next_row(&mut self, offset: u64) {
        self.left = MAX_ITEM;
        let start = self.end - self.last.len() as u64;
        let at = offset.checked_sub(start).map(usize::try_from);
        let byte = at.and_then(|at| self.last.get(at.ok()?)).copied();
        self.wanted = (offset, byte);
    }

    /// Returns the first byte of the row that [`next_row`](Self::next_row) began.
    pub(super) fn first_byte(&self) -> Option<u8> {
        self.wanted.1
    }

    fn keep(&mut self, read: &[u8]) {
        // A byte order mark is not a part of the first field.
        let mark = if self.end == 0 { MARK } else { b"" };
        let text = read.strip_prefix(mark).unwrap_or(read).iter();
        self.quotes = text.fold(self.quotes, |quotes, byte| quotes.after(*byte));
        if self.wanted.0 == self.end {
            self.wanted.1 = self.wanted.1.or_else(|| read.first().copied());
        }
        self.last.clear();
        self.last.extend_from_slice(read);
        self.end += read.len() as u64;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let problem = format!("a row has more than {} MiB", MAX_ITEM >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let most = self.left.min(buffer.len());
        let buffer = &mut buffer[..most];
        let read = match self.has_begun {
            true => self.inner.read(buffer)?,
            false => self.begin(buffer)?,
        };
        if read == 0 && most > 0 && self.quotes == Quotes::Quoted {
            let problem = "a quoted field does not end: its closing quote is missing";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
        }
        self.left -= read;
        self.keep(&buffer[..read]);
        Ok(read)
    }
}
