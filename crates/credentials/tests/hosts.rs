//! The host at which each service is called: it follows from the region in the service's own
//! setting, and the suffix of that region's partition.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use lambda_invoke_credentials::{HttpClient, HttpFuture};
use machine::Machine;

const LOGIN: &str = "arn:aws:sts::012345678910:assumed-role/Admin/admin";
const LOGIN_FILE: &str =
    ".aws/login/cache/4b0ba8f99f075c0633e122fd73346ce203a3faf18ea0310eb2d29df1bab2e255.json";

/// Records the hosts of requests, and responds to none.
#[derive(Clone, Debug, Default)]
struct Hosts(Arc<Mutex<Vec<String>>>);

impl HttpClient for Hosts {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(host);
        Box::pin(async { Err("no network".into()) })
    }
}

/// Returns the only host that a machine calls for its credentials.
async fn host_of(machine: Machine) -> String {
    let hosts = Hosts::default();
    let system = machine.system().with_http(hosts.clone());
    let chain = machine.builder_of(system).build().unwrap();
    chain.identity().await.unwrap_err();
    let mut hosts = hosts.0.lock().unwrap().clone();
    hosts.dedup();
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    hosts.remove(0)
}

fn machine(name: &str, config: &str) -> Machine {
    // The default profile has a different region, in a different partition.
    let config = format!("[default]\nregion = us-iso-east-1\n[profile app]\n{config}");
    Machine::new(name)
        .no_instance()
        .config(&config)
        .profile("app")
}

#[tokio::test]
async fn each_service_is_called_in_the_region_of_its_own_setting() {
    let keys = "aws_access_key_id = AKID\naws_secret_access_key = secret\n";
    for (name, region, host) in [
        ("host-sts", "eu-west-3", "sts.eu-west-3.amazonaws.com"),
        (
            "host-sts-cn",
            "cn-north-1",
            "sts.cn-north-1.amazonaws.com.cn",
        ),
    ] {
        let config = format!(
            "region = {region}\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = app\n\
             {keys}"
        );
        assert_eq!(host_of(machine(name, &config)).await, host);
    }

    for (name, region, host) in [
        (
            "host-sso",
            "eu-west-3",
            "portal.sso.eu-west-3.amazonaws.com",
        ),
        (
            "host-sso-cn",
            "cn-north-1",
            "portal.sso.cn-north-1.amazonaws.com.cn",
        ),
    ] {
        // The region of Lambda calls differs from that of the sign-on.
        let config = format!(
            "region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n\
             sso_region = {region}\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
        );
        let token = "{\"accessToken\":\"t\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}";
        let digest = ring::digest::digest(
            &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            b"https://example.awsapps.com/start",
        );
        let digest: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let machine = machine(name, &config).file(&format!(".aws/sso/cache/{digest}.json"), token);
        assert_eq!(host_of(machine).await, host);
    }

    for (name, region, host) in [
        ("host-login", "eu-west-3", "eu-west-3.signin.aws.amazon.com"),
        (
            "host-login-cn",
            "cn-north-1",
            "cn-north-1.signin.amazonaws.cn",
        ),
    ] {
        let config = format!("region = {region}\nlogin_session = {LOGIN}\n");
        let file = serde_json::json!({
            "accessToken": { "accessKeyId": "ASIAOLD", "secretAccessKey": "old", "sessionToken": "old",
                "accountId": "012345678910", "expiresAt": "2020-01-01T00:00:00Z" },
            "clientId": "c", "refreshToken": "r",
            "dpopKey": "-----BEGIN EC PRIVATE KEY-----\n\
                MHcCAQEEIPt/u8InPLpQeQLJTvVX+sNDzni8vMDMt3Liu+nMBigfoAoGCCqGSM49\n\
                AwEHoUQDQgAEILkGG7rNOnxiIJlMgimY1UPP8eDMFP0DAY6WGjngP4bvTAiUCQ/I\n\
                ffut2379uP+OBCm2ovGpBOJRgrl1RspUOQ==\n-----END EC PRIVATE KEY-----\n",
        });
        let machine = machine(name, &config).file(LOGIN_FILE, &file.to_string());
        assert_eq!(host_of(machine).await, host);
    }
}
