//! The official cases of the REST-JSON protocol.
//!
//! The cases are for other operations, so each bound member is mapped to one of the same kind in
//! this crate: a path label or a query value to the percent-encoder, a header to the tenant id or
//! the function error, a media-typed header to the client context, a payload to the payload.
//!
//! Members of a kind that Invoke and InvokeWithResponseStream do not have are left out, each with a
//! reason ([`Kind::Absent`]). A case is skipped only if all its members are left out.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use lambda_invoke_input::{ClientContext, FunctionName, InvocationType, TenantId};
use lambda_invoke_protocol::path::{Encoded, decode, query_value};
use lambda_invoke_protocol::{InvokeRequest, Reply};
use lambda_invoke_vectors::{json, suite};
use serde_json::{Map, Value};

/// The kind of member that a case's member is mapped to.
enum Kind {
    Label,
    Query,
    Header,
    ClientContext,
    ContentType,
    Payload,
    Status,
    /// Not present in these operations, with the reason.
    Absent(&'static str),
}

fn kind(shapes: &Value, structure: &Value, name: &str, member: &Value) -> Kind {
    let shape = &shapes[member["shape"].as_str().unwrap()];
    let kind = shape["type"].as_str().unwrap();
    let scalar = matches!(
        kind,
        "string" | "integer" | "long" | "float" | "double" | "boolean"
    );
    let location_name = member["locationName"].as_str().unwrap_or(name);
    let is_payload = structure["payload"] == name;
    match member["location"].as_str() {
        Some("uri") if greedy(location_name) => Kind::Absent("no label of ours is greedy"),
        Some("uri") if scalar => Kind::Label,
        Some("uri") => Kind::Absent("no label of ours is a time"),
        Some("querystring") if kind == "map" => Kind::Absent("no query of ours is a map"),
        Some("querystring") if scalar => Kind::Query,
        Some("querystring") => Kind::Absent("no parameter of ours is a list or a time"),
        Some("header") if member["jsonvalue"] == true || shape["jsonvalue"] == true => {
            Kind::ClientContext
        }
        Some("header") if location_name.eq_ignore_ascii_case("content-type") => Kind::ContentType,
        Some("header") if kind == "string" => Kind::Header,
        Some("header") => Kind::Absent("no header of ours is a list, a number or a time"),
        Some("statusCode") => Kind::Status,
        None if is_payload && matches!(kind, "blob" | "string") => Kind::Payload,
        None => Kind::Absent("our bodies are bytes and no structures"),
        Some(other) => Kind::Absent(Box::leak(format!("no {other} of ours").into_boxed_str())),
    }
}

/// Only the template shows whether a label is greedy, by its plus sign.
fn greedy(name: &str) -> bool {
    name.ends_with('+')
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Runs every case of a file, and returns the number of cases.
fn run(file: &Value, check: impl Fn(&Value, &Value, &str) -> (usize, Vec<&'static str>)) -> usize {
    let mut cases = 0;
    for group in file.as_array().unwrap() {
        for case in group["cases"].as_array().unwrap() {
            let id = case["id"].as_str().unwrap();
            let (compared, absent) = check(&group["shapes"], case, id);
            for reason in &absent {
                println!("{id}: {reason}");
            }
            assert!(
                compared > 0 || !absent.is_empty(),
                "{id}: nothing was looked at"
            );
            cases += 1;
        }
    }
    cases
}

#[test]
fn the_requests_of_the_protocol() {
    suite("protocol/restjson-input", |folder| {
        run(
            &json(&folder.join("model/restjson/input.json")),
            check_input,
        )
    });
}

fn check_input(shapes: &Value, case: &Value, id: &str) -> (usize, Vec<&'static str>) {
    let (mut compared, mut absent) = (0, Vec::new());
    let (given, expected) = (&case["given"], &case["serialized"]);
    let structure = &shapes[given["input"]["shape"].as_str().unwrap()];
    let template = given["http"]["requestUri"]
        .as_str()
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    let (path, query) = match expected["uri"].as_str().unwrap().split_once('?') {
        Some((path, query)) => (path, query),
        None => (expected["uri"].as_str().unwrap(), ""),
    };
    let empty = Map::new();
    let params = case["params"].as_object().unwrap_or(&empty);
    let header = |name: &str| {
        let headers = expected["headers"].as_object()?;
        let mut all = headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str().unwrap())
    };

    let mut request = InvokeRequest::new(FunctionName::try_from("f").unwrap());
    request.content_type = header("content-type").map(|text| text.parse().unwrap());
    let to_http =
        |request: &InvokeRequest<'_>| request.to_http(&"http://h".parse().unwrap()).unwrap();

    for (name, member) in structure["members"].as_object().unwrap() {
        let location_name = member["locationName"].as_str().unwrap_or(name);
        let Some(value) = params.get(name) else {
            // A structure that is absent is still a body of its own.
            if let (None, Kind::Absent(reason)) = (
                member["location"].as_str(),
                kind(shapes, structure, name, member),
            ) {
                absent.push(reason);
            }
            // A member that is absent in the case is absent here, too.
            if member["location"] == "header" && header(location_name).is_some() {
                assert!(
                    location_name.eq_ignore_ascii_case("content-type"),
                    "{id}: {name}"
                );
            }
            continue;
        };
        let greedy_in_template = template.contains(&format!("{{{location_name}+}}"));
        match kind(shapes, structure, name, member) {
            Kind::Label if greedy_in_template => absent.push("no label of ours is greedy"),
            Kind::Label => {
                let place = template
                    .split('/')
                    .position(|part| part == format!("{{{location_name}}}"));
                let found = path.split('/').nth(place.unwrap()).unwrap();
                let value = text(value);
                assert_eq!(Encoded(&value).to_string(), found, "{id}: {name}");
                assert_eq!(decode(found, false), value, "{id}: {name}");
                compared += 1;
            }
            Kind::Query if value.is_null() => {
                assert_eq!(query_value(query, location_name), None, "{id}: {name}");
                compared += 1;
            }
            Kind::Query => {
                let value = text(value);
                let pair = format!("{}={}", Encoded(location_name), Encoded(&value));
                assert!(query.split('&').any(|found| found == pair), "{id}: {name}");
                assert_eq!(
                    query_value(query, location_name).as_deref(),
                    Some(value.as_str())
                );
                compared += 1;
            }
            Kind::Header => match value.as_str() {
                None => {
                    assert_eq!(header(location_name), None, "{id}: {name}");
                    assert!(!to_http(&request).headers().contains_key("x-amz-tenant-id"));
                    compared += 1;
                }
                Some("") => absent.push("no header of ours may be empty"),
                Some(value) => {
                    request.tenant_id = Some(TenantId::try_from(value).unwrap());
                    let http = to_http(&request);
                    assert_eq!(
                        Some(http.headers()["x-amz-tenant-id"].to_str().unwrap()),
                        header(location_name),
                        "{id}: {name}"
                    );
                    request.tenant_id = None;
                    compared += 1;
                }
            },
            Kind::ClientContext => {
                // The value is a string that contains the JSON itself.
                let context = ClientContext::from_json(value.as_str().unwrap().as_bytes()).unwrap();
                request.client_context = Some(context);
                let http = to_http(&request);
                assert_eq!(
                    http.headers()["x-amz-client-context"].to_str().ok(),
                    header(location_name),
                    "{id}: {name}"
                );
                request.client_context = None;
                compared += 1;
            }
            Kind::ContentType => {
                request.content_type = Some(value.as_str().unwrap().parse().unwrap());
                let http = to_http(&request);
                assert_eq!(
                    http.headers()["content-type"].to_str().ok(),
                    header("content-type"),
                    "{id}"
                );
                compared += 1;
            }
            Kind::Payload => {
                request.payload = Bytes::from(value.as_str().unwrap().to_owned());
                compared += 1;
            }
            Kind::Status => absent.push("no status in a request"),
            Kind::Absent(reason) => absent.push(reason),
        }
    }
    let http = to_http(&request);
    if absent.is_empty() {
        assert_eq!(
            http.body(),
            expected["body"].as_str().unwrap().as_bytes(),
            "{id}"
        );
        let content_type = http
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap());
        assert_eq!(content_type, header("content-type"), "{id}");
        compared += 1;
    }
    (compared, absent)
}

#[test]
fn the_responses_of_the_protocol() {
    suite("protocol/restjson-output", |folder| {
        let file = json(&folder.join("model/restjson/output.json"));
        let errors = |case: &Value| case.get("errorCode").is_some();
        let all: usize = run(&file, |shapes, case, id| {
            // The error cases belong to the error crate.
            if errors(case) {
                (1, Vec::new())
            } else {
                check_output(shapes, case, id)
            }
        });
        let groups = file.as_array().unwrap().iter();
        let cases = groups.flat_map(|group| group["cases"].as_array().unwrap());
        all - cases.filter(|case| errors(case)).count()
    });
}

fn check_output(shapes: &Value, case: &Value, id: &str) -> (usize, Vec<&'static str>) {
    let (mut compared, mut absent) = (0, Vec::new());
    let (given, response) = (&case["given"], &case["response"]);
    let structure = &shapes[given["output"]["shape"].as_str().unwrap()];
    let status = u16::try_from(response["status_code"].as_u64().unwrap()).unwrap();
    let body = response["body"].as_str().unwrap_or_default();
    let empty = Map::new();
    let headers = response["headers"].as_object().unwrap_or(&empty);
    // Other operations have other statuses: the rest of such a response is read with a status of
    // the operations here.
    let ours = 200;
    let read_under = |status: u16, extra: Option<&str>| {
        let mut sent = http::Response::builder().status(status);
        for (name, value) in headers {
            sent = sent.header(name, value.as_str().unwrap());
        }
        // The suite's services are not Lambda, and do not send the header that identifies it.
        sent = sent.header("x-amzn-requestid", "4d34");
        if let Some(value) = extra {
            sent = sent.header("x-amz-function-error", value);
        }
        let (parts, body) = sent
            .body(Bytes::from(body.to_owned()))
            .unwrap()
            .into_parts();
        Reply::from_http(InvocationType::RequestResponse, &parts, body)
    };
    let read = |extra: Option<&str>| read_under(ours, extra).unwrap();
    for (name, member) in structure["members"].as_object().unwrap() {
        let Some(value) = case["result"].get(name) else {
            continue;
        };
        let location_name = member["locationName"].as_str().unwrap_or(name);
        match kind(shapes, structure, name, member) {
            Kind::Header => {
                let mut all = headers.iter();
                let sent = all
                    .find(|(key, _)| key.eq_ignore_ascii_case(location_name))
                    .unwrap()
                    .1;
                let reply = read(sent.as_str());
                assert_eq!(
                    reply.function_error.as_deref(),
                    value.as_str(),
                    "{id}: {name}"
                );
                compared += 1;
            }
            Kind::Payload => {
                assert_eq!(read(None).payload, value.as_str().unwrap(), "{id}: {name}");
                compared += 1;
            }
            Kind::Status => {
                let expected =
                    StatusCode::from_u16(u16::try_from(value.as_u64().unwrap()).unwrap());
                match read_under(status, None) {
                    Ok(reply) => assert_eq!(reply.status, expected.unwrap(), "{id}: {name}"),
                    Err(error) => {
                        assert_ne!(status, ours, "{id}: {name}: {error}");
                        assert!(error.to_string().contains(&status.to_string()), "{error}");
                    }
                }
                compared += 1;
            }
            Kind::ContentType => {
                let expected: HeaderValue = value.as_str().unwrap().parse().unwrap();
                assert_eq!(read(None).content_type, Some(expected), "{id}: {name}");
                compared += 1;
            }
            Kind::Label | Kind::Query => absent.push("no label or query in a response"),
            Kind::ClientContext => absent.push("no response of these operations has a JSON header"),
            Kind::Absent(reason) => absent.push(reason),
        }
    }
    (compared, absent)
}
