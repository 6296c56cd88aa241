//! The output of an instance to stdout and stderr.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;

use super::lines::{Lines, OnText};

/// The state of the pipe after reading.
pub(crate) enum Drained {
    Empty,
    More,
    End,
}

/// The one pipe for stdout and stderr, so that what is written to both keeps its order.
#[derive(Debug)]
pub(crate) struct Output {
    pipe: Receiver,
    lines: Mutex<Lines>,
}

impl Output {
    pub(crate) fn new(pipe: Receiver) -> Self {
        Self {
            pipe,
            lines: Mutex::default(),
        }
    }

    /// Reads the current content of the pipe, but stops even if the function writes without pause.
    pub(crate) fn drain(&self, on_text: &OnText<'_>) -> Drained {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Not zeroed, because this runs at the end of each invocation, and most have written
        // nothing.
        let mut buffer = [MaybeUninit::uninit(); 8192];
        for _ in 0..64 {
            match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(([], _)) => {
                    lines.end(on_text);
                    return Drained::End;
                }
                Ok((read, _)) => lines.push(read, on_text),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Drained::Empty,
                Err(_) => return Drained::End,
            }
        }
        Drained::More
    }

    /// Passes on the beginning of a line whose end was not written.
    pub(crate) fn end_line(&self, on_text: &OnText<'_>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.end_line(on_text);
    }

    /// Tells tokio that the pipe is empty, which only a read through tokio does. Returns whether it
    /// was not.
    fn clear_ready(&self, on_text: &OnText<'_>) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; 8192];
        let read = self.pipe.try_read(&mut buffer);
        if let Ok(length) = read {
            lines.push(buffer.get(..length).unwrap_or_default(), on_text);
        }
        read.is_ok()
    }

    /// Reads until the end of the pipe.
    pub(crate) async fn run(&self, on_text: &OnText<'_>) {
        while self.pipe.readable().await.is_ok() {
            loop {
                match self.drain(on_text) {
                    Drained::More => tokio::task::yield_now().await,
                    Drained::End => return,
                    // Only this read tells tokio that the pipe is empty.
                    Drained::Empty => {
                        if !self.clear_ready(on_text) {
                            break;
                        }
                    }
                }
            }
        }
    }
}
