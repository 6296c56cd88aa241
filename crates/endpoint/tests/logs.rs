//! The observer of function logs.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{Call, serve, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn each_line_is_reported_at_once_with_its_function_and_request() {
    let (report, mut reported) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let held = Arc::clone(&gate);
    let talks = Function::buffered("talks", move |invocation| {
        let gate = Arc::clone(&held);
        async move {
            invocation.log("first\nsecond");
            gate.notified().await;
            invocation.log("third");
            Ok::<_, FunctionError>("1")
        }
    });
    let builder = Endpoint::builder().function(talks).on_log(move |line| {
        let id = line.request_id.map(str::to_owned);
        let line = (line.function.to_owned(), id, line.text.to_owned());
        report.send(line).unwrap();
    });
    let (_server, mut client) = serve(builder).await;
    client.send(&Call::invoke("talks", "{}").tail()).await;
    let mut ids = Vec::new();
    for text in ["first", "second"] {
        let (function, id, line) = soon(reported.recv()).await.unwrap();
        assert_eq!((function.as_str(), line.as_str()), ("talks", text));
        ids.push(id);
    }
    gate.notify_one();
    let response = soon(client.response()).await.unwrap();
    let (_, id, line) = soon(reported.recv()).await.unwrap();
    assert_eq!(line, "third");
    assert!(ids.iter().all(|other| *other == id));
    assert_eq!(id.as_deref(), response.header("x-amzn-requestid"));
    // The platform's lines appear only in the log tail.
    assert!(reported.try_recv().is_err());
    let log = response.reply().log.unwrap();
    assert!(log.text().starts_with("START RequestId: "), "{log:?}");
    assert!(
        log.text()
            .contains("\nfirst\nsecond\nthird\nEND RequestId: ")
    );
}
