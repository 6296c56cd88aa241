//! Reading what a process writes, line by line, at once.

use std::os::fd::AsFd;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::{mpsc, oneshot};

/// The longest line. Longer ones are split.
const LONGEST: usize = 64 * 1024;

/// Asks a reader to read what the process has written so far, and to say when it has.
pub(crate) type Flush = oneshot::Sender<()>;

/// Reads a pipe to its end and passes each line on. Between reads it answers requests to flush.
pub(crate) async fn lines<R>(
    mut pipe: R,
    mut flushes: mpsc::Receiver<Flush>,
    mut line: impl FnMut(&[u8]),
) where
    R: AsyncRead + AsFd + Unpin,
{
    let mut buffer = Vec::with_capacity(4096);
    loop {
        tokio::select! {
            biased;
            read = pipe.read_buf(&mut buffer) => match read {
                Ok(1..) => split(&mut buffer, &mut line),
                _ => break,
            },
            Some(flush) = flushes.recv() => {
                // The readiness of the pipe may not have been noticed yet: ask the system.
                while rustix::io::ioctl_fionread(&pipe).is_ok_and(|bytes| bytes > 0) {
                    match pipe.read_buf(&mut buffer).await {
                        Ok(1..) => split(&mut buffer, &mut line),
                        _ => break,
                    }
                }
                let _ = flush.send(());
            }
        }
    }
    if !buffer.is_empty() {
        line(&buffer);
    }
}

/// Passes on the complete lines of a buffer, and the start of one that is too long.
fn split(buffer: &mut Vec<u8>, line: &mut impl FnMut(&[u8])) {
    let mut start = 0;
    while let Some(end) = buffer[start..].iter().position(|byte| *byte == b'\n') {
        let whole = &buffer[start..start + end];
        for part in pieces(whole.strip_suffix(b"\r").unwrap_or(whole)) {
            line(part);
        }
        start += end + 1;
    }
    buffer.drain(..start);
    while buffer.len() >= LONGEST {
        line(&buffer[..LONGEST]);
        buffer.drain(..LONGEST);
    }
}

/// Cuts a line into pieces of bounded length; an empty line is one empty piece.
fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = line.is_empty().then_some(line);
    empty.into_iter().chain(line.chunks(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_at_their_ends_and_at_the_longest_length() {
        let mut buffer = b"one\r\n\ntwo\nrest".to_vec();
        let mut seen = Vec::new();
        split(&mut buffer, &mut |line| seen.push(line.to_vec()));
        assert_eq!(seen, [b"one".to_vec(), Vec::new(), b"two".to_vec()]);
        assert_eq!(buffer, b"rest");
        let mut long = vec![b'x'; 2 * LONGEST + 10];
        seen.clear();
        split(&mut long, &mut |line| seen.push(line.to_vec()));
        assert_eq!(
            seen.iter().map(Vec::len).collect::<Vec<_>>(),
            [LONGEST, LONGEST]
        );
        assert_eq!(long.len(), 10);
    }
}
