//! `lambda-invoke map` killed at any moment, interrupted, and resumed. An endpoint in this process
//! counts the executions.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lambda_invoke_endpoint::{
    Endpoint, EndpointBuilder, Function, FunctionError, Invocation, Server,
};
use lambda_invoke_map::journal::{Decoded, Header, Kind, ScanError, Scanner, Settled};
use lambda_invoke_map::{State, Status};
use program::{calling, text, wait};
use serde_json::Value;

/// How often each payload ran.
type Executions = Arc<Mutex<BTreeMap<u64, u64>>>;

struct Service {
    server: Server,
    executions: Executions,
    /// How long each call takes, in milliseconds.
    delay: Arc<AtomicU64>,
    runtime: tokio::runtime::Runtime,
}

impl Service {
    fn start(delay: u64, configure: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Self {
        let executions = Executions::default();
        let counted = Arc::clone(&executions);
        let delay = Arc::new(AtomicU64::new(delay));
        let takes = Arc::clone(&delay);
        let function = Function::buffered("count", move |invocation: Invocation| {
            let counted = Arc::clone(&counted);
            let delay = Duration::from_millis(takes.load(Ordering::Relaxed));
            async move {
                let payload: Value = invocation.json()?;
                let n = payload["n"].as_u64().unwrap();
                *counted.lock().unwrap().entry(n).or_default() += 1;
                tokio::time::sleep(delay).await;
                match payload.get("fail") {
                    Some(_) => Err(FunctionError::new("Failure", "on request")),
                    None => Ok(invocation.payload().clone()),
                }
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let builder = configure(Endpoint::builder().function(function));
        let server = runtime.block_on(builder.bind_local()).unwrap();
        Self {
            server,
            executions,
            delay,
            runtime,
        }
    }

    fn executions(&self) -> BTreeMap<u64, u64> {
        self.executions.lock().unwrap().clone()
    }

    /// The program, set up to run on the files in this folder.
    fn map(&self, folder: &Path, more: &[&str]) -> Command {
        let mut command = calling(&self.server.url(), &["map", "count"]);
        command
            .args(more)
            .arg("--journal")
            .arg(folder.join("run.journal"))
            .stdin(File::open(folder.join("payloads.jsonl")).unwrap())
            .stdout(File::create(folder.join("results.jsonl")).unwrap())
            .stderr(File::create(folder.join("stderr")).unwrap());
        command
    }

    fn stop(self) {
        self.runtime.shutdown_background();
    }
}

fn folder(name: &str, payloads: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("map-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("payloads.jsonl"), payloads).unwrap();
    path
}

fn payloads(count: u64) -> String {
    (0..count).map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

/// Reads what the journal in a folder records, without changing it.
fn known(folder: &Path) -> State {
    let mut state = State::default();
    let bytes = fs::read(folder.join("run.journal")).unwrap_or_default();
    let Ok(Decoded::Complete(header, length)) = Header::decode(&bytes) else {
        return state;
    };
    let mut scanner = Scanner::new(header.seed, (length / 16) as u64);
    scanner
        .feed(&bytes[length..], |event| {
            assert_ne!(event.found.kind, Kind::Void, "a kill leaves no holes");
            state.read(&event).unwrap();
            Ok::<_, ScanError>(())
        })
        .unwrap();
    state
}

fn is_done(state: &State, n: u64) -> bool {
    state.status(n) == Status::Settled(Settled::Done)
}

/// A deterministic pseudo-random number generator (xorshift).
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// The results in a folder, by index.
fn results(folder: &Path) -> BTreeMap<u64, Value> {
    let mut results = BTreeMap::new();
    for line in fs::read_to_string(folder.join("results.jsonl"))
        .unwrap()
        .lines()
    {
        let line: Value = serde_json::from_str(line).unwrap();
        let index = line["index"].as_u64().unwrap();
        assert!(
            results.insert(index, line).is_none(),
            "{index} has two results"
        );
    }
    results
}

fn kill(child: &mut Child) {
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Kills and resumes the program this many times, until all items have ended; then starts over with
/// a new journal.
fn killed(kills: u64, mut seed: u64) {
    const ITEMS: u64 = 120;
    let mut left = kills;
    let mut in_flight = 0;
    while left > 0 {
        let service = Service::start(8, |builder| builder);
        let folder = folder(&format!("killed-{seed:x}"), &payloads(ITEMS));
        loop {
            let before = service.executions();
            let was = known(&folder);
            let mut child = service.map(&folder, &["-c", "4"]).spawn().unwrap();
            let is_last = left == 0;
            if !is_last {
                let more = before.len() as u64 + random(&mut seed) % 24;
                let early = random(&mut seed) % 8 == 0;
                // Often, while items run; sometimes before the program has read its journal.
                if !early {
                    wait_until(|| {
                        service.executions().len() as u64 > more
                            || child.try_wait().unwrap().is_some()
                    });
                }
                std::thread::sleep(Duration::from_micros(random(&mut seed) % 16_000));
            }
            let ended = match is_last {
                true => Some(wait(&mut child)),
                false => child.try_wait().unwrap(),
            };
            if ended.is_none() {
                kill(&mut child);
                left -= 1;
            }
            let now = service.executions();
            for n in 0..ITEMS {
                let count = |map: &BTreeMap<u64, u64>| map.get(&n).copied().unwrap_or_default();
                if is_done(&was, n) {
                    assert_eq!(count(&now), count(&before), "{n} was done, and ran again");
                    assert!(is_done(&known(&folder), n));
                }
                assert!(count(&now) <= 1, "{n} ran twice");
            }
            if ended.is_some() {
                break;
            }
            in_flight += u64::from(known(&folder).counts().sent > 0);
        }
        let results = results(&folder);
        assert_eq!(results.len() as u64, ITEMS);
        let executions = service.executions();
        for (n, line) in &results {
            match line["outcome"].as_str() {
                Some("done") => assert_eq!(executions[n], 1),
                Some("unknown") => assert!(executions.get(n).is_none_or(|count| *count == 1)),
                other => panic!("{other:?}"),
            }
        }
        service.stop();
        fs::remove_dir_all(folder).unwrap();
    }
    assert!(
        in_flight * 3 > kills,
        "only {in_flight} of {kills} kills met running items"
    );
}

#[test]
fn killed_and_resumed_nothing_done_runs_again_and_nothing_is_lost() {
    killed(8, 0x5eed_0001);
}

/// Takes about a minute: `cargo test -p lambda-invoke-cli --test map_killed -- --ignored`.
#[test]
#[ignore = "takes a minute"]
fn killed_two_hundred_times() {
    killed(200, 0x5eed_0002);
}

fn interrupt(child: &Child) {
    signal(child, "INT");
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap()
            .success()
    );
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + program::PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until this many items have run.
fn wait_for(service: &Service, count: usize) {
    wait_until(|| service.executions().len() >= count);
}

/// Waits until the program has said that it drains: another signal before that would be the same one.
fn wait_for_draining(folder: &Path) {
    wait_until(|| {
        let said = fs::read_to_string(folder.join("stderr")).unwrap();
        said.contains("Ctrl-C again to end at once")
    });
}

#[test]
fn ctrl_c_drains_and_a_second_one_ends_with_a_good_journal() {
    let service = Service::start(300, |builder| builder);
    let folder = folder("interrupted", &payloads(200));
    let mut child = service.map(&folder, &["-c", "5"]).spawn().unwrap();
    wait_for(&service, 5);
    interrupt(&child);
    assert_eq!(wait(&mut child).code(), Some(130));
    let first = results(&folder);
    assert_eq!(first.len(), service.executions().len());
    assert!(first.values().all(|line| line["outcome"] == "done"));
    let said = fs::read_to_string(folder.join("stderr")).unwrap();
    assert!(said.contains("Ctrl-C again to end at once"), "{said}");
    assert!(said.contains(" did not run"), "{said}");

    // No call ends before the program does.
    service.delay.store(600_000, Ordering::Relaxed);
    let mut child = service
        .map(&folder, &["-c", "5", "--first-byte-timeout", "0"])
        .spawn()
        .unwrap();
    wait_for(&service, first.len() + 5);
    interrupt(&child);
    wait_for_draining(&folder);
    interrupt(&child);
    assert_eq!(wait(&mut child).code(), Some(130));
    let second = results(&folder);
    let unknown = |line: &&Value| line["outcome"] == "unknown";
    assert_eq!(second.values().filter(unknown).count(), 5);
    assert_eq!(
        known(&folder).counts().done,
        second.len() as u64 - second.values().filter(unknown).count() as u64
    );
    assert!(service.executions().values().all(|count| *count == 1));
    service.stop();
}

/// Supervisors end a program with SIGTERM. Without a handler, the outcome of all items in flight
/// would be unknown.
#[test]
fn sigterm_drains_and_ctrl_c_after_it_ends_at_once() {
    let service = Service::start(400, |builder| builder);
    let folder = folder("terminated", &payloads(200));
    let mut child = service.map(&folder, &["-c", "5"]).spawn().unwrap();
    wait_for(&service, 5);
    signal(&child, "TERM");
    assert_eq!(wait(&mut child).code(), Some(130));
    let first = results(&folder);
    assert_eq!(first.len(), service.executions().len());
    assert!(first.values().all(|line| line["outcome"] == "done"));

    service.delay.store(600_000, Ordering::Relaxed);
    let mut child = service.map(&folder, &["-c", "5"]).spawn().unwrap();
    wait_for(&service, first.len() + 5);
    signal(&child, "TERM");
    wait_for_draining(&folder);
    interrupt(&child);
    assert_eq!(wait(&mut child).code(), Some(130));
    let unknown = |line: &&Value| line["outcome"] == "unknown";
    assert_eq!(results(&folder).values().filter(unknown).count(), 5);
    assert!(service.executions().values().all(|count| *count == 1));
    service.stop();
}

/// 100,000 payloads with throttles, resets and failures, killed twice. Prints executions and memory:
/// `cargo test --release -p lambda-invoke-cli --test map_killed -- --ignored --nocapture hundred`.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_payloads_with_faults_killed_twice() {
    const ITEMS: u64 = 100_000;
    let service = Service::start(0, |builder| {
        builder.seed(11).recorded_bytes(0).faults(
            [
                "count: throttle=ReservedFunctionConcurrentInvocationLimitExceeded probability=0.02",
                "count: reset-at=0 probability=0.01",
            ]
            .map(|rule| rule.parse().unwrap()),
        )
    });
    let payloads: String = (0..ITEMS)
        .map(|n| match n % 100 {
            99 => format!("{{\"n\":{n},\"fail\":1}}\n"),
            _ => format!("{{\"n\":{n}}}\n"),
        })
        .collect();
    let folder = folder("hundred", &payloads);
    let began = Instant::now();
    let mut peaks = Vec::new();
    for share in [0.3, 0.6, 2.0] {
        let mut child = service
            .map(&folder, &["-c", "64", "--json"])
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        let mut early = None;
        loop {
            if let Some(resident) = resident(&status) {
                peak = peak.max(resident);
                let ran = service.executions.lock().unwrap().len() as f64 / ITEMS as f64;
                if ran > 0.05 {
                    early.get_or_insert(peak);
                }
                if ran > share {
                    kill(&mut child);
                    break;
                }
            }
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(
                    share > 1.0,
                    "{ended}: {}",
                    fs::read_to_string(folder.join("stderr")).unwrap()
                );
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        peaks.push((early, peak));
    }
    let results = results(&folder);
    assert_eq!(results.len() as u64, ITEMS);
    let executions = service.executions();
    assert!(
        executions.values().all(|count| *count == 1),
        "something ran twice"
    );
    let mut outcomes = BTreeMap::<String, u64>::new();
    for (n, line) in &results {
        let outcome = line["outcome"].as_str().unwrap();
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        if outcome != "unknown" {
            assert_eq!(executions[n], 1, "{n}: {line}");
        }
    }
    let journal = fs::metadata(folder.join("run.journal")).unwrap().len();
    let said = text(&fs::read(folder.join("stderr")).unwrap()).to_owned();
    println!(
        "{} executions of {ITEMS} items in {:?}: {outcomes:?}; peak memory in KiB (after 5 %, in all) \
         of each run {peaks:?}; journal {journal} bytes\n{said}",
        executions.len(),
        began.elapsed()
    );
    for (_, peak) in &peaks {
        assert!(*peak < 64 << 10, "{peak} KiB");
    }
    service.stop();
    fs::remove_dir_all(folder).unwrap();
}

/// The resident memory of a process in KiB.
fn resident(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
