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
    pub(super) fn push(&mut self, mut line: LogLine) {
        // Of a line that is longer than the log, the end is kept.
        let excess = (line.text.len() + 1).saturating_sub(MAX_LOG);
        let start = (excess..line.text.len()).find(|at| line.text.is_char_boundary(*at));
        line.text
            .drain(..start.unwrap_or(excess.min(line.text.len())));
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

    #[test]
    fn of_a_line_longer_than_the_log_the_end_is_kept() {
        let mut log = Log::default();
        log.push(LogLine {
            instance: 1,
            request_id: None,
            text: format!("{}end", "å".repeat(MAX_LOG)),
        });
        let texts: Vec<_> = log.iter().map(|line| &line.text).collect();
        assert_eq!(texts.len(), 1);
        assert!(texts[0].ends_with("åend") && texts[0].len() >= MAX_LOG - 4);
        assert!(log.bytes <= MAX_LOG);
    }
}
