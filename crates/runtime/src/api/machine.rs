//! The states of one instance: its runtime, its invocations and its extensions, and what they may
//! do next.
//!
//! The machine uses no socket, clock or process. It receives each request and decides whether it is
//! allowed; waiting requests are identified by numbers that the caller chose.

use std::collections::VecDeque;

use super::extensions::{ExtensionId, Extensions, PollId, Subscriptions};
use super::rejection::Rejection;

/// How many invocations are remembered after their end, to distinguish a second response from an
/// unknown id.
const REMEMBERED: usize = 64;

/// How a runtime sends a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "as a whole or piece by piece")]
pub enum ResponseMode {
    /// As a whole.
    Buffered,
    /// Piece by piece.
    Streaming,
}

/// The requests that receive an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handed {
    /// The request of the runtime that gets the event.
    pub runtime: PollId,
    /// The requests of extensions that are notified.
    pub extensions: Vec<PollId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Init,
    Ready,
    Closed,
}

#[derive(Debug)]
struct Running {
    request_id: String,
    nonce: String,
    responding: bool,
}

/// The state of one instance.
///
/// # Example
///
/// ```
/// use lambda_invoke_runtime::api::{Machine, Rejection, ResponseMode};
///
/// let mut machine = Machine::new(1);
/// assert!(machine.poll(7).unwrap(), "the first request ends the initialization");
/// assert_eq!(machine.hand("id-1", "nonce").unwrap().runtime, 7);
/// assert_eq!(machine.poll(8), Err(Rejection::InvalidStateTransition));
/// assert_eq!(machine.respond("other", None, None), Err(Rejection::InvalidRequestId));
/// assert_eq!(machine.respond("id-1", None, None), Ok(ResponseMode::Buffered));
/// machine.end("id-1");
/// assert_eq!(machine.respond("id-1", None, None), Err(Rejection::InvalidStateTransition));
/// ```
#[derive(Debug)]
pub struct Machine {
    slots: usize,
    phase: Phase,
    polls: VecDeque<PollId>,
    running: Vec<Running>,
    done: VecDeque<String>,
    extensions: Extensions,
}

