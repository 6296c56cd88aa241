//! Credentials, and the region for which they sign.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use lambda_invoke::{
    Client, Credentials, CredentialsFuture, ErrorKind, Execution, ProvideCredentials, Timeouts,
};
use lambda_invoke_endpoint::{Endpoint, Server};

async fn server(fault: &str) -> Server {
    let endpoint = Endpoint::builder()
        .builtins()
        .credential("AKID", "secret")
        .unwrap();
    let endpoint = match fault {
        "" => endpoint,
        fault => endpoint.fault(fault.parse().unwrap()),
    };
    endpoint.bind_local().await.unwrap()
}

#[tokio::test]
async fn an_arn_of_another_region_is_an_error_before_sending_that_says_both() {
    // Nothing listens at this address.
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("AKID", "secret").unwrap())
        .endpoint_url("http://127.0.0.1:1")
        .build()
        .unwrap();
    let name = "arn:aws:lambda:eu-west-3:123456789012:function:echo";
    let invoke = client.invoke(name).send().await.unwrap_err();
    let stream = client.stream(name).send().await.unwrap_err();
    for error in [invoke, stream] {
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(error.execution(), Execution::NotStarted);
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            said.contains("eu-west-3") && said.contains("us-east-1"),
            "{said}"
        );
    }
    let error = client
        .invoke("arn:aws:lambda:us-east-1:123456789012:function:echo")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn fetching_credentials_does_not_use_up_the_timeout_of_the_call() {
    let server = server("*: error=TooManyRequestsException times=1").await;
    let client = Client::builder()
        .region("us-east-1")
        .credentials(|| async {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            Ok(Credentials::new("AKID", "secret")?)
        })
        .endpoint_url(server.url())
        .timeouts(Timeouts::default().with_total(Duration::from_secs(2)))
        .build()
        .unwrap();
    let reply = client.invoke("echo").payload("1").send().await.unwrap();
    assert_eq!(reply.attempts(), 2);
}

#[tokio::test]
async fn expired_credentials_are_not_sent() {
    let server = server("").await;
    let expired = Credentials::new("AKID", "secret").unwrap();
    let expired = expired.with_expiry("20200101T000000Z".parse().unwrap());
    let client = Client::builder()
        .region("us-east-1")
        .credentials(expired)
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let error = client.invoke("echo").payload("1").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.contains("expired at 20200101T000000Z"), "{said}");
}

#[tokio::test]
async fn a_provider_that_fails_is_named_and_nothing_is_sent() {
    #[derive(Debug)]
    struct Closed;

    impl ProvideCredentials for Closed {
        fn provide(&self) -> CredentialsFuture<'_> {
            Box::pin(async { Err("the vault is closed".into()) })
        }
    }

    let server = server("").await;
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Closed)
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let error = client.invoke("echo").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Credentials, Execution::NotStarted)
    );
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the vault is closed");
}
