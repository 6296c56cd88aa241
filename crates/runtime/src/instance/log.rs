//! The last lines of a log.

use std::collections::VecDeque;

use crate::LogLine;
use crate::limits::MAX_LOG;

/// The last lines, [`MAX_LOG`] bytes of them.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl Log {
    pub(super) fn push(&mut self, line: LogLine) {
        self.bytes += line.text.len() + 1;
        self.lines.push_back(line);
        while self.bytes > MAX_LOG {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len() + 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LogLine> {
        self.lines.iter()
    }
}

impl From<Log> for Vec<LogLine> {
    fn from(log: Log) -> Self {
        log.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut log = Log::default();
        for number in 0..10 {
            log.push(LogLine {
                instance: 1,
                request_id: None,
                text: number.to_string().repeat(MAX_LOG / 4),
            });
        }
        let lines: Vec<_> = log.iter().map(|line| &line.text[..1]).collect();
        assert_eq!(lines, ["7", "8", "9"]);
        assert!(log.bytes <= MAX_LOG);
    }
}
