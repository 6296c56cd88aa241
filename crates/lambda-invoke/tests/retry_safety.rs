//! Every row of docs/retry-safety.md over a real socket, for both operations and all policies: how
//! often the function runs, how often the request is sent, and what the error says about the
//! execution.
//!
//! The server of this test behaves in the worst way that the row allows: where the function may
//! have run, it has run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use lambda_invoke::{
    BoxError, Client, Credentials, CredentialsFuture, Error, ErrorKind, Execution,
    ProvideCredentials, RetryPolicy, Timeouts, Transport,
};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
use support::{Server, Step, chunk, events, rejection, response, stream_head, whole_stream};
use tokio::net::TcpStream;

/// A row of the table.
#[derive(Clone, Debug)]
struct Row {
    failure: String,
    execution: Execution,
    /// Whether the request is sent again by default, with `at_least_once()`, with a durable name,
    /// and with `none()`.
    again: [bool; 4],
}

fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/retry-safety.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.split("<!-- table: begin -->").nth(1).unwrap();
    let table = table.split("<!-- table: end -->").next().unwrap();
    let rows: Vec<Row> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| failure"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [failure, execution, _class, default, bold, durable, none] = cells[..] else {
                panic!("{line}")
            };
            let again = [default, bold, durable, none].map(|cell| cell.starts_with("again"));
            let execution = match execution {
                "not started" => Execution::NotStarted,
                "unknown" => Execution::Unknown,
                "started" => Execution::Started,
                other => panic!("{other}"),
            };
            Row {
                failure: failure.to_owned(),
                execution,
                again,
            }
        })
        .collect();
    assert!(rows.len() > 80, "only {} rows were found", rows.len());
    rows
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Invoke,
    Stream,
}

/// How the first attempt fails.
#[derive(Clone, Debug)]
enum Trouble {
    NoCredentials,
    NoConnection,
    /// The server reads the request and then takes these steps.
    Response(Vec<Step>),
}

/// All the ways in which the failure of a row can come about.
fn troubles(failure: &str, operation: Operation) -> Vec<Trouble> {
    let steps = match (failure, operation) {
        ("an invalid request; no credentials", _) => {
            return vec![Trouble::NoCredentials];
        }
        ("no connection; closed before the request was written", _) => {
            return vec![Trouble::NoConnection];
        }
        ("reset, closed or timed out, without a response", _) => {
            vec![vec![Step::Reset], vec![Step::Close], vec![Step::Hang]]
        }
        ("a response that is not the operation's", Operation::Invoke) => {
            let id = ("x-amzn-requestid", "the-id");
            let coded = [id, ("content-encoding", "gzip")];
            let page = [id, ("content-type", "text/html")];
            [
                redirect(),
                response("201 Created", &[id], "{}"),
                response("202 Accepted", &[id], ""),
                response("204 No Content", &[id], ""),
                response("206 Partial Content", &[id], "{}"),
                response("200 OK", &coded, "{}"),
                response("200 OK", &page, "{}"),
                response("200 OK", &[], "It works!"),
            ]
            .map(|bytes| vec![Step::Write(bytes)])
            .to_vec()
        }
        ("a response that is not the operation's", Operation::Stream) => {
            let page = response("200 OK", &[("content-type", "text/html")], "<html>");
            vec![vec![Step::Write(redirect())], vec![Step::Write(page)]]
        }
        ("a response that broke off after its head", Operation::Invoke) => {
            let whole = response(
                "200 OK",
                &[("x-amzn-requestid", "the-id")],
                "a long response",
            );
            let cut = whole[..whole.len() - 4].to_vec();
            let unproved =
                b"HTTP/1.1 200 OK\r\nx-amzn-requestid: the-id\r\nconnection: close\r\n\r\n\
                             {\"half\":";
            vec![
                vec![Step::Write(cut.clone()), Step::Close],
                vec![Step::Write(cut), Step::Reset],
                vec![Step::Write(unproved.to_vec()), Step::Close],
            ]
        }
        ("a response that broke off after its head", Operation::Stream) => {
            let cut = [stream_head(&[]), events([chunk("hel")])].concat();
            vec![
                vec![Step::Write(cut.clone()), Step::Close],
                vec![Step::Write(cut), Step::Reset],
            ]
        }
        ("a function error; `InvokeComplete` with an error code", Operation::Invoke) => {
            let headers = [("x-amz-function-error", "Unhandled")];
            vec![vec![Step::Write(response("200 OK", &headers, "{}"))]]
        }
        ("a function error; `InvokeComplete` with an error code", Operation::Stream) => {
            let failed = StreamEvent::InvokeComplete(InvokeComplete::failed("Unhandled", "no"));
            let end = [events([failed]), support::LAST_CHUNK.to_vec()].concat();
            vec![vec![Step::Write(stream_head(&[])), Step::Write(end)]]
        }
        (other, _) => {
            let (status, rest) = other.split_once(' ').unwrap();
            let status = format!("{status} Status");
            let bytes = match rest.strip_prefix('`') {
                None => {
                    assert_eq!(rest, "without a known code");
                    response(&status, &[], "")
                }
                Some(code) => rejection(&status, code.strip_suffix('`').unwrap(), "no"),
            };
            // According to this date, the machine's clock is wrong, by less than the maximum
            // correction.
            let head = String::from_utf8(bytes).unwrap();
            let date = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(3600));
            let dated = head.replacen("\r\n", &format!("\r\ndate: {date}\r\n"), 1);
            vec![vec![Step::Write(dated.into_bytes())]]
        }
    };
    steps.into_iter().map(Trouble::Response).collect()
}

