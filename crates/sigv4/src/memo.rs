//! What a signer keeps from one request to the next.

use std::sync::Arc;

use http::HeaderValue;

use crate::shape::Shape;
use crate::{RawRequest, SignError, SigningKey, Timestamp};

/// So many requests that had to be signed anew make a place free for the shape of the last one:
/// working a shape out costs a third of a signature, and where requests differ each time it must
/// not be done each time.
const PATIENCE: u32 = 32;

/// How many shapes are kept; a power of two.
const PLACES: usize = 8;

/// What a signer keeps from one request to the next.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) day: Option<Arc<Day>>,
    date: Option<Date>,
    places: [Place; PLACES],
}

/// What stays the same for a day.
pub(crate) struct Day {
    pub(crate) key: SigningKey,
    /// The beginning of the value of `authorization`, up to the names of the headers.
    pub(crate) prefix: String,
}

/// A second, as it is signed and as the value of `x-amz-date`.
#[derive(Clone)]
pub(crate) struct Date {
    second: Timestamp,
    pub(crate) stamp: [u8; 16],
    pub(crate) value: HeaderValue,
}

/// Where a shape is kept.
#[derive(Default)]
struct Place {
    shape: Option<Arc<Shape>>,
    misses: u32,
}

/// Where the shape of a request would be.
#[derive(Clone, Copy)]
pub(crate) struct Index(usize);

impl Index {
    /// The sum of the path's bytes, eight at a time, with how many headers there are and how the
    /// query ends: no good hash, yet functions with names of one pattern get places of their own.
    pub(crate) fn of(request: &RawRequest<'_>) -> Self {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let query = request.query.last().copied().unwrap_or_default();
        let rest = (request.header_count() as u64) << 8 | u64::from(query);
        // The last bytes: some of them twice, if there are more than eight.
        let last = match request.path.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => request.path.iter().map(|&byte| u64::from(byte)).sum(),
        };
        let chunks = request.path.chunks_exact(8);
        let sum = chunks
            .map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap_or_default()))
            .fold(rest.wrapping_add(last), u64::wrapping_add);
        // The highest bits of a product depend on all bits.
        Self((sum.wrapping_mul(FACTOR) >> (u64::BITS - PLACES.ilog2())) as usize)
    }
}

impl Memo {
    /// The shape that is kept where that of the request would be, and the date if it is kept.
    #[inline]
    pub(crate) fn find(&self, index: Index, time: Timestamp) -> (Option<Arc<Shape>>, Option<Date>) {
        let date = self.date.as_ref().filter(|date| date.second == time);
        (self.places[index.0].shape.clone(), date.cloned())
    }

    /// Keeps the date for its second.
    pub(crate) fn date(&mut self, day: &Day, time: Timestamp) -> Result<Date, SignError> {
        match &self.date {
            Some(date) if date.second == time => Ok(date.clone()),
            _ => {
                let stamp = day.key.stamp(time);
                let value =
                    HeaderValue::from_bytes(&stamp).map_err(|_| SignError::InvalidHeader)?;
                let date = Date {
                    second: time,
                    stamp,
                    value,
                };
                Ok(self.date.insert(date).clone())
            }
        }
    }

    /// Counts a request that had to be signed anew, and says whether to keep its shape.
    pub(crate) fn missed(&mut self, index: Index) -> bool {
        let place = &mut self.places[index.0];
        place.misses = place.misses.saturating_add(1);
        place.shape.is_none() || place.misses >= PATIENCE
    }

    pub(crate) fn keep(&mut self, index: Index, shape: Shape) {
        self.places[index.0] = Place {
            shape: Some(Arc::new(shape)),
            misses: 0,
        };
    }
}
