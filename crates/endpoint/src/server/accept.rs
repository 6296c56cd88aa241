//! Reports of connections that could not be accepted.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::Notice;

/// Tells of connections that could not be accepted, at most once a second.
pub(super) struct AcceptFailures<'a> {
    notice: &'a Arc<dyn Fn(Notice) + Send + Sync>,
    told: Option<Instant>,
    untold: u64,
    last: String,
}

impl<'a> AcceptFailures<'a> {
    pub(super) fn new(notice: &'a Arc<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            notice,
            told: None,
            untold: 0,
            last: String::new(),
        }
    }

    pub(super) fn add(&mut self, error: &io::Error) {
        self.untold += 1;
        self.last = error.to_string();
        let now = Instant::now();
        let is_due = |told| now.duration_since(told) >= Duration::from_secs(1);
        if self.told.is_none_or(is_due) {
            self.told = Some(now);
            self.tell();
        }
    }

    fn tell(&mut self) {
        (self.notice)(Notice::AcceptFailed {
            error: std::mem::take(&mut self.last),
            times: std::mem::take(&mut self.untold),
        });
    }
}

/// At the end, none is left untold.
impl Drop for AcceptFailures<'_> {
    fn drop(&mut self) {
        if self.untold > 0 {
            self.tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn tells_of_accept_failures_once_a_second_and_of_each_in_the_end() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let notice: Arc<dyn Fn(Notice) + Send + Sync> = Arc::new(move |notice| {
            let Notice::AcceptFailed { times, .. } = notice else {
                panic!("{notice}");
            };
            tell.lock().unwrap().push(times);
        });
        let mut failures = AcceptFailures::new(&notice);
        let error = io::Error::other("too many open files");
        for _ in 0..10 {
            failures.add(&error);
        }
        assert_eq!(*told.lock().unwrap(), [1]);
        failures.told = Instant::now().checked_sub(Duration::from_secs(1));
        failures.add(&error);
        assert_eq!(*told.lock().unwrap(), [1, 10]);
        failures.add(&error);
        drop(failures);
        assert_eq!(*told.lock().unwrap(), [1, 10, 1]);
    }
}