fn redirect() -> Vec<u8> {
    response("302 Found", &[("location", "http://localhost/")], "")
}

/// Returns credentials that can be fetched again, or an error.
#[derive(Debug)]
struct Provider {
    has_any: bool,
}

impl ProvideCredentials for Provider {
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            if self.has_any {
                Ok(Credentials::new("local", "local")?)
            } else {
                Err("none".into())
            }
        })
    }
}

async fn drive(row: Row, column: usize, operation: Operation, trouble: Trouble) {
    let what = format!("{row:?}, column {column}, {operation:?}, {trouble:?}");
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let (scripted, execution) = (trouble.clone(), row.execution);
    let server = Server::start(move |nth, _| {
        if let (0, Trouble::Response(steps)) = (nth, &scripted) {
            if execution != Execution::NotStarted {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            return steps.clone();
        }
        counted.fetch_add(1, Ordering::SeqCst);
        vec![Step::Write(match operation {
            Operation::Invoke => response("200 OK", &[], "{}"),
            Operation::Stream => whole_stream(),
        })]
    })
    .await;

    let dials = AtomicUsize::new(0);
    let (address, rejects) = (server.address, matches!(trouble, Trouble::NoConnection));
    let transport = Transport::builder()
        .connect_with(move |_| {
            let rejected = dials.fetch_add(1, Ordering::SeqCst) == 0 && rejects;
            async move {
                if rejected {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                TcpStream::connect(address).await
            }
        })
        .build();
    let policy = match column {
        0 | 2 => RetryPolicy::default(),
        1 => RetryPolicy::at_least_once(),
        _ => RetryPolicy::none(),
    };
    let client = server
        .client_builder()
        .credentials(Provider {
            has_any: !matches!(trouble, Trouble::NoCredentials),
        })
        .transport(transport)
        .timeouts(Timeouts::default().with_first_byte(Duration::from_secs(5)))
        .retry(policy.with_max_backoff(Duration::from_millis(5)))
        .build()
        .unwrap();
    let result = call(&client, operation, column == 2).await;

    let before = usize::from(row.execution != Execution::NotStarted);
    match result {
        Ok(attempts) => {
            assert!(row.again[column], "was sent again: {what}");
            assert_eq!(attempts, 2, "{what}");
            assert_eq!(executions.load(Ordering::SeqCst), before + 1, "{what}");
        }
        Err(error) => {
            assert!(!row.again[column], "{error:?} was not sent again: {what}");
            assert_eq!(error.execution(), row.execution, "{error:?}: {what}");
            assert_eq!(error.attempts(), 1, "{what}");
            assert_eq!(executions.load(Ordering::SeqCst), before, "{what}");
        }
    }
}

/// Makes the call to its end, and returns the number of attempts.
async fn call(client: &Client, operation: Operation, durable: bool) -> Result<u32, Error> {
    match operation {
        Operation::Invoke => {
            let mut call = client.invoke("f");
            if durable {
                call = call.durable_execution_name("once");
            }
            let reply = call.send().await?.into_result()?;
            Ok(reply.attempts())
        }
        Operation::Stream => {
            let mut stream = client.stream("f").send().await?;
            while let Some(piece) = stream.next_chunk().await {
                piece?;
            }
            Ok(stream.attempts())
        }
    }
}

#[tokio::test]
async fn no_row_runs_a_function_more_often_than_the_table_says() {
    let mut runs = Vec::new();
    for row in rows() {
        for operation in [Operation::Invoke, Operation::Stream] {
            for trouble in troubles(&row.failure, operation) {
                for column in 0..4 {
                    // A stream cannot have a durable execution name.
                    if (column, operation) != (2, Operation::Stream) {
                        let run = drive(row.clone(), column, operation, trouble.clone());
                        runs.push(tokio::spawn(run));
                    }
                }
            }
        }
    }
    assert!(runs.len() > 600, "only {} runs", runs.len());
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn an_earlier_attempt_that_may_have_run_is_remembered() {
    let server = Server::start(|nth, _| match nth {
        0 => vec![Step::Close],
        _ => vec![Step::Write(rejection(
            "404 Not Found",
            "ResourceNotFoundException",
            "gone",
        ))],
    })
    .await;
    let client = server
        .client_builder()
        .retry(RetryPolicy::at_least_once())
        .build()
        .unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        error.service_error().unwrap().code(),
        Some("ResourceNotFoundException")
    );
    assert_eq!(error.attempts(), 2);
    // The second attempt was certainly rejected, but the first may have run.
    assert_eq!(error.execution(), Execution::Unknown);
}

#[tokio::test]
async fn an_error_before_a_later_attempt_says_that_an_earlier_one_may_have_run() {
    let server = Server::start(|nth, _| match nth {
        0 => vec![Step::Close],
        _ => vec![Step::Write(rejection(
            "403 Forbidden",
            "ExpiredTokenException",
            "expired",
        ))],
    })
    .await;
    let fetches = AtomicUsize::new(0);
    let client = server
        .client_builder()
        .credentials(move || {
            let is_first = fetches.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                match is_first {
                    true => Ok(Credentials::new("local", "local")?),
                    false => Err("the vault is closed".into()),
                }
            }
        })
        .retry(RetryPolicy::at_least_once())
        .build()
        .unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Credentials, Execution::Unknown, 3)
    );
    assert_eq!(
        error.to_string(),
        "no credentials to sign the request with: the vault is closed, in 3 attempts; the function may \
         have run"
    );
}

