//! Other clients in the same cases, each with its own defaults.

mod process;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use lambda_invoke::BoxError;
use tokio::process::Command;

use self::process::{Address, Process};
use super::case::{Asked, Case, Connections, Over, Policy, Trouble, Waits};
use super::oracle::{Ended, Observation};
use super::run::World;
use super::run::caller::{Caller, Callers, Calling, Outcome, To};
use super::run::site::Site;
use super::schedule::processes::Event;
use super::schedule::{self, Extent};

/// A client that the cases are run with.
struct Peer {
    name: &'static str,
    callers: Box<dyn Callers>,
}

struct PeerClients(Arc<Process>);

struct PeerClient {
    process: Arc<Process>,
    to: Address,
}

impl Callers for PeerClients {
    fn caller(&self, site: &Site, to: To) -> Result<Box<dyn Caller>, BoxError> {
        let to = match to.over {
            Over::Plain => Address {
                url: format!("http://{}", to.address),
                ca: None,
            },
            Over::Tls | Over::Inside => Address {
                url: format!("https://localhost:{}", to.address.port()),
                ca: Some(site.authority.pem.clone()),
            },
        };
        Ok(Box::new(PeerClient {
            process: Arc::clone(&self.0),
            to,
        }))
    }
}

impl Caller for PeerClient {
    fn call(&self, asked: Asked, payload: Bytes) -> Calling<'_> {
        Box::pin(self.process.call(&self.to, asked, payload))
    }
}

/// The cases that apply to any client, under its own defaults. Scripted servers speak plain HTTP.
fn cases(world_lengths: &schedule::Lengths, over: Over, seed: u64) -> Vec<Case> {
    let all = schedule::cases(world_lengths, Extent::Quick, seed);
    // The peers' processes make the two operations.
    let is_asked = |case: &Case| !case.asked.is_long() && case.asked != Asked::Event;
    let applies = |case: &Case| match &case.trouble {
        Trouble::None { over: other } => *other == over && is_asked(case),
        Trouble::Wire {
            over: other,
            strike,
        } => *other == over && strike.on == Connections::First && is_asked(case),
        // Scripts with two calls are left out, since two calls run a function twice.
        // These clients do not wait for an instance that starts: they have a timeout of a second.
        Trouble::Process(death) => {
            over == Over::Plain && death.event == Event::Kill && death.has_started()
        }
        Trouble::Script(script) => {
            over == Over::Plain && Asked::OPERATIONS.contains(&case.asked) && !script.again
        }
        _ => false,
    };
    // Each error of the table appears under only one policy, so all policies are included.
    let is_default = |case: &Case| case.policy == Policy::Default || case.section() == "errors";
    let mut cases: Vec<Case> = all
        .into_iter()
        .filter(|case| applies(case) && is_default(case))
        .collect();
    for case in &mut cases {
        case.policy = Policy::Default;
        case.waits = Waits::AsPeers;
    }
    cases
}

/// What happened to one client.
#[derive(Debug, Default)]
struct Counts {
    cases: u64,
    twice: u64,
    most: u32,
    half_streams: u64,
    failed_streams: u64,
    half_buffered: u64,
    hangs: u64,
    not_run: u64,
}

impl Counts {
    fn add(&mut self, case: &Case, seen: &Observation) {
        self.cases += 1;
        let runs = seen.executions.load(Ordering::SeqCst);
        self.twice += u64::from(runs > 1);
        self.most = self.most.max(runs);
        match &seen.ended {
            Ended::Outcome(Outcome::Whole(payload)) => {
                // A success that plain HTTP cannot distinguish from the real one is not the
                // client's fault.
                let is_whole = *payload == seen.expected || seen.is_proved;
                match case.asked {
                    Asked::Stream => self.half_streams += u64::from(!is_whole),
                    Asked::FailingStream => self.failed_streams += 1,
                    _ => self.half_buffered += u64::from(!is_whole),
                }
            }
            Ended::Outcome(Outcome::Unproved) => match case.asked {
                Asked::FailingStream => self.failed_streams += 1,
                _ => self.half_streams += 1,
            },
            Ended::Hung | Ended::Panicked(_) => self.hangs += 1,
            _ => {}
        }
        // A client that fails whatever it is asked never runs a function twice.
        let is_whole = matches!(&seen.ended, Ended::Outcome(Outcome::Whole(_)));
        if matches!(case.trouble, Trouble::None { .. }) && !case.asked.fails() && !is_whole {
            self.not_run += 1;
            eprintln!("{}: {:?}", case.name, seen.ended);
        }
    }
}

