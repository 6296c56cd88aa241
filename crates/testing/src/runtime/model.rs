//! A naive model of the state machine, for tests and the fuzz target `runtime_machine`.

use std::collections::{BTreeMap, VecDeque};

use lambda_invoke_runtime::api::{Machine, Rejection, Subscriptions};

/// How many invocations the machine remembers after their end. An id that ended twice counts twice.
const REMEMBERED: usize = 64;

/// A request of a runtime or an extension, or an act of the host.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Poll,
    CancelPoll,
    Hand(u8),
    Respond(u8, Option<bool>, Option<bool>),
    End(u8),
    InitError,
    Register,
    ExtensionPoll(usize),
    Close,
}

/// The state of the model: for each running id, its nonce and whether it has responded.
#[derive(Default)]
struct Model {
    polls: Vec<u64>,
    running: BTreeMap<u8, (String, bool)>,
    done: VecDeque<u8>,
    ready: bool,
    closed: bool,
    extensions: Vec<Option<u64>>,
}

/// Runs the machine and the model side by side.
pub(crate) fn run(slots: usize, steps: Vec<Step>) {
    let mut machine = Machine::new(slots);
    let mut model = Model::default();
    for (number, step) in (0_u64..).zip(steps) {
        match step {
            Step::Poll => {
                let busy = slots == 1 && !model.running.is_empty();
                let right = match model.closed || busy {
                    true => Err(Rejection::InvalidStateTransition),
                    false => Ok(!model.ready),
                };
                assert_eq!(machine.poll(number), right);
                if right.is_ok() {
                    model.ready = true;
                    model.polls.push(number);
                }
            }
            Step::CancelPoll => {
                if let Some(poll) = model.polls.pop() {
                    machine.cancel(poll);
                }
            }
            Step::Hand(id) => {
                let nonce = number.to_string();
                let can = model.ready
                    && !model.closed
                    && model.running.len() < slots
                    && !model.polls.is_empty()
                    && model.extensions.iter().all(Option::is_some);
                assert_eq!(machine.can_take(), can);
                let handed = machine.hand(&id.to_string(), &nonce);
                assert_eq!(handed.is_some(), can && !model.running.contains_key(&id));
                if let Some(handed) = handed {
                    assert_eq!(handed.runtime, model.polls.remove(0), "the oldest request");
                    let told: Vec<_> = model
                        .extensions
                        .iter_mut()
                        .filter_map(Option::take)
                        .collect();
                    assert_eq!(handed.extensions, told);
                    model.running.insert(id, (nonce, false));
                }
            }
            Step::Respond(id, echo, mode) => {
                let nonce = model.running.get(&id).map(|(nonce, _)| nonce.clone());
                let echo = echo.map(|right| match (right, nonce) {
                    (true, Some(nonce)) => nonce,
                    _ => "wrong".to_owned(),
                });
                let mode = mode.map(|right| if right { "streaming" } else { "other" });
                let result = machine.respond(&id.to_string(), echo.as_deref(), mode);
                let right = match model.running.get_mut(&id) {
                    Some((nonce, _)) if echo.as_ref().is_some_and(|echo| echo != nonce) => {
                        Err(Rejection::InvokeTimeout)
                    }
                    Some((_, true)) => Err(Rejection::InvalidStateTransition),
                    Some(_) if mode == Some("other") => Err(Rejection::InvalidResponseMode),
                    Some((_, responding)) => {
                        *responding = true;
                        Ok(())
                    }
                    None if echo.is_some() => Err(Rejection::InvokeTimeout),
                    None if model.done.contains(&id) => Err(Rejection::InvalidStateTransition),
                    None => Err(Rejection::InvalidRequestId),
                };
                assert_eq!(result.map(|_| ()), right);
            }
            Step::End(id) => {
                machine.end(&id.to_string());
                if model.running.remove(&id).is_some() {
                    model.done.push_back(id);
                    if model.done.len() > REMEMBERED {
                        model.done.pop_front();
                    }
                }
            }
            Step::InitError => {
                let allowed = !model.ready && !model.closed;
                assert_eq!(machine.init_error().is_ok(), allowed);
                model.closed |= allowed;
            }
            Step::Register => {
                let events = Subscriptions {
                    invoke: true,
                    shutdown: false,
                };
                let allowed = !model.ready && !model.closed && model.extensions.len() < 10;
                let result = machine.register(events);
                assert_eq!(result.ok(), allowed.then_some(model.extensions.len()));
                if allowed {
                    model.extensions.push(None);
                }
            }
            Step::ExtensionPoll(id) => {
                let known = model.extensions.get_mut(id);
                let free = known.as_ref().is_some_and(|poll| poll.is_none());
                assert_eq!(machine.extension_poll(id, number).is_ok(), free);
                if let Some(poll) = known.filter(|_| free) {
                    *poll = Some(number);
                }
            }
            Step::Close => {
                assert!(
                    machine.close().is_empty(),
                    "no extension wants to hear of it"
                );
                model.closed = true;
            }
        }
        assert_eq!(machine.running(), model.running.len());
        assert!(machine.running() <= slots);
        assert_eq!(machine.has_extensions(), !model.extensions.is_empty());
    }
}
