//! AWS's recorded scenarios: a machine's variables and files, the exchanges with the services, and
//! the credentials that result.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../src/official.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is the root of another crate")]
mod official;

mod replay;

use std::path::Path;

use lambda_invoke_credentials::{Chain, Error, Identity, Settings, System, Variables};
use official::{json, suite};
use replay::{FixedClock, Replay, Rooted};
use serde_json::Value;

const DATA: &str = "profile/smithy-rs/aws-config/test-data";

fn run(chain: &Chain) -> Result<Identity, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(chain.identity())
}

/// What the scenarios test.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Chain,
    /// A single profile: the environment is not searched for credentials.
    Profile,
}

/// Sets up the machine of a scenario, and fetches its credentials.
fn fetch(folder: &Path, replay: &Replay, now: u64, kind: Kind) -> Result<Identity, Error> {
    let environment = json(&folder.join("env.json"));
    let variables = environment.as_object().unwrap().iter();
    let variables =
        variables.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let system = System::default()
        .with_environment(Variables::of(variables))
        .with_files(Rooted(folder.join("fs")))
        .with_http(replay.clone())
        .with_metadata_http(replay.clone())
        .with_clock(FixedClock(now));
    let mut settings = Settings::builder().system(system);
    if kind == Kind::Profile {
        let name = environment["AWS_PROFILE"].as_str().unwrap_or("default");
        settings = settings.profile(name);
    }
    let chain = Chain::builder().settings(settings).build()?;
    run(&chain)
}

/// Runs the scenarios of a folder.
fn scenarios(folder: &Path, kind: Kind) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let expected = &json(&folder.join("test-case.json"))["result"];
        let replay = Replay::of(&json(&folder.join("http-traffic.json")));
        // The recordings are years old, and the credentials in them have long expired.
        let expiry = expected["Ok"]["expiry"].as_u64();
        let now = match name.as_str() {
            // The container's credentials expire earlier than the role's, and a role is not assumed
            // with expired ones.
            "ecs_assume_role" => 1_234_567_890 - 1800,
            _ => expiry.map_or(1_600_000_000, |expiry| expiry - 1800),
        };
        let found = fetch(&folder, &replay, now, kind);
        match (&expected["Ok"], found) {
            (Value::Null, Err(_)) => {
                assert!(expected["ErrorContains"].is_string(), "{name}: {expected}");
            }
            (Value::Null, Ok(identity)) => panic!("{name}: {identity:?}, expected {expected}"),
            (expected, Err(error)) => panic!("{name}: {error:?}, expected {expected}"),
            (expected, Ok(identity)) => {
                let credentials = identity.credentials();
                let text = |member: &str| expected[member].as_str();
                assert_eq!(
                    text("access_key_id"),
                    Some(credentials.access_key_id()),
                    "{name}"
                );
                assert_eq!(
                    text("secret_access_key"),
                    Some(credentials.secret_access_key()),
                    "{name}"
                );
                assert_eq!(text("session_token"), credentials.session_token(), "{name}");
                let found = credentials.expiry().map(|expiry| expiry.as_secs());
                assert_eq!(expiry, found, "{name}");
                replay.assert_used_up(&name);
            }
        }
        count += 1;
    }
    count
}

#[test]
fn official_scenarios_of_the_chain() {
    suite("credentials/default-chain", |folder| {
        scenarios(
            &folder.join(DATA).join("default-credential-provider-chain"),
            Kind::Chain,
        )
    });
}

#[test]
fn official_scenarios_of_profiles() {
    suite("credentials/profile-provider", |folder| {
        scenarios(&folder.join(DATA).join("profile-provider"), Kind::Profile)
    });
}

/// The token scenarios are for services that accept a sign-on's token itself. Lambda does not: a
/// profile without an account has no credentials, and the error says so.
#[test]
fn official_scenarios_of_tokens_have_no_credentials() {
    suite("credentials/default-token-chain", |folder| {
        let folder = folder.join(DATA).join("default-token-provider-chain");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let folder = entry.unwrap().path();
            let replay = Replay::of(&json(&folder.join("http-traffic.json")));
            let error = fetch(&folder, &replay, 1_600_000_000, Kind::Chain).unwrap_err();
            let said = error.to_string();
            assert!(
                said.contains("sso_account_id and sso_role_name"),
                "{folder:?}: {said}"
            );
            count += 1;
        }
        count
    });
}
