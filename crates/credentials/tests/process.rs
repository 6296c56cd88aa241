//! `credential_process`: real programs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use std::os::unix::fs::PermissionsExt as _;

use machine::Machine;
use stand_in::{at, in_an_hour};

/// A machine with a program in a folder with spaces in its name.
fn machine(name: &str, script: &str) -> Machine {
    let machine = Machine::new(name)
        .no_instance()
        .file("my tools/text", &format!("#!/bin/sh\n{script}\n"));
    let program = machine.path("my tools/cr'eds");
    // Written by another process: while this one has it open for writing, a child that another test
    // forks would keep it from being run.
    let copied = std::process::Command::new("cp")
        .args([&machine.path("my tools/text"), &program])
        .status();
    assert!(copied.unwrap().success());
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    machine
        .config(&format!(
            "[profile p]\nregion = r\ncredential_process = \"{program}\" --name 'a b' \"#x\" '$HOME'\n"
        ))
        .profile("p")
}

fn prints(json: &str) -> String {
    format!("echo run >> \"$(dirname \"$0\")/runs\"\nprintf '%s' '{json}'")
}

fn runs(machine: &Machine) -> usize {
    let runs = std::fs::read_to_string(machine.home.join("my tools/runs"));
    runs.unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_quoted_path_and_arguments_reach_the_program_without_a_shell() {
    let script = "[ \"$#|$1|$2|$3|$4\" = '4|--name|a b|#x|$HOME' ] || exit 9\n".to_owned()
        + &prints(&format!(
            "{{\"Version\":1,\"AccessKeyId\":\"ASIAP\",\"SecretAccessKey\":\"s\",\
             \"SessionToken\":\"t\",\"Expiration\":\"{}\"}}",
            in_an_hour()
        ));
    let machine = machine("process", &script);
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.credentials().access_key_id(), "ASIAP");
    assert_eq!(identity.credentials().session_token(), Some("t"));
    assert!(identity.credentials().expiry().is_some());
    assert!(identity.how().contains("cr'eds"), "{}", identity.how());
}

#[tokio::test]
async fn it_runs_once_for_all_clones_of_a_chain() {
    let json = "{\"Version\":1,\"AccessKeyId\":\"AKIDP\",\"SecretAccessKey\":\"s\"}";
    let machine = machine("process-once", &prints(json));
    let chain = machine.builder().build().unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let chain = chain.clone();
            tokio::spawn(async move { chain.identity().await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().credentials().access_key_id(), "AKIDP");
    }
    assert_eq!(runs(&machine), 1);
}

#[tokio::test]
async fn a_failure_says_why_and_never_shows_the_output() {
    let expired = format!(
        "{{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"{}\"}}",
        at(-60)
    );
    let long = "yes hunter2 | head -c 2000000".to_owned();
    for (name, script, what) in [
        (
            "fails",
            "echo hunter2; exit 3".to_owned(),
            "failed with exit status: 3",
        ),
        (
            "killed",
            "echo hunter2; kill -9 $$".to_owned(),
            "failed with signal: 9",
        ),
        ("text", "echo hunter2".to_owned(), "is not the JSON object"),
        ("nothing", "true".to_owned(), "is not the JSON object"),
        (
            "version",
            prints("{\"Version\":2,\"AccessKeyId\":\"hunter2\"}"),
            "a Version other than 1",
        ),
        (
            "no-version",
            prints("{\"AccessKeyId\":\"hunter2\"}"),
            "has no member Version",
        ),
        (
            "half",
            prints("{\"Version\":1,\"AccessKeyId\":\"hunter2\"}"),
            "no secret access key",
        ),
        (
            "line",
            prints("{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\\n\"}"),
            "invalid byte at offset 7",
        ),
        (
            "when",
            prints(
                "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":5}",
            ),
            "an Expiration that is not",
        ),
        (
            "token",
            prints(
                "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"SessionToken\":7}",
            ),
            "SessionToken is not a string",
        ),
        ("expired", prints(&expired), "expired at"),
        ("long", long, "more than"),
    ] {
        let machine = machine(&format!("process-{name}"), &script);
        let said = machine.error().await;
        assert!(said.contains(what), "{name}: {said}");
        assert!(!said.contains("hunter2"), "{name}: {said}");
    }
    let machine = Machine::new("process-missing")
        .no_instance()
        .config("[profile p]\ncredential_process = /no/such/program --secret hunter2\n")
        .profile("p");
    let said = machine.error().await;
    assert!(
        said.contains("/no/such/program") && said.contains("could not be run"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn variables_before_the_program_are_set_and_not_shown() {
    let json = "{\"Version\":1,\"AccessKeyId\":\"AKID%s\",\"SecretAccessKey\":\"s\"}";
    let machine = machine("process-variables", &format!("printf '{json}' \"$WHO\""));
    let program = machine.path("my tools/cr'eds");
    let config = format!("[profile p]\ncredential_process = PIN=hunter2 WHO=X \"{program}\"\n");
    let machine = machine.config(&config);
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.credentials().access_key_id(), "AKIDX");
    assert!(identity.how().contains("cr'eds"), "{}", identity.how());
    assert!(!identity.how().contains("hunter2"), "{}", identity.how());
    let mut machine = machine;
    for (command, shown) in [
        ("PIN=hunter2 false | false", "(false)"),
        ("(PIN=hunter2 false)", "(a shell command)"),
        ("PIN=$(echo hunter2) false", "(a shell command)"),
    ] {
        machine = machine.config(&format!("[profile p]\ncredential_process = {command}\n"));
        let said = machine.error().await;
        assert!(said.contains(shown) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_helper_left_in_the_background_does_not_hold_the_call() {
    let json = "{\"Version\":1,\"AccessKeyId\":\"AKIDP\",\"SecretAccessKey\":\"s\"}";
    let script = format!("{}\nsleep 30 >/dev/null &", prints(json));
    assert_eq!(machine("process-background", &script).key().await, "AKIDP");
    let start = std::time::Instant::now();
    let holding = format!("{}\nsleep 30 &", prints(json));
    let said = machine("process-holding", &holding).error().await;
    assert!(said.contains("left a program running"), "{said}");
    assert!(start.elapsed().as_secs() < 15, "{:?}", start.elapsed());
}
