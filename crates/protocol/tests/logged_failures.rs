//! Which logs report a failure, and which only appear to.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used)]

use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{
    InvokeComplete, LogTail, Outcome, Reply, StreamError, StreamEvent, StreamReader,
};

const ID: &str = "24771e54-fca1-4eaf-a574-0a5133afa0ff";
const OTHER: &str = "cc9f4885-72b3-498b-8242-ed5644d72371";
const TIME: &str = "2026-09-15T10:17:16.958Z";

/// A log with these lines between the START and END of [`ID`], and a report with this status.
fn log(lines: &str, status: &str) -> LogTail {
    log_of(&format!(
        "START RequestId: {ID} Version: $LATEST\n{lines}\nEND RequestId: {ID}\n\
         REPORT RequestId: {ID}\tDuration: 6.62 ms\tBilled Duration: 7 ms\t{status}\n"
    ))
}

fn log_of(text: &str) -> LogTail {
    LogTail::from_base64(LogTail::last_of(text.as_bytes()).to_base64())
}

fn reported(log: &LogTail) -> Option<String> {
    log.failure(Some(ID)).map(|failure| failure.to_string())
}

#[test]
fn a_status_in_the_report_is_a_failure() {
    for (status, text) in [
        ("Status: timeout", "status timeout"),
        ("Status: error", "status error"),
        ("Status: failure", "status failure"),
        (
            "Status: error\tError Type: Runtime.ExitError",
            "status error, Runtime.ExitError",
        ),
    ] {
        assert_eq!(reported(&log("", status)).as_deref(), Some(text));
        assert_eq!(log("", status).outcome(Some(ID)), Outcome::Failed);
    }
    for status in [
        "",
        "Status: success",
        "Status: ",
        "Status: ERROR",
        "Status: interrupted",
    ] {
        assert_eq!(reported(&log("", status)), None, "{status}");
    }
    assert_eq!(
        log("", "Status: success").outcome(Some(ID)),
        Outcome::Succeeded
    );
    assert_eq!(log("", "").outcome(Some(ID)), Outcome::NotReported);
    let json = format!(
        r#"{{"time":"t","type":"platform.report","record":{{"requestId":"{ID}","status":"timeout"}}}}"#
    );
    assert_eq!(reported(&log_of(&json)).as_deref(), Some("status timeout"));
    let json = json.replace("timeout", "success");
    assert_eq!(log_of(&json).outcome(Some(ID)), Outcome::Succeeded);
}

#[test]
fn the_node_runtimes_records_are_failures() {
    for label in [
        "Invoke Error",
        "Uncaught Exception",
        "Unhandled Promise Rejection",
    ] {
        for id in [ID, "-", "undefined"] {
            let line = format!(
                "{TIME}\t{id}\tERROR\t{label} \t\
                 {{\"errorType\":\"TypeError\",\"errorMessage\":\"no\",\"stack\":[\"TypeError: no\",\"    at h\"]}}"
            );
            let failure = log(&line, "").failure(Some(ID)).unwrap();
            assert_eq!(failure.to_string(), "TypeError: no");
            assert_eq!(failure.error.stack_trace.len(), 2);
            // The function's own lines before and after the record do not matter.
            assert!(reported(&log(&format!("a\n{line}\nb"), "")).is_some());
        }
    }
}

