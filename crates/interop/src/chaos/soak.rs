//! Calls real functions for a long time, with faults: nothing may leak.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_invoke::{BoxError, Client, Error, ErrorKind, Execution};
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Fault, Function, Server};
use serde_json::json;
use tokio::task::JoinSet;

use super::run::processes::folder;
use super::run::site::pieces;

/// The number of concurrent calls.
const AT_ONCE: usize = 64;

/// The file to which the functions write a line for each execution.
const RUNS: &str = "runs";

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

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Right,
    /// A response that is not what the function wrote.
    Wrong,
    Failed(Execution),
    /// An error that no fault can be the reason for.
    Untyped,
}

impl Ended {
    fn of(expected: &[u8], result: Result<Bytes, Error>, may_be_flipped: bool) -> Self {
        match result {
            // A buffered response has no checksum, so one flipped bit is not detected.
            Ok(payload) => {
                let is_right =
                    payload == expected || may_be_flipped && differs_in_one_bit(&payload, expected);
                if is_right { Self::Right } else { Self::Wrong }
            }
            Err(error) => match error.kind() {
                ErrorKind::Input | ErrorKind::Configuration => Self::Untyped,
                _ => Self::Failed(error.execution()),
            },
        }
    }
}

/// What is wrong with the calls, and how many there were.
#[derive(Debug, Default)]
struct Counts {
    calls: u64,
    responses: u64,
    errors: u64,
    executions: u64,
    /// Calls whose function ran more than once.
    twice: u64,
    /// Responses without an execution.
    invented: u64,
    wrong: u64,
    /// Errors that say that the function did not run although it did, or the reverse.
    untrue: u64,
    untyped: u64,
}

impl Counts {
    /// Compares how calls ended with how often their functions ran.
    fn of(calls: &[Vec<Ended>], runs: &HashMap<u64, u64>) -> Self {
        let mut counts = Self {
            executions: runs.values().sum(),
            twice: runs.values().filter(|runs| **runs > 1).count() as u64,
            ..Self::default()
        };
        for (worker, calls) in calls.iter().enumerate() {
            for (round, ended) in calls.iter().enumerate() {
                counts.calls += 1;
                let has_run = runs.contains_key(&number(worker, round));
                match ended {
                    Ended::Right | Ended::Wrong => {
                        counts.responses += 1;
                        counts.wrong += u64::from(*ended == Ended::Wrong);
                        counts.invented += u64::from(!has_run);
                    }
                    Ended::Failed(execution) => {
                        counts.errors += 1;
                        counts.untrue += u64::from(match execution {
                            Execution::NotStarted => has_run,
                            Execution::Started => !has_run,
                            _ => false,
                        });
                    }
                    Ended::Untyped => counts.untyped += 1,
                }
            }
        }
        counts
    }

    fn is_right(&self) -> bool {
        let faults = [
            self.twice,
            self.invented,
            self.wrong,
            self.untrue,
            self.untyped,
        ];
        // Faults affect 5 calls in 100, not most of them and not none.
        let is_usual = self.responses * 10 >= self.calls * 9 && self.errors > 0;
        faults.iter().all(|count| *count == 0) && is_usual
    }
}

/// The number of a call, which no other call has.
fn number(worker: usize, round: usize) -> u64 {
    (round * AT_ONCE + worker) as u64
}

/// Reads how often each call's function ran.
fn runs(folder: &Path) -> std::io::Result<HashMap<u64, u64>> {
    let mut runs = HashMap::new();
    for line in std::fs::read_to_string(folder.join(RUNS))?.lines() {
        let number = line.parse().map_err(std::io::Error::other)?;
        *runs.entry(number).or_default() += 1;
    }
    Ok(runs)
}

fn differs_in_one_bit(left: &[u8], right: &[u8]) -> bool {
    let bits = left.iter().zip(right).map(|(a, b)| (a ^ b).count_ones());
    left.len() == right.len() && bits.sum::<u32>() == 1
}

/// The resources that are held.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: f64,
    tasks: f64,
    processes: f64,
    /// Of this process: the client and the endpoint.
    own: Held,
    /// Of the processes that it has started: supervisors and functions.
    others: Held,
}

/// What processes hold.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    resident_kib: f64,
    descriptors: f64,
}

impl Held {
    fn by(process: u32) -> Self {
        let folder = Path::new("/proc").join(process.to_string());
        // A process that has just ended holds nothing.
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        let descriptors = std::fs::read_dir(folder.join("fd"));
        Self {
            resident_kib: kib.unwrap_or_default(),
            descriptors: descriptors.map_or(0.0, |entries| entries.count() as f64),
        }
    }
}

impl Sample {
    fn take(started: Instant) -> Self {
        let metrics = tokio::runtime::Handle::current().metrics();
        let processes = descendants();
        let mut others = Held::default();
        for process in &processes {
            let held = Held::by(*process);
            others.resident_kib += held.resident_kib;
            others.descriptors += held.descriptors;
        }
        Self {
            at: started.elapsed().as_secs_f64() / 60.0,
            tasks: metrics.num_alive_tasks() as f64,
            processes: processes.len() as f64,
            own: Held::by(std::process::id()),
            others,
        }
    }
}

