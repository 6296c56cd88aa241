//! IAM Identity Center and console logins: their files, their renewal, and their requests byte by
//! byte.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use lambda_invoke_credentials::{ErrorKind, Files, HttpClient, HttpFuture, LocalFiles, Provider};
use machine::Machine;
use serde_json::{Value, json};
use stand_in::{Respond, StandIn, at, in_an_hour};

const START_URL: &str = "https://example.awsapps.com/start";

const CONFIG: &str = "[default]\nregion = us-west-2\n[profile dev]\nsso_session = my-sso\n\
    sso_account_id = 123456789012\nsso_role_name = Dev Role\n[sso-session my-sso]\n\
    sso_region = eu-west-3\nsso_start_url = https://example.awsapps.com/start\n\
    sso_registration_scopes = sso:account:access\n";

fn portal() -> StandIn {
    StandIn::start(|_, _| {
        Respond::ok(
            json!({ "roleCredentials": {
                "accessKeyId": "ASIASSO", "secretAccessKey": "sso-secret",
                "sessionToken": "sso-token", "expiration": 4_102_444_800_000_u64,
            } })
            .to_string(),
        )
    })
}

/// Returns the contents of a token's file, for a token that expires at this time.
fn token(end: &str) -> String {
    json!({
        "accessToken": "hunter2-token", "expiresAt": end, "refreshToken": "hunter2-refresh",
        "clientId": "client", "clientSecret": "hunter2-client",
        "registrationExpiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-3",
        "startUrl": START_URL, "other": { "kept": true },
    })
    .to_string()
}

fn sha1(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn machine(name: &str, portal: &StandIn, oidc: &StandIn, file: &str) -> Machine {
    Machine::new(name)
        .no_instance()
        .set("AWS_ENDPOINT_URL_SSO", &portal.url)
        .set("AWS_ENDPOINT_URL_SSO_OIDC", &oidc.url)
        .config(CONFIG)
        .file(&format!(".aws/sso/cache/{}.json", sha1("my-sso")), file)
        .profile("dev")
}

#[tokio::test]
async fn a_valid_token_is_exchanged_unsigned_for_the_credentials_of_a_role() {
    let (portal, oidc) = (portal(), portal());
    let machine = machine("sso", &portal, &oidc, &token(&in_an_hour()))
        .set("AWS_ACCESS_KEY_ID", "AKIDOTHER")
        .set("AWS_SECRET_ACCESS_KEY", "other");
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::Profile);
    assert_eq!(identity.credentials().access_key_id(), "ASIASSO");
    assert_eq!(identity.credentials().session_token(), Some("sso-token"));
    assert_eq!(
        identity.credentials().expiry().unwrap().as_secs(),
        4_102_444_800
    );
    let [request] = &portal.received()[..] else {
        panic!("{:?}", portal.lines());
    };
    assert_eq!(
        request.line(),
        "GET /federation/credentials?role_name=Dev%20Role&account_id=123456789012"
    );
    assert_eq!(
        request.names(),
        ["host", "user-agent", "x-amz-sso_bearer_token"]
    );
    assert_eq!(
        request.header("x-amz-sso_bearer_token"),
        Some("hunter2-token")
    );
    assert!(oidc.received().is_empty());
}