/// Runs all clients, or those whose names contain one of these words, and prints a table. `clients`
/// is the folder in which boto3 and the SDK for JavaScript are installed.
///
/// # Errors
///
/// If a client does not start.
pub async fn compare(clients: &Path, words: &[String], seed: u64) -> Result<bool, BoxError> {
    let lengths = World::start().await?.lengths().await?;
    println!(
        "| client | over | cases | ran a function twice | most runs | bad stream, taken for whole | \
         failed stream, taken for whole | bad buffered response, taken for whole | hung |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut is_good = true;
    let wanted =
        |peer: &Peer| words.is_empty() || words.iter().any(|word| peer.name.contains(&word[..]));
    for peer in peers(clients)?.into_iter().filter(wanted) {
        let mut world = World::of(peer.callers).await?;
        world.at_once = 32;
        let world = Arc::new(world);
        for over in Over::ALL {
            let counts = count(&world, peer.name, cases(&lengths, over, seed)).await;
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                peer.name,
                over.title(),
                counts.cases,
                counts.twice,
                counts.most,
                counts.half_streams,
                counts.failed_streams,
                counts.half_buffered,
                counts.hangs
            );
            is_good &= counts.not_run == 0;
        }
    }
    Ok(is_good)
}

/// Runs the cases with one client.
async fn count(world: &Arc<World>, name: &str, cases: Vec<Case>) -> Counts {
    let mut counts = Counts::default();
    let mut sections: HashMap<String, u64> = HashMap::new();
    let sink = &mut |case: &Case, seen: Result<Observation, BoxError>| match seen {
        Ok(seen) => {
            counts.add(case, &seen);
            if seen.executions.load(Ordering::SeqCst) > 1 {
                *sections.entry(case.section().to_owned()).or_default() += 1;
            }
        }
        Err(error) => {
            counts.not_run += 1;
            eprintln!("{}: {error}", case.name);
        }
    };
    let is_undisturbed = |case: &&Case| matches!(case.trouble, Trouble::None { .. });
    let again: Vec<Case> = cases.iter().filter(is_undisturbed).cloned().collect();
    world.run(cases, sink).await;
    // A client whose process has ended on the way fails these.
    world.run(again, sink).await;
    eprintln!("{name}: twice by section: {sections:?}");
    counts
}

fn peers(clients: &Path) -> Result<Vec<Peer>, BoxError> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/chaos");
    let mut python = Command::new(clients.join("python/bin/python"));
    python.arg(scripts.join("boto3_caller.py"));
    // Node resolves packages from the folder of the script.
    let script: PathBuf = clients.join("chaos_sdk_caller.mjs");
    std::fs::copy(scripts.join("sdk_caller.mjs"), &script)?;
    let mut node = Command::new("node");
    node.arg(script);
    let own = std::env::current_exe()?;
    let sdk = Command::new(own.with_file_name("sdk_caller"));
    let peer = |name, command| -> Result<Peer, BoxError> {
        let callers = Box::new(PeerClients(Arc::new(Process::start(command)?)));
        Ok(Peer { name, callers })
    };
    Ok(vec![
        Peer {
            name: "lambda-invoke",
            callers: Box::new(super::run::caller::OurClients),
        },
        peer("aws-sdk-lambda (Rust)", sdk)?,
        peer("boto3", python)?,
        peer("@aws-sdk/client-lambda 3", node)?,
    ])
}
