//! The consumer that collects a complete response, for `Invoke`.

use bytes::{Bytes, BytesMut};

use super::execution::{Execution, Next};
use super::running::Outcome;
use crate::function::channel::ResponseHead;

/// A complete response, and how the function ended.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) head: ResponseHead,
    pub(crate) response: Bytes,
    pub(crate) outcome: Outcome,
}

/// How many chunks are collected before other tasks may run.
const AT_ONCE: u32 = 64;

/// Runs a function to its end and collects its chunks as fast as it writes them.
///
/// If the caller disconnects and the execution is dropped, the function keeps running and its chunks
/// are discarded.
pub(crate) async fn collect(execution: &mut Execution) -> Collected {
    execution.drain_when_dropped();
    let mut chunks = Chunks::default();
    let mut count = 0_u32;
    let outcome = loop {
        match execution.next().await {
            Next::Chunk(chunk) => chunks.push(chunk),
            Next::End(outcome) => break outcome,
        }
        count = count.wrapping_add(1);
        if count % AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
    };
    Collected {
        head: execution.head(),
        response: chunks.joined(),
        outcome,
    }
}

/// Chunks to be joined. A single chunk is not copied.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    joined: BytesMut,
}

impl Chunks {
    fn push(&mut self, chunk: Bytes) {
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = chunk;
            return;
        }
        self.joined
            .extend_from_slice(&std::mem::take(&mut self.first));
        self.joined.extend_from_slice(&chunk);
    }

    fn joined(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chunk_is_not_copied_and_several_are_joined() {
        let chunk = Bytes::from(vec![b'a'; 3]);
        let mut one = Chunks::default();
        one.push(chunk.clone());
        assert_eq!(one.joined().as_ptr(), chunk.as_ptr());
        let mut several = Chunks::default();
        for chunk in ["ab", "c", "de"] {
            several.push(chunk.into());
        }
        assert_eq!(several.joined(), "abcde");
        assert_eq!(Chunks::default().joined(), "");
    }
}