#[tokio::test]
async fn the_total_timeout_covers_all_attempts() {
    let server = Server::start(|_, _| {
        vec![Step::Write(rejection(
            "429 Busy",
            "TooManyRequestsException",
            "Rate Exceeded.",
        ))]
    })
    .await;
    let policy = RetryPolicy::default().with_max_attempts(1000);
    let client = server.client_builder().retry(policy).build().unwrap();
    let started = std::time::Instant::now();
    let call = client.invoke("f").timeout(Duration::from_millis(300));
    let error = call.send().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(error.execution(), Execution::NotStarted);
    assert!(
        error
            .service_error()
            .is_some_and(|error| error.is_throttle()),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_unknown_error_of_a_custom_service_may_have_sent_the_request() {
    #[derive(Clone)]
    struct Failing(Arc<AtomicUsize>);

    impl tower_service::Service<http::Request<http_body_util::Full<bytes::Bytes>>> for Failing {
        type Response = http::Response<http_body_util::Full<bytes::Bytes>>;
        type Error = BoxError;
        type Future = std::future::Ready<Result<Self::Response, BoxError>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), BoxError>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<http_body_util::Full<bytes::Bytes>>) -> Self::Future {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err("the wire is down".into()))
        }
    }

    let calls = Arc::new(AtomicUsize::new(0));
    let client = support::builder()
        .transport(Failing(Arc::clone(&calls)))
        .build()
        .unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(error.execution(), Execution::Unknown);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
