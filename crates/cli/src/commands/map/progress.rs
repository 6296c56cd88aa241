//! The progress of a run: a line that is redrawn on a terminal, otherwise a line each minute.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use lambda_invoke_map::Progress;

use super::note;
use crate::number::counted;
use crate::terminal;

/// How often the line is redrawn.
const REDRAWN: Duration = Duration::from_millis(200);
/// How often a line is written if stderr is not a terminal.
const WRITTEN: Duration = Duration::from_secs(60);
/// The period that the rate covers.
const RECENT: Duration = Duration::from_secs(10);

/// Shows the progress of a run.
#[derive(Debug)]
pub(super) struct Shown {
    bar: Option<ProgressBar>,
    /// Whether lines are JSON.
    as_json: bool,
    began: Instant,
    /// How many items had ended at recent times, from which the rate is calculated.
    past: Vec<(Instant, u64)>,
}

impl Shown {
    /// Shows the progress on stderr.
    pub(super) fn new(as_json: bool) -> Self {
        let target = terminal::progress_target();
        let bar = target.and_then(|target| {
            let style = ProgressStyle::with_template("{wide_bar} {msg}").ok()?;
            Some(ProgressBar::with_draw_target(None, target).with_style(style))
        });
        let now = Instant::now();
        Self {
            bar,
            as_json,
            began: now,
            past: vec![(now, 0)],
        }
    }

    /// How often to call [`show`](Self::show).
    pub(super) fn period(&self) -> Duration {
        match self.bar {
            Some(_) => REDRAWN,
            None => WRITTEN,
        }
    }

    /// Shows how far the run is.
    pub(super) fn show(&mut self, progress: &Progress) {
        let now = Instant::now();
        let ended = progress.finished.all();
        self.past.push((now, ended));
        let is_old = |(at, _): &(Instant, u64)| now.duration_since(*at) > RECENT;
        while self.past.len() > 2 && self.past.get(1).is_some_and(is_old) {
            self.past.remove(0);
        }
        let (since, before) = self.past.first().copied().unwrap_or((now, 0));
        let seconds = now.duration_since(since).as_secs_f64();
        let rate = if seconds > 0.0 {
            (ended - before) as f64 / seconds
        } else {
            0.0
        };
        let text = line(progress, rate);
        match &self.bar {
            Some(bar) => {
                if let Some(total) = progress.total {
                    bar.set_length(total);
                }
                bar.set_position(ended + progress.recorded.all());
                bar.set_message(text);
            }
            None => note(
                self.as_json,
                &format!("{text}, after {}", HumanDuration(self.began.elapsed())),
            ),
        }
    }
}

/// Clears the line, however the run ends.
impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(progress: &Progress, rate: f64) -> String {
    let ended = progress.finished.all() + progress.recorded.all();
    let mut text = match progress.total {
        Some(total) => format!("{ended} of {}", counted(total, "item")),
        None => counted(ended, "item"),
    };
    let failed = progress.finished.failed() + progress.recorded.failed();
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    text.push_str(&format!(
        ", {rate:.1}/s, {} in flight of {}",
        progress.in_flight, progress.limit
    ));
    let throttled: u64 = progress.throttles.values().sum();
    if throttled > 0 {
        text.push_str(&format!(", {throttled} throttled"));
    }
    let left = progress.total.and_then(|total| {
        let missing = total.saturating_sub(ended) as f64;
        Duration::try_from_secs_f64(missing / rate).ok()
    });
    if let Some(left) = left.filter(|left| !left.is_zero()) {
        text.push_str(&format!(", {} left", HumanDuration(left)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_total_rate_concurrency_throttles_and_time_left() {
        let mut progress = Progress::default();
        progress.in_flight = 7;
        progress.limit = 8;
        assert_eq!(line(&progress, 0.0), "0 items, 0.0/s, 7 in flight of 8");
        progress.total = Some(1_000);
        progress.finished.done = 400;
        progress.finished.unknown = 10;
        progress.recorded.done = 90;
        progress.throttles.insert("Limit".to_owned(), 3);
        assert_eq!(
            line(&progress, 50.0),
            "500 of 1000 items, 10 failed, 50.0/s, 7 in flight of 8, 3 throttled, 10 seconds left"
        );
    }
}
