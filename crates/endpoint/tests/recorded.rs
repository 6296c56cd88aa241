//! The service's recorded responses, compared with the endpoint's responses to real signed
//! requests.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use common::{Call, Client, Response};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, Server};
use serde_json::{Value, json};

/// The account of every recording.
const ACCOUNT: &str = "111111111111";
const REGION: &str = "us-east-1";

/// Replaces the placeholders `<partition>`, `<region>`, `<wrong-region>` and `<a:len(5)>`.
fn filled(text: &str) -> String {
    let mut text = text
        .replace("<partition>", "aws")
        .replace("<wrong-region>", "us-west-2")
        .replace("<region>", REGION);
    while let Some((before, rest)) = text.split_once("<a:len(") {
        let (count, after) = rest.split_once(")>").unwrap();
        text = format!("{before}{}{after}", "a".repeat(count.parse().unwrap()));
    }
    text
}

async fn endpoint(function: Option<Function>) -> Server {
    let builder = Endpoint::builder().account(ACCOUNT).region(REGION);
    builder.functions(function).bind_local().await.unwrap()
}

fn check_error(response: &Response, status: u64, code: &str, message: &str, case: &str) {
    let error = response.error();
    assert_eq!(u64::from(error.status()), status, "{case}");
    assert_eq!(error.code(), Some(code), "{case}");
    assert_eq!(error.message(), Some(message), "{case}");
    assert_eq!(error.request_id().map(str::len), Some(36), "{case}");
}

/// Compares an error response with a recording, which has the members that boto3 returns.
fn check_recorded_error(response: &Response, recorded: &Value, case: &str) {
    let text = |value: &Value| filled(value.as_str().unwrap());
    let (code, message) = (&recorded["Error"]["Code"], &recorded["Error"]["Message"]);
    let status = recorded["ResponseMetadata"]["HTTPStatusCode"]
        .as_u64()
        .unwrap();
    check_error(response, status, &text(code), &text(message), case);
    let body = response.json();
    for member in ["Message", "message", "Type"] {
        // boto3 leaves out the members of an error that are not in its model.
        if let Some(value) = recorded.get(member) {
            assert_eq!(body[member], text(value), "{case}: {member}");
        }
    }
}

#[tokio::test]
async fn a_name_gets_the_recorded_response_of_both_operations() {
    // One case of each kind, quoted from the service's responses.
    let server = endpoint(None).await;
    let mut client = Client::to(&server).await;
    for (name, qualifier, status, code, message) in [
        (
            "*",
            None,
            400,
            "ValidationException",
            r"1 validation error detected: Value '*' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
        ),
        (
            "f:$LATEST",
            Some("1"),
            400,
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        ),
        (
            "f",
            None,
            404,
            "ResourceNotFoundException",
            "Function not found: arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST",
        ),
        (
            "arn:aws:lambda:us-west-2:111111111111:function:f",
            None,
            404,
            "ResourceNotFoundException",
            "Functions from 'us-west-2' are not reachable in this region ('us-east-1')",
        ),
    ] {
        for call in [Call::invoke(name, "{}"), Call::stream(name, "{}")] {
            let call = match qualifier {
                Some(qualifier) => call.qualifier(qualifier),
                None => call,
            };
            let response = client.call(&call).await;
            check_error(&response, status, code, message, name);
        }
    }
}

/// Recordings of other operations, which this endpoint does not implement.
const OTHER_OPERATIONS: [&str; 3] = [
    "[delete_function]",
    "[get_function]",
    "[get_function_configuration]",
];

