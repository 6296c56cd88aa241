//! Instance metadata and the endpoints of containers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use lambda_invoke_credentials::{Clock, ErrorKind, HttpClient, HttpFuture, Provider};
use lambda_invoke_sigv4::Timestamp;
use machine::Machine;
use stand_in::{Respond, StandIn, at, imds, metadata_keys};

fn on(name: &str, imds: &StandIn) -> Machine {
    Machine::new(name).set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url)
}

#[tokio::test]
async fn version_two_is_used_byte_by_byte() {
    let service = imds("ASIAINSTANCE");
    let chain = on("imds", &service).builder().build().unwrap();
    let identity = chain.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::InstanceMetadata);
    assert_eq!(
        identity.credentials().session_token(),
        Some("token-of-ASIAINSTANCE")
    );
    assert!(identity.how().contains("web-role"), "{}", identity.how());
    let region = chain.region().await.unwrap();
    assert_eq!(
        (region.value.as_str(), region.by.as_str()),
        ("eu-west-3", "instance metadata")
    );
    // One session token serves all requests.
    assert_eq!(
        service.lines(),
        [
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/web-role",
            "GET /latest/meta-data/placement/region",
        ]
    );
    let received = service.received();
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
    assert_eq!(
        received[0].names(),
        ["content-length", "host", "user-agent", ttl]
    );
    assert_eq!(received[0].header(ttl), Some("21600"));
    for request in &received[1..] {
        assert_eq!(
            request.names(),
            ["host", "user-agent", "x-aws-ec2-metadata-token"]
        );
    }
}

#[tokio::test]
async fn a_service_that_accepts_and_never_responds_costs_one_second() {
    let service = StandIn::start(|_, _| Respond::Hang);
    let chain = on("hanging", &service).builder().build().unwrap();
    let start = Instant::now();
    let error = chain.identity().await.unwrap_err();
    let region = chain.region().await.unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(service.lines(), ["PUT /latest/api/token"]);
    assert_eq!(
        (error.kind(), region.kind()),
        (ErrorKind::NotFound, ErrorKind::NotFound)
    );
    let said = error.to_string();
    for part in [
        "environment",
        "profile",
        "web identity",
        "container",
        "instance metadata",
    ] {
        assert!(said.contains(&format!("\n  {part}")), "{part}: {said}");
    }
    assert!(said.contains("within 1s"), "{said}");
}

#[tokio::test]
async fn instance_metadata_is_not_requested_when_it_is_off_or_not_needed() {
    let service = imds("ASIAINSTANCE");
    let machine = on("off", &service).set("AWS_EC2_METADATA_DISABLED", "True");
    let said = machine.error().await;
    assert!(said.contains("AWS_EC2_METADATA_DISABLED is true"), "{said}");
    // A region and credentials in a profile take precedence, so the service is not asked.
    let machine = on("not-needed", &service).config(
        "[default]\nregion = eu-west-1\naws_access_key_id = AKID\naws_secret_access_key = s\n",
    );
    let chain = machine.builder().build().unwrap();
    assert_eq!(chain.region().await.unwrap().value, "eu-west-1");
    chain.identity().await.unwrap();
    assert!(service.received().is_empty());
}

#[tokio::test]
async fn an_instance_without_a_role_has_none_and_other_responses_are_errors() {
    for (name, status, body, kind, what) in [
        ("no-role", 404, "", ErrorKind::NotFound, "has no role"),
        ("empty", 200, "\n", ErrorKind::NotFound, "has no role"),
        (
            "page",
            200,
            "<html>",
            ErrorKind::InvalidResponse,
            "the name of a role",
        ),
        ("broken", 500, "", ErrorKind::Unavailable, "status 500"),
        ("denied", 403, "", ErrorKind::Rejected, "status 403"),
    ] {
        let service = StandIn::start(move |request, _| match request.method.as_str() {
            "PUT" => Respond::ok("token"),
            _ => Respond::With(status, body.to_owned()),
        });
        let machine = on(name, &service);
        let error = machine.identity().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(what), "{name}: {error}");
    }
    // Credentials with a member of the wrong type are errors, too.
    for (name, wrong) in [("number", "\"Expiration\":5"), ("list", "\"Token\":[]")] {
        let keys = metadata_keys("ASIAINSTANCE").replace("\"Code\"", &format!("{wrong},\"Code\""));
        let keys = match name {
            "number" => keys.replace(",\"Expiration\":\"", ",\"Was\":\""),
            _ => keys.replace(",\"Token\":\"", ",\"Was\":\""),
        };
        let service = StandIn::start(move |request, _| match request.method.as_str() {
            "PUT" => Respond::ok("token"),
            _ if request.target.ends_with('/') => Respond::ok("role"),
            _ => Respond::ok(keys.clone()),
        });
        let error = on(&format!("imds-{name}"), &service)
            .identity()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
        assert!(error.to_string().contains("is not a string"), "{error}");
    }
    // Something else listens at the address, such as a network's sign-in page, and returns no
    // credentials.
    for (name, status, body) in [
        ("elsewhere", 302, ""),
        ("closed", 401, ""),
        ("portal", 200, "<html>\n<body>"),
    ] {
        let service = StandIn::start(move |_, _| Respond::With(status, body.to_owned()));
        let error = on(&format!("imds-{name}"), &service)
            .identity()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {error}");
        assert!(
            error.to_string().contains("environment: "),
            "{name}: {error}"
        );
    }
    // An IMDS that has only version 1 is not enough.
    let service = StandIn::start(|request, _| match request.method.as_str() {
        "PUT" => Respond::With(405, String::new()),
        _ => Respond::ok(metadata_keys("ASIAV1")),
    });
    let said = on("version-one", &service).error().await;
    assert!(said.contains("status 405"), "{said}");
    assert_eq!(service.lines(), ["PUT /latest/api/token"]);
}

