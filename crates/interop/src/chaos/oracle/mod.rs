//! What must hold, whatever breaks.

pub mod reference;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use lambda_invoke::Execution;

use self::reference::Received;
use super::case::{Asked, Case, Damage, Direction, Moment, Over, Policy, Trouble};
use super::run::caller::{Failed, Outcome};
use super::schedule::clock::is_overcome;
use super::schedule::scripts::Expect;

/// What was observed of a case.
#[derive(Clone, Debug)]
pub struct Observation {
    pub ended: Ended,
    /// Counted in the function; the number may still rise after the caller has given up.
    pub executions: Arc<AtomicU32>,
    /// The payload of a success.
    pub expected: Bytes,
    /// Whether the client received the head of a response on its first connection.
    pub has_begun: bool,
    /// Whether what the client received proves exactly the payload that it returned.
    pub is_proved: bool,
    /// Whether the fault actually occurred.
    pub struck: bool,
    /// Whether a timeout ended the call before its time.
    pub ended_early: bool,
    /// Whether a scripted server has reached its good response.
    pub was_good: bool,
    /// The next call of the same client, which nothing disturbs.
    pub next: Option<Next>,
}

/// What was observed of a call that follows another one.
#[derive(Clone, Debug)]
pub struct Next {
    pub ended: Ended,
    /// The payload of a success.
    pub expected: Bytes,
    /// How often its function ran, if that is counted apart from the first call.
    pub executions: Option<Arc<AtomicU32>>,
}

impl Observation {
    /// Keeps only the beginning of payloads that are as expected, since an observation is kept until all
    /// of its batch are judged.
    pub fn shorten(&mut self) {
        match &mut self.ended {
            Ended::Outcome(Outcome::Whole(payload)) => shorten(payload, &mut self.expected),
            _ => self.expected = Bytes::new(),
        }
        if let Some(next) = &mut self.next
            && let Ended::Outcome(Outcome::Whole(payload)) = &mut next.ended
        {
            shorten(payload, &mut next.expected);
        }
    }
}

fn shorten(payload: &mut Bytes, expected: &mut Bytes) {
    const KEPT: usize = 1024;
    if payload == expected && payload.len() > KEPT {
        *expected = Bytes::copy_from_slice(&payload[..KEPT]);
        *payload = expected.clone();
    }
}

/// How a call ended for its caller.
#[derive(Clone, Debug)]
pub enum Ended {
    Outcome(Outcome),
    /// The call did not end within any of its timeouts.
    Hung,
    Panicked(String),
    /// The caller dropped the call.
    Dropped,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// A function ran more often than the policy allows.
    Twice,
    /// The caller got a success that was not proved to be complete, or that was a failure.
    Half,
    /// A call did not end within its timeouts.
    Hang,
    Panic,
    /// The client said that the function did not run although it did, or that it ran although it
    /// did not.
    Untrue,
    /// A good response was not accepted.
    Rejected,
}

/// The result of a case.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub faults: Vec<(Fault, String)>,
    /// Whether the payload differs from what was sent in a way that plain HTTP cannot detect.
    pub altered: bool,
    pub class: Class,
}

/// How a case ended, for the table of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    Whole,
    NotStarted,
    Unknown,
    Started,
    #[default]
    Other,
}

