//! Calls real functions for a long time, with faults: nothing may leak.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_invoke::{BoxError, Client, Error, ErrorKind};
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Fault, Function, Server};
use serde_json::json;
use tokio::task::JoinSet;

use super::run::processes::{executions, folder};
use super::run::site::pieces;

/// The number of concurrent calls.
const AT_ONCE: usize = 64;

/// The number of ids with which functions are called.
const IDS: u64 = 64;

/// Faults affect 5 in 100 calls, each in one of these ways.
const FAULTS: [&str; 10] = [
    "*: reset-at=20 probability=0.005",
    "*: cut-at=20 probability=0.005",
    "*: flip-at=30 bit=2 probability=0.005",
    "*: wrong-crc=1 probability=0.005",
    "*: no-complete probability=0.005",
    "*: exception=ServiceException message=\"gone\" after=1 probability=0.005",
    "*: complete-error=Runtime.ExitError details=\"killed\" probability=0.005",
    "*: throttle=CallerRateLimitExceeded probability=0.005",
    "*: error=ServiceException message=\"down for tea\" probability=0.005",
    "*: delay-chunks=50ms probability=0.005",
];

/// The counts of a run.
#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    responses: AtomicU64,
    errors: AtomicU64,
    /// Responses that are not what the function wrote.
    wrong: AtomicU64,
}

impl Counts {
    fn add(&self, expected: &[u8], result: Result<Bytes, Error>, may_be_flipped: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match result {
            Ok(payload) => {
                self.responses.fetch_add(1, Ordering::Relaxed);
                // A buffered response has no checksum, so one flipped bit is not detected.
                let is_right =
                    payload == expected || may_be_flipped && differs_in_one_bit(&payload, expected);
                self.wrong
                    .fetch_add(u64::from(!is_right), Ordering::Relaxed);
            }
            // Every error has a kind, and states what it knows about the execution.
            Err(error) => {
                let is_typed =
                    error.kind() != ErrorKind::Input && error.kind() != ErrorKind::Configuration;
                self.errors
                    .fetch_add(u64::from(is_typed), Ordering::Relaxed);
            }
        }
    }
}

fn differs_in_one_bit(left: &[u8], right: &[u8]) -> bool {
    let bits = left.iter().zip(right).map(|(a, b)| (a ^ b).count_ones());
    left.len() == right.len() && bits.sum::<u32>() == 1
}

/// The resources that this process and its children hold.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: f64,
    resident_kib: f64,
    descriptors: f64,
    tasks: f64,
    processes: f64,
}

impl Sample {
    fn take(started: Instant) -> Self {
        let metrics = tokio::runtime::Handle::current().metrics();
        Self {
            at: started.elapsed().as_secs_f64() / 60.0,
            resident_kib: resident_kib(),
            descriptors: entries("/proc/self/fd"),
            tasks: metrics.num_alive_tasks() as f64,
            processes: descendants(),
        }
    }
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kib.unwrap_or_default()
}

fn entries(folder: impl AsRef<Path>) -> f64 {
    std::fs::read_dir(folder).map_or(0.0, |entries| entries.count() as f64)
}

/// The descendants of this process.
fn descendants() -> f64 {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name of the command, in parentheses, may contain spaces.
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        parents.extend(parent.map(|parent: u32| (id, parent)));
    }
    let mut found = vec![std::process::id()];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(id, _)| *id),
        );
        at += 1;
    }
    (found.len() - 1) as f64
}

/// The slope of a quantity over time, per minute (least squares).
fn slope(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, value) = (mean(&|sample| sample.at), mean(&|sample| of(sample)));
    let (mut above, mut below) = (0.0, 0.0);
    for sample in samples {
        above += (sample.at - time) * (of(sample) - value);
        below += (sample.at - time).powi(2);
    }
    if below == 0.0 { 0.0 } else { above / below }
}

async fn serve(folder: &Path) -> Result<Server, BoxError> {
    let program = |name: &str, file: &str| {
        let program = Program::source(folder.join(file))?
            .env("CHAOS_FOLDER", folder.to_string_lossy())
            .concurrency(AT_ONCE)
            .timeout(Duration::from_secs(30));
        Ok::<_, BoxError>(Function::program(name, program))
    };
    let faults = FAULTS.iter().map(|fault| fault.parse::<Fault>());
    let server = Endpoint::builder()
        .function(program("python", "app.py")?)
        .function(program("node", "app.mjs")?)
        .faults(faults.collect::<Result<Vec<_>, _>>()?)
        .seed(1)
        .bind("127.0.0.1:0")
        .await?;
    Ok(server)
}

