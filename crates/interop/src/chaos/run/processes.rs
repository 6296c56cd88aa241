//! Real functions in real processes, which are killed or suspended while they are called.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::BoxError;
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Function};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::caller::{Outcome, SUSPENDED};
use super::elsewhere::Elsewhere;
use super::folder::Folder;
use super::site::{function, pieces};
use super::{World, end};
use crate::chaos::case::{Asked, Case, Over};
use crate::chaos::oracle::Ended;
use crate::chaos::schedule::processes::{Death, Event, Language, Phase, Victim};

/// A case that has not ended by then hangs: starting an instance, the call, and waiting for a suspended
/// process are much faster.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The file for what an endpoint's process writes to stderr, the messages of its panics included.
const LOG: &str = "endpoint.log";

/// Creates a folder with the functions in it.
pub fn folder(name: &str) -> io::Result<Folder> {
    let folder = Folder::create(name)?;
    fs::write(folder.path().join("app.py"), include_str!("functions.py"))?;
    fs::write(folder.path().join("app.mjs"), include_str!("functions.mjs"))?;
    Ok(folder)
}

/// Returns how often the function ran with this id.
fn executions(folder: &Folder, id: &str) -> u32 {
    fs::metadata(folder.path().join(id)).map_or(0, |file| file.len() as u32)
}

/// Whether both interpreters are installed.
pub fn has_interpreters() -> bool {
    ["python3", "node"].iter().all(|program| {
        let mut command = std::process::Command::new(program);
        command.arg("--version").stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// Serves the real functions in one language until it is killed. This runs in the endpoint's process.
pub async fn serve(folder: &Path, language: &str) -> Result<(), BoxError> {
    let language = Language::ALL.into_iter().find(|of| of.name() == language);
    let source = folder.join(match language.ok_or("no such language")? {
        Language::Python => "app.py",
        Language::Node => "app.mjs",
    });
    let mut endpoint = Endpoint::builder();
    for asked in Asked::OPERATIONS {
        let program = Program::source(&source)?
            .env("CHAOS_FOLDER", folder.to_string_lossy())
            .concurrency(200)
            .timeout(Duration::from_secs(30));
        endpoint = endpoint.function(Function::program(function(asked), program));
    }
    let server = endpoint.bind("127.0.0.1:0").await?;
    println!("{}", server.local_addr());
    match server.run().await {}
}

/// An endpoint in a process of its own, which is killed when this is dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    child: Child,
}

impl Serving {
    async fn start(program: &Path, folder: &Path, language: Language) -> Result<Self, BoxError> {
        let mut child = Command::new(program)
            .arg("endpoint")
            .arg(folder)
            .arg(language.name())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join(LOG))?)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let address = BufReader::new(stdout).lines().next_line().await?;
        let address = address.ok_or("the endpoint did not start")?.parse()?;
        Ok(Self { address, child })
    }

    fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}

/// Runs a case, and returns how it ended and how often the function ran.
pub async fn observe(
    world: &World,
    case: &Case,
    death: Death,
    id: &str,
) -> Result<(Ended, u32), BoxError> {
    let folder = folder(id)?;
    let serving = Serving::start(&world.program, folder.path(), death.language).await?;
    let event = match death.event {
        Event::Kill => "kill",
        Event::Suspend | Event::SuspendInTotal => "suspend",
        Event::Nothing => "nothing",
    };
    let mut elsewhere = match death.victim {
        Victim::Caller => {
            let url = format!("http://{}", serving.address);
            Some(Elsewhere::start(&world.program, &url, case.policy, None)?)
        }
        _ => None,
    };
    let payload = |id: &str, event: &str| {
        let payload = json!({
            "id": id,
            "pieces": pieces(id),
            "event": event,
            "victim": death.victim.name(),
            "phase": death.phase.name(),
            "endpoint": serving.id(),
            "caller": elsewhere.as_ref().map(Elsewhere::id),
        });
        Bytes::from(payload.to_string())
    };
    let own = world.caller(Over::Plain, serving.address, case)?;
    let note = folder.path().join(format!("{id}.suspended"));
    let waking = tokio::spawn(wake(note.clone()));
    let killed = folder.path().join(format!("{id}.killed"));
    if death.phase == Phase::Starting {
        fs::write(folder.path().join("starting"), payload(id, event))?;
    } else {
        // Starts the instance before the measured call.
        let other = world.our_caller(serving.address, case)?;
        let warm = if death.phase == Phase::Idle {
            &own
        } else {
            &other
        };
        let warmed = warm.warm(case.asked, payload("warm", "nothing")).await;
        if !matches!(warmed, Outcome::Whole(_)) {
            return Err(format!("the instance did not start: {warmed:?}").into());
        }
    }
    if death.phase == Phase::Idle {
        let pids = fs::read_to_string(folder.path().join("pids"))?;
        let pids: Value = serde_json::from_str(&pids)?;
        let pid = match death.victim {
            Victim::Endpoint => Some(serving.id().into()),
            victim => pids[victim.name()].as_i64(),
        };
        let pid = i32::try_from(pid.ok_or("no process to end")?)?;
        match event {
            "kill" => {
                kill(Pid::from_raw(pid), Signal::SIGKILL)?;
                fs::write(&killed, pid.to_string())?;
            }
            _ => {
                kill(Pid::from_raw(pid), Signal::SIGSTOP)?;
                fs::write(note, pid.to_string())?;
            }
        }
    }
    let payload = payload(id, event);
    let ended = match &mut elsewhere {
        None => end(case.waits, own.call(case.asked, payload)).await,
        Some(elsewhere) => {
            let answer = elsewhere.call(case.asked, &payload, case.waits).await?;
            Ended::Outcome(answer.outcome.ok_or("the call was dropped")?)
        }
    };
    let struck = if event == "suspend" {
        // The suspended process continues, and must not run anything again.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let woken = tokio::time::timeout(2 * SUSPENDED, waking).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        woken.is_ok()
    } else {
        waking.abort();
        event == "nothing" || killed.exists()
    };
    if !struck {
        return Err("the fault did not occur".into());
    }
    let log = fs::read_to_string(folder.path().join(LOG))?;
    let ended = match log.lines().find(|line| line.contains("panicked at")) {
        Some(panic) => Ended::Panicked(panic.to_owned()),
        None => ended,
    };
    Ok((ended, executions(&folder, id)))
}

/// Resumes the process that a function notes as suspended.
async fn wake(note: PathBuf) {
    loop {
        if let Some(id) = fs::read_to_string(&note)
            .ok()
            .and_then(|text| text.trim().parse().ok())
        {
            tokio::time::sleep(SUSPENDED).await;
            let _ = kill(Pid::from_raw(id), Signal::SIGCONT);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