#[tokio::test]
async fn a_session_token_that_ended_early_is_replaced() {
    let service = StandIn::start(|request, before| match (request.method.as_str(), before) {
        ("PUT", 0) => Respond::ok("old"),
        ("PUT", _) => Respond::ok("new"),
        _ if request.header("x-aws-ec2-metadata-token") == Some("old") => {
            Respond::With(401, String::new())
        }
        _ if request.target.ends_with('/') => Respond::ok("role"),
        _ => Respond::ok(metadata_keys("ASIANEW")),
    });
    assert_eq!(on("early", &service).key().await, "ASIANEW");
}

#[derive(Clone, Debug)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Counts requests, and responds to none.
#[derive(Clone, Debug, Default)]
struct Silent(Arc<AtomicU64>);

impl HttpClient for Silent {
    fn send(&self, _: Request<Bytes>) -> HttpFuture<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err("there is no such host".into()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_asked_again_after_ten_seconds_whatever_the_clock_says() {
    let (http, clock) = (Silent::default(), Arc::new(AtomicU64::new(2_000_000)));
    let system = Machine::new("imds-silent").system();
    let system = system.with_clock(SetClock(Arc::clone(&clock)));
    let system = system.with_metadata_http(http.clone());
    let builder = Machine::new("imds-silent").builder_of(system);
    let chain = builder.build().unwrap();
    for (asleep, now, requests) in [
        (0, 2_000_000, 1),
        (9, 2_000_009, 1),
        // The clock is set forward or back by an hour.
        (0, 2_003_609, 1),
        (2, 1_996_411, 2),
        (9, 1_996_420, 2),
    ] {
        tokio::time::sleep(Duration::from_secs(asleep)).await;
        clock.store(now, Ordering::SeqCst);
        chain.region().await.unwrap_err();
        assert_eq!(http.0.load(Ordering::SeqCst), requests, "at {now}");
    }
}

#[tokio::test]
async fn expired_credentials_of_an_instance_are_used_until_it_renews_them_and_reported_once() {
    let is_broken = Arc::new(Mutex::new(false));
    let broken = Arc::clone(&is_broken);
    let service = StandIn::start(move |request, _| match request.method.as_str() {
        "PUT" => Respond::ok("token"),
        _ if *broken.lock().unwrap() => Respond::With(500, String::new()),
        _ if request.target.ends_with('/') => Respond::ok("role"),
        _ => Respond::ok(metadata_keys("ASIAOLD")),
    });
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let clock = Arc::new(AtomicU64::new(now));
    let machine = on("stable", &service);
    let notices = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&notices);
    let chain = machine
        .builder_of(machine.system().with_clock(SetClock(Arc::clone(&clock))))
        .on_notice(move |notice| kept.lock().unwrap().push(notice.to_owned()))
        .build()
        .unwrap();
    chain.identity().await.unwrap();
    *is_broken.lock().unwrap() = true;
    for hours in [2, 3] {
        clock.store(now + hours * 3600, Ordering::SeqCst);
        let identity = chain.identity().await.unwrap();
        assert_eq!(identity.credentials().access_key_id(), "ASIAOLD");
        // The identity shows the expiry that the service stated; the credentials that sign are
        // extended, so that they do not count as expired.
        let present = Timestamp::from_secs(now + hours * 3600).unwrap();
        assert!(identity.expiry().unwrap() < present);
        assert!(identity.credentials().expiry().unwrap() > present);
    }
    // It is asked again after 5 to 10 minutes, and not before.
    let start = now + 3 * 3600;
    let mut moments = Vec::new();
    for seconds in (10..3600).step_by(10) {
        let before = service.lines().len();
        clock.store(start + seconds, Ordering::SeqCst);
        let identity = chain.identity().await.unwrap();
        assert_eq!(identity.credentials().access_key_id(), "ASIAOLD");
        if service.lines().len() > before {
            moments.push(seconds);
        }
    }
    let pauses = moments.windows(2).map(|two| two[1] - two[0]);
    let pauses: Vec<u64> = moments[..1].iter().copied().chain(pauses).collect();
    assert!(
        pauses.iter().all(|pause| (300..=610).contains(pause)),
        "{pauses:?}"
    );
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("have expired"), "{notices:?}");
}

