//! The state of one runtime client: what it may ask for and report, and when.

use std::collections::{BTreeMap, VecDeque};

/// How many ended events are remembered, to tell a late response from an unknown request ID.
const REMEMBERED: usize = 64;

/// Why a request of a runtime client is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the API has these rejections")]
pub enum Rejection {
    /// 400: no such event.
    InvalidRequestId,
    /// 403: the request is not allowed in this state.
    InvalidStateTransition,
    /// 400: the response mode is neither absent nor `streaming`.
    InvalidResponseMode,
    /// 410: the event has ended, or was given to another instance.
    Late,
    /// 413: the response is larger than the limit.
    TooLarge,
}

/// How the runtime client responds to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the API has two modes")]
pub enum Mode {
    /// The whole response at once.
    Buffered,
    /// Chunks as they are written, and trailers for an error.
    Streaming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The runtime client has not asked for an event yet.
    Init,
    Ready,
    /// The runtime client has reported an init error and will exit.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Responding,
    /// The response is complete. With one event at a time, the event lasts until the runtime
    /// client asks for the next.
    Responded,
}

#[derive(Debug)]
struct Call {
    stage: Stage,
    nonce: String,
}

/// The state of one runtime client, without I/O or a clock.
///
/// Whoever owns it reports each request of the client, and follows what it returns. No sequence of
/// calls panics, and its memory is bounded by the number of events that run at once.
#[derive(Debug)]
pub struct Machine {
    capacity: usize,
    phase: Phase,
    calls: BTreeMap<String, Call>,
    ended: VecDeque<String>,
}

impl Machine {
    /// Creates the state of a client that has just started and runs at most `capacity` events at
    /// once.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            phase: Phase::Init,
            calls: BTreeMap::new(),
            ended: VecDeque::new(),
        }
    }

    /// The client asks for an event (`GET /runtime/invocation/next`). It may wait for one if this
    /// returns `Ok`.
    ///
    /// # Errors
    ///
    /// [`Rejection::InvalidStateTransition`] while the only event is not responded to, and after an
    /// init error.
    pub fn ask(&mut self) -> Result<(), Rejection> {
        match self.phase {
            Phase::Failed => return Err(Rejection::InvalidStateTransition),
            Phase::Init => self.phase = Phase::Ready,
            Phase::Ready => {}
        }
        let mut over = Vec::new();
        for (id, call) in &self.calls {
            if call.stage == Stage::Responded {
                over.push(id.clone());
            }
        }
        for id in over {
            self.end(&id);
        }
        if self.capacity == 1 && !self.calls.is_empty() {
            return Err(Rejection::InvalidStateTransition);
        }
        Ok(())
    }

    /// Whether the client has asked for an event at least once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether an event may be given to a client that waits for one.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.is_ready() && self.calls.len() < self.capacity
    }

    /// Whether no event runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether the response to an event is complete, while the client has not asked for the next.
    #[must_use]
    pub fn has_responded(&self, id: &str) -> bool {
        self.calls
            .get(id)
            .is_some_and(|call| call.stage == Stage::Responded)
    }

    /// Whether an event is with the client, responded to or not.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.calls.contains_key(id)
    }

    /// Gives an event to the client. `nonce` goes along as `Lambda-Runtime-Invocation-Id`.
    /// Returns false, and changes nothing, without [room](Self::has_room) or with a request ID
    /// that is in use.
    pub fn give(&mut self, id: &str, nonce: &str) -> bool {
        if !self.has_room() || self.calls.contains_key(id) {
            return false;
        }
        let call = Call {
            stage: Stage::Running,
            nonce: nonce.to_owned(),
        };
        self.ended.retain(|ended| ended != id);
        self.calls.insert(id.to_owned(), call);
        true
    }

    /// The client starts a response or reports an error: `mode` is its
    /// `Lambda-Runtime-Function-Response-Mode`, `echo` its `Lambda-Runtime-Invocation-Id`.
    ///
    /// # Errors
    ///
    /// The rejection with which to respond.
    pub fn respond(
        &mut self,
        id: &str,
        mode: Option<&str>,
        echo: Option<&str>,
    ) -> Result<Mode, Rejection> {
        let Some(call) = self.calls.get_mut(id) else {
            // Only a client that echoes the nonce learns that it is late (observed behavior).
            return Err(match echo {
                Some(_) if self.ended.iter().any(|ended| ended == id) => Rejection::Late,
                _ => Rejection::InvalidRequestId,
            });
        };
        if echo.is_some_and(|echo| echo != call.nonce) {
            return Err(Rejection::Late);
        }
        if call.stage != Stage::Running {
            return Err(Rejection::InvalidStateTransition);
        }
        let mode = match mode {
            None => Mode::Buffered,
            Some(mode) if mode.eq_ignore_ascii_case("buffered") => Mode::Buffered,
            Some(mode) if mode.eq_ignore_ascii_case("streaming") => Mode::Streaming,
            Some(_) => return Err(Rejection::InvalidResponseMode),
        };
        call.stage = Stage::Responding;
        Ok(mode)
    }

    /// The response to an event has been read to its end.
    pub fn responded(&mut self, id: &str) {
        if self.capacity > 1 {
            self.end(id);
        } else if let Some(call) = self.calls.get_mut(id) {
            call.stage = Stage::Responded;
        }
    }

    /// An event ends without a response of the client, such as by its timeout.
    pub fn end(&mut self, id: &str) {
        if self.calls.remove(id).is_some() {
            if self.ended.len() == REMEMBERED {
                self.ended.pop_front();
            }
            self.ended.push_back(id.to_owned());
        }
    }

    /// The client reports that it cannot start (`POST /runtime/init/error`).
    ///
    /// # Errors
    ///
    /// [`Rejection::InvalidStateTransition`] once the client has asked for an event.
    pub fn init_error(&mut self) -> Result<(), Rejection> {
        if self.phase != Phase::Init {
            return Err(Rejection::InvalidStateTransition);
        }
        self.phase = Phase::Failed;
        Ok(())
    }
}
