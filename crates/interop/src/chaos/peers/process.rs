//! A client in a process of its own: it reads calls from its standard input and writes outcomes to
//! its standard output, one JSON object per line.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lambda_invoke::BoxError;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use crate::chaos::case::Asked;
use crate::chaos::run::caller::{Failed, Outcome};
use crate::chaos::run::site::function;

type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// Where a call goes, and the authority that signs the server's certificate if the call uses TLS.
pub(super) struct Address {
    pub(super) url: String,
    /// The certificate of the authority, as PEM.
    pub(super) ca: Option<String>,
}

pub(super) struct Process {
    stdin: tokio::sync::Mutex<ChildStdin>,
    pending: Pending,
    next: AtomicU64,
    _child: Child,
}

impl Process {
    pub(super) fn start(mut command: Command) -> Result<Self, BoxError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{:?}: {error}", command.as_std().get_program()))?;
        let stdin = child.stdin.take().ok_or("no input")?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let pending = Pending::default();
        let waiting = Arc::clone(&pending);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let Ok(outcome) = serde_json::from_str::<Value>(&line) else {
                    eprintln!("not an outcome: {line}");
                    continue;
                };
                let number = outcome["number"].as_u64().unwrap_or_default();
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(waiting) = waiting.remove(&number) {
                    let _ = waiting.send(outcome);
                }
            }
            waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        });
        Ok(Self {
            stdin: tokio::sync::Mutex::new(stdin),
            pending,
            next: AtomicU64::new(1),
            _child: child,
        })
    }

    pub(super) async fn call(&self, to: &Address, asked: Asked, payload: Bytes) -> Outcome {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, outcome) = oneshot::channel();
        let pending = self.pending.lock();
        pending
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, tell);
        let line = json!({
            "number": number,
            "url": to.url,
            "ca": to.ca,
            "function": function(asked),
            "stream": asked.is_stream(),
            "payload": String::from_utf8_lossy(&payload),
        });
        let written = async {
            let mut stdin = self.stdin.lock().await;
            stdin.write_all(format!("{line}\n").as_bytes()).await?;
            stdin.flush().await
        };
        let failed = |text: String| {
            Outcome::Failed(Failed {
                text,
                execution: None,
                attempts: None,
                kind: String::new(),
            })
        };
        if let Err(error) = written.await {
            return failed(error.to_string());
        }
        let Ok(outcome) = outcome.await else {
            return failed("the client's process has ended".to_owned());
        };
        match (outcome["error"].as_str(), outcome["failed"].as_str()) {
            (Some(text), _) | (None, Some(text)) => failed(text.to_owned()),
            // The loop over the stream has ended, as if the stream were complete.
            (None, None) if outcome["complete"] != true => Outcome::Unproved,
            (None, None) => {
                // Each character of the text stands for one byte.
                let text = outcome["payload"].as_str().unwrap_or_default();
                let bytes: Vec<u8> = text.chars().map(|character| character as u8).collect();
                Outcome::Whole(bytes.into())
            }
        }
    }
}
