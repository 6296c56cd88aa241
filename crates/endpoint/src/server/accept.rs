//! Reports of connections that could not be accepted.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::Notice;

/// Reports connections that could not be accepted, at most once a second.
pub(super) struct AcceptFailures<'a> {
    notice: &'a Arc<dyn Fn(Notice) + Send + Sync>,
    reported: Option<Instant>,
    unreported: u64,
    last: String,
}

impl<'a> AcceptFailures<'a> {
    pub(super) fn new(notice: &'a Arc<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            notice,
            reported: None,
            unreported: 0,
            last: String::new(),
        }
    }

    pub(super) fn add(&mut self, error: &io::Error) {
        self.unreported += 1;
        self.last = error.to_string();
        let now = Instant::now();
        let is_due = |reported| now.duration_since(reported) >= Duration::from_secs(1);
        if self.reported.is_none_or(is_due) {
            self.reported = Some(now);
            self.report();
        }
    }

    fn report(&mut self) {
        (self.notice)(Notice::AcceptFailed {
            error: std::mem::take(&mut self.last),
            times: std::mem::take(&mut self.unreported),
        });
    }
}

/// Reports the failures that are left.
impl Drop for AcceptFailures<'_> {
    fn drop(&mut self) {
        if self.unreported > 0 {
            self.report();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn reports_accept_failures_once_a_second_and_the_rest_when_dropped() {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&reports);
        let notice: Arc<dyn Fn(Notice) + Send + Sync> = Arc::new(move |notice| {
            let Notice::AcceptFailed { times, .. } = notice else {
                panic!("{notice}");
            };
            sink.lock().unwrap().push(times);
        });
        let mut failures = AcceptFailures::new(&notice);
        let error = io::Error::other("too many open files");
        for _ in 0..10 {
            failures.add(&error);
        }
        assert_eq!(*reports.lock().unwrap(), [1]);
        failures.reported = Instant::now().checked_sub(Duration::from_secs(1));
        failures.add(&error);
        assert_eq!(*reports.lock().unwrap(), [1, 10]);
        failures.add(&error);
        drop(failures);
        assert_eq!(*reports.lock().unwrap(), [1, 10, 1]);
    }
}
