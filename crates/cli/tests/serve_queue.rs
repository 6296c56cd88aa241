//! `lambda-invoke serve` with more calls than instances: as configured, they wait or get a 429.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod program;

use std::path::{Path, PathBuf};

use lambda_invoke::{Client, Error};
use program::{Serve, program as lambda_invoke};
use tokio::task::JoinSet;

/// Returns its process ID once the file `go` exists.
const APP: &str = "\
import os, time
def handler(event, context):
    while not os.path.exists('go'):
        time.sleep(0.01)
    return os.getpid()
";

const CONFIG: &str = "
    [defaults]
    queue = 7
    [functions.app]
    source = 'app.py'
    concurrency = 1
    queue = 2
";

/// Creates a folder with the function and its configuration.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("queues")
        .join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app.py"), APP).unwrap();
    std::fs::write(folder.join("lambda.toml"), CONFIG).unwrap();
    folder
}

fn serve(folder: &Path, arguments: &[&str]) -> Serve {
    let mut command = lambda_invoke();
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(folder);
    Serve::of(command)
}

async fn call(client: Client) -> Result<String, Error> {
    let reply = client.invoke("app").payload("{}").send().await?;
    Ok(String::from_utf8_lossy(reply.payload()).into_owned())
}

/// Makes five concurrent calls: `accepted` of them get the result of one of at most this many instances,
/// and the others get a 429 immediately.
async fn five_at_once(test: &str, arguments: &[&str], accepted: usize, instances: usize) {
    let folder = folder(test);
    let serve = serve(&folder, arguments);
    let mut calls = JoinSet::new();
    for _ in 0..5 {
        calls.spawn(call(serve.client()));
    }
    for _ in accepted..5 {
        let error = calls.join_next().await.unwrap().unwrap().unwrap_err();
        assert!(error.is_throttled(), "{error}");
    }
    std::fs::write(folder.join("go"), "").unwrap();
    let mut processes = Vec::new();
    while let Some(ended) = calls.join_next().await {
        processes.push(ended.unwrap().unwrap());
    }
    assert_eq!(processes.len(), accepted);
    // An instance that has responded may take the call for which another one is still starting.
    processes.sort_unstable();
    processes.dedup();
    assert!(processes.len() <= instances, "{processes:?}");
}

#[tokio::test]
async fn excess_calls_wait_or_are_rejected_as_configured() {
    if program::tools::lacks(&["python3"]) {
        return;
    }
    let config = ["--config", "lambda.toml"];
    five_at_once("config", &config, 3, 1).await;
    // The option overrides the file, even with 0.
    five_at_once("option", &[&config[..], &["--queue", "1"]].concat(), 2, 1).await;
    five_at_once("none", &[&config[..], &["--queue", "0"]].concat(), 1, 1).await;
    // Without a configuration file, and with the number of instances from an option.
    let own = ["app.py", "--concurrency", "app=1"];
    five_at_once("own", &own, 1, 1).await;
    five_at_once("queued", &[&own[..], &["--queue", "3"]].concat(), 4, 1).await;
    // A limit for all, which that of a function overrides, wherever it stands.
    five_at_once("all", &["app.py", "--concurrency", "2"], 2, 2).await;
    let both = ["app.py", "--concurrency", "app=1", "--concurrency", "3"];
    five_at_once("both", &both, 1, 1).await;
}

#[test]
fn the_banner_says_how_many_calls_may_wait() {
    let folder = folder("banner");
    let stderr = serve(&folder, &["--config", "lambda.toml"]).stop().stderr;
    assert!(stderr.contains("1 instance, 2 calls may wait"), "{stderr}");
}

#[test]
fn the_banner_and_the_printed_configuration_have_the_concurrency_of_the_option() {
    let folder = folder("option-shown");
    let option = ["app.py", "--concurrency", "app=3"];
    let stderr = serve(&folder, &option).stop().stderr;
    assert!(stderr.contains(", 3 instances"), "{stderr}");
    let print = |option: &str| {
        let mut command = program::program();
        command.current_dir(&folder).args([
            "serve",
            "--print-config",
            "app.py",
            "--concurrency",
            option,
        ]);
        command.output().unwrap()
    };
    for option in ["app=3", "3"] {
        let printed = print(option);
        let printed = program::text(&printed.stdout);
        assert!(printed.contains("\nconcurrency = 3\n"), "{printed}");
    }
    let zero = print("app=0");
    assert_eq!(zero.status.code(), Some(2));
    let stderr = program::text(&zero.stderr);
    assert!(
        stderr.contains("--concurrency app=0: a lambda.toml can set 1 to 1000"),
        "{stderr}"
    );
}
