//! Credentials, and the region for which they sign.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Takes some time, and then returns credentials or fails; counts the fetches.
#[derive(Clone, Debug)]
struct Slow {
    takes: Duration,
    has_any: bool,
    fetches: Arc<AtomicU32>,
}

impl ProvideCredentials for Slow {
    fn provide(&self) -> CredentialsFuture<'_> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(self.takes).await;
            match self.has_any {
                true => Ok(Credentials::new("AKID", "secret")?),
                false => Err("the vault is closed".into()),
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_that_wait_for_a_fetch_get_its_error() {
    let provider = Slow {
        takes: Duration::from_secs(10),
        has_any: false,
        fetches: Arc::default(),
    };
    let client = Client::builder()
        .region("us-east-1")
        .credentials(provider.clone())
        .endpoint_url("http://127.0.0.1:1")
        .build()
        .unwrap();
    let start = tokio::time::Instant::now();
    let calls: Vec<_> = (0..10)
        .map(|_| tokio::spawn(client.invoke("echo").into_future()))
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "the vault is closed");
    }
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(provider.fetches.load(Ordering::SeqCst), 1);
    // A failure is not remembered.
    client.invoke("echo").await.unwrap_err();
    assert_eq!(provider.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_first_fetch_goes_on_when_its_call_is_canceled() {
    let server = server("").await;
    let provider = Slow {
        takes: Duration::from_millis(200),
        has_any: true,
        fetches: Arc::default(),
    };
    let client = Client::builder()
        .region("us-east-1")
        .credentials(provider.clone())
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let call = client.invoke("echo").payload("1").into_future();
    let canceled = tokio::time::timeout(Duration::from_millis(20), call).await;
    canceled.unwrap_err();
    let _ = client.invoke("echo").payload("1").await.unwrap();
    assert_eq!(provider.fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_of_a_provider_keeps_its_type() {
    #[derive(Debug)]
    struct Closed(u32);

    impl std::fmt::Display for Closed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "closed until {}", self.0)
        }
    }

    impl std::error::Error for Closed {}

    let client = Client::builder()
        .region("us-east-1")
        .credentials(|| async { Err(Closed(7).into()) })
        .endpoint_url("http://127.0.0.1:1")
        .build()
        .unwrap();
    let error = client.invoke("echo").await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.downcast_ref::<Closed>().unwrap().0, 7);
}
