//! The environments that docs/credentials.md lists, each set up as a program finds it there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use lambda_invoke_credentials::Provider;
use machine::Machine;
use stand_in::{Respond, StandIn, imds, in_an_hour, metadata_keys, sts_keys};

/// Returns the access key ID, the provider and the region that are found on a machine.
async fn found(machine: &Machine) -> (String, Provider, String) {
    let chain = machine.builder().build().unwrap();
    let region = chain.region().await.unwrap().value;
    let identity = chain.identity().await.unwrap();
    let key = identity.credentials().access_key_id().to_owned();
    (key, identity.provider(), region)
}

/// An instance without files and with no variable but the home directory; everything comes from its
/// metadata.
#[tokio::test]
async fn ec2() {
    let imds = imds("ASIAEC2");
    let machine = Machine::new("ec2").set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url);
    let expected = (
        "ASIAEC2".to_owned(),
        Provider::InstanceMetadata,
        "eu-west-3".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
}

/// An ECS task: the agent sets the region and the path of its credentials. The path is relative to
/// the agent's own address, so the full URI stands in for it here.
#[tokio::test]
async fn ecs() {
    let agent = StandIn::start(|_, _| Respond::ok(metadata_keys("ASIAECS")));
    let imds = imds("ASIAEC2");
    let machine = Machine::new("ecs")
        .set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")
        .set("AWS_REGION", "eu-west-1")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url)
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/v2/credentials/0f6f5a5e", agent.url),
        );
    let expected = (
        "ASIAECS".to_owned(),
        Provider::Container,
        "eu-west-1".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
    assert_eq!(agent.lines(), ["GET /v2/credentials/0f6f5a5e"]);
    // The instance that runs the task has other permissions, and is not asked.
    assert!(imds.received().is_empty());
}

/// A pod with an IAM role for its service account.
#[tokio::test]
async fn eks() {
    let sts = StandIn::start(|_, _| Respond::ok(sts_keys("AssumeRoleWithWebIdentity", "ASIAEKS")));
    let machine = Machine::new("eks")
        .no_instance()
        .file("token", "a.b.c")
        .set("AWS_REGION", "eu-west-1")
        .set("AWS_DEFAULT_REGION", "eu-west-1")
        .set("AWS_STS_REGIONAL_ENDPOINTS", "regional")
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod");
    let token = machine.path("token");
    let machine = machine.set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    let expected = (
        "ASIAEKS".to_owned(),
        Provider::WebIdentity,
        "eu-west-1".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
    assert_eq!(sts.received()[0].header("authorization"), None);
}

/// A pod with EKS Pod Identity.
#[tokio::test]
async fn eks_pod_identity() {
    let agent = StandIn::start(|request, _| match request.header("authorization") {
        Some("pod-token") => Respond::ok(metadata_keys("ASIAPOD")),
        _ => Respond::With(403, String::new()),
    });
    let machine = Machine::new("pod")
        .no_instance()
        .file("token", "pod-token")
        .set("AWS_REGION", "eu-west-1")
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/v1/credentials", agent.url),
        );
    let token = machine.path("token");
    let machine = machine.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token);
    let expected = (
        "ASIAPOD".to_owned(),
        Provider::Container,
        "eu-west-1".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
}

/// A Lambda function: credentials and region in the environment, and no home directory.
#[tokio::test]
async fn lambda() {
    use lambda_invoke_credentials::{Chain, Settings, System, Variables};

    let variables = [
        ("AWS_LAMBDA_FUNCTION_NAME", "caller"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "ASIALAMBDA"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("_X_AMZN_TRACE_ID", "Root=1-5759e988"),
    ];
    let system = System::default().with_environment(Variables::of(variables));
    let chain = Chain::builder()
        .settings(Settings::builder().system(system))
        .on_notice(|notice| panic!("{notice}"))
        .build()
        .unwrap();
    let identity = chain.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::Environment);
    assert_eq!(identity.credentials().session_token(), Some("token"));
    assert_eq!(chain.region().await.unwrap().value, "eu-west-1");
    assert_eq!(
        chain.settings().trace_id().as_deref(),
        Some("Root=1-5759e988")
    );
}

/// A laptop whose default profile assumes a role, with IAM Identity Center as the source.
#[tokio::test]
async fn laptop_with_sso() {
    let service = StandIn::start(|request, _| match request.method.as_str() {
        "POST" => Respond::ok(sts_keys("AssumeRole", "ASIADEV")),
        _ => Respond::ok(
            "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s\",\
             \"sessionToken\":\"t\",\"expiration\":4102444800000}}",
        ),
    });
    // The SHA-1 of `corp`.
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, b"corp");
    let name: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let token = format!(
        "{{\"accessToken\":\"t\",\"expiresAt\":\"{}\"}}",
        in_an_hour()
    );
    let machine = Machine::new("laptop")
        .no_instance()
        .set("AWS_ENDPOINT_URL_SSO", &service.url)
        .set("AWS_ENDPOINT_URL_STS", &service.url)
        .file(&format!(".aws/sso/cache/{name}.json"), &token)
        .config(
            "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/dev\n\
             source_profile = sso\n[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\n\
             sso_role_name = Dev\n[sso-session corp]\nsso_region = eu-central-1\n\
             sso_start_url = https://corp.awsapps.com/start\n",
        );
    let expected = (
        "ASIADEV".to_owned(),
        Provider::Profile,
        "eu-west-1".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
}

/// A CI job with a token of its provider.
#[tokio::test]
async fn ci_with_web_identity() {
    let sts = StandIn::start(|_, _| Respond::ok(sts_keys("AssumeRoleWithWebIdentity", "ASIACI")));
    let machine = Machine::new("ci")
        .no_instance()
        .file("token", "a.b.c")
        .set("CI", "true")
        .set("AWS_DEFAULT_REGION", "eu-west-1")
        .set("AWS_ROLE_SESSION_NAME", "build-42")
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy");
    let token = machine.path("token");
    let machine = machine.set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    let expected = (
        "ASIACI".to_owned(),
        Provider::WebIdentity,
        "eu-west-1".to_owned(),
    );
    assert_eq!(found(&machine).await, expected);
    assert!(
        sts.received()[0]
            .body
            .contains("&RoleSessionName=build-42&")
    );
}
