//! A caller in a process of its own, which can be suspended, and whose clock can be wrong.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_invoke::{BoxError, Execution, Transport};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::caller::{Failed, Ours, Outcome, Reading};
use super::preload::Preloaded;
use crate::chaos::case::{Asked, Policy, Waits};

/// The line that drops the call which is being made.
const DROP: &str = "drop";

/// A caller's process, which is killed when this is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What a caller's process says about a call.
#[derive(Debug)]
pub struct Answer {
    /// `None` if the call was dropped.
    pub outcome: Option<Outcome>,
    /// The time of day that the process saw before and after the call, since the epoch.
    pub saw: [Duration; 2],
}

impl Elsewhere {
    /// Starts the process with this program, `chaos`.
    pub fn start(
        program: &Path,
        url: &str,
        policy: Policy,
        preloaded: Option<&Preloaded>,
    ) -> Result<Self, BoxError> {
        let mut command = Command::new(program);
        command
            .args(["call", url, policy.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Some(preloaded) = preloaded {
            command.envs(preloaded.environment());
        }
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().ok_or("no input")?;
        let stdout = child.stdout.take().ok_or("no output")?;
        Ok(Self {
            child,
            stdin,
            answers: BufReader::new(stdout).lines(),
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Makes a call, and waits for its end.
    pub async fn call(
        &mut self,
        asked: Asked,
        payload: &[u8],
        waits: Waits,
    ) -> Result<Answer, BoxError> {
        self.begin(asked, payload, waits).await?;
        self.answer().await
    }

    /// Begins a call.
    pub async fn begin(
        &mut self,
        asked: Asked,
        payload: &[u8],
        waits: Waits,
    ) -> Result<(), BoxError> {
        let call = json!({
            "asked": asked.name(),
            "payload": String::from_utf8_lossy(payload),
            "waits": format!("{waits:?}"),
        });
        self.write(&call.to_string()).await
    }

    /// Drops the call.
    pub async fn drop_call(&mut self) -> Result<Answer, BoxError> {
        self.write(DROP).await?;
        self.answer().await
    }

    async fn write(&mut self, line: &str) -> Result<(), BoxError> {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.stdin.flush().await?)
    }

    async fn answer(&mut self) -> Result<Answer, BoxError> {
        let line = self.answers.next_line().await?;
        let line = line.ok_or("the caller ended without an outcome")?;
        let shown: Value = serde_json::from_str(&line)?;
        let saw = |when: &str| Duration::from_millis(shown[when].as_u64().unwrap_or_default());
        let whole = shown["whole"].as_str().map(str::to_owned);
        let outcome = match (whole, shown["failed"].as_str()) {
            (Some(whole), _) => Some(Outcome::Whole(whole.into())),
            (None, Some(text)) => Some(Outcome::Failed(Failed {
                text: text.to_owned(),
                execution: [
                    Execution::NotStarted,
                    Execution::Unknown,
                    Execution::Started,
                ]
                .into_iter()
                .find(|execution| format!("{:?}", Some(execution)) == shown["execution"]),
                attempts: shown["attempts"].as_u64().map(|count| count as u32),
                kind: shown["kind"].as_str().unwrap_or_default().to_owned(),
            })),
            (None, None) => None,
        };
        Ok(Answer {
            outcome,
            saw: [saw("began"), saw("ended")],
        })
    }
}

/// Makes the calls that standard input names, and prints their outcomes, one a line. This runs in the
/// caller's process.
pub async fn answer(arguments: &[String]) -> Result<(), BoxError> {
    let [url, policy] = arguments else {
        return Err("call URL POLICY".into());
    };
    let policy = Policy::ALL.into_iter().find(|known| known.name() == policy);
    let policy = policy.ok_or("no such policy")?;
    let ours = Ours::new(
        url,
        policy,
        Transport::new(),
        Reading::Collect,
        Waits::Never,
    )?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let call: Value = serde_json::from_str(&line)?;
        let asked = Asked::OPERATIONS
            .into_iter()
            .find(|asked| asked.name() == call["asked"]);
        let asked = asked.ok_or("no such operation")?;
        let waits = Waits::ALL
            .into_iter()
            .find(|waits| format!("{waits:?}") == call["waits"]);
        let waits = waits.ok_or("no such timeouts")?;
        let payload = Bytes::from(call["payload"].as_str().unwrap_or_default().to_owned());
        let began = now();
        let mut shown = tokio::select! {
            outcome = ours.waiting(asked, payload, waits) => show(outcome)?,
            dropped = lines.next_line() => match dropped?.as_deref() {
                Some(DROP) => json!({}),
                _ => return Err("expected the end of the call".into()),
            },
        };
        shown["began"] = began.into();
        shown["ended"] = now().into();
        println!("{shown}");
    }
    Ok(())
}

fn show(outcome: Outcome) -> Result<Value, BoxError> {
    Ok(match outcome {
        Outcome::Whole(payload) => json!({ "whole": String::from_utf8_lossy(&payload) }),
        Outcome::Unproved => return Err("a stream without its last event".into()),
        Outcome::Failed(failed) => json!({
            "failed": failed.text,
            "execution": format!("{:?}", failed.execution),
            "attempts": failed.attempts,
            "kind": failed.kind,
        }),
    })
}

/// The time of day in milliseconds.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}
