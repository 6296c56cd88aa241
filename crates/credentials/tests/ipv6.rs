//! A machine that reaches the services that issue credentials only by IPv6.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;
mod tools;

use std::net::TcpListener;

use lambda_invoke_credentials::Provider;
use machine::Machine;
use stand_in::{Received, Respond, StandIn, metadata_keys, sts_keys};

/// Starts a stand-in on the loopback address of IPv6; returns `None` on a machine without IPv6.
fn on_ipv6(respond: impl Fn(&Received) -> Respond + Send + Sync + 'static) -> Option<StandIn> {
    if tools::lacks_ipv6() {
        return None;
    }
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let service = StandIn::listening(listener, move |request, _| respond(request));
    assert!(service.url.starts_with("http://[::1]:"), "{}", service.url);
    Some(service)
}

#[tokio::test]
async fn instance_metadata() {
    let Some(service) = on_ipv6(|request| match request.line().as_str() {
        "PUT /latest/api/token" => Respond::ok("imds-token"),
        "GET /latest/meta-data/iam/security-credentials/" => Respond::ok("web-role"),
        _ => Respond::ok(metadata_keys("ASIAINSTANCE")),
    }) else {
        return;
    };
    let machine = Machine::new("ipv6-instance")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url)
        // The endpoint takes precedence over the mode, so no other address is called.
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::InstanceMetadata);
    for request in service.received() {
        assert_eq!(request.header("host"), Some(service.authority()));
    }
}

#[tokio::test]
async fn a_container() {
    let Some(service) = on_ipv6(|_| Respond::ok(metadata_keys("ASIACONTAINER"))) else {
        return;
    };
    let identity = Machine::new("ipv6-container")
        .no_instance()
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/v1", service.url),
        )
        .identity()
        .await
        .unwrap();
    assert_eq!(identity.provider(), Provider::Container);
    assert_eq!(service.lines(), ["GET /v1"]);
    assert_eq!(
        service.received()[0].header("host"),
        Some(service.authority())
    );
}

#[tokio::test]
async fn a_role() {
    let Some(service) = on_ipv6(|_| Respond::ok(sts_keys("AssumeRole", "ASIAROLE"))) else {
        return;
    };
    let machine = Machine::new("ipv6-role")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", &service.url)
        .config(
            "[default]\nregion = eu-west-3\nrole_arn = arn:aws:iam::123456789012:role/x\n\
             source_profile = keys\n[profile keys]\naws_access_key_id = AKIDKEYS\n\
             aws_secret_access_key = s\n",
        );
    assert_eq!(machine.key().await, "ASIAROLE");
    // The signature covers the port and the brackets.
    let request = &service.received()[0];
    assert_eq!(request.header("host"), Some(service.authority()));
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.contains("host;"), "{authorization}");
}