impl Machine {
    /// Creates the machine of an instance that may run this many invocations at the same time.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            phase: Phase::Init,
            polls: VecDeque::new(),
            running: Vec::new(),
            done: VecDeque::new(),
            extensions: Extensions::default(),
        }
    }

    /// Takes a request of the runtime for the next event. Returns whether it ended the
    /// initialization.
    ///
    /// # Errors
    ///
    /// The runtime has not responded to its only invocation, or the instance is closed.
    pub fn poll(&mut self, poll: PollId) -> Result<bool, Rejection> {
        let unanswered = self.slots == 1 && !self.running.is_empty();
        if self.phase == Phase::Closed || unanswered {
            return Err(Rejection::InvalidStateTransition);
        }
        let first = self.phase == Phase::Init;
        self.phase = Phase::Ready;
        self.polls.push_back(poll);
        Ok(first)
    }

    /// Forgets a request, of the runtime or an extension, whose connection has closed.
    pub fn cancel(&mut self, poll: PollId) {
        self.polls.retain(|waiting| *waiting != poll);
        self.extensions.cancel(poll);
    }

    /// Whether an invocation can be delivered now.
    #[must_use]
    pub fn can_take(&self) -> bool {
        self.has_room() && !self.polls.is_empty() && self.extensions.ready()
    }

    /// Whether an invocation can be delivered as soon as the runtime and its extensions ask for it.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.phase == Phase::Ready && self.running.len() < self.slots
    }

    /// Whether the runtime has not yet asked for an event.
    #[must_use]
    pub fn is_initializing(&self) -> bool {
        self.phase == Phase::Init
    }

    /// The number of invocations without a complete response.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether a response or an error is being received.
    pub(crate) fn is_responding(&self) -> bool {
        self.running.iter().any(|call| call.responding)
    }

    /// Delivers an invocation to the request that has waited longest. `None` if it cannot be taken,
    /// or if an invocation with this id is running.
    pub fn hand(&mut self, request_id: &str, nonce: &str) -> Option<Handed> {
        if !self.can_take() || self.find(request_id).is_some() {
            return None;
        }
        let runtime = self.polls.pop_front()?;
        self.running.push(Running {
            request_id: request_id.to_owned(),
            nonce: nonce.to_owned(),
            responding: false,
        });
        let extensions = self.extensions.take(|events| events.invoke);
        Some(Handed {
            runtime,
            extensions,
        })
    }

    /// Takes back an invocation whose request turned out to have closed.
    pub fn take_back(&mut self, request_id: &str) {
        self.running.retain(|call| call.request_id != request_id);
    }

    /// Takes the head of a response. `echo` is the invocation id that the runtime sent back, if
    /// any; `mode` is the header for the response mode.
    ///
    /// # Errors
    ///
    /// The invocation is unknown or over, or already has a response; or the mode is unknown.
    pub fn respond(
        &mut self,
        request_id: &str,
        echo: Option<&str>,
        mode: Option<&str>,
    ) -> Result<ResponseMode, Rejection> {
        let place = self.check(request_id, echo)?;
        let mode = match mode {
            None => ResponseMode::Buffered,
            Some(mode) if mode.eq_ignore_ascii_case("streaming") => ResponseMode::Streaming,
            Some(_) => return Err(Rejection::InvalidResponseMode),
        };
        if let Some(call) = self.running.get_mut(place) {
            call.responding = true;
        }
        Ok(mode)
    }

    /// Notes that a response or an error is complete, or that an invocation has failed otherwise.
    pub fn end(&mut self, request_id: &str) {
        let Some(place) = self.find(request_id) else {
            return;
        };
        let call = self.running.remove(place);
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(call.request_id);
    }

    /// Takes an error of the initialization.
    ///
    /// # Errors
    ///
    /// The initialization is over.
    pub fn init_error(&mut self) -> Result<(), Rejection> {
        if self.phase != Phase::Init {
            return Err(Rejection::InvalidStateTransition);
        }
        self.phase = Phase::Closed;
        Ok(())
    }

    /// Accepts no further invocations. Returns the requests of extensions that are subscribed to
    /// the shutdown.
    pub fn close(&mut self) -> Vec<PollId> {
        self.phase = Phase::Closed;
        self.extensions.take(|events| events.shutdown)
    }

    /// Registers an extension.
    ///
    /// # Errors
    ///
    /// The initialization is over, or there are too many.
    pub fn register(&mut self, events: Subscriptions) -> Result<ExtensionId, Rejection> {
        if self.phase != Phase::Init {
            return Err(Rejection::RegistrationClosed);
        }
        self.extensions.register(events)
    }

    /// Takes a request of an extension for its next event.
    ///
    /// # Errors
    ///
    /// The extension is unknown, or already waiting.
    pub fn extension_poll(&mut self, id: ExtensionId, poll: PollId) -> Result<(), Rejection> {
        self.extensions.poll(id, poll)
    }

    /// Whether to notify an extension of the shutdown when it asks for an event.
    #[must_use]
    pub fn must_hear_of_shutdown(&self, id: ExtensionId) -> bool {
        self.phase == Phase::Closed && self.extensions.wants_shutdown(id)
    }

    /// Takes an error of an extension.
    ///
    /// # Errors
    ///
    /// The extension is unknown.
    pub fn extension_error(&mut self, id: ExtensionId) -> Result<(), Rejection> {
        if !self.extensions.contains(id) {
            return Err(Rejection::UnknownExtension);
        }
        self.phase = Phase::Closed;
        Ok(())
    }

    /// Whether any extension is registered.
    #[must_use]
    pub fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    fn find(&self, request_id: &str) -> Option<usize> {
        self.running
            .iter()
            .position(|call| call.request_id == request_id)
    }

    fn check(&self, request_id: &str, echo: Option<&str>) -> Result<usize, Rejection> {
        let Some(place) = self.find(request_id) else {
            return Err(match echo {
                Some(_) => Rejection::InvokeTimeout,
                None if self.done.iter().any(|done| done == request_id) => {
                    Rejection::InvalidStateTransition
                }
                None => Rejection::InvalidRequestId,
            });
        };
        match self.running.get(place) {
            Some(call) if echo.is_some_and(|echo| echo != call.nonce) => {
                Err(Rejection::InvokeTimeout)
            }
            Some(call) if call.responding => Err(Rejection::InvalidStateTransition),
            _ => Ok(place),
        }
    }
}