/// Judges an observation. Call this when no request can still be on its way.
pub fn judge(case: &Case, seen: &Observation) -> Verdict {
    let mut verdict = Verdict::default();
    let runs = seen.executions.load(Ordering::SeqCst);
    let mut fault = |fault, text: String| verdict.faults.push((fault, text));
    if let Some(next) = &seen.next {
        judge_next(next, &mut fault);
    }
    if runs > most_runs(case, seen) {
        fault(Fault::Twice, format!("the function ran {runs} times"));
    }
    if seen.ended_early {
        fault(
            Fault::Untrue,
            format!("before its timeout: {:?}", seen.ended),
        );
    }
    match &seen.ended {
        Ended::Hung => fault(Fault::Hang, "the call did not end".to_owned()),
        Ended::Panicked(text) => fault(Fault::Panic, text.clone()),
        Ended::Dropped => {}
        Ended::Outcome(Outcome::Unproved) => {
            fault(Fault::Half, "a stream without its last event".to_owned());
        }
        Ended::Outcome(Outcome::Failed(failed)) => {
            verdict.class = match failed.execution {
                Some(Execution::NotStarted) => Class::NotStarted,
                Some(Execution::Started) => Class::Started,
                _ => Class::Unknown,
            };
            judge_failure(case, failed, runs, &mut fault);
        }
        Ended::Outcome(Outcome::Whole(payload)) => {
            verdict.class = Class::Whole;
            // A server may respond before it has read the request.
            let is_early = matches!(&case.trouble, Trouble::Script(script) if script.early);
            let is_whole = *payload == seen.expected && !case.asked.fails();
            let proved = !is_whole && seen.is_proved;
            let may_succeed = may_succeed(case) || seen.was_good && is_whole;
            if !may_succeed || !(is_whole || proved) {
                let shown = String::from_utf8_lossy(&payload[..payload.len().min(120)]);
                let length = payload.len();
                fault(Fault::Half, format!("a success of {length} bytes: {shown}"));
            }
            if runs == 0 && Asked::RUNNING.contains(&case.asked) && may_succeed && !is_early {
                fault(Fault::Untrue, "a success without an execution".to_owned());
            }
            verdict.altered = proved;
        }
    }
    verdict
}

fn judge_next(next: &Next, fault: &mut impl FnMut(Fault, String)) {
    match &next.ended {
        Ended::Outcome(Outcome::Whole(payload)) if *payload != next.expected => {
            fault(Fault::Half, format!("the next call got {payload:?}"));
        }
        Ended::Outcome(Outcome::Whole(_)) => {}
        ended => fault(Fault::Rejected, format!("the next call: {ended:?}")),
    }
    let runs = next.executions.as_ref();
    match runs.map_or(1, |runs| runs.load(Ordering::SeqCst)) {
        0 => fault(Fault::Untrue, "the next call ran nothing".to_owned()),
        1 => {}
        runs => fault(Fault::Twice, format!("the next call ran {runs} times")),
    }
}

/// The number of calls that are counted together.
fn calls(case: &Case) -> u32 {
    match &case.trouble {
        Trouble::Script(script) if script.again => 2,
        _ => 1,
    }
}

/// How often the function may run, at most.
fn most_runs(case: &Case, seen: &Observation) -> u32 {
    // Nothing of a call that was dropped by then had been sent.
    let is_unsent = matches!(case.trouble, Trouble::Abandon(_));
    if is_unsent || matches!(case.asked, Asked::DryRun | Asked::StreamDryRun) {
        return 0;
    }
    let attempts = match case.policy {
        Policy::Default | Policy::None => 1,
        // A response that has begun means that the function ran, so nothing is sent again.
        Policy::AtLeastOnce if seen.has_begun => 1,
        Policy::AtLeastOnce => match &case.trouble {
            // Nothing is lost on the way; a wrong clock is rejected before anything runs.
            Trouble::None { .. } | Trouble::Clock { .. } => 1,
            Trouble::Jump(jump) if !jump.runs_again(case.asked, case.policy) => 1,
            Trouble::Drop { moment, .. } => match moment {
                Moment::Bytes(..) => 1,
                Moment::Retry => 2,
            },
            Trouble::Process(death) if death.must_succeed() => 1,
            Trouble::Process(death) if death.is_in_response(case.asked) => 1,
            _ => 3,
        },
    };
    attempts * calls(case)
}

