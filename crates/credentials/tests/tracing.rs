//! What a fetch reports to `tracing`: its span, its events, and what must never be in them.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../lambda-invoke/tests/support/log.rs"]
mod log;
mod machine;
mod stand_in;

use lambda_invoke_credentials::Chain;
use log::{Log, contains};
use machine::Machine;
use stand_in::{Respond, StandIn, imds, sts_keys};

const ROLE: &str = "role_arn = arn:aws:iam::123456789012:role/TheRole\n";

fn chain_of(machine: &Machine) -> Chain {
    machine.builder().build().unwrap()
}

#[tokio::test]
async fn a_fetch_is_a_span_with_an_event_for_each_provider_and_request() {
    let service = imds("ASIAINSTANCE");
    let machine = Machine::new("trace").set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url);
    let chain = chain_of(&machine);
    let log = Log::default();
    log.record(chain.identity()).await.unwrap();
    let lines = log.lines();
    assert_eq!(
        lines[0], "OPEN lambda_invoke_credentials fetch_credentials",
        "{lines:#?}"
    );
    let skipped = log.events("provider skipped");
    for (line, name) in skipped
        .iter()
        .zip(["environment", "profile", "web identity", "container"])
    {
        assert!(line.starts_with("DEBUG lambda_invoke_credentials [fetch_credentials]"));
        assert!(line.ends_with(&format!("provider={name}")), "{line}");
    }
    assert_eq!(skipped.len(), 4);
    let responses = log.events("response received");
    assert_eq!(responses.len(), 3);
    contains(&responses, &[&service.url, "attempt=1", "status=200"]);
    contains(
        &log.events("credentials found"),
        &[
            "provider=instance metadata",
            "access_key_id=\"ASIAINSTANCE\"",
            "expiry=2",
        ],
    );
    contains(&lines, &["CLOSE"]);
    // Cached credentials are not fetched again.
    log.record(chain.identity()).await.unwrap();
    assert_eq!(log.lines().len(), lines.len());
}

/// Every provider that sends or runs something, with marked secrets in every place that can hold
/// one.
#[tokio::test]
async fn nothing_secret_is_in_any_span_or_event() {
    const SECRETS: [&str; 9] = [
        "secret-of-",
        "token-of-",
        "imds-token",
        "TheRawToken",
        "TheWebToken",
        "TheOutput",
        "TheMessage",
        "TheRole",
        "Signature=",
    ];
    let service = imds("ASIAINSTANCE");
    let sts = StandIn::start(|_, _| Respond::ok(sts_keys("AssumeRole", "ASIAROLE")));
    let rejecting = StandIn::start(|_, _| {
        let error = "<ErrorResponse><Error><Code>TheMessage</Code><Message>TheMessage</Message>\
                     </Error></ErrorResponse>";
        Respond::With(403, error.to_owned())
    });
    let container = StandIn::start(|request, _| {
        assert_eq!(request.header("authorization"), Some("TheRawToken"));
        Respond::ok(stand_in::metadata_keys("ASIACONTAINER"))
    });
    let role =
        format!("[default]\nregion = eu-west-3\n{ROLE}credential_source = Ec2InstanceMetadata\n");
    let on_instance = |name: &str, sts: &StandIn| {
        Machine::new(name)
            .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url)
            .set("AWS_ENDPOINT_URL_STS", &sts.url)
    };
    let web = on_instance("trace-web", &rejecting).file("token", "TheWebToken");
    let token = web.path("token");
    let machines = [
        on_instance("trace-role", &sts).config(&role),
        on_instance("trace-rejected", &rejecting).config(&role),
        web.set("AWS_WEB_IDENTITY_TOKEN_FILE", token)
            .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/TheRole")
            .set("AWS_REGION", "eu-west-3"),
        Machine::new("trace-container")
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.url)
            .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "TheRawToken"),
        Machine::new("trace-process").config("[default]\ncredential_process = echo TheOutput\n"),
    ];
    let log = Log::default();
    let mut found = 0;
    for machine in &machines {
        let identity = log
            .record(async { chain_of(machine).identity().await })
            .await;
        found += usize::from(identity.is_ok());
    }
    assert_eq!(found, 2);
    assert_eq!(log.events("credentials found").len(), 2);
    assert_eq!(log.events("no credentials").len(), 3);
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("ASIAROLE")));
    for line in &lines {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}