#[tokio::test]
async fn a_token_that_ends_soon_is_renewed_and_kept_for_other_programs() {
    let portal = portal();
    let oidc = StandIn::start(|_, _| {
        let renewed =
            json!({ "accessToken": "new-token", "expiresIn": 28_800, "refreshToken": "next" });
        Respond::ok(renewed.to_string())
    });
    for (name, end) in [("soon", at(120)), ("over", at(-120))] {
        let machine = machine(name, &portal, &oidc, &token(&end));
        assert_eq!(machine.key().await, "ASIASSO");
        let path = machine.path(&format!(".aws/sso/cache/{}.json", sha1("my-sso")));
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(file["accessToken"], "new-token");
        assert_eq!(file["refreshToken"], "next");
        assert_eq!(file["clientSecret"], "hunter2-client");
        assert_eq!(file["other"]["kept"], true);
        assert!(file["expiresAt"].as_str().unwrap() > at(28_000).as_str());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let request = &oidc.received()[0];
    assert_eq!(request.line(), "POST /token");
    assert_eq!(
        request.names(),
        ["content-length", "content-type", "host", "user-agent"]
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.body,
        "{\"clientId\":\"client\",\"clientSecret\":\"hunter2-client\",\
         \"grantType\":\"refresh_token\",\"refreshToken\":\"hunter2-refresh\"}"
    );
    assert_eq!(
        portal.received()[0].header("x-amz-sso_bearer_token"),
        Some("new-token")
    );
}

#[tokio::test]
async fn a_renewal_that_fails_keeps_a_valid_token_and_else_says_how_to_sign_on() {
    let portal = portal();
    let oidc = StandIn::start(|_, _| {
        Respond::With(
            400,
            "{\"error\":\"invalid_grant\",\"hunter2\":1}".to_owned(),
        )
    });
    let valid = machine("still-valid", &portal, &oidc, &token(&at(120)));
    assert_eq!(valid.key().await, "ASIASSO");
    let over = machine("no-renewal", &portal, &oidc, &token(&at(-120)));
    let said = over.error().await;
    assert!(
        said.contains("aws sso login --sso-session my-sso"),
        "{said}"
    );
    assert!(said.contains("invalid_grant"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    for (name, file) in [
        ("no-file", None),
        ("no-json", Some("hunter2")),
        ("no-token", Some("{\"expiresAt\":\"2099-01-01T00:00:00Z\"}")),
        ("no-end", Some("{\"accessToken\":\"hunter2\"}")),
    ] {
        let machine = machine(name, &portal, &oidc, file.unwrap_or_default());
        if file.is_none() {
            std::fs::remove_dir_all(machine.home.join(".aws/sso")).unwrap();
        }
        let said = machine.error().await;
        assert!(said.contains("aws sso login"), "{name}: {said}");
        assert!(!said.contains("hunter2"), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_token_that_another_program_renewed_meanwhile_is_used() {
    let portal = portal();
    let place = Arc::new(Mutex::new(String::new()));
    let file = Arc::clone(&place);
    // A refresh token can be used only once, and the other program has used this one.
    let oidc = StandIn::start(move |_, _| {
        let other = token(&at(3600)).replace("hunter2-token", "other-token");
        std::fs::write(&*file.lock().unwrap(), other).unwrap();
        Respond::With(400, "{\"error\":\"invalid_grant\"}".to_owned())
    });
    let machine = machine("renewed-meanwhile", &portal, &oidc, &token(&at(-5)));
    let path = format!(".aws/sso/cache/{}.json", sha1("my-sso"));
    *place.lock().unwrap() = machine.path(&path);
    assert_eq!(machine.key().await, "ASIASSO");
    let request = &portal.received()[0];
    assert_eq!(
        request.header("x-amz-sso_bearer_token"),
        Some("other-token")
    );

    let login = |id: &str, end: &str| {
        json!({
            "accessToken": { "accessKeyId": id, "secretAccessKey": "s", "sessionToken": "t",
                "expiresAt": end },
            "clientId": "c", "refreshToken": "r", "dpopKey": PEM,
        })
        .to_string()
    };
    let file = Arc::clone(&place);
    let signin = StandIn::start(move |_, _| {
        std::fs::write(&*file.lock().unwrap(), login("ASIAOTHER", &at(900))).unwrap();
        Respond::With(400, "{\"error\":\"TOKEN_EXPIRED\"}".to_owned())
    });
    let machine = Machine::new("login-meanwhile")
        .no_instance()
        .set("AWS_ENDPOINT_URL_SIGNIN", &signin.url)
        .config(&format!(
            "[profile console]\nregion = eu-west-3\nlogin_session = {LOGIN}\n"
        ))
        .file(LOGIN_FILE, &login("ASIAOLD", &at(-5)))
        .profile("console");
    *place.lock().unwrap() = machine.path(LOGIN_FILE);
    assert_eq!(machine.key().await, "ASIAOTHER");
}

/// An HTTP client that responds to no request.
#[derive(Debug)]
struct NoNetwork;

impl HttpClient for NoNetwork {
    fn send(&self, _: Request<Bytes>) -> HttpFuture<'_> {
        Box::pin(async { Err("no network".into()) })
    }
}

#[tokio::test]
async fn a_fips_host_that_is_not_there_is_named_for_the_renewal_too() {
    for (name, end, host) in [
        ("fips-oidc", at(-120), "oidc-fips.eu-west-3"),
        ("fips-portal", at(7200), "portal.sso-fips.eu-west-3"),
    ] {
        let machine = Machine::new(name)
            .no_instance()
            .set("AWS_USE_FIPS_ENDPOINT", "true")
            .config(CONFIG)
            .file(
                &format!(".aws/sso/cache/{}.json", sha1("my-sso")),
                &token(&end),
            )
            .profile("dev");
        let chain = machine.builder_of(machine.system().with_http(NoNetwork));
        let error = chain.build().unwrap().identity().await.unwrap_err();
        let mut said = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            said.push_str(&cause.to_string());
        }
        assert!(said.contains(host), "{said}");
        assert!(said.contains("it is not replaced by another"), "{said}");
    }
}

#[tokio::test]
async fn a_legacy_profile_uses_its_token_without_renewal() {
    let (portal, oidc) = (portal(), portal());
    let legacy = |name: &str, end: &str| {
        Machine::new(name)
            .no_instance()
            .set("AWS_ENDPOINT_URL_SSO", &portal.url)
            .set("AWS_ENDPOINT_URL_SSO_OIDC", &oidc.url)
            .config(&format!(
                "[profile old]\nsso_start_url = {START_URL}\nsso_region = eu-west-3\n\
                 sso_account_id = 123456789012\nsso_role_name = Dev\n"
            ))
            .file(
                &format!(".aws/sso/cache/{}.json", sha1(START_URL)),
                &token(end),
            )
            .profile("old")
    };
    assert_eq!(legacy("legacy", &at(120)).key().await, "ASIASSO");
    let said = legacy("legacy-over", &at(-1)).error().await;
    assert!(said.contains("aws sso login --profile old"), "{said}");
    assert!(oidc.received().is_empty());
}

#[tokio::test]
async fn a_token_that_the_portal_rejects_says_how_to_sign_on() {
    let portal = StandIn::start(|_, _| {
        Respond::With(
            401,
            "{\"message\":\"Session token not found or invalid\"}".to_owned(),
        )
    });
    let machine = machine("rejected-token", &portal, &portal, &token(&in_an_hour()));
    let error = machine.identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let said = error.to_string();
    assert!(said.contains("Session token not found"), "{said}");
    assert!(
        said.contains("hint: run aws sso login --sso-session my-sso"),
        "{said}"
    );
}

#[tokio::test]
async fn a_sign_on_may_be_the_source_of_a_role() {
    let portal = portal();
    let sts = StandIn::start(|_, _| Respond::ok(stand_in::sts_keys("AssumeRole", "ASIAROLE")));
    let config = format!(
        "{CONFIG}[profile admin]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/a\n\
         source_profile = dev\n"
    );
    let machine = machine("sso-role", &portal, &portal, &token(&in_an_hour()))
        .config(&config)
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .profile("admin");
    assert_eq!(machine.key().await, "ASIAROLE");
    let authorization = sts.received()[0]
        .header("authorization")
        .unwrap()
        .to_owned();
    assert!(
        authorization.contains("Credential=ASIASSO/"),
        "{authorization}"
    );
    assert!(authorization.contains("/eu-west-1/sts/"), "{authorization}");
}

const LOGIN: &str = "arn:aws:sts::012345678910:assumed-role/Admin/admin";
const LOGIN_FILE: &str =
    ".aws/login/cache/4b0ba8f99f075c0633e122fd73346ce203a3faf18ea0310eb2d29df1bab2e255.json";

/// The key in AWS's test cases.
const PEM: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIPt/u8InPLpQeQLJTvVX+sNDzni8vMDMt3Liu+nMBigfoAoGCCqGSM49\n\
    AwEHoUQDQgAEILkGG7rNOnxiIJlMgimY1UPP8eDMFP0DAY6WGjngP4bvTAiUCQ/I\n\
    ffut2379uP+OBCm2ovGpBOJRgrl1RspUOQ==\n-----END EC PRIVATE KEY-----\n";

#[tokio::test]
async fn a_console_login_is_renewed_with_a_proof_of_its_key() {
    let signin = StandIn::start(|_, _| {
        Respond::ok(
            json!({
                "accessToken": { "accessKeyId": "ASIANEW", "secretAccessKey": "new",
                    "sessionToken": "new-token" },
                "expiresIn": 900, "refreshToken": "next",
            })
            .to_string(),
        )
    });
    let file = json!({
        "accessToken": { "accessKeyId": "ASIAOLD", "secretAccessKey": "hunter2",
            "sessionToken": "old", "accountId": "012345678910", "expiresAt": at(-5) },
        "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "hunter2-refresh",
        "dpopKey": PEM,
    });
    let machine = Machine::new("login")
        .no_instance()
        .set("AWS_ENDPOINT_URL_SIGNIN", format!("{}/pre", signin.url))
        .config(&format!(
            "[profile console]\nregion = eu-west-3\nlogin_session = {LOGIN}\n"
        ))
        .file(LOGIN_FILE, &file.to_string())
        .profile("console");
    assert_eq!(machine.key().await, "ASIANEW");
    let [request] = &signin.received()[..] else {
        panic!("{:?}", signin.lines());
    };
    assert_eq!(request.line(), "POST /pre/v1/token");
    assert_eq!(
        request.body,
        "{\"clientId\":\"arn:aws:signin:::devtools/same-device\",\"grantType\":\"refresh_token\",\
         \"refreshToken\":\"hunter2-refresh\"}"
    );
    assert_eq!(
        request.names(),
        [
            "content-length",
            "content-type",
            "dpop",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(request.header("dpop").unwrap().split('.').count(), 3);
    assert!(!request.raw.contains("ASIAOLD"), "{}", request.raw);
    let kept = std::fs::read(machine.home.join(LOGIN_FILE)).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["accessToken"]["accessKeyId"], "ASIANEW");
    assert_eq!(kept["accessToken"]["accountId"], "012345678910");
    assert_eq!(kept["refreshToken"], "next");
    assert_eq!(kept["dpopKey"], PEM);
    // The renewed credentials are still valid, so nothing is sent.
    assert_eq!(machine.key().await, "ASIANEW");
    assert_eq!(signin.received().len(), 1);
}

#[tokio::test]
async fn a_login_that_has_ended_says_how_to_log_in() {
    let signin =
        StandIn::start(|_, _| Respond::With(400, "{\"error\":\"TOKEN_EXPIRED\"}".to_owned()));
    let machine = |name: &str, file: Value| {
        Machine::new(name)
            .no_instance()
            .set("AWS_ENDPOINT_URL_SIGNIN", &signin.url)
            .config(&format!(
                "[profile console]\nregion = eu-west-3\nlogin_session = {LOGIN}\n"
            ))
            .file(LOGIN_FILE, &file.to_string())
            .profile("console")
    };
    let keys = |end: String| {
        json!({ "accessKeyId": "ASIAOLD", "secretAccessKey": "hunter2", "sessionToken": "old",
            "expiresAt": end })
    };
    let whole = |end: String| json!({ "accessToken": keys(end), "clientId": "c", "refreshToken": "hunter2", "dpopKey": PEM });
    let said = machine("login-over", whole(at(-5))).error().await;
    assert!(
        said.contains("hint: run aws login --profile console"),
        "{said}"
    );
    assert!(
        said.contains("TOKEN_EXPIRED") && !said.contains("hunter2"),
        "{said}"
    );
    // While the credentials are valid, a renewal that fails does no harm.
    assert_eq!(machine("login-soon", whole(at(60))).key().await, "ASIAOLD");
    let mut broken = whole(at(-5));
    broken["dpopKey"] = "hunter2".into();
    let said = machine("login-key", broken).error().await;
    assert!(
        said.contains("dpopKey") && !said.contains("hunter2"),
        "{said}"
    );
}

/// The files of this machine, of which none can be written.
#[derive(Debug)]
struct ReadOnly;

impl Files for ReadOnly {
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        LocalFiles::default().read(path, max)
    }

    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

#[tokio::test]
async fn a_login_that_cannot_be_saved_is_renewed_with_its_latest_refresh_token() {
    let signin = StandIn::start(|request, before| {
        if !request
            .body
            .contains(&format!("\"refreshToken\":\"r{before}\""))
        {
            return Respond::With(400, "{\"error\":\"TOKEN_EXPIRED\"}".to_owned());
        }
        let keys = json!({ "accessKeyId": format!("ASIA{before}"), "secretAccessKey": "new",
            "sessionToken": "new-token" });
        let next = format!("r{}", before + 1);
        Respond::ok(
            json!({ "accessToken": keys, "expiresIn": 2, "refreshToken": next }).to_string(),
        )
    });
    let file = json!({
        "accessToken": { "accessKeyId": "ASIAOLD", "secretAccessKey": "hunter2",
            "sessionToken": "old", "expiresAt": at(-5) },
        "clientId": "c", "refreshToken": "r0", "dpopKey": PEM,
    });
    let machine = Machine::new("login-read-only")
        .no_instance()
        .set("AWS_ENDPOINT_URL_SIGNIN", &signin.url)
        .config(&format!(
            "[profile console]\nregion = eu-west-3\nlogin_session = {LOGIN}\n"
        ))
        .file(LOGIN_FILE, &file.to_string())
        .profile("console");
    let system = machine.system().with_files(ReadOnly);
    let chain = machine.builder_of(system).build().unwrap();
    for expected in ["ASIA0", "ASIA1"] {
        let identity = chain.identity().await.unwrap();
        assert_eq!(identity.credentials().access_key_id(), expected);
        tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    }
}