fn judge_failure(case: &Case, failed: &Failed, runs: u32, fault: &mut impl FnMut(Fault, String)) {
    let text = &failed.text;
    if let Some(attempts) = failed.attempts {
        if case.policy == Policy::None && attempts > 1 {
            fault(Fault::Twice, format!("sent {attempts} times: {text}"));
        }
        if calls(case) == 1 && runs > attempts {
            let text = format!("it ran {runs} times in {attempts} attempts: {text}");
            fault(Fault::Untrue, text);
        }
    }
    match failed.execution {
        Some(Execution::NotStarted) if runs > 0 => {
            fault(Fault::Untrue, format!("it ran {runs} times: {text}"));
        }
        Some(Execution::Started) if runs == 0 && !may_end_before_it_runs(&case.trouble) => {
            fault(Fault::Untrue, format!("it did not run: {text}"));
        }
        Some(execution) if execution != Execution::NotStarted => {
            let precedes_request = match &case.trouble {
                Trouble::Connect(obstacle) => obstacle.precedes_request(),
                Trouble::Abandon(_) => true,
                _ => false,
            };
            if precedes_request {
                fault(Fault::Untrue, format!("there was no connection: {text}"));
            }
        }
        _ => {}
    }
    let must_succeed = match &case.trouble {
        Trouble::None { .. } => !case.asked.fails(),
        Trouble::Script(script) => script.expect == Expect::Whole,
        Trouble::Process(death) => death.must_succeed(),
        Trouble::Jump(jump) => jump.must_succeed(case.policy),
        Trouble::Clock { first, .. } => is_overcome(*first, case.policy),
        _ => false,
    };
    if must_succeed {
        fault(Fault::Rejected, text.clone());
    }
    let must_time_out = match &case.trouble {
        Trouble::Process(death) => death.must_time_out(case.policy),
        _ => false,
    };
    if must_time_out && failed.kind != "TimedOut" {
        fault(Fault::Untrue, format!("not a timeout: {text}"));
    }
    let is_undisturbed = matches!(case.trouble, Trouble::None { .. });
    if is_undisturbed && case.asked.fails() && failed.kind != "FunctionFailed" {
        fault(Fault::Untrue, format!("the function failed: {text}"));
    }
}

/// Whether the service may report that a function failed that had not begun to handle the call.
fn may_end_before_it_runs(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Process(death) if !death.has_started())
}

fn may_succeed(case: &Case) -> bool {
    match &case.trouble {
        Trouble::Script(script) => script.expect != Expect::Error,
        Trouble::Connect(_) | Trouble::Abandon(_) => false,
        Trouble::Process(death) => death.may_succeed(case.policy),
        Trouble::Jump(jump) => jump.may_succeed(case.asked, case.policy),
        _ => true,
    }
}

/// Records what the bytes that the client received on its connections prove.
pub fn digest(case: &Case, seen: &mut Observation, delivered: &[Vec<u8>]) {
    let is_flipped = match &case.trouble {
        Trouble::Wire { strike, .. } => matches!(strike.damage, Damage::Flip(_)),
        _ => false,
    };
    let first = delivered.first().and_then(|bytes| Received::parse(bytes));
    seen.has_begun =
        !is_flipped && first.is_some_and(|head| head.status == 200 && head.is_framed());
    // Either bits were flipped on a connection without checksums, or a server sent less than it
    // should have. The messages of a stream have checksums, so a stream is never excused.
    let excused = match &case.trouble {
        Trouble::Wire {
            over: Over::Plain | Over::Inside,
            strike,
        } => is_flipped && strike.direction == Direction::Response,
        Trouble::Script(script) => script.expect == Expect::AsReceived,
        _ => false,
    };
    let Ended::Outcome(Outcome::Whole(payload)) = &seen.ended else {
        return;
    };
    seen.is_proved =
        excused && !case.asked.is_stream() && delivered.iter().any(|bytes| proves(bytes, payload));
}

