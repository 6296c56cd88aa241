//! The oracle of `chaos` over real sockets: it detects what must not happen, and nothing else.

use std::sync::atomic::Ordering;

use lambda_invoke_interop::chaos::case::{
    Asked, Case, Connections, Damage, Direction, Over, Policy, Strike, Trouble, Waits,
};
use lambda_invoke_interop::chaos::oracle::{Class, Fault, judge};
use lambda_invoke_interop::chaos::run::World;
use lambda_invoke_interop::chaos::schedule::clock::{Jump, When};
use lambda_invoke_interop::chaos::schedule::connect::Stage;
use lambda_invoke_interop::chaos::schedule::scripts::{Expect, Step, closing};
use lambda_invoke_interop::chaos::schedule::text::{chunk, head, payload, success_headers};
use lambda_invoke_interop::chaos::schedule::{self, Extent};

fn case(asked: Asked, policy: Policy, trouble: Trouble) -> Case {
    Case {
        name: "test".to_owned(),
        asked,
        policy,
        waits: Waits::ForBody,
        trouble,
    }
}

fn close(direction: Direction, at: u64) -> Trouble {
    Trouble::Wire {
        over: Over::Plain,
        strike: Strike {
            direction,
            at,
            damage: Damage::Close,
            on: Connections::First,
        },
    }
}

#[tokio::test]
async fn an_extra_execution_is_counted_and_found() {
    let world = World::start().await.unwrap();
    // The response is lost, and the policy allows another attempt.
    let trouble = close(Direction::Response, 0);
    let mut case = case(Asked::Invoke, Policy::AtLeastOnce, trouble);
    let seen = world.observe(1, &case).await.unwrap();
    assert_eq!(seen.executions.load(Ordering::SeqCst), 2);
    assert!(judge(&case, &seen).faults.is_empty());
    // Under the default policy, that must not happen.
    case.policy = Policy::Default;
    let faults = judge(&case, &seen).faults;
    assert_eq!(faults[0].0, Fault::Twice);
    let seen = world.observe(2, &case).await.unwrap();
    assert_eq!(seen.executions.load(Ordering::SeqCst), 1);
    assert!(judge(&case, &seen).faults.is_empty());
}

#[tokio::test]
async fn a_partial_response_that_counts_as_complete_is_found() {
    let world = World::start().await.unwrap();
    // According to its framing this response is complete, so the client accepts it.
    let payload = payload();
    let headers = [
        &success_headers(Asked::Invoke)[..],
        &[("transfer-encoding", "chunked")],
    ];
    let start = head("HTTP/1.1 200 OK", &headers.concat());
    let half = [start, chunk(&payload[..20]), b"0\r\n\r\n".to_vec()].concat();
    let script = closing(Expect::Error, half.clone());
    let taken = case(Asked::Invoke, Policy::Default, Trouble::Script(script));
    let seen = world.observe(1, &taken).await.unwrap();
    assert_eq!(judge(&taken, &seen).faults[0].0, Fault::Half);
    let script = closing(Expect::AsReceived, half);
    let excused = case(Asked::Invoke, Policy::Default, Trouble::Script(script));
    let seen = world.observe(2, &excused).await.unwrap();
    let verdict = judge(&excused, &seen);
    assert!(verdict.faults.is_empty() && verdict.altered);
}

#[tokio::test]
async fn the_full_schedule_has_every_offset_and_the_quick_one_a_part_of_it() {
    let world = World::start().await.unwrap();
    let lengths = world.lengths().await.unwrap();
    let names = |extent| -> std::collections::BTreeSet<String> {
        let cases = schedule::cases(&lengths, extent, 1);
        let count = cases.len();
        let names: std::collections::BTreeSet<_> =
            cases.into_iter().map(|case| case.name).collect();
        assert_eq!(names.len(), count, "two cases have the same name");
        names
    };
    let (quick, full) = (names(Extent::Quick), names(Extent::Full));
    assert!(quick.len() > 5_000 && full.len() > 100_000);
    // A case from the quick run can be repeated by its name. Damage to every connection is an
    // exception, since both runs are samples of it.
    let only_quick: Vec<_> = quick
        .difference(&full)
        .filter(|name| !name.contains("-every@"))
        .collect();
    assert!(only_quick.is_empty(), "{only_quick:?}");
    for at in 0..500 {
        let name = format!("wire/tls/stream/default/response/reset@{at}");
        assert!(full.contains(&name), "{name}");
    }
}