#[tokio::test]
async fn every_recorded_response_to_a_name() {
    let mut files = Vec::new();
    lambda_invoke_vectors::suite("endpoint/names", |folder| {
        files.push(lambda_invoke_vectors::json(
            &folder.join("model/names/localstack-function-name-validation.json"),
        ));
        name_cases(&files[0]).len()
    });
    let Some(data) = files.first() else { return };
    let server = endpoint(None).await;
    let mut client = Client::to(&server).await;
    for case in name_cases(data) {
        let response = client.call(&case.call).await;
        match &case.expected {
            Expected::Recorded(recorded) => check_recorded_error(&response, recorded, &case.name),
            Expected::Error {
                status,
                code,
                message,
            } => {
                check_error(&response, *status, code, message, &case.name);
            }
        }
        // The streaming operation has the same responses.
        let path = case.call.path.replace("/2015-03-31/", "/2021-11-15/");
        let path = path.replace("/invocations", "/response-streaming-invocations");
        let streamed = client
            .call(&Call {
                path,
                ..case.call.clone()
            })
            .await;
        assert_eq!(
            streamed.error().message(),
            response.error().message(),
            "{}",
            case.name
        );
        assert_eq!(streamed.status(), response.status(), "{}", case.name);
    }
}

struct NameCase {
    name: String,
    call: Call,
    expected: Expected,
}

enum Expected {
    Recorded(Value),
    Error {
        status: u64,
        code: String,
        message: String,
    },
}

fn name_cases(data: &Value) -> Vec<NameCase> {
    let mut cases = Vec::new();
    for case in data["cases"].as_array().unwrap() {
        let Some(observed) = case["observed"].get("invoke") else {
            continue;
        };
        let input = &case["input"];
        let mut call = Call::invoke(input["FunctionName"].as_str().unwrap(), "{}");
        if let Some(qualifier) = input.get("Qualifier") {
            call = call.qualifier(qualifier.as_str().unwrap());
        }
        let code = observed["Code"].as_str().unwrap();
        let message = match observed.get("Errors") {
            Some(errors) => {
                let errors = errors.as_array().unwrap().iter();
                let errors: Vec<String> = errors
                    .map(|error| filled(error.as_str().unwrap()))
                    .collect();
                let count = observed["Count"].as_u64().unwrap();
                let plural = if count == 1 { "" } else { "s" };
                format!(
                    "{count} validation error{plural} detected: {}",
                    errors.join("; ")
                )
            }
            None => filled(observed["Message"].as_str().unwrap()),
        };
        // The recording has no status for this case; it follows from the model.
        let status = if code == "ResourceNotFoundException" {
            404
        } else {
            400
        };
        let name = case["id"].as_str().unwrap().to_owned();
        let expected = Expected::Error {
            status,
            code: code.to_owned(),
            message,
        };
        cases.push(NameCase {
            name,
            call,
            expected,
        });
    }
    for (name, recording) in data["related"].as_object().unwrap() {
        if OTHER_OPERATIONS
            .iter()
            .any(|operation| name.ends_with(operation))
        {
            continue;
        }
        for (member, recorded) in recording["recorded-content"].as_object().unwrap() {
            let function = match member.as_str() {
                "wrong_region_exception" => {
                    format!("arn:aws:lambda:us-west-2:{ACCOUNT}:function:my-function")
                }
                "invoke_function_name_pattern_exc" => {
                    format!("arn:aws:lambda:{REGION}:123400000000@function:myfn")
                }
                other => panic!("{name}: nothing is known of {other}"),
            };
            cases.push(NameCase {
                name: name.clone(),
                call: Call::invoke(&function, "{}"),
                expected: Expected::Recorded(recorded.clone()),
            });
        }
    }
    cases
}

/// Recorded responses that do not apply to the endpoint, each with the reason.
const INAPPLICABLE: [(&str, &str, &str); 2] = [
    (
        "tests/aws/lambda_/test_lambda.py::TestLambdaFeatures::test_invoke_exceptions",
        "invoke_function_doesnotexist",
        "of 2023, without the qualifier; the recording of 2025 of the same test has one",
    ),
    (
        "TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse",
        "invoke-result-timed-out",
        "of April 2024, without errorType; the recordings of a timeout from 2025 have one",
    ),
];