#[tokio::test]
async fn a_container_is_asked_with_its_raw_token_from_the_file_each_time() {
    let service = StandIn::start(|_, before| match before {
        0 => Respond::With(429, String::new()),
        _ => Respond::ok(metadata_keys("ASIACONTAINER")),
    });
    let machine = Machine::new("container")
        .no_instance()
        .file("token", "Raw~t0ken=\n")
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/v1/credentials?a=1", service.url),
        )
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other");
    let file = machine.path("token");
    let machine = machine.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file);
    let identity = machine.identity().await.unwrap();
    assert_eq!(identity.provider(), Provider::Container);
    assert_eq!(service.lines(), ["GET /v1/credentials?a=1"; 2]);
    for request in service.received() {
        assert_eq!(request.header("authorization"), Some("Raw~t0ken="));
        assert_eq!(
            request.names(),
            ["accept", "authorization", "host", "user-agent"]
        );
    }
    std::fs::write(&file, "next").unwrap();
    machine.identity().await.unwrap();
    assert_eq!(service.received()[2].header("authorization"), Some("next"));
}

#[tokio::test]
async fn the_container_may_be_the_source_of_a_role_by_its_full_uri() {
    let service = StandIn::start(|_, _| Respond::ok(metadata_keys("ASIACONTAINER")));
    let sts = StandIn::start(|_, _| Respond::ok(stand_in::sts_keys("AssumeRole", "ASIAROLE")));
    let machine = Machine::new("container-role")
        .no_instance()
        .set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/x", service.url),
        )
        .set("AWS_ENDPOINT_URL_STS", &sts.url)
        .config(
            "[default]\nregion = eu-west-3\nrole_arn = arn:aws:iam::123456789012:role/x\n\
             credential_source = EcsContainer\n",
        );
    assert_eq!(machine.key().await, "ASIAROLE");
    let authorization = sts.received()[0]
        .header("authorization")
        .unwrap()
        .to_owned();
    assert!(
        authorization.contains("Credential=ASIACONTAINER/"),
        "{authorization}"
    );
}

#[tokio::test]
async fn a_container_without_tls_is_only_asked_at_the_allowed_addresses() {
    for (uri, what) in [
        ("http://169.254.170.3/x", "without TLS only loopback"),
        ("http://example.com/x", "without TLS only loopback"),
        (
            "http://localhost.example.com/x",
            "without TLS only loopback",
        ),
        ("http://127.0.0.1.example.com/", "without TLS only loopback"),
        ("http://[fd00:ec2::24]/x", "without TLS only loopback"),
        ("ftp://localhost/x", "does not begin with http"),
        ("/x", "has no host"),
        ("http://user:hunter2@localhost/x", "a user's name"),
        ("http://localhost:99999/x", "has an invalid port"),
        ("http://localhost/x#hunter2", "has a fragment"),
    ] {
        let machine = Machine::new("address")
            .no_instance()
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri);
        let said = machine.error().await;
        assert!(said.contains(what), "{uri}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let secret = StandIn::start(|_, _| Respond::ok(metadata_keys("ASIAELSEWHERE")));
    let target = secret.url.clone();
    let service = StandIn::start(move |_, _| {
        Respond::WithHeaders(302, vec![("location", target.clone())], String::new())
    });
    let machine = Machine::new("container-redirect")
        .no_instance()
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &service.url);
    let said = machine.error().await;
    assert!(said.contains("status 302"), "{said}");
    assert!(secret.received().is_empty());
}

#[tokio::test]
async fn a_containers_expired_or_incomplete_credentials_are_errors_that_show_no_secret() {
    for (name, body, what) in [
        (
            "expired",
            format!(
                "{{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Token\":\"t\",\
                 \"Expiration\":\"{}\"}}",
                at(-1)
            ),
            "expired at",
        ),
        (
            "half",
            "{\"AccessKeyId\":\"A\",\"Token\":\"hunter2\"}".to_owned(),
            "no secret access key",
        ),
        ("text", "hunter2".to_owned(), "no access key id"),
        (
            "never",
            "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"soon\"}"
                .to_owned(),
            "not an ISO 8601 time",
        ),
        (
            "number",
            "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":5}".to_owned(),
            "Expiration is not a string",
        ),
        (
            "token",
            "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\",\"Token\":[\"hunter2\"]}"
                .to_owned(),
            "Token is not a string",
        ),
    ] {
        let service = StandIn::start(move |_, _| Respond::ok(body.clone()));
        let machine = Machine::new(&format!("container-{name}"))
            .no_instance()
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &service.url);
        let said = machine.error().await;
        assert!(said.contains(what), "{name}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