#[test]
fn the_python_runtimes_records_are_failures() {
    let frames = "\u{a0} File \"/var/task/h.py\", line 2, in handler\n\u{a0}\u{a0}\u{a0}\u{a0}raise ValueError";
    for (head, text) in [
        ("[ERROR] ValueError: no cat", "ValueError: no cat"),
        ("[ERROR] ValueError", "ValueError: "),
        ("[ERROR] _cat.My_Error2: no", "_cat.My_Error2: no"),
        (
            "[ERROR] botocore.errorfactory.NoSuchKey: a: b",
            "botocore.errorfactory.NoSuchKey: a: b",
        ),
        (
            "[ERROR] ValueError: two\nlines: here",
            "ValueError: two\\nlines: here",
        ),
    ] {
        let lines = format!("before\n{head}\nTraceback (most recent call last):\n{frames}");
        for lines in [
            lines.clone(),
            lines.replace('\n', "\r"),
            lines.replace('\u{a0}', " "),
        ] {
            let failure = log(&lines, "").failure(Some(ID)).unwrap();
            assert_eq!(failure.to_string(), text, "{lines:?}");
            assert_eq!(failure.error.stack_trace.len(), 2);
        }
    }
    // If the runtime logs to a telemetry descriptor, the record has no line break.
    let glued = log(
        "[ERROR] KeyError: 'a'\nTraceback (most recent call last):\n  File \"h.py\"",
        "",
    );
    let glued = log_of(&glued.text().replace("\nEND", "END"));
    assert_eq!(reported(&glued).as_deref(), Some("KeyError: 'a'"));
    // A module that cannot be imported has no frames.
    let import = "[ERROR] Runtime.ImportModuleError: Unable to import module 'h'\nTraceback (most recent call last):";
    assert!(
        reported(&log(import, ""))
            .unwrap()
            .starts_with("Runtime.ImportModuleError")
    );
    let json = format!(
        r#"{{"timestamp":"t","level":"ERROR","errorMessage":"no","errorType":"KeyError","requestId":"{ID}","stackTrace":[]}}"#
    );
    assert_eq!(reported(&log(&json, "")).as_deref(), Some("KeyError: no"));
}

/// In the JSON format the function's lines end with `platform.runtimeDone`, or with the report.
#[test]
fn a_log_in_the_json_format_ends_with_the_platforms_record() {
    let platform = |kind: &str| {
        format!(
            r#"{{"time":"t","type":"platform.{kind}","record":{{"requestId":"{ID}","version":"1"}}}}"#
        )
    };
    let failure = format!(
        r#"{{"level":"ERROR","errorMessage":"no","errorType":"KeyError","requestId":"{ID}","stackTrace":[]}}"#
    );
    let (start, done, report) = (
        platform("start"),
        platform("runtimeDone"),
        platform("report"),
    );
    for end in [
        format!("{done}\n{report}\n"),
        format!("{done}\n"),
        format!("{report}\n"),
    ] {
        let log = log_of(&format!("{start}\nhello\n{failure}\n{end}"));
        assert_eq!(reported(&log).as_deref(), Some("KeyError: no"), "{end}");
    }
    // Lines after the end are not the function's.
    let log = log_of(&format!("{start}\nhello\n{done}\n{failure}\n"));
    assert_eq!(reported(&log), None);
}

#[test]
fn the_platforms_own_lines_are_failures() {
    let exited = format!(
        "RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError"
    );
    let text = "Runtime.ExitError: Runtime exited with error: exit status 1";
    assert_eq!(reported(&log(&exited, "")).as_deref(), Some(text));
    let after_end = format!("\n{TIME} {ID} Task timed out after 1.00 seconds");
    let timed_out = log("", &after_end);
    assert_eq!(
        reported(&timed_out).as_deref(),
        Some("Task timed out after 1.00 seconds")
    );
    for other in [
        format!("2026 {ID} Task timed out after 1.00 seconds"),
        format!("yesterday {ID} Task timed out after 1.00 seconds"),
        format!("{TIME} {OTHER} Task timed out after 1.00 seconds"),
        format!("{TIME} {ID} Task timed out after 1 seconds"),
        format!("{TIME} {ID} Task timed out after .00 seconds"),
        format!("{TIME} {ID} Task timed out after 1. seconds"),
        format!("{TIME} {ID} Task timed out after x.00 seconds"),
        format!("{TIME} {ID} Task timed out after 1.x seconds"),
    ] {
        assert_eq!(reported(&log("", &format!("\n{other}"))), None, "{other}");
    }
    // If the function writes the same line, it proves nothing.
    assert_eq!(reported(&log(after_end.trim_start(), "")), None);
}