/// Time is paused: it jumps to the next timer when nothing else is ready, so a timeout of 30
/// seconds takes no real time.
#[tokio::test(start_paused = true)]
async fn every_recorded_response_to_an_invocation() {
    let mut files = Vec::new();
    lambda_invoke_vectors::suite("endpoint/invoke-responses", |folder| {
        files.push(lambda_invoke_vectors::json(
            &folder.join("model/invoke-responses/localstack-invoke-snapshots.json"),
        ));
        response_cases(&files[0]).len()
    });
    let Some(data) = files.first() else { return };
    for (snapshot, member, recorded, logs) in response_cases(data) {
        let case = format!("{snapshot} {member}");
        let logs = logs.unwrap_or_default();
        let (function, call) = setup(&snapshot, &recorded, &logs);
        let server = endpoint(function).await;
        let mut client = Client::to(&server).await;
        client.send(&call).await;
        let response = client.response().await.unwrap();
        if recorded.get("Error").is_some() {
            check_recorded_error(&response, &recorded, &case);
        } else {
            check_reply(&response, &recorded, &logs, &case);
        }
    }
}

type ResponseCase = (String, String, Value, Option<Vec<String>>);

fn response_cases(data: &Value) -> Vec<ResponseCase> {
    let mut cases = Vec::new();
    for (snapshot, recording) in data["snapshots"].as_object().unwrap() {
        let content = recording["recorded-content"].as_object().unwrap();
        let logs = content
            .get("logs")
            .and_then(|logs| logs["logs"].as_array())
            .map(|lines| {
                lines
                    .iter()
                    .map(|line| line.as_str().unwrap().to_owned())
                    .collect::<Vec<_>>()
            });
        for (member, recorded) in content {
            let is_response = recorded.get("Error").is_some()
                || (recorded.get("StatusCode").is_some() && recorded.get("Payload").is_some());
            let left_out = INAPPLICABLE
                .iter()
                .any(|(of, what, _)| snapshot.ends_with(of) && member == what);
            if is_response && !left_out {
                cases.push((
                    snapshot.clone(),
                    member.clone(),
                    recorded.clone(),
                    logs.clone(),
                ));
            }
        }
    }
    cases
}

