//! The changes of the journal as an endless response body.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::journal::Journal;
use crate::wire::shutdown::Running;
use crate::wire::stage::{Frames, Polled, Stage};

/// How long changes are collected into one frame.
const PAUSE: Duration = Duration::from_millis(40);

/// After this time without a change, an empty line shows the page that the endpoint is alive.
const SILENCE: Duration = Duration::from_secs(10);

/// The next frame, and the number of changes that it includes; `None` at the endpoint's shutdown.
type Next = Pin<Box<dyn Future<Output = Option<(Bytes, u64)>> + Send>>;

/// Lines of JSON, one for each call that has changed.
pub(super) struct Feed {
    journal: Arc<Journal>,
    running: Arc<Running>,
    next: Next,
    ended: bool,
}

impl Feed {
    pub(super) fn new(journal: &Arc<Journal>, running: &Arc<Running>) -> Self {
        let (journal, running) = (Arc::clone(journal), Arc::clone(running));
        // Sent so that the page learns at once that it is connected, even if nothing was called
        // yet.
        let lines = journal.since(0);
        let first = Bytes::from([&lines.0, &b"\n"[..]].concat());
        Self {
            next: Box::pin(std::future::ready(Some((first, lines.1)))),
            journal,
            running,
            ended: false,
        }
    }
}

async fn next(journal: Arc<Journal>, running: Arc<Running>, changes: u64) -> Option<(Bytes, u64)> {
    tokio::select! {
        () = journal.changed(changes) => {}
        () = tokio::time::sleep(SILENCE) => return Some((Bytes::from_static(b"\n"), changes)),
        () = running.drain() => return None,
    }
    tokio::time::sleep(PAUSE).await;
    let (lines, changes) = journal.since(changes);
    Some((lines.into(), changes))
}

impl Stage for Feed {
    fn run_on(&mut self, _: &mut Context<'_>) {}

    fn failure(&self) -> Option<String> {
        None
    }
}

impl Frames for Feed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        if self.ended {
            return Poll::Ready(None);
        }
        let Some((bytes, changes)) = ready!(self.next.as_mut().poll(cx)) else {
            self.ended = true;
            return Poll::Ready(None);
        };
        let (journal, running) = (Arc::clone(&self.journal), Arc::clone(&self.running));
        self.next = Box::pin(next(journal, running, changes));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}
