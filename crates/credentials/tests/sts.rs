//! Roles: the requests to STS byte by byte, and the credentials that sign each of them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use http::Request;
use lambda_invoke_credentials::{Credentials, ErrorKind, Provider};
use lambda_invoke_sigv4::{PayloadHash, Timestamp, Verifier};
use machine::Machine;
use stand_in::{Received, Respond, StandIn, at, sts_keys};

const ROLE: &str = "arn:aws:iam::123456789012:role/My+Role";
const KEYS: &str = "aws_access_key_id = AKIDBASE\naws_secret_access_key = base-secret\n";

fn sts() -> StandIn {
    StandIn::start(|request, _| {
        let role = request
            .body
            .split('&')
            .find(|part| part.starts_with("RoleArn="))
            .unwrap();
        let action = request
            .body
            .split('&')
            .next()
            .unwrap()
            .strip_prefix("Action=")
            .unwrap();
        Respond::ok(sts_keys(action, &format!("ASIA{}", role.len())))
    })
}

/// Verifies the signature as STS does, with the credentials that must have made it.
fn verify(request: &Received, credentials: &Credentials, region: &str) {
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(&request.target);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let http = builder.body(()).unwrap();
    let now = Timestamp::saturating_from(std::time::SystemTime::now());
    Verifier::new(region, "sts")
        .unwrap()
        .verify(&http, &PayloadHash::of(&request.body), credentials, now)
        .unwrap();
}

fn session_name(request: &Received) -> String {
    let part = request
        .body
        .split('&')
        .find(|part| part.starts_with("RoleSessionName="));
    part.unwrap()["RoleSessionName=".len()..].to_owned()
}

#[tokio::test]
async fn a_role_is_assumed_with_the_credentials_of_its_source_profile() {
    let sts = sts();
    let machine = Machine::new("role")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .config(&format!(
            "[default]\nregion = us-west-2\n[profile app]\nregion = eu-west-3\nrole_arn = {ROLE}\n\
             source_profile = base\nexternal_id = a b/c\nduration_seconds = 7200\n\
             role_session_name = me@work\n[profile base]\n{KEYS}region = us-east-1\n"
        ))
        .profile("app");
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::Profile);
    let credentials = identity.credentials();
    let id = credentials.access_key_id();
    assert!(id.starts_with("ASIA"), "{id}");
    assert_eq!(
        credentials.session_token(),
        Some(format!("token-of-{id}").as_str())
    );
    assert!(credentials.expiry().is_some());
    assert!(identity.how().contains(ROLE) && identity.how().contains("profile 'base'"));
    let [request] = &sts.received()[..] else {
        panic!("{:?}", sts.lines());
    };
    assert_eq!(request.line(), "POST /");
    assert_eq!(
        request.body,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F\
         My%2BRole&RoleSessionName=me%40work&DurationSeconds=7200&ExternalId=a%20b%2Fc"
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.header("host"), Some(sts.authority()));
    assert_eq!(
        request.names(),
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-amz-date"
        ]
    );
    // The region is that of the selected profile, not that of the default or the source profile.
    let base = Credentials::new("AKIDBASE", "base-secret").unwrap();
    verify(request, &base, "eu-west-3");
}