/// A caller whose timeout expires because the machine is busy sends again although the response is there,
/// which the oracle would take for a second request in spite of a response.
#[tokio::test]
async fn timeouts_are_short_only_where_the_head_of_a_response_never_arrives() {
    let world = World::start().await.unwrap();
    let lengths = world.lengths().await.unwrap();
    let cases = schedule::cases(&lengths, Extent::Full, 1);
    let waits = |name: &str| {
        let name = format!("wire/plain/failing-stream/at-least-once/{name}");
        let case = cases.iter().find(|case| case.name == name);
        case.unwrap_or_else(|| panic!("no case {name}")).waits
    };
    for (name, expected) in [
        ("request/stall@10", Waits::ForHead),
        ("response/stall@10", Waits::ForHead),
        ("response/stall@992", Waits::ForBody),
        ("response/stall-pooled@992", Waits::ForBody),
        ("response/reset-pooled@547", Waits::ForBody),
        ("request/hang-up-pooled@10", Waits::ForBody),
    ] {
        assert_eq!(waits(name), expected, "{name}");
    }
    for case in &cases {
        let Trouble::Script(script) = &case.trouble else {
            continue;
        };
        let begins = matches!(script.steps.first(), Some(Step::Write(bytes))
            if bytes.starts_with(b"HTTP/1.1 200") && bytes.windows(4).any(|four| four == b"\r\n\r\n"));
        if begins && !script.early {
            assert_ne!(case.waits, Waits::ForHead, "{}", case.name);
        }
    }
}

/// A world whose cases may start processes.
async fn world() -> World {
    let mut world = World::start().await.unwrap();
    world.program = env!("CARGO_BIN_EXE_chaos").into();
    world
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_connects_runs_nothing_and_the_next_one_runs_once() {
    let world = world().await;
    for (nth, stage) in Stage::ALL.into_iter().enumerate() {
        let trouble = Trouble::Abandon(stage);
        let mut case = case(Asked::Invoke, Policy::AtLeastOnce, trouble.clone());
        case.waits = trouble.waits();
        let seen = world.observe(nth, &case).await.unwrap();
        assert!(seen.struck, "{stage:?}");
        assert_eq!(judge(&case, &seen).faults, [], "{stage:?}");
        // A single execution of the dropped call is one too many.
        seen.executions.fetch_add(1, Ordering::SeqCst);
        assert_eq!(judge(&case, &seen).faults[0].0, Fault::Twice, "{stage:?}");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_is_corrected_and_one_that_does_not_jump_is_an_error() {
    let world = world().await;
    let observe = async |nth, policy, when, from, to| {
        let trouble = Trouble::Jump(Jump { from, to, when });
        let mut case = case(Asked::Stream, policy, trouble.clone());
        case.waits = trouble.waits();
        let seen = world.observe(nth, &case).await;
        seen.map(|seen| judge(&case, &seen))
    };
    let verdict = observe(1, Policy::Default, When::Attempts, 0, 3600).await;
    let verdict = verdict.unwrap();
    assert_eq!((verdict.class, verdict.faults), (Class::Whole, vec![]));
    // Without another attempt, nothing is corrected.
    let verdict = observe(2, Policy::None, When::Calls, 0, 3600).await;
    let verdict = verdict.unwrap();
    assert_eq!((verdict.class, verdict.faults), (Class::NotStarted, vec![]));
    // The function is not called, so its caller's clock does not jump.
    let refused = observe(3, Policy::None, When::Running, 3600, 0).await;
    let refused = refused.map(|_| ()).unwrap_err().to_string();
    assert!(
        refused.starts_with("the clock should be wrong by 0 s"),
        "{refused}"
    );
}
