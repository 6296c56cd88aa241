//! What an instance writes to stdout and stderr, in lines.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;

use crate::Stream;
use crate::limits::MAX_LINE;

/// Receives each line.
pub(crate) type OnLine<'a> = dyn Fn(Stream, String) + Send + Sync + 'a;

/// What is left in a pipe.
pub(crate) enum Drained {
    Empty,
    More,
    End,
}

/// One of the two pipes.
#[derive(Debug)]
pub(crate) struct Output {
    stream: Stream,
    pipe: Receiver,
    partial: Mutex<Vec<u8>>,
}

impl Output {
    pub(crate) fn new(stream: Stream, pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            stream,
            pipe: Receiver::from_owned_fd(pipe)?,
            partial: Mutex::new(Vec::new()),
        })
    }

    /// Whether something is to be read from one of the pipes, or its end, in one system call.
    pub(crate) fn any_readable(all: &[Self; 2]) -> bool {
        let mut pipes = all
            .each_ref()
            .map(|output| PollFd::new(&output.pipe, PollFlags::IN));
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // An error, such as an interruption, does not tell.
        poll(&mut pipes, Some(&now)) != Ok(0)
    }

    /// Reads what is in the pipe now, but not forever if a function writes without pause.
    pub(crate) fn drain(&self, line: &OnLine<'_>) -> Drained {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; 8192];
        for _ in 0..64 {
            match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(0) => {
                    if !partial.is_empty() {
                        line(self.stream, text(&std::mem::take(&mut *partial)));
                    }
                    return Drained::End;
                }
                Ok(length) => {
                    let read = buffer.get(..length).unwrap_or_default();
                    self.split(&mut partial, read, line);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Drained::Empty,
                Err(_) => return Drained::End,
            }
        }
        Drained::More
    }

    fn split(&self, partial: &mut Vec<u8>, mut read: &[u8], line: &OnLine<'_>) {
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let (before, after) = read.split_at(end);
            partial.extend_from_slice(before);
            line(
                self.stream,
                text(partial.strip_suffix(b"\r").unwrap_or(partial)),
            );
            partial.clear();
            read = after.get(1..).unwrap_or_default();
        }
        partial.extend_from_slice(read);
        if partial.len() >= MAX_LINE {
            line(self.stream, text(&std::mem::take(partial)));
        }
    }

    /// Tells tokio that the pipe is empty, which only a read of its own does. Says whether it was not.
    fn clear_ready(&self, line: &OnLine<'_>) -> bool {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; 8192];
        let read = self.pipe.try_read(&mut buffer);
        if let Ok(length) = read {
            let read = buffer.get(..length).unwrap_or_default();
            self.split(&mut partial, read, line);
        }
        read.is_ok()
    }

    /// Reads until the end of the pipe.
    pub(crate) async fn run(&self, line: &OnLine<'_>) {
        while self.pipe.readable().await.is_ok() {
            loop {
                match self.drain(line) {
                    Drained::More => tokio::task::yield_now().await,
                    Drained::End => return,
                    // Only this read tells tokio that the pipe is empty.
                    Drained::Empty => {
                        if !self.clear_ready(line) {
                            break;
                        }
                    }
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