#[tokio::test]
async fn chained_roles_are_each_signed_with_the_credentials_of_the_one_before() {
    let sts =
        StandIn::start(|_, before| Respond::ok(sts_keys("AssumeRole", &format!("ASIA{before}"))));
    let machine = Machine::new("chained")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", format!("{}/prefix/", sts.url))
        .set("AWS_REGION", "eu-west-3")
        .config(&format!(
            "[profile a]\nrole_arn = {ROLE}A\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}B\n\
             source_profile = c\n[profile c]\n{KEYS}"
        ))
        .profile("a");
    assert_eq!(machine.key().await, "ASIA1");
    let received = sts.received();
    assert_eq!(sts.lines(), ["POST /prefix/", "POST /prefix/"]);
    assert!(received[0].body.contains("RoleB&") && received[1].body.contains("RoleA&"));
    let base = Credentials::new("AKIDBASE", "base-secret").unwrap();
    verify(&received[0], &base, "eu-west-3");
    let first = Credentials::new("ASIA0", "secret-of-ASIA0").unwrap();
    verify(
        &received[1],
        &first.with_session_token("token-of-ASIA0").unwrap(),
        "eu-west-3",
    );
    assert_eq!(
        received[1].header("x-amz-security-token"),
        Some("token-of-ASIA0")
    );
    // A generated name that STS accepts.
    let name = session_name(&received[0]);
    assert!(
        name.starts_with("lambda-invoke-") && name.len() <= 64,
        "{name}"
    );
    assert!(
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
        "{name}"
    );
}

#[tokio::test]
async fn a_web_identity_is_sent_unsigned_even_where_there_are_credentials() {
    let sts = sts();
    let token = "eyJhbGciOi.eyJzdWIi.c2ln";
    let machine = Machine::new("web-identity")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .set("AWS_ACCESS_KEY_ID", "AKIDOTHER")
        .set("AWS_SECRET_ACCESS_KEY", "other")
        .set("AWS_SESSION_TOKEN", "other-token")
        .file("token", &format!("{token}\n"))
        .profile("web");
    let file = machine.path("token");
    let machine = machine.config(&format!(
        "[profile web]\nregion = eu-west-3\nrole_arn = {ROLE}\nrole_session_name = ci\n\
         web_identity_token_file = {file}\n"
    ));
    assert!(machine.key().await.starts_with("ASIA"));
    let [request] = &sts.received()[..] else {
        panic!("{:?}", sts.lines());
    };
    assert_eq!(
        request.body,
        format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A\
             123456789012%3Arole%2FMy%2BRole&RoleSessionName=ci&WebIdentityToken={token}"
        )
    );
    assert_eq!(
        request.names(),
        ["content-length", "content-type", "host", "user-agent"]
    );
    assert!(!request.raw.contains("other"), "{}", request.raw);
}

#[tokio::test]
async fn expired_credentials_are_not_used_to_assume_a_role() {
    let sts = sts();
    let keys = |key: &str| {
        format!(
            "{{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"{key}\",\
             \"SecretAccessKey\":\"hunter2\",\"Token\":\"t\",\"Expiration\":\"{}\"}}",
            at(-60)
        )
    };
    let service = keys("ASIAOLD");
    let service = StandIn::start(move |request, _| match request.method.as_str() {
        "PUT" => Respond::ok("token"),
        _ if request.target.ends_with("/security-credentials/") => Respond::ok("role"),
        _ => Respond::ok(service.clone()),
    });
    let process = format!(
        "source_profile = b\n[profile b]\ncredential_process = echo '{}'\n",
        keys("AKIDOLD")
    );
    for (name, source) in [
        ("expired-process", process.as_str()),
        ("expired-container", "credential_source = EcsContainer\n"),
        (
            "expired-instance",
            "credential_source = Ec2InstanceMetadata\n",
        ),
    ] {
        let machine = Machine::new(name)
            .set("AWS_ENDPOINT_URL_STS", &sts.url)
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &service.url)
            .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url)
            .config(&format!(
                "[profile a]\nregion = eu-west-3\nrole_arn = {ROLE}\n{source}"
            ))
            .profile("a");
        let error = machine.identity().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Expired, "{name}: {error}");
        let said = machine.error().await;
        assert!(said.contains("the clock of this machine says"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // Expired credentials of a role are not used to assume the next role in the chain, either.
    let expired = StandIn::start(|_, _| {
        let keys = sts_keys("AssumeRole", "ASIAOLD");
        let (head, rest) = keys.split_once("<Expiration>").unwrap();
        let (_, tail) = rest.split_once('<').unwrap();
        Respond::ok(format!("{head}<Expiration>2020-01-01T00:00:00Z<{tail}"))
    });
    let machine = Machine::new("expired-role")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", &expired.url)
        .config(&format!(
            "[profile a]\nregion = eu-west-3\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\n\
             role_arn = {ROLE}2\nsource_profile = c\n[profile c]\n{KEYS}"
        ))
        .profile("a");
    let error = machine.identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Expired, "{error}");
    assert_eq!(expired.received().len(), 1);
    assert!(sts.received().is_empty());
}