#[test]
fn what_a_function_writes_itself_is_not_a_failure() {
    let traceback = "Traceback (most recent call last):\n  File \"h.py\", line 2, in handler";
    let error = r#"{"errorType":"E","errorMessage":"m","stack":[]}"#;
    for lines in [
        "ERROR".to_owned(),
        "[ERROR] Foo: bar".to_owned(),
        "Status: timeout".to_owned(),
        "Task timed out after 1.00 seconds".to_owned(),
        // logging.error and logging.exception of Python.
        format!("[ERROR]\t{TIME}\t{ID}\tno cat"),
        format!("[ERROR]\t{TIME}\t{ID}\tno cat\n{traceback}\nValueError: no cat"),
        // traceback.print_exc() after a line that resembles the runtime's.
        format!("[ERROR] Foo: bar\n{traceback}\nValueError: no cat"),
        // A traceback, after which the function continues.
        format!("[ERROR] Foo: bar\n{traceback}\nrecovered"),
        // A traceback without the runtime's line.
        traceback.to_owned(),
        format!("some [ERROR] Foo: bar\n{traceback}"),
        format!("[ERROR] two words: bar\n{traceback}"),
        format!("[ERROR] 2nd: bar\n{traceback}"),
        format!("[ERROR] a.: bar\n{traceback}"),
        // console.error of Node, in both formats.
        format!("{TIME}\t{ID}\tERROR\tno cat"),
        format!("{TIME}\t{ID}\tERROR\tInvoke Error {error}"),
        format!("{TIME}\t{ID}\tINFO\tInvoke Error \t{error}"),
        format!("{TIME}\t{ID}\tERROR\tInvoke Error \tnot JSON"),
        format!("yesterday\t{ID}\tERROR\tInvoke Error \t{error}"),
        format!(" {TIME}\t{ID}\tERROR\tInvoke Error \t{error}"),
        format!(r#"{{"level":"ERROR","requestId":"{ID}","message":"no cat"}}"#),
        format!(
            r#"{{"level":"ERROR","requestId":"{ID}","message":{{"errorType":"E","stackTrace":[]}}}}"#
        ),
        format!(
            r#"{{"level":"ERROR","requestId":"{ID}","message":"x","errorType":"E","errorMessage":"m","stackTrace":[]}}"#
        ),
        format!(r#"{{"level":"ERROR","requestId":"{ID}","errorType":"E"}}"#),
        format!(r#"{{"level":"WARN","requestId":"{ID}","errorType":"E","stackTrace":[]}}"#),
        format!(
            r#"{{"level":"WARN","requestId":"{ID}","errorType":"E","errorMessage":"ERROR","x":"ERROR","stackTrace":[]}}"#
        ),
        format!(
            r#"{{"level":"ERROR","requestId":"{OTHER}","errorType":"E","errorMessage":"{ID}","stackTrace":[]}}"#
        ),
        format!(
            r#" {{"level":"ERROR","requestId":"{ID}","errorType":"E","errorMessage":"m","stackTrace":[]}}"#
        ),
        format!("RequestId: {ID} Error: no cat"),
        format!("RequestId: {ID} Error: no cat\nRuntime."),
        format!("RequestId: {ID} Error: no cat\nRuntime.Exit Error"),
        format!("RequestId: {ID} Error: no cat\nRuntime.ExitError\nand on"),
    ] {
        assert_eq!(reported(&log(&lines, "")), None, "{lines}");
        assert_eq!(log(&lines, "").outcome(Some(ID)), Outcome::NotReported);
    }
}

#[test]
fn another_requests_log_is_not_this_ones() {
    let error = r#"{"errorType":"E","errorMessage":"m","stack":[]}"#;
    for quoted in [
        format!("{TIME}\t{OTHER}\tERROR\tInvoke Error \t{error}"),
        format!("REPORT RequestId: {OTHER}\tDuration: 1.00 ms\tStatus: timeout"),
        format!("RequestId: {OTHER} Error: no cat\nRuntime.ExitError"),
        format!(r#"{{"level":"ERROR","requestId":"{OTHER}","errorType":"E","stackTrace":[]}}"#),
        format!(
            r#"{{"time":"t","type":"platform.report","record":{{"requestId":"{OTHER}","status":"error"}}}}"#
        ),
    ] {
        assert_eq!(reported(&log(&quoted, "")), None, "{quoted}");
        assert_eq!(log(&quoted, "").failure(None), None, "{quoted}");
    }
    // A complete log of another request. Without an id from the head, the id of the last report is
    // used.
    let other = format!(
        "START RequestId: {OTHER} Version: 1\n{TIME}\t{OTHER}\tERROR\tInvoke Error \t{error}\n\
         END RequestId: {OTHER}\nREPORT RequestId: {OTHER}\tDuration: 1.00 ms\tStatus: error\n"
    );
    assert_eq!(reported(&log_of(&other)), None);
    assert!(log_of(&other).failure(None).is_some());
    assert_eq!(reported(&log(&other, "")), None);
}

#[test]
fn outside_of_start_and_end_nothing_counts() {
    let record =
        format!("{TIME}\t-\tERROR\tInvoke Error \t{{\"errorType\":\"E\",\"errorMessage\":\"m\"}}");
    let end = format!("END RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 1.00 ms\n");
    let start = format!("START RequestId: {ID} Version: 1\n");
    assert!(reported(&log_of(&format!("{start}{record}\n{end}"))).is_some());
    assert_eq!(reported(&log_of(&format!("{record}\n{start}{end}"))), None);
    assert_eq!(reported(&log_of(&format!("{start}{end}{record}\n"))), None);
    // Without an END line, it is unknown to which request the record belongs.
    assert_eq!(reported(&log_of(&format!("{start}{record}\n"))), None);
    assert_eq!(reported(&log_of(&record)), None);
    assert_eq!(reported(&log_of("")), None);
}

/// A function can print the text of the platform's END line, but the platform's own line is always
/// the last of these.
#[test]
fn an_end_with_more_text_on_its_line_is_not_the_platforms() {
    let record =
        format!("{TIME}\t-\tERROR\tInvoke Error \t{{\"errorType\":\"E\",\"errorMessage\":\"m\"}}");
    let report = format!("REPORT RequestId: {ID}\tDuration: 1.00 ms\n");
    let printed = format!("END RequestId: {ID}, says the function");
    let log = log_of(&format!("a line\n{printed}\n{record}\n{report}"));
    assert_eq!(reported(&log).as_deref(), Some("E: m"));
}

/// A log that is shorter than the service's maximum is complete, and so is its first line.
#[test]
fn the_first_line_of_a_log_of_less_than_the_maximum_counts() {
    let error = r#"{"errorType":"E","errorMessage":"m"}"#;
    let record = format!("{TIME}\t{ID}\tERROR\tInvoke Error \t{error}");
    let end = format!("END RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 1.00 ms\n");
    let rest = LogTail::MAX_BYTES - record.len() - end.len() - 2;
    for (padding, counts) in [(rest - 2500, true), (rest - 4, true), (rest - 3, false)] {
        let log = log_of(&format!("{record}\n{}\n{end}", "y".repeat(padding)));
        assert_eq!(reported(&log).is_some(), counts, "{padding}");
    }
}

#[test]
fn a_tail_that_lacks_its_start_is_read_from_its_first_whole_line() {
    let error = r#"{"errorType":"E","errorMessage":"m"}"#;
    let record = format!("{TIME}\t{ID}\tERROR\tInvoke Error \t{error}");
    let padding = "x".repeat(5000);
    assert!(reported(&log(&format!("{padding}\n{record}"), "")).is_some());
    // The rest of a truncated line may look like a complete line.
    let end = format!("END RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 1.00 ms\n");
    let padding = "y".repeat(LogTail::MAX_BYTES - record.len() - end.len() - 2);
    let rest = format!("{record}\n{padding}\n{end}");
    let truncated = log_of(&format!("a function's own: {rest}"));
    assert_eq!(truncated.text(), rest);
    assert_eq!(reported(&truncated), None);
    let whole = log_of(&format!(
        "a function's own:\n{}",
        rest.replacen("yyyyy", "", 1)
    ));
    assert!(reported(&whole).is_some());
}

#[test]
fn a_log_of_any_size_is_searched_and_an_error_stays_small() {
    let message = "m".repeat(3 << 20);
    let huge = format!(
        "START RequestId: {ID} Version: 1\n{TIME}\t{ID}\tERROR\tInvoke Error \t\
         {{\"errorType\":\"E\",\"errorMessage\":\"short\",\"stack\":[\"{message}\"]}}\n\
         END RequestId: {ID}\nREPORT RequestId: {ID}\tStatus: error\tDuration: 1.00 ms\n"
    );
    let log = LogTail::from_base64({
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&huge)
    });
    let failure = log.failure(Some(ID)).unwrap();
    assert_eq!(failure.to_string(), "status error");
    assert!(failure.to_string().len() < 2048);

    // A log of several times the service's maximum is searched as a whole.
    let long = format!(
        "START RequestId: {ID} Version: 1\n{TIME}\t{ID}\tERROR\tInvoke Error \t\
         {{\"errorType\":\"E\",\"errorMessage\":\"m\"}}\n{}\n\
         END RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 1.00 ms\n",
        "y".repeat(15 * LogTail::MAX_BYTES)
    );
    let log = LogTail::from_base64({
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&long)
    });
    assert_eq!(reported(&log).as_deref(), Some("E: m"));
}

#[test]
fn a_stream_whose_log_reports_a_failure_fails() {
    let mut wire = Vec::new();
    StreamEvent::PayloadChunk("half".into())
        .encode(&mut wire)
        .unwrap();
    let complete = InvokeComplete::with_log(Some(log("", "Status: timeout")));
    StreamEvent::InvokeComplete(complete)
        .encode(&mut wire)
        .unwrap();
    // This stream's log ends with this stream's report, whatever id is in the head.
    for id in [Some(ID), None, Some(OTHER)] {
        let mut reader = StreamReader::new().with_request_id(id.map(str::to_owned));
        reader.push(wire.clone().into());
        while reader.next_event().unwrap().is_some() {}
        let error = reader.finish().unwrap_err();
        assert!(matches!(error, StreamError::FunctionFailed { .. }));
        let text = "the function failed while streaming, as its log reports: status timeout";
        assert_eq!(error.to_string(), text);
    }
}

/// The end of a log can contain two requests; the id identifies the report of the stream's own.
#[test]
fn of_several_reports_a_stream_uses_the_one_of_its_request() {
    let both = format!(
        "START RequestId: {ID} Version: 1\nEND RequestId: {ID}\n\
         REPORT RequestId: {ID}\tDuration: 1.00 ms\n\
         REPORT RequestId: {OTHER}\tDuration: 1.00 ms\tStatus: timeout\n"
    );
    let end = StreamEvent::InvokeComplete(InvokeComplete::with_log(Some(log_of(&both))));
    let mut wire = Vec::new();
    end.encode(&mut wire).unwrap();
    for (id, fails) in [(Some(ID), false), (Some(OTHER), true), (None, true)] {
        let mut reader = StreamReader::new().with_request_id(id.map(str::to_owned));
        reader.push(wire.clone().into());
        while reader.next_event().unwrap().is_some() {}
        assert_eq!(reader.finish().is_err(), fails, "{id:?}");
    }
}

#[test]
fn a_failure_is_found_although_a_gateway_has_replaced_the_id_in_the_head() {
    let failed = log("", "Status: error");
    let end = StreamEvent::InvokeComplete(InvokeComplete::with_log(Some(failed.clone())));
    let mut wire = Vec::new();
    end.encode(&mut wire).unwrap();
    let head = [
        ("x-amzn-requestid", OTHER),
        ("x-amz-executed-version", "1"),
        ("x-amz-log-result", &failed.to_base64()),
    ];
    for id in [ID, OTHER] {
        let mut reader = StreamReader::new().with_request_id(Some(id.to_owned()));
        reader.push(wire.clone().into());
        while let Ok(Some(_)) = reader.next_event() {}
        let ended = reader.finish();
        assert!(
            matches!(ended, Err(StreamError::FunctionFailed { .. })),
            "{id}"
        );
    }
    let mut response = http::Response::builder();
    for (name, value) in head {
        response = response.header(name, value);
    }
    let (parts, ()) = response.body(()).unwrap().into_parts();
    let asked = InvocationType::RequestResponse;
    let reply = Reply::from_http(asked, &parts, "{}".into()).unwrap();
    assert!(reply.logged_failure().is_some());

    // If a log has this request's report, no other report in it counts.
    let quoted = log(
        &format!("REPORT RequestId: {OTHER}\tDuration: 1.00 ms\tStatus: error"),
        "",
    );
    assert_eq!(quoted.own_id(Some(ID)), Some(ID));
    assert_eq!(log_of("no report").own_id(Some(ID)), Some(ID));
}
