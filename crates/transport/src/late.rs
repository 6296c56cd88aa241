//! Timers that expire late.

use std::time::Duration;

use tokio::time::Instant;

/// A timer that expires by this much after its time is not late.
const PUNCTUAL: Duration = Duration::from_millis(20);

/// The longest extension of a wait.
const LONGEST: Duration = Duration::from_secs(1);

/// Returns until when to wait on, if a timer for `at` has expired late; at most until `end`.
///
/// A timer is late if the process was suspended or the machine is very busy. What the server sent in
/// time may then still be in the socket, because the task that reads it has not run yet. It gets as
/// much time as the timer was late.
pub(crate) fn extension(at: Instant, end: Option<Instant>) -> Option<Instant> {
    let now = Instant::now();
    let late = now.saturating_duration_since(at);
    if late <= PUNCTUAL {
        return None;
    }
    let until = now + late.min(LONGEST);
    Some(end.map_or(until, |end| until.min(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn extends_a_wait_by_as_much_as_its_timer_was_late() {
        let start = Instant::now();
        tokio::time::advance(Duration::from_secs(10)).await;
        let now = Instant::now();
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(extension(now, None), None);
        assert_eq!(extension(now - PUNCTUAL, None), None);
        assert_eq!(extension(now + seconds(1), None), None);
        let late = Duration::from_millis(300);
        assert_eq!(extension(now - late, None), Some(now + late));
        assert_eq!(extension(start, None), Some(now + LONGEST));
        let end = now + PUNCTUAL;
        assert_eq!(extension(start, Some(end)), Some(end));
        assert_eq!(
            extension(start, Some(now + seconds(9))),
            Some(now + LONGEST)
        );
    }
}
