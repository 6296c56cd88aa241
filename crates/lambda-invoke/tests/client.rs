//! How a client is built, its auto traits, and the address to which it sends.

#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::future::Future;

use lambda_invoke::{
    Client, ClientBuilder, Collected, Completion, Credentials, Error, ErrorKind, HttpStream,
    Reader, Reply, ResponseStream,
};
use lambda_invoke_vectors::{json, suite};

fn build(region: Option<&str>, credentials: bool, url: Option<&str>) -> Result<Client, Error> {
    builder(region, credentials, url).build()
}

fn builder(region: Option<&str>, credentials: bool, url: Option<&str>) -> ClientBuilder {
    let mut builder = Client::builder();
    if let Some(region) = region {
        builder = builder.region(region);
    }
    if credentials {
        builder = builder.credentials(Credentials::new("AKID", "secret").unwrap());
    }
    if let Some(url) = url {
        builder = builder.endpoint_url(url);
    }
    builder
}

#[test]
fn can_be_shared_between_threads_and_tasks() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    fn future<F: Future + Send>(_: F) {}
    shared::<Client>();
    shared::<Reply>();
    shared::<Collected>();
    shared::<Completion>();
    sent::<ResponseStream>();
    sent::<HttpStream>();
    sent::<Reader<ResponseStream>>();
    sent::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Client>(), size_of::<usize>());

    let client = build(Some("us-east-1"), true, None).unwrap();
    future(client.invoke("f").send());
    future(client.stream("f").send());
    future(client.stream("f").dry_run().send());
    future(async {
        let mut stream = client.stream("f").send().await?;
        let _ = stream.next_chunk().await;
        stream.into_http().await
    });
}

#[test]
fn what_is_missing_is_named_when_the_client_is_built() {
    for (region, credentials, said) in [
        (None, false, "no region and no credentials"),
        (None, true, "no region:"),
        (Some("us-east-1"), false, "no credentials:"),
    ] {
        let error = build(region, credentials, Some("http://localhost:9001")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(said), "{error}");
    }
    for region in ["", "us east", "us/east", "../x"] {
        let error = build(Some(region), true, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_secret_is_never_shown() {
    let credentials = Credentials::new("AKID", "hunter2").unwrap();
    let builder = Client::builder()
        .region("us-east-1")
        .credentials(credentials);
    assert!(!format!("{builder:?}").contains("hunter2"));
    let client = builder.build().unwrap();
    assert!(!format!("{client:?} {client:#?}").contains("hunter2"));
    for url in [
        "http://me:hunter2@localhost:9001",
        "me:hunter2@localhost",
        "http://localhost:9001/?key=hunter2",
        "http://localhost:9001/#hunter2",
    ] {
        let shown = format!("{:?}", Client::builder().endpoint_url(url));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let shown = format!(
        "{:?}",
        Client::builder().endpoint_url("http://localhost:9001")
    );
    assert!(shown.contains("http://localhost:9001"), "{shown}");
}

#[test]
fn each_partition_has_its_own_domain() {
    for (region, url) in [
        ("eu-central-1", "https://lambda.eu-central-1.amazonaws.com/"),
        ("cn-north-1", "https://lambda.cn-north-1.amazonaws.com.cn/"),
        (
            "us-gov-east-1",
            "https://lambda.us-gov-east-1.amazonaws.com/",
        ),
        ("us-iso-west-1", "https://lambda.us-iso-west-1.c2s.ic.gov/"),
        (
            "eusc-de-east-1",
            "https://lambda.eusc-de-east-1.amazonaws.eu/",
        ),
    ] {
        assert_eq!(build(Some(region), true, None).unwrap().endpoint_url(), url);
    }
}

/// Every case of `endpoints/lambda/endpoint-tests-1.json`, and every region of every partition from
/// `partitions.json` with each kind of endpoint.
#[test]
fn official_endpoints() {
    suite("lambda-invoke/endpoints", |folder| {
        let cases = json(&folder.join("endpoints/lambda/endpoint-tests-1.json"));
        let mut count = 0;
        for case in cases["testCases"].as_array().unwrap() {
            let params = &case["params"];
            let is = |name: &str| params[name] == true;
            let built = builder(params["Region"].as_str(), true, params["Endpoint"].as_str())
                .use_fips(is("UseFIPS"))
                .use_dual_stack(is("UseDualStack"))
                .build();
            let expected = case["expect"]["endpoint"]["url"].as_str();
            match (expected, params["Region"].as_str()) {
                (Some(url), Some(_)) => {
                    assert_eq!(built.unwrap().endpoint_url(), format!("{url}/"), "{case}");
                }
                (None, Some(_)) => {
                    let error = built.unwrap_err();
                    let which = if is("UseFIPS") { "FIPS" } else { "dual stack" };
                    assert_eq!(
                        error.to_string(),
                        format!("{which} and an endpoint's URL cannot be set together"),
                        "{case}"
                    );
                }
                // The client needs a region for the signature; the suite has endpoints without a
                // region.
                (_, None) => assert!(
                    built.unwrap_err().to_string().contains("no region"),
                    "{case}"
                ),
            }
            count += 1;
        }
        let partitions = json(&folder.join("endpoints/partitions.json"));
        for partition in partitions["partitions"].as_array().unwrap() {
            let outputs = &partition["outputs"];
            assert_eq!(outputs["supportsFIPS"], true);
            assert_eq!(outputs["supportsDualStack"], true);
            for region in partition["regions"].as_object().unwrap().keys() {
                for (fips, dual_stack) in [(false, false), (true, false), (false, true)] {
                    let service = if fips { "lambda-fips" } else { "lambda" };
                    let suffix = if dual_stack {
                        "dualStackDnsSuffix"
                    } else {
                        "dnsSuffix"
                    };
                    let suffix = outputs[suffix].as_str().unwrap();
                    let client = builder(Some(region), true, None)
                        .use_fips(fips)
                        .use_dual_stack(dual_stack)
                        .build();
                    assert_eq!(
                        client.unwrap().endpoint_url(),
                        format!("https://{service}.{region}.{suffix}/")
                    );
                }
                assert_eq!(
                    lambda_invoke_sigv4::region::Partition::of(region).id(),
                    partition["id"]
                );
                count += 1;
            }
        }
        count
    });
}

#[test]
fn an_invalid_address_is_an_error_when_the_client_is_built() {
    for url in [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:",
        "https://[::1]:+443",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#a",
    ] {
        let error = build(Some("us-east-1"), true, Some(url)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn the_future_of_a_call_stays_small() {
    let client = build(Some("us-east-1"), true, None).unwrap();
    let invoke = size_of_val(&client.invoke("f").send());
    let stream = size_of_val(&client.stream("f").send());
    println!("bytes: {invoke} an invoke, {stream} a stream");
    assert!(invoke.max(stream) <= 2048, "{invoke} and {stream} bytes");
}
