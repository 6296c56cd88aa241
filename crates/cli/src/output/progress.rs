//! The progress of a stream, on stderr, for when stdout is not a terminal.

use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::stdout::is_terminal;
use crate::terminal;

/// How long a stream must take before its progress is shown.
const DELAY: Duration = Duration::from_secs(1);
/// How long before an average is shown.
const SETTLED: Duration = Duration::from_millis(500);
/// How often the line is redrawn while nothing arrives.
const TICK: Duration = Duration::from_millis(200);

/// The steps per second since the beginning, after enough time has passed to be meaningful.
/// indicatif's own estimate is far off in the first frames.
pub(crate) fn average(state: &ProgressState) -> Option<f64> {
    let elapsed = state.elapsed();
    let is_known = state.pos() > 0 && elapsed >= SETTLED;
    is_known.then(|| state.pos() as f64 / elapsed.as_secs_f64())
}

/// Counts the bytes of a stream, and shows them once the stream has taken a while.
#[derive(Debug)]
pub(crate) struct Progress {
    target: Option<ProgressDrawTarget>,
    bar: Option<ProgressBar>,
    began: Instant,
    bytes: u64,
}

impl Progress {
    /// Creates a progress line that is shown only if stderr is a terminal and stdout is not.
    pub(crate) fn new() -> Self {
        Self::on(match is_terminal() {
            true => None,
            false => terminal::progress_target(),
        })
    }

    fn on(target: Option<ProgressDrawTarget>) -> Self {
        Self {
            target,
            bar: None,
            began: Instant::now(),
            bytes: 0,
        }
    }

    /// Adds received bytes.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.began.elapsed() >= DELAY {
            self.show();
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.bytes);
        }
    }

    fn show(&mut self) {
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            if let Some(rate) = average(state) {
                // Less than a byte per second is shown as 0. If the rate cannot be written, it is
                // not shown.
                let _ = write!(text, " ({}/s)", BinaryBytes(rate as u64));
            }
        };
        let style = ProgressStyle::with_template("{spinner} {bytes} in {elapsed}{rate}")
            .map(|style| style.with_key("rate", rate));
        if let (Some(target), Ok(style)) = (self.target.take(), style) {
            let bar = ProgressBar::with_draw_target(None, target)
                .with_style(style)
                .with_position(self.bytes)
                .with_elapsed(self.began.elapsed());
            bar.enable_steady_tick(TICK);
            self.bar = Some(bar);
        }
    }
}

/// Clears the line when the stream ends, however it ends, so that only messages stay on stderr.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn shows_the_bytes_of_a_long_stream_and_leaves_no_line_behind() {
        let terminal = InMemoryTerm::new(4, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::on(Some(target));
        progress.add(1024);
        assert_eq!(terminal.contents(), "", "shown before it has taken a while");
        progress.began = Instant::now().checked_sub(DELAY).unwrap();
        progress.add(1024);
        // Another thread draws it, on a busy machine only after more than a second.
        let deadline = Instant::now() + Duration::from_secs(30);
        let is_drawn = || {
            let line = terminal.contents();
            line.contains("2.00 KiB in ") && line.ends_with("B/s)")
        };
        while !is_drawn() {
            assert!(Instant::now() < deadline, "{}", terminal.contents());
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }
}