/// Returns a function that behaves like the recorded one, and the recorded call.
fn setup(snapshot: &str, recorded: &Value, logs: &[String]) -> (Option<Function>, Call) {
    let call = Call::invoke("f", "{}");
    if let Some(error) = recorded.get("Error") {
        let echo = Function::buffered("f", |_| async { Ok::<_, FunctionError>("{}") });
        return match error["Code"].as_str().unwrap() {
            "ResourceNotFoundException" => (None, Call::invoke("doesnotexist", "{}")),
            // The name of the test contains the payload, in Python's notation for bytes.
            "InvalidRequestContentException" => {
                (Some(echo), Call::invoke("f", python_bytes(snapshot)))
            }
            other => panic!("{snapshot}: nothing is known of {other}"),
        };
    }
    let call = match recorded["StatusCode"].as_u64().unwrap() {
        202 => call.event(),
        204 => call.header("x-amz-invocation-type", "DryRun"),
        200 if logs.is_empty() => call,
        200 => call.tail(),
        other => panic!("{snapshot}: nothing is known of {other}"),
    };
    let payload = recorded["Payload"].clone();
    if recorded.get("FunctionError").is_none() {
        let response = match payload {
            Value::String(text) => text,
            value => value.to_string(),
        };
        // The platform writes the first line and the last two.
        let own = logs.len().saturating_sub(2).max(1);
        let lines: Vec<String> = logs.get(1..own).unwrap_or_default().to_vec();
        let function = Function::buffered("f", move |invocation| {
            let response = response.clone();
            for line in &lines {
                let line = line.replace("<request-id>", invocation.request_id());
                invocation.log(line.trim_end());
            }
            async move { Ok::<_, FunctionError>(response) }
        });
        return (Some(function), call);
    }
    let text = |member: &str| payload[member].as_str().unwrap_or_default().to_owned();
    let (kind, message) = (text("errorType"), text("errorMessage"));
    if let Some((_, seconds)) = message.split_once("Task timed out after ") {
        let seconds: f64 = seconds.trim_end_matches(" seconds").parse().unwrap();
        let sleeps = Function::buffered("f", |_| async {
            tokio::time::sleep(Duration::from_secs(1_000)).await;
            Ok::<_, FunctionError>("")
        });
        return (Some(sleeps.timeout(Duration::from_secs_f64(seconds))), call);
    }
    let error = match message.split_once("Error: Runtime exited ") {
        Some((_, how)) => FunctionError::exit(how.strip_prefix("with error: ")),
        None => {
            let trace = payload["stackTrace"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let trace = trace.iter().map(|line| line.as_str().unwrap().to_owned());
            let error = FunctionError::new(kind, message).with_stack_trace(trace);
            if payload["requestId"] == "" {
                error.during_init()
            } else {
                error
            }
        }
    };
    let fails = Function::buffered("f", move |_| {
        let error = error.clone();
        async move { Err::<String, _>(error) }
    });
    (Some(fails), call)
}

fn check_reply(response: &Response, recorded: &Value, logs: &[String], case: &str) {
    let reply = response.reply();
    assert_eq!(
        u64::from(reply.status.as_u16()),
        recorded["StatusCode"],
        "{case}"
    );
    let version = reply
        .executed_version
        .as_ref()
        .map(|version| version.as_str());
    let expected: HashMap<&str, Option<&str>> = ["ExecutedVersion", "FunctionError"]
        .map(|member| (member, recorded[member].as_str()))
        .into();
    assert_eq!(version, expected["ExecutedVersion"], "{case}");
    assert_eq!(
        reply.function_error.as_deref(),
        expected["FunctionError"],
        "{case}"
    );
    let id = reply.request_id.as_deref().unwrap();
    let payload = recorded["Payload"].to_string();
    let payload = payload
        .replace("<uuid>", id)
        .replace("<timeout_error_msg>", id);
    match serde_json::from_str(&payload).unwrap() {
        Value::String(text) => assert_eq!(response.text(), text, "{case}"),
        value => assert_eq!(response.json(), value, "{case}"),
    }
    assert_eq!(
        reply.log.is_some(),
        recorded.get("LogResult").is_some(),
        "{case}"
    );
    if let Some(log) = reply.log {
        let text = log.text();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(lines.len(), logs.len(), "{case}: {text}");
        let (last, others) = logs.split_last().unwrap();
        for (line, recorded) in lines.iter().zip(others) {
            assert_eq!(*line, recorded.replace("<request-id>", id), "{case}");
        }
        // An in-process function needs no initialization: there is no Init Duration.
        let fields = |line: &str| -> Vec<String> {
            let fields = line
                .split('\t')
                .map(str::trim)
                .filter(|field| !field.is_empty());
            let names = fields.map(|field| field.split_once(": ").unwrap().0.to_owned());
            names.filter(|name| name != "Init Duration").collect()
        };
        assert_eq!(fields(lines[lines.len() - 1]), fields(last), "{case}");
    }
}

/// Returns the bytes in `...[body-n\x87r]`: after the first hyphen, without Python's escapes.
fn python_bytes(snapshot: &str) -> Vec<u8> {
    let (_, parameter) = snapshot.split_once('[').unwrap();
    let (_, escaped) = parameter.trim_end_matches(']').split_once('-').unwrap();
    let mut bytes = Vec::new();
    let mut rest = escaped;
    while let Some(character) = rest.chars().next() {
        if let Some(hex) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            rest = &hex[2..];
        } else {
            bytes.push(u8::try_from(character).unwrap());
            rest = &rest[character.len_utf8()..];
        }
    }
    bytes
}

#[tokio::test]
async fn a_payload_that_is_not_json_gets_the_recorded_message() {
    let server = endpoint(Some(Function::buffered("f", |_| async {
        Ok::<_, FunctionError>("{}")
    })))
    .await;
    let mut client = Client::to(&server).await;
    let response = client.call(&Call::invoke("f", "{")).await;
    let message = "Could not parse request body into json: Could not parse payload into json: \
                   Unexpected end-of-input: expected close marker for Object (start marker at \
                   [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); \
                   line: 1, column: 1])\n at [Source: REDACTED \
                   (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]";
    check_error(
        &response,
        400,
        "InvalidRequestContentException",
        message,
        "{",
    );
    assert_eq!(response.json()["Type"], json!("User"));
}