/// Whether the bytes received on a connection are a success with this payload.
fn proves(bytes: &[u8], payload: &[u8]) -> bool {
    Received::parse(bytes).is_some_and(|received| {
        received.status == 200
            && received.header("x-amz-function-error").is_none()
            && received.payload.as_deref() == Some(payload)
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Twice => "TWICE",
            Self::Half => "HALF",
            Self::Hang => "HANG",
            Self::Panic => "PANIC",
            Self::Untrue => "UNTRUE",
            Self::Rejected => "REJECTED",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{Connections, Strike, Waits};
    use super::super::schedule::clock::{Jump, When};
    use super::super::schedule::connect::Stage;
    use super::*;

    fn case(policy: Policy, asked: Asked, damage: Damage) -> Case {
        Case {
            name: "wire/test".to_owned(),
            asked,
            policy,
            waits: Waits::ForHead,
            trouble: Trouble::Wire {
                over: Over::Plain,
                strike: Strike {
                    direction: Direction::Response,
                    at: 0,
                    damage,
                    on: Connections::First,
                },
            },
        }
    }

    fn seen(case: &Case, ended: Ended, runs: u32, delivered: &str) -> Observation {
        let mut seen = Observation {
            ended,
            executions: Arc::new(AtomicU32::new(runs)),
            expected: Bytes::from("whole"),
            has_begun: false,
            is_proved: false,
            struck: true,
            ended_early: false,
            was_good: false,
            next: None,
        };
        digest(case, &mut seen, &[delivered.as_bytes().to_vec()]);
        seen
    }

    fn failed(execution: Execution) -> Ended {
        Ended::Outcome(Outcome::Failed(Failed {
            text: String::new(),
            execution: Some(execution),
            attempts: Some(1),
            kind: String::new(),
        }))
    }

    fn success(payload: &'static str) -> Ended {
        Ended::Outcome(Outcome::Whole(Bytes::from(payload)))
    }

    fn faults(case: &Case, seen: &Observation) -> Vec<Fault> {
        let verdict = judge(case, seen);
        verdict.faults.into_iter().map(|(fault, _)| fault).collect()
    }

    #[test]
    fn finds_what_must_not_happen() {
        use Execution::{NotStarted, Started, Unknown};
        let default = case(Policy::Default, Asked::Invoke, Damage::Close);
        let check = |ended, runs| faults(&default, &seen(&default, ended, runs, ""));
        assert_eq!(check(success("whole"), 1), []);
        assert_eq!(check(success("whole"), 2), [Fault::Twice]);
        assert_eq!(check(success("who"), 1), [Fault::Half]);
        assert_eq!(check(success("whole"), 0), [Fault::Untrue]);
        assert_eq!(check(failed(NotStarted), 0), []);
        assert_eq!(check(failed(NotStarted), 1), [Fault::Untrue]);
        assert_eq!(check(failed(Unknown), 1), []);
        // It had one attempt.
        assert_eq!(check(failed(Unknown), 2), [Fault::Twice, Fault::Untrue]);
        assert_eq!(check(failed(Started), 0), [Fault::Untrue]);
        assert_eq!(check(Ended::Hung, 0), [Fault::Hang]);
        assert_eq!(check(Ended::Panicked(String::new()), 0), [Fault::Panic]);
        for (next, expected) in [
            (success("next"), vec![]),
            (success("another"), vec![Fault::Half]),
            (Ended::Hung, vec![Fault::Rejected]),
        ] {
            let mut seen = seen(&default, Ended::Dropped, 1, "");
            seen.next = Some(Next {
                ended: next,
                expected: Bytes::from("next"),
                executions: None,
            });
            assert_eq!(faults(&default, &seen), expected);
        }
    }

    #[test]
    fn the_call_after_a_dropped_one_runs_once() {
        let default = case(Policy::Default, Asked::Invoke, Damage::Close);
        for (runs, expected) in [
            (0, vec![Fault::Untrue]),
            (1, vec![]),
            (2, vec![Fault::Twice]),
        ] {
            let mut seen = seen(&default, Ended::Dropped, 0, "");
            seen.next = Some(Next {
                ended: success("next"),
                expected: Bytes::from("next"),
                executions: Some(Arc::new(AtomicU32::new(runs))),
            });
            assert_eq!(faults(&default, &seen), expected, "{runs}");
        }
    }

    #[test]
    fn nothing_is_sent_again_where_nothing_is_lost() {
        let over = Over::Tls;
        let bytes = Moment::Bytes(Direction::Request, 9);
        for (trouble, most) in [
            (Trouble::None { over }, 1),
            (Trouble::Clock { first: 9, later: 0 }, 1),
            (jump(When::Calls), 1),
            (jump(When::Running), 1),
            (Trouble::Abandon(Stage::Tls), 0),
            (
                Trouble::Drop {
                    over,
                    moment: bytes,
                },
                1,
            ),
            (
                Trouble::Drop {
                    over,
                    moment: Moment::Retry,
                },
                2,
            ),
        ] {
            let mut case = case(Policy::AtLeastOnce, Asked::Stream, Damage::Close);
            case.trouble = trouble;
            let ran = |runs| faults(&case, &seen(&case, Ended::Dropped, runs, ""));
            assert_eq!(ran(most), [], "{:?}", case.trouble);
            assert_eq!(ran(most + 1), [Fault::Twice], "{:?}", case.trouble);
        }
    }

    fn jump(when: When) -> Trouble {
        let (from, to) = (0, 3600);
        Trouble::Jump(Jump { from, to, when })
    }

    #[test]
    fn a_clock_is_corrected_and_a_timeout_does_not_follow_it() {
        use Execution::NotStarted;
        for (policy, when, expected) in [
            (Policy::Default, When::Calls, vec![Fault::Rejected]),
            (Policy::Default, When::Stalled, vec![]),
            (Policy::None, When::Calls, vec![]),
            (Policy::None, When::Running, vec![Fault::Rejected]),
        ] {
            let mut case = case(policy, Asked::Stream, Damage::Close);
            case.trouble = jump(when);
            let mut seen = seen(&case, failed(NotStarted), 0, "");
            assert_eq!(faults(&case, &seen), expected, "{policy:?} {when:?}");
            seen.ended_early = true;
            let early = [&[Fault::Untrue], &expected[..]].concat();
            assert_eq!(faults(&case, &seen), early, "{policy:?} {when:?}");
        }
        // A signature with a wrong time must not be accepted.
        let mut wrong = case(Policy::None, Asked::Stream, Damage::Close);
        wrong.trouble = jump(When::Start);
        let seen = seen(&wrong, success("whole"), 1, "");
        assert_eq!(faults(&wrong, &seen), [Fault::Half]);
    }

    #[test]
    fn the_number_of_attempts_is_judged() {
        let of = |attempts| {
            Ended::Outcome(Outcome::Failed(Failed {
                text: String::new(),
                execution: Some(Execution::Unknown),
                attempts: Some(attempts),
                kind: String::new(),
            }))
        };
        let none = case(Policy::None, Asked::Invoke, Damage::Close);
        assert_eq!(faults(&none, &seen(&none, of(1), 1, "")), []);
        assert_eq!(faults(&none, &seen(&none, of(2), 1, "")), [Fault::Twice]);
        let policy = case(Policy::AtLeastOnce, Asked::Invoke, Damage::Close);
        assert_eq!(faults(&policy, &seen(&policy, of(2), 2, "")), []);
        let runs_more = seen(&policy, of(1), 2, "");
        assert_eq!(faults(&policy, &runs_more), [Fault::Untrue]);
    }

    #[test]
    fn a_response_that_has_begun_ends_the_attempts() {
        let policy = case(Policy::AtLeastOnce, Asked::Invoke, Damage::Close);
        let ended = || success("whole");
        assert_eq!(faults(&policy, &seen(&policy, ended(), 3, "")), []);
        assert_eq!(
            faults(&policy, &seen(&policy, ended(), 4, "")),
            [Fault::Twice]
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(
            faults(&policy, &seen(&policy, ended(), 2, head)),
            [Fault::Twice]
        );
    }

    #[test]
    fn only_what_plain_http_cannot_show_is_excused() {
        let received = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nwhole";
        let flip = case(Policy::Default, Asked::Invoke, Damage::Flip(0));
        let verdict = judge(&flip, &seen(&flip, success("who"), 1, received));
        assert!(verdict.faults.is_empty() && verdict.altered);
        for (asked, damage, payload) in [
            (Asked::Invoke, Damage::Close, "who"),
            (Asked::Stream, Damage::Flip(0), "who"),
            (Asked::Invoke, Damage::Flip(0), "wh"),
        ] {
            let case = case(Policy::Default, asked, damage);
            let seen = seen(&case, success(payload), 1, received);
            assert_eq!(faults(&case, &seen), [Fault::Half], "{asked:?} {damage:?}");
        }
        let failing = case(Policy::Default, Asked::Failing, Damage::Close);
        assert_eq!(
            faults(&failing, &seen(&failing, success("whole"), 1, "")),
            [Fault::Half]
        );
    }
}
