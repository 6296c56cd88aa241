//! Invalid settings are errors: they never silently lead to another identity.
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;
mod stand_in;

use lambda_invoke_credentials::ErrorKind;
use machine::Machine;
use stand_in::{StandIn, imds};

/// Sets up a machine whose instance metadata has credentials, which would be the other identity.
fn on(name: &str, service: &StandIn) -> Machine {
    Machine::new(&format!("silence-{name}")).set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url)
}

/// Checks that a machine has no credentials and that no request was sent, and returns the error.
async fn rejected(machine: Machine, service: &StandIn) -> String {
    let said = machine.error().await;
    assert!(service.received().is_empty(), "{:?}", service.lines());
    said
}

#[tokio::test]
async fn the_default_profile_must_exist_if_it_is_named() {
    let service = imds("ASIAINSTANCE");
    let said = rejected(on("default-option", &service).profile("default"), &service).await;
    assert!(said.contains("a profile that does not exist"), "{said}");
    let named = on("default-variable", &service).set("AWS_PROFILE", "default");
    let said = rejected(named, &service).await;
    assert!(said.starts_with("AWS_PROFILE names"), "{said}");
    // If the named profile has no credentials, the chain continues; the default profile need not
    // exist unless it is named.
    let named = on("default-empty", &service).config("[default]\n");
    assert_eq!(named.profile("default").key().await, "ASIAINSTANCE");
    assert_eq!(on("not-named", &service).key().await, "ASIAINSTANCE");
}

#[tokio::test]
async fn a_session_token_without_its_keys_is_an_error() {
    let service = imds("ASIAINSTANCE");
    for name in ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] {
        let said = rejected(on(name, &service).set(name, "hunter2"), &service).await;
        assert!(
            said.contains(name) && said.contains("AWS_ACCESS_KEY_ID"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
    for secret in [" hunter2", "hunter2 ", "\u{a0}hunter2"] {
        let machine = on("blank-around", &service)
            .set("AWS_ACCESS_KEY_ID", "AKID")
            .set("AWS_SECRET_ACCESS_KEY", secret);
        let said = rejected(machine, &service).await;
        assert!(
            said.contains("AWS_SECRET_ACCESS_KEY") && said.contains("white space"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
    // An empty variable is unset, and an explicit profile takes precedence over all the variables.
    let empty = on("token-empty", &service).set("AWS_SESSION_TOKEN", "");
    assert_eq!(empty.key().await, "ASIAINSTANCE");
    let explicit = on("token-explicit", &service)
        .set("AWS_SESSION_TOKEN", "t")
        .config("[profile p]\n")
        .profile("p");
    assert_eq!(explicit.key().await, "ASIAINSTANCE");
    let identity = on("identity-explicit", &service)
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", "/missing")
        .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/other")
        .config("[profile p]\n")
        .profile("p");
    assert_eq!(identity.key().await, "ASIAINSTANCE");
}

#[tokio::test]
async fn a_path_that_ends_in_a_line_end_is_an_error_instead_of_a_missing_file() {
    let service = imds("ASIAINSTANCE");
    for name in [
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ] {
        for (value, what) in [
            ("/no/such\n", "ends in a line end"),
            ("/no/such\r\n", "ends in a line end"),
            (" ", "is blank"),
        ] {
            let said = rejected(on(name, &service).set(name, value), &service).await;
            assert!(said.contains(name) && said.contains(what), "{said}");
        }
    }
    let said = Machine::new("token-file")
        .no_instance()
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &service.url)
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no/such\n");
    let said = rejected(said, &service).await;
    assert!(said.contains("ends in a line end"), "{said}");
}

#[tokio::test]
async fn instance_metadata_is_turned_off_by_true_and_by_nothing_else() {
    let service = imds("ASIAINSTANCE");
    for value in ["1", "yes", " true", "disabled"] {
        let machine = on("junk", &service).set("AWS_EC2_METADATA_DISABLED", value);
        let said = rejected(machine, &service).await;
        assert!(
            said.contains("AWS_EC2_METADATA_DISABLED") && said.contains("expected true or false"),
            "{said}"
        );
    }
    for value in ["", "false", "FALSE"] {
        let machine = on("on", &service).set("AWS_EC2_METADATA_DISABLED", value);
        assert_eq!(machine.key().await, "ASIAINSTANCE");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn shared_files_may_be_pipes_and_one_without_a_writer_is_an_error() {
    let machine = Machine::new("pipe").no_instance();
    let path = machine.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let machine = machine.set("AWS_CONFIG_FILE", &path);
    let writer = path.clone();
    let writing = std::thread::spawn(move || {
        let keys = "[default]\naws_access_key_id = AKIDPIPE\naws_secret_access_key = s\n";
        std::fs::write(writer, keys).unwrap();
    });
    assert_eq!(machine.key().await, "AKIDPIPE");
    writing.join().unwrap();
    let building = tokio::task::spawn_blocking(move || machine.builder().build().unwrap_err());
    let error = building.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("took longer than"), "{error}");
    // The thread that waits for a writer can now end.
    std::fs::write(&path, "").unwrap();
}
