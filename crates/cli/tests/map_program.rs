//! `lambda-invoke map` with a real Python function that has eight instances.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use program::{Serve, calling, fed, text};
use serde_json::Value;

const HANDLER: &str = "\
import os, time
def lambda_handler(event, context):
    time.sleep(0.03)
    return {'n': event['n'], 'process': os.getpid()}
";

#[test]
fn a_python_function_runs_each_payload_once_on_eight_instances() {
    if program::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("map-program");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app.py"), HANDLER).unwrap();
    let handler = folder.join("app.py");
    let serve = Serve::start(&[
        handler.to_str().unwrap(),
        "--concurrency",
        "app=8",
        "--quiet",
    ]);
    let payloads: String = (0..400).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let mut command = calling(&serve.url, &["map", "app", "--json"]);
    let output = fed(command.stdin(Stdio::piped()), payloads.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut processes = BTreeSet::new();
    let mut results = BTreeMap::new();
    for line in text(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["outcome"], "done");
        assert_eq!(line["payload"]["n"], line["index"]);
        processes.insert(line["payload"]["process"].as_u64().unwrap());
        results.insert(line["index"].as_u64().unwrap(), ());
    }
    assert_eq!(results.len(), 400);
    assert_eq!(processes.len(), 8, "{processes:?}");
    let summary: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(summary["summary"]["billed_seconds"].as_f64().unwrap() > 3.0);
    assert!(
        !summary["summary"]["throttles"]
            .as_object()
            .unwrap()
            .is_empty()
    );
    serve.stop();
}
