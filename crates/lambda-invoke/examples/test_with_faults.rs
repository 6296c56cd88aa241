//! How an application can test its use of Lambda: with functions in the test's own process, and
//! injected faults.
//!
//! ```text
//! cargo run -p lambda-invoke --example test_with_faults
//! ```
//!
//! In an application, the functions below `main` would be tests.

use std::error::Error;

use lambda_invoke::{Client, ErrorKind};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use serde_json::{Value, json};

type TestResult = Result<(), Box<dyn Error>>;

/// The application's code: places an order, and returns the order's number.
async fn order(client: &Client, item: &str) -> Result<u64, lambda_invoke::Error> {
    let call = client
        .invoke("orders")
        .payload_json(&json!({ "item": item }));
    call.send().await?.into_result()?.json()
}

fn orders() -> Function {
    Function::buffered("orders", |_| async { Ok::<_, FunctionError>("42") })
}

/// The function receives what the application sends.
async fn the_item_is_sent() -> TestResult {
    let server = Endpoint::builder().function(orders()).bind_local().await?;
    assert_eq!(order(&Client::local(server.url())?, "tea").await?, 42);
    let calls = server.calls("orders");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].json::<Value>()?, json!({ "item": "tea" }));
    Ok(())
}

/// The client waits when it is throttled; the function still runs once.
async fn a_throttled_order_is_placed_once() -> TestResult {
    let fault = "orders: throttle=CallerRateLimitExceeded times=1".parse()?;
    let builder = Endpoint::builder().function(orders()).fault(fault);
    let server = builder.bind_local().await?;
    assert_eq!(order(&Client::local(server.url())?, "tea").await?, 42);
    assert_eq!(server.calls("orders").len(), 1);
    Ok(())
}

/// A lost response must not lead to a second order.
async fn a_lost_response_is_not_ordered_again() -> TestResult {
    let fault = "orders: reset-at=1".parse()?;
    let builder = Endpoint::builder().function(orders()).fault(fault);
    let server = builder.bind_local().await?;
    let Err(error) = order(&Client::local(server.url())?, "tea").await else {
        return Err("the response was lost".into());
    };
    assert!(error.may_have_run(), "{error}");
    assert!(matches!(
        error.kind(),
        ErrorKind::Truncated | ErrorKind::Transport
    ));
    assert_eq!(server.calls("orders").len(), 1);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> TestResult {
    the_item_is_sent().await?;
    a_throttled_order_is_placed_once().await?;
    a_lost_response_is_not_ordered_again().await?;
    println!("3 tests passed");
    Ok(())
}
