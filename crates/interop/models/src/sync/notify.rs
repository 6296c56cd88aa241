//! `Notify`, with what tokio documents: one permit is kept, a notification is passed on if its receiver is
//! dropped, and `notify_waiters` reaches every future that exists.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use loom::sync::{Mutex, MutexGuard};

#[derive(Debug, Default)]
pub struct Notify {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    has_permit: bool,
    waiting: VecDeque<Waiting>,
    next: u64,
    /// How often all were notified.
    rounds: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    is_notified: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum Place {
    New,
    Waiting(u64),
    Done,
}

/// A future that is ready when it is notified.
#[derive(Debug)]
pub struct Notified<'a> {
    notify: &'a Notify,
    round: u64,
    place: Place,
}

impl Notify {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn notified(&self) -> Notified<'_> {
        Notified {
            notify: self,
            round: self.lock().rounds,
            place: Place::New,
        }
    }

    pub fn notify_one(&self) {
        let waker = self.lock().notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn notify_waiters(&self) {
        let mut state = self.lock();
        state.rounds += 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waker in waiting.into_iter().filter_map(|waiting| waiting.waker) {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked")
    }
}

impl State {
    fn notify_one(&mut self) -> Option<Waker> {
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|waiting| !waiting.is_notified) {
            Some(waiting) => {
                waiting.is_notified = true;
                waiting.waker.take()
            }
            None => {
                self.has_permit = true;
                None
            }
        }
    }
}

impl Notified<'_> {
    /// Begins to wait, and returns whether there is a notification already.
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        self.look(None)
    }

    fn look(&mut self, waker: Option<&Waker>) -> bool {
        let mut state = self.notify.lock();
        match self.place {
            Place::Done => return true,
            _ if state.rounds != self.round => {}
            Place::New if state.has_permit => state.has_permit = false,
            Place::New => {
                let number = state.next;
                state.next += 1;
                state.waiting.push_back(Waiting {
                    number,
                    is_notified: false,
                    waker: waker.cloned(),
                });
                self.place = Place::Waiting(number);
                return false;
            }
            Place::Waiting(own) => {
                let place = state.waiting.iter().position(|all| all.number == own);
                let place = place.expect("only notified futures leave");
                if !state.waiting[place].is_notified {
                    state.waiting[place].waker = waker.cloned();
                    return false;
                }
                state.waiting.remove(place);
            }
        }
        self.place = Place::Done;
        true
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.look(Some(cx.waker())) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Place::Waiting(own) = self.place else {
            return;
        };
        let mut state = self.notify.lock();
        let Some(place) = state.waiting.iter().position(|all| all.number == own) else {
            return;
        };
        let is_notified = state
            .waiting
            .remove(place)
            .is_some_and(|own| own.is_notified);
        let waker = if is_notified {
            state.notify_one()
        } else {
            None
        };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