/// The descendants of this process.
fn descendants() -> Vec<u32> {
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
    found.split_off(1)
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
async fn call(client: &Client, worker: usize, round: usize) -> Ended {
    let id = format!("{:08}", number(worker, round));
    let payload = json!({
        "id": id,
        "log": RUNS,
        "pieces": pieces(&id),
        "event": "nothing",
        "phase": "called",
    });
    let payload = Bytes::from(payload.to_string());
    let expected = pieces(&id).concat();
    // Each worker makes each kind.
    let kind = worker + round;
    let name = match kind.is_multiple_of(3) {
        true => "node",
        false => "python",
    };
    match kind % 4 {
        0 => {
            let sent = client.invoke(name).payload(payload).send().await;
            let result = sent.and_then(lambda_invoke::Reply::into_result);
            let payload = result.map(|reply| reply.into_payload());
            Ended::of(expected.as_bytes(), payload, true)
        }
        // A caller that stops reading the stream.
        1 if kind % 20 == 1 => {
            let stream = client.stream(name).payload(payload);
            let first = async {
                let mut stream = stream.send().await?;
                stream.next_chunk().await.unwrap_or(Ok(Bytes::new()))
            };
            Ended::of(pieces(&id)[0].as_bytes(), first.await, false)
        }
        _ => {
            let result = match client.stream(name).payload(payload).send().await {
                Ok(stream) => stream.collect_all().await.map(|all| all.to_bytes()),
                Err(error) => Err(error),
            };
            Ended::of(expected.as_bytes(), result, false)
        }
    }
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
    let is_over = Arc::new(AtomicBool::new(false));
    let before = Sample::take(Instant::now());
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (client, is_over) = (client.clone(), Arc::clone(&is_over));
        workers.spawn(async move {
            let mut calls = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                calls.push(call(&client, worker, calls.len()).await);
            }
            (worker, calls)
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
    let mut calls = joined.unwrap_or_default();
    calls.sort_unstable_by_key(|(worker, _)| *worker);
    let calls: Vec<_> = calls.into_iter().map(|(_, calls)| calls).collect();
    let ended = server.shutdown(Duration::from_secs(30)).await;
    drop(client);
    // Connections and supervisors take a moment to end.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = Sample::take(started);
    let counts = Counts::of(&calls, &runs(folder.path())?);
    let has_leaked = resources(before, &samples, after);
    let Counts {
        calls,
        responses,
        errors,
        executions,
        twice,
        invented,
        wrong,
        untrue,
        untyped,
    } = counts;
    println!(
        "calls={calls} responses={responses} errors={errors} executions={executions} twice={twice} \
         invented={invented} wrong={wrong} untrue={untrue} untyped={untyped} hangs={hangs} \
         leaked={has_leaked} ended={ended}"
    );
    Ok(counts.is_right() && hangs == 0 && !has_leaked && ended)
}

/// The most that this process may have grown from when all instances had started to the end, by the slope
/// of its memory.
const GROWTH_KIB: f64 = 16.0 * 1024.0;

/// Prints what was held before, during and after the calls, and returns whether something was not returned.
/// The memory of the functions' processes is that of Python and Node, so its slope is only shown.
fn resources(before: Sample, samples: &[Sample], after: Sample) -> bool {
    let middle = samples.get(samples.len() / 2).copied().unwrap_or(before);
    println!("                        before   middle    after   slope a minute");
    let row = |name: &str, of: &dyn Fn(&Sample) -> f64| {
        let slope = slope(samples, of);
        println!(
            "{name:<24}{:>6.0}{:>9.0}{:>9.0}{slope:>+17.1}",
            of(&before),
            of(&middle),
            of(&after)
        );
        // How much it has grown in the whole time.
        slope * after.at
    };
    let grown = row("memory KiB", &|sample| sample.own.resident_kib);
    row("descriptors", &|sample| sample.own.descriptors);
    row("tasks", &|sample| sample.tasks);
    row("processes", &|sample| sample.processes);
    row("functions' memory KiB", &|sample| {
        sample.others.resident_kib
    });
    let opened = row("functions' descriptors", &|sample| {
        sample.others.descriptors
    });
    grown > GROWTH_KIB
        || after.processes > before.processes
        || after.tasks > before.tasks + 2.0
        || after.own.descriptors > before.own.descriptors + 8.0
        // One for each process, and one for each that has started late.
        || opened > middle.processes.max(16.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_compared_with_its_own_executions() {
        let failed = Ended::Failed;
        let calls = [
            vec![Ended::Right, failed(Execution::NotStarted)],
            vec![failed(Execution::Started), failed(Execution::Unknown)],
        ];
        let runs = |numbers: [(usize, usize, u64); 3]| {
            let runs = numbers.map(|(worker, round, runs)| (number(worker, round), runs));
            runs.into_iter().filter(|(_, runs)| *runs > 0).collect()
        };
        let counts = Counts::of(&calls, &runs([(0, 0, 1), (1, 0, 1), (1, 1, 1)]));
        assert_eq!((counts.calls, counts.responses, counts.errors), (4, 1, 3));
        assert_eq!(
            (
                counts.executions,
                counts.twice,
                counts.invented,
                counts.untrue
            ),
            (3, 0, 0, 0)
        );
        // A call that never ran does not make up for one that ran twice.
        let counts = Counts::of(&calls, &runs([(0, 0, 2), (1, 0, 1), (1, 1, 0)]));
        assert_eq!((counts.executions, counts.twice), (3, 1));
        let counts = Counts::of(&calls, &runs([(0, 1, 1), (0, 0, 0), (1, 0, 0)]));
        assert_eq!((counts.invented, counts.untrue), (1, 2));
    }
}
