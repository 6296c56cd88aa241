//! Real functions in real processes, which are killed or suspended while they are called.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::{BoxError, Client, Timeouts};
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Function};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::caller::{Failed, Outcome, client};
use super::site::pieces;
use crate::chaos::case::{Asked, Case, Policy};
use crate::chaos::oracle::Ended;
use crate::chaos::schedule::processes::{Death, Event, Phase, Victim};

const FIRST_BYTE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(1);
const TOTAL: Duration = Duration::from_secs(8);
/// The timeout of a call that has no other.
const SHORT_TOTAL: Duration = Duration::from_secs(2);
/// Longer than the timeouts for the first byte and between two chunks, and than [`SHORT_TOTAL`].
const SUSPENDED: Duration = Duration::from_secs(4);

/// A case that has not ended by then hangs: starting an instance, the call, and waiting for a suspended
/// process are much faster.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The file for what an endpoint's process writes to stderr, the messages of its panics included.
const LOG: &str = "endpoint.log";

/// A separate folder, which is removed at the end.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates the folder with the functions in it.
    pub fn create(name: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("chaos-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("app.py"), include_str!("functions.py"))?;
        fs::write(folder.join("app.mjs"), include_str!("functions.mjs"))?;
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns how often the function ran with this id.
    pub fn executions(&self, id: &str) -> u32 {
        fs::metadata(self.0.join(id)).map_or(0, |file| file.len() as u32)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether both interpreters are installed.
pub fn has_interpreters() -> bool {
    ["python3", "node"].iter().all(|program| {
        let mut command = std::process::Command::new(program);
        command.arg("--version").stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// Serves the real functions until it is killed. This runs in the endpoint's process.
pub async fn serve(folder: &Path) -> Result<(), BoxError> {
    let program = |name: &str, file: &str| {
        let program = Program::source(folder.join(file))?
            .env("CHAOS_FOLDER", folder.to_string_lossy())
            .concurrency(200)
            .timeout(Duration::from_secs(30));
        Ok::<_, BoxError>(Function::program(name, program))
    };
    let server = Endpoint::builder()
        .function(program("python", "app.py")?)
        .function(program("node", "app.mjs")?)
        .bind("127.0.0.1:0")
        .await?;
    println!("{}", server.url());
    match server.run().await {}
}

/// An endpoint in a process of its own, which is killed when this is dropped.
#[derive(Debug)]
pub struct Serving {
    pub url: String,
    child: Child,
}

impl Serving {
    pub async fn start(folder: &Path) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("endpoint")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join(LOG))?)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let url = BufReader::new(stdout).lines().next_line().await?;
        let url = url.ok_or("the endpoint did not start")?;
        Ok(Self { url, child })
    }

    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}

fn timeouts(only_in_total: bool) -> Timeouts {
    let connect = Timeouts::none().with_connect(Duration::from_secs(3));
    match only_in_total {
        true => connect.with_total(SHORT_TOTAL),
        false => connect
            .with_first_byte(FIRST_BYTE)
            .with_idle(IDLE)
            .with_total(TOTAL),
    }
}

/// Calls a real function, and reads the response to its end.
async fn call(client: &Client, asked: Asked, name: &str, payload: &Value) -> Outcome {
    let timeouts = timeouts(payload["only_in_total"] == true);
    let payload = Bytes::from(payload.to_string());
    let result = async {
        match asked.is_stream() {
            true => {
                let stream = client.stream(name).payload(payload).timeouts(timeouts);
                Ok(stream.send().await?.collect_all().await?.to_bytes())
            }
            false => {
                let invoke = client.invoke(name).payload(payload).timeouts(timeouts);
                Ok(invoke
                    .log_tail()
                    .send()
                    .await?
                    .into_result()?
                    .into_payload())
            }
        }
    };
    match result.await {
        Ok(payload) => Outcome::Whole(payload),
        Err::<_, lambda_invoke::Error>(error) => Outcome::Failed(error.into()),
    }
}

/// Makes a call and prints its outcome. This runs in a caller's process.
pub async fn call_and_print(arguments: &[String]) -> Result<(), BoxError> {
    let [url, asked, name, policy, payload] = arguments else {
        return Err("call URL OPERATION FUNCTION POLICY PAYLOAD".into());
    };
    let policy = Policy::ALL.into_iter().find(|known| known.name() == policy);
    let policy = policy.ok_or("no such policy")?;
    let client = client(url, policy, Default::default())?;
    let asked = if asked == "stream" {
        Asked::Stream
    } else {
        Asked::Invoke
    };
    let mut payload: Value = serde_json::from_str(payload)?;
    payload["caller"] = std::process::id().into();
    let outcome = call(&client, asked, name, &payload).await;
    let shown = match outcome {
        Outcome::Whole(payload) => json!({ "whole": String::from_utf8_lossy(&payload) }),
        Outcome::Unproved => return Err("a stream without its last event".into()),
        Outcome::Failed(failed) => json!({
            "failed": failed.text,
            "execution": format!("{:?}", failed.execution),
        }),
    };
    println!("{shown}");
    Ok(())
}

/// Runs a case, and returns how it ended and how often the function ran.
pub async fn observe(case: &Case, death: Death, id: &str) -> Result<(Ended, u32), BoxError> {
    let folder = Folder::create(id)?;
    let serving = Serving::start(folder.path()).await?;
    let name = death.language.name();
    let event = match death.event {
        Event::Kill => "kill",
        Event::Suspend | Event::SuspendInTotal => "suspend",
        Event::Nothing => "nothing",
    };
    let payload = |id: &str, event: &str| {
        json!({
            "only_in_total": death.event == Event::SuspendInTotal,
            "id": id,
            "pieces": pieces(id),
            "event": event,
            "victim": death.victim.name(),
            "phase": death.phase.name(),
            "endpoint": serving.id(),
        })
    };
    let own = client(&serving.url, case.policy, Default::default())?;
    let note = folder.path().join(format!("{id}.suspended"));
    let waking = tokio::spawn(wake(note.clone()));
    let killed = folder.path().join(format!("{id}.killed"));
    if death.phase == Phase::Starting {
        fs::write(
            folder.path().join("starting"),
            payload(id, event).to_string(),
        )?;
    } else {
        // Starts the instance before the measured call.
        let other = client(&serving.url, Policy::Default, Default::default())?;
        let warm = if death.phase == Phase::Idle {
            &own
        } else {
            &other
        };
        let warm = warm
            .invoke(name)
            .payload(payload("warm", "nothing").to_string())
            .timeouts(Timeouts::none().with_total(Duration::from_secs(60)));
        let _ = warm.send().await?.into_result()?;
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
    let outcome = if death.victim == Victim::Caller {
        call_elsewhere(&serving.url, case, name, &payload).await?
    } else {
        call(&own, case.asked, name, &payload).await
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
        None => Ended::Outcome(outcome),
    };
    Ok((ended, folder.executions(id)))
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

/// Calls from a process that can be suspended.
async fn call_elsewhere(
    url: &str,
    case: &Case,
    name: &str,
    payload: &Value,
) -> Result<Outcome, BoxError> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["call", url, case.asked.name(), name, case.policy.name()])
        .arg(payload.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut text = String::new();
    let mut stdout = child.stdout.take().ok_or("no output")?;
    stdout.read_to_string(&mut text).await?;
    if !child.wait().await?.success() {
        return Err(format!("the caller ended without an outcome: {text}").into());
    }
    let shown: Value = serde_json::from_str(&text)?;
    Ok(match shown["whole"].as_str() {
        Some(whole) => Outcome::Whole(Bytes::from(whole.to_owned())),
        None => Outcome::Failed(Failed {
            text: shown["failed"].to_string(),
            execution: execution(shown["execution"].as_str().unwrap_or_default()),
            attempts: None,
            kind: String::new(),
        }),
    })
}

fn execution(text: &str) -> Option<lambda_invoke::Execution> {
    use lambda_invoke::Execution::{NotStarted, Started, Unknown};
    [NotStarted, Unknown, Started]
        .into_iter()
        .find(|execution| format!("{:?}", Some(execution)) == text)
}