#[tokio::test]
async fn a_rejection_says_which_role_and_why_and_shows_no_secret() {
    let sts = StandIn::start(|_, _| {
        Respond::With(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User \
             arn:aws:iam::1:user/me is not authorized</Message></Error></ErrorResponse>"
                .to_owned(),
        )
    });
    let machine = Machine::new("rejected")
        .no_instance()
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .config(&format!(
            "[profile a]\nregion = eu-west-3\nrole_arn = {ROLE}\nsource_profile = a\n{KEYS}"
        ))
        .profile("a");
    let error = machine.identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let said = machine.error().await;
    assert!(
        said.contains(ROLE) && said.contains("AccessDenied: User"),
        "{said}"
    );
    assert!(!said.contains("base-secret"), "{said}");
    // A request that was rejected is not sent again within one fetch.
    assert_eq!(sts.received().len(), 2);
}

#[tokio::test]
async fn an_overloaded_service_is_asked_again_and_a_redirect_is_not_followed() {
    let sts = StandIn::start(|_, before| match before {
        0 => Respond::With(503, String::new()),
        1 => Respond::Close,
        _ => Respond::ok(sts_keys("AssumeRole", "ASIATHIRD")),
    });
    let elsewhere = self::sts();
    let config =
        format!("[profile a]\nregion = eu-west-3\nrole_arn = {ROLE}\nsource_profile = a\n{KEYS}");
    let machine = |name: &str, url: &str| {
        Machine::new(name)
            .no_instance()
            .set("AWS_ENDPOINT_URL_STS", url)
            .config(&config)
            .profile("a")
    };
    assert_eq!(machine("again", &sts.url).key().await, "ASIATHIRD");
    let target = elsewhere.url.clone();
    let redirecting = StandIn::start(move |_, _| {
        Respond::WithHeaders(307, vec![("location", target.clone())], String::new())
    });
    let said = machine("redirect", &redirecting.url).error().await;
    assert!(said.contains("status 307"), "{said}");
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_endpoint_for_lambda_alone_is_not_used_for_sts() {
    let (sts, lambda) = (sts(), sts());
    let machine = Machine::new("lambda-alone")
        .no_instance()
        .set("AWS_ENDPOINT_URL_LAMBDA", &lambda.url)
        .set("AWS_REGION", "eu-west-3")
        .config(&format!(
            "[profile a]\nservices = own\nrole_arn = {ROLE}\nsource_profile = a\n{KEYS}[services \
             own]\nlambda =\n  endpoint_url = {}\nsts =\n  endpoint_url = {}\n",
            lambda.url, sts.url
        ))
        .profile("a");
    assert!(machine.key().await.starts_with("ASIA"));
    assert!(lambda.received().is_empty());
    assert_eq!(sts.received().len(), 1);
    // An endpoint for all services applies to STS, too.
    let all = self::sts();
    let machine = Machine::new("all-services")
        .no_instance()
        .set("AWS_ENDPOINT_URL", &all.url)
        .set("AWS_REGION", "eu-west-3")
        .config(&format!(
            "[profile a]\nrole_arn = {ROLE}\nsource_profile = a\n{KEYS}"
        ))
        .profile("a");
    assert!(machine.key().await.starts_with("ASIA"));
    assert_eq!(all.received().len(), 1);
}