/// Makes one of many kinds of calls.
async fn call(client: &Client, nth: u64, counts: &Counts) {
    // There is one file of executions for each of these, not for each call.
    let id = format!("{:08}", nth % IDS);
    let payload = json!({
        "id": id,
        "pieces": pieces(&id),
        "event": "nothing",
        "phase": "called",
    });
    let payload = Bytes::from(payload.to_string());
    let expected = pieces(&id).concat();
    let name = if nth.is_multiple_of(3) {
        "node"
    } else {
        "python"
    };
    let result = match nth % 4 {
        0 => {
            let sent = client.invoke(name).payload(payload).send().await;
            let result = sent.and_then(lambda_invoke::Reply::into_result);
            counts.add(
                expected.as_bytes(),
                result.map(|reply| reply.into_payload()),
                true,
            );
            return;
        }
        // A caller that stops reading the stream.
        1 if nth % 20 == 1 => {
            let stream = client.stream(name).payload(payload);
            let first = async {
                let mut stream = stream.send().await?;
                stream.next_chunk().await.unwrap_or(Ok(Bytes::new()))
            };
            let started = pieces(&id)[0].clone();
            counts.add(started.as_bytes(), first.await, false);
            return;
        }
        _ => match client.stream(name).payload(payload).send().await {
            Ok(stream) => stream.collect_all().await.map(|all| all.to_bytes()),
            Err(error) => Err(error),
        },
    };
    counts.add(expected.as_bytes(), result, false);
}

/// Makes calls for this long, prints counts and slopes, and returns whether everything was right.
///
/// # Errors
///
/// If the endpoint does not start.
pub async fn soak(length: Duration) -> Result<bool, BoxError> {
    let folder = folder("soak")?;
    let server = serve(folder.path()).await?;
    let client = Client::local(server.url())?;
    let counts = Arc::new(Counts::default());
    let is_over = Arc::new(AtomicBool::new(false));
    let before = Sample::take(Instant::now());
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE as u64 {
        let (client, counts, is_over) = (client.clone(), Arc::clone(&counts), Arc::clone(&is_over));
        workers.spawn(async move {
            let mut nth = worker;
            while !is_over.load(Ordering::Relaxed) {
                call(&client, nth, &counts).await;
                nth += AT_ONCE as u64 + 1;
            }
        });
    }
    let started = Instant::now();
    let mut samples = Vec::new();
    let pause = (length / 60).max(Duration::from_millis(500));
    while started.elapsed() < length {
        tokio::time::sleep(pause).await;
        let sample = Sample::take(started);
        // By a fifth of the time, all instances have started.
        if started.elapsed() > length / 5 {
            samples.push(sample);
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let joined = tokio::time::timeout(Duration::from_secs(60), workers.join_all()).await;
    let hangs = u64::from(joined.is_err());
    let ended = server.shutdown(Duration::from_secs(30)).await;
    drop(client);
    // Connections and supervisors take a moment to end.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = Sample::take(started);
    let executions = (0..IDS).map(|id| u64::from(executions(&folder, &format!("{id:08}"))));
    let resources = (before, &samples[..], after);
    Ok(report(&counts, executions.sum(), resources, hangs, ended))
}

/// The most that this process may have grown from when all instances had started to the end, by the slope
/// of its memory.
const GROWTH_KIB: f64 = 16.0 * 1024.0;

fn report(
    counts: &Counts,
    executions: u64,
    (before, samples, after): (Sample, &[Sample], Sample),
    hangs: u64,
    ended: bool,
) -> bool {
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (calls, responses, errors, wrong) = (
        count(&counts.calls),
        count(&counts.responses),
        count(&counts.errors),
        count(&counts.wrong),
    );
    let middle = samples.get(samples.len() / 2).copied().unwrap_or(before);
    println!("            before   middle    after   slope a minute");
    let row = |name: &str, of: &dyn Fn(&Sample) -> f64| {
        let slope = slope(samples, of);
        println!(
            "{name:<12}{:>6.0}{:>9.0}{:>9.0}{slope:>+17.1}",
            of(&before),
            of(&middle),
            of(&after)
        );
    };
    row("memory KiB", &|sample| sample.resident_kib);
    row("descriptors", &|sample| sample.descriptors);
    row("tasks", &|sample| sample.tasks);
    row("processes", &|sample| sample.processes);
    let grown = slope(samples, |sample| sample.resident_kib) * after.at;
    let has_leaked = grown > GROWTH_KIB
        || after.processes > before.processes
        || after.tasks > before.tasks + 2.0
        || after.descriptors > before.descriptors + 8.0;
    // A call runs at most once, under the default policy, and a response is one of an execution.
    let twice = executions.saturating_sub(calls);
    let invented = responses.saturating_sub(executions);
    println!(
        "calls={calls} responses={responses} errors={errors} executions={executions} twice={twice} \
         invented={invented} wrong={wrong} hangs={hangs} leaked={has_leaked} ended={ended}"
    );
    // Faults affect 5 calls in 100, not most of them and not none.
    let is_usual = responses * 10 >= calls * 9 && errors > 0;
    let is_right = calls == responses + errors && twice + invented + wrong + hangs == 0;
    is_usual && is_right && !has_leaked && ended
}
