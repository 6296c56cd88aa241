//! The endpoint's own pages, the operations that describe functions, and the rejection of all other
//! operations by name.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Call, Client, Response, serve, soon};
use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Function, FunctionError};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";

fn get(path: &str) -> Call {
    Call {
        method: "GET".to_owned(),
        ..Call::new(path, "")
    }
}

fn function(name: &str) -> Function {
    Function::buffered(name, |_| async { Ok::<_, FunctionError>("1") })
}

fn with_functions() -> EndpointBuilder {
    let orders = function("orders")
        .timeout(Duration::from_millis(1_500))
        .memory_mb(256)
        .concurrency(3)
        .version(2)
        .alias("live", 1);
    Endpoint::builder().functions([orders, function("customers")])
}

/// Makes a call without a signature.
async fn unsigned(client: &mut Client, call: &Call) -> Response {
    let host = client.address.to_string();
    let call = call.clone().header("host", host);
    client.stream.write_all(&call.written()).await.unwrap();
    soon(client.response()).await.unwrap()
}

fn names(response: &Response) -> Vec<String> {
    let json = response.json();
    let functions = json["Functions"].as_array().unwrap();
    let arn = |function: &Value| {
        let arn = function["FunctionArn"].as_str().unwrap();
        arn.strip_prefix(ARN).unwrap().to_owned()
    };
    functions.iter().map(arn).collect()
}

#[tokio::test]
async fn the_front_page_and_the_health_check_need_no_signature() {
    let (_server, mut client) = serve(with_functions()).await;
    let health = unsigned(&mut client, &get("/health")).await;
    assert_eq!((health.status().as_u16(), health.text()), (200, "ok\n"));
    assert!(health.header("x-amzn-requestid").is_some());
    let front = unsigned(&mut client, &get("/")).await;
    assert_eq!(front.status(), 200);
    assert!(
        front
            .text()
            .starts_with("This is a local endpoint of AWS Lambda.")
    );
    assert!(
        !front.text().contains("orders"),
        "functions need a signature"
    );
    let post = unsigned(&mut client, &Call::new("/health", "")).await;
    assert_eq!(post.status(), 404);
}

#[tokio::test]
async fn functions_are_listed_in_pages() {
    let (_server, mut client) = serve(with_functions()).await;
    for path in ["/2015-03-31/functions", "/2015-03-31/functions/"] {
        let response = client.call(&get(path)).await;
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(names(&response), ["customers", "orders"]);
        assert_eq!(response.json()["NextMarker"], Value::Null);
    }
    let path = "/2015-03-31/functions?FunctionVersion=ALL&MaxItems=3";
    let first = client.call(&get(path)).await;
    assert_eq!(
        names(&first),
        ["customers:$LATEST", "orders:$LATEST", "orders:1"]
    );
    let marker = first.json()["NextMarker"].as_str().unwrap().to_owned();
    let rest = client.call(&get(&format!("{path}&Marker={marker}"))).await;
    assert_eq!(names(&rest), ["orders:2"]);
    assert_eq!(rest.json()["NextMarker"], Value::Null);
    for invalid in [
        "MaxItems=0",
        "MaxItems=x",
        "FunctionVersion=some",
        "Marker=9",
    ] {
        let response = client
            .call(&get(&format!("/2015-03-31/functions?{invalid}")))
            .await;
        let rejected = (400, "InvalidParameterValueException".to_owned());
        assert_eq!(response.rejection(), rejected, "{invalid}");
    }
}

#[tokio::test]
async fn a_function_is_described_by_every_form_of_its_name() {
    let (_server, mut client) = serve(with_functions()).await;
    for (name, arn, version) in [
        ("orders", "orders", "$LATEST"),
        ("orders?Qualifier=live", "orders:live", "1"),
        ("orders%3A2", "orders:2", "2"),
        ("123456789012%3Afunction%3Aorders", "orders", "$LATEST"),
    ] {
        let (label, query) = name.split_once('?').unwrap_or((name, ""));
        let path = format!("/2015-03-31/functions/{label}/configuration?{query}");
        let described = client.call(&get(&path)).await.json();
        assert_eq!(described["FunctionName"], "orders");
        assert_eq!(described["FunctionArn"], format!("{ARN}{arn}"));
        assert_eq!(described["Version"], version);
        assert_eq!(described["Timeout"], 2, "whole seconds, rounded up");
        assert_eq!(described["MemorySize"], 256);
        assert_eq!(described["State"], "Active");
        let path = format!("/2015-03-31/functions/{label}?{query}");
        let function = client.call(&get(&path)).await.json();
        assert_eq!(function["Configuration"], described);
        assert_eq!(function["Concurrency"]["ReservedConcurrentExecutions"], 3);
    }
}

#[tokio::test]
async fn an_unknown_function_is_rejected_as_for_an_invocation() {
    let (_server, mut client) = serve(with_functions()).await;
    for (name, status, code) in [
        ("nobody", 404, "ResourceNotFoundException"),
        ("orders:9", 404, "ResourceNotFoundException"),
        ("or!ders", 400, "ValidationException"),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            404,
            "ResourceNotFoundException",
        ),
        ("210987654321:function:orders", 403, "AccessDeniedException"),
    ] {
        let label = lambda_invoke_protocol::path::Encoded(name);
        let path = format!("/2015-03-31/functions/{label}/configuration");
        let described = client.call(&get(&path)).await;
        assert_eq!(described.rejection(), (status, code.to_owned()), "{name}");
        let invoked = client.call(&Call::invoke(name, "{}")).await;
        assert_eq!(invoked.rejection(), described.rejection(), "{name}");
    }
}

#[tokio::test]
async fn a_key_sees_only_the_functions_that_it_may_invoke() {
    let key = "local:local:cust*".parse().unwrap();
    let (_server, mut client) = serve(with_functions().access_key(key)).await;
    let listed = client.call(&get("/2015-03-31/functions")).await;
    assert_eq!(names(&listed), ["customers"]);
    for path in ["orders", "orders/configuration", "nobody"] {
        let path = format!("/2015-03-31/functions/{path}");
        let response = client.call(&get(&path)).await;
        assert_eq!(response.status(), 403);
        let message = response.error().message().unwrap().to_owned();
        assert!(message.contains("perform: lambda:GetFunction"), "{message}");
    }
    let response = unsigned(&mut client, &get("/2015-03-31/functions")).await;
    let missing = (403, "MissingAuthenticationTokenException".to_owned());
    assert_eq!(response.rejection(), missing);
}

#[tokio::test]
async fn other_operations_of_the_service_are_rejected_by_their_name() {
    let (_server, mut client) = serve(with_functions()).await;
    for (method, path, name) in [
        ("POST", "/2015-03-31/functions", "CreateFunction"),
        ("GET", "/2015-03-31/functions/orders/aliases", "ListAliases"),
        (
            "GET",
            "/2015-03-31/event-source-mappings/",
            "ListEventSourceMappings",
        ),
        ("DELETE", "/2015-03-31/functions/orders", "DeleteFunction"),
        (
            "GET",
            "/2018-10-31/layers?find=LayerVersion&Arn=x",
            "GetLayerVersionByArn",
        ),
        ("GET", "/2018-10-31/layers", "ListLayers"),
    ] {
        let call = Call {
            method: method.to_owned(),
            ..Call::new(path, "")
        };
        let response = client.call(&call).await;
        let rejected = (501, "NotImplementedException".to_owned());
        assert_eq!(response.rejection(), rejected);
        let message = response.error().message().unwrap().to_owned();
        assert_eq!(
            message,
            format!("{name} is not implemented by this local endpoint")
        );
    }
}
