//! Timers that expire late.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

/// A timer that expires by this much after its time is not late.
const PUNCTUAL: Duration = Duration::from_millis(20);

/// The longest extension of a wait.
const LONGEST: Duration = Duration::from_secs(1);

pin_project! {
    /// Waits until a time, and once more if its timer expires late.
    ///
    /// A timer is late if the process was suspended or the machine is very busy. What the server sent in
    /// time may then still be in the socket, because the task that reads it has not run yet. It gets as
    /// much time as the timer was late.
    pub(crate) struct Sleep {
        #[pin]
        timer: tokio::time::Sleep,
        // The wait is not extended beyond this.
        end: Option<Instant>,
        extended: bool,
    }
}

impl Sleep {
    /// Waits until `at`, or if that is noticed late, at most until `end`.
    pub(crate) fn until(at: Instant, end: Option<Instant>) -> Self {
        Self {
            timer: tokio::time::sleep_until(at),
            end,
            extended: false,
        }
    }

    /// Starts to wait again, as [`until`](Self::until) does.
    pub(crate) fn reset(self: Pin<&mut Self>, at: Instant, end: Option<Instant>) {
        let this = self.project();
        this.timer.reset(at);
        *this.end = end;
        *this.extended = false;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        ready!(this.timer.as_mut().poll(cx));
        if !std::mem::replace(this.extended, true) {
            if let Some(until) = extension(this.timer.deadline(), *this.end) {
                this.timer.as_mut().reset(until);
                ready!(this.timer.poll(cx));
            }
        }
        Poll::Ready(())
    }
}

/// Returns until when to wait on, if a timer for `at` has expired late; at most until `end`.
fn extension(at: Instant, end: Option<Instant>) -> Option<Instant> {
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

    #[tokio::test(start_paused = true)]
    async fn waits_on_once_and_never_beyond_the_end() {
        let late = Duration::from_millis(300);
        let mut task = Context::from_waker(std::task::Waker::noop());
        let start = Instant::now();
        let mut sleep = std::pin::pin!(Sleep::until(start, None));
        tokio::time::advance(late).await;
        assert!(sleep.as_mut().poll(&mut task).is_pending(), "waits on");
        tokio::time::advance(late).await;
        tokio::time::advance(late).await;
        assert!(sleep.as_mut().poll(&mut task).is_ready(), "but only once");

        let at = Instant::now();
        sleep.as_mut().reset(at, Some(at));
        tokio::time::advance(late).await;
        assert!(sleep.as_mut().poll(&mut task).is_ready(), "it may not");

        let at = Instant::now();
        sleep.as_mut().reset(at, Some(at + late + PUNCTUAL));
        tokio::time::advance(late).await;
        assert!(
            sleep.as_mut().poll(&mut task).is_pending(),
            "waits on again"
        );
        tokio::time::advance(PUNCTUAL).await;
        tokio::time::advance(PUNCTUAL).await;
        assert!(sleep.as_mut().poll(&mut task).is_ready(), "until the end");
    }
}
