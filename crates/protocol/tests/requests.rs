//! Requests: encoding, decoding, and what each side rejects.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use http::{HeaderValue, Uri};
use lambda_invoke_error::Operation;
use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, NameRules,
    Qualifier, Target, TenantId,
};
use lambda_invoke_protocol::{
    IncomingRequest, InvokeRequest, Rejection, RequestError, StreamInvocationType, StreamRequest,
};
use proptest::prelude::*;

fn base() -> Uri {
    "http://127.0.0.1:9001".parse().unwrap()
}

fn hello() -> FunctionName<'static> {
    FunctionName::try_from("hello").unwrap()
}

/// A name in any form that the default rules allow.
fn name() -> impl Strategy<Value = FunctionName<'static>> {
    let form = "(arn:(aws(-[a-z]{2,4})?)?:lambda:((eusc-)?[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]{1,9}-[0-9]:)?([0-9]{12}:)?(function:)?)?[a-zA-Z0-9_.-]{1,40}(:([$]LATEST([.]PUBLISHED)?|[a-zA-Z0-9_-]{1,20}))?";
    proptest::string::string_regex(form)
        .unwrap()
        .prop_filter("a dot segment", |text| text.chars().any(|c| c != '.'))
        .prop_filter_map("not a name", |text| FunctionName::try_from(text).ok())
}

fn target() -> impl Strategy<Value = Target<'static>> {
    let qualifier = prop_oneof![
        Just(None),
        Just(Some("$LATEST".to_owned())),
        "[a-zA-Z0-9$_-]{1,128}".prop_map(Some)
    ];
    (name(), qualifier).prop_map(|(name, qualifier)| {
        let qualifier = qualifier.map(|text| Qualifier::try_from(text).unwrap());
        // A name that includes a qualifier allows no other qualifier.
        Target::new(name.clone(), qualifier).unwrap_or_else(|_| name.into())
    })
}

fn client_context() -> impl Strategy<Value = Option<ClientContext<'static>>> {
    let json = "[{]\"custom\":[{]\"\\PC{0,40}\":[0-9]{1,5}[}][}]".prop_filter("not JSON", |text| {
        serde_json::from_str::<serde_json::Value>(text).is_ok()
    });
    proptest::option::of(json.prop_map(|json| ClientContext::from_json(json.as_bytes()).unwrap()))
}

fn tenant_id() -> impl Strategy<Value = Option<TenantId<'static>>> {
    let text = "[a-zA-Z0-9._:/=+@-]([a-zA-Z0-9._:/=+@ -]{0,253}[a-zA-Z0-9._:/=+@-])?";
    proptest::option::of(text.prop_map(|text| TenantId::try_from(text).unwrap()))
}

fn content_type() -> impl Strategy<Value = Option<HeaderValue>> {
    prop_oneof![
        Just(None),
        Just(Some(HeaderValue::from_static("application/json"))),
        Just(Some(HeaderValue::from_static("application/octet-stream"))),
        Just(Some(HeaderValue::from_bytes(b"text/\xe9").unwrap())),
    ]
}

fn log_type() -> impl Strategy<Value = LogType> {
    prop_oneof![Just(LogType::None), Just(LogType::Tail)]
}

prop_compose! {
    fn invoke()(
        target in target(),
        invocation_type in prop_oneof![
            Just(InvocationType::RequestResponse),
            Just(InvocationType::Event),
            Just(InvocationType::DryRun),
        ],
        log_type in log_type(),
        client_context in client_context(),
        tenant_id in tenant_id(),
        durable in proptest::option::of("[a-zA-Z0-9_-]{1,64}"),
        content_type in content_type(),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) -> InvokeRequest<'static> {
        let mut request = InvokeRequest::new(target);
        request.invocation_type = invocation_type;
        if invocation_type != InvocationType::Event {
            request.log_type = log_type;
            request.client_context = client_context;
        }
        request.tenant_id = tenant_id;
        request.durable_execution_name =
            durable.map(|text| DurableExecutionName::try_from(text).unwrap());
        request.content_type = content_type;
        request.payload = payload.into();
        request
    }
}

prop_compose! {
    fn stream()(
        target in target(),
        dry_run: bool,
        log_type in log_type(),
        client_context in client_context(),
        tenant_id in tenant_id(),
        content_type in content_type(),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) -> StreamRequest<'static> {
        let mut request = StreamRequest::new(target);
        if dry_run {
            request.invocation_type = StreamInvocationType::DryRun;
        }
        request.log_type = log_type;
        request.client_context = client_context;
        request.tenant_id = tenant_id;
        request.content_type = content_type;
        request.payload = payload.into();
        request
    }
}

/// Decodes a request as an endpoint does.
fn received(request: http::Request<Bytes>, rules: &NameRules) -> IncomingRequest<'static> {
    let (parts, body) = request.into_parts();
    IncomingRequest::from_parts(&parts, rules)
        .unwrap()
        .with_payload(body)
        .unwrap()
        .into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_invoke_arrives_as_it_was_sent(request in invoke()) {
        let http = request.to_http(&base()).unwrap();
        prop_assert_eq!(received(http.clone(), &NameRules::default()), request.clone().into());
        // The endpoint's rules accept everything that the client's rules do.
        prop_assert_eq!(received(http, &NameRules::recorded()), IncomingRequest::from(request));
    }

    #[test]
    fn a_stream_arrives_as_it_was_sent(request in stream()) {
        let http = request.to_http(&base()).unwrap();
        prop_assert_eq!(received(http.clone(), &NameRules::default()), request.clone().into());
        prop_assert_eq!(received(http, &NameRules::recorded()), IncomingRequest::from(request));
    }
}

#[test]
fn the_path_is_encoded_once_for_every_form_of_name() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST";
    for (name, path) in [
        ("hello", "hello"),
        ("my_f.n-1", "my_f.n-1"),
        ("f:$LATEST", "f%3A%24LATEST"),
        ("123456789012:f", "123456789012%3Af"),
        (
            "123456789012:function:f:live",
            "123456789012%3Afunction%3Af%3Alive",
        ),
        ("eu-west-1:123456789012:f", "eu-west-1%3A123456789012%3Af"),
        (
            arn,
            "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af%3A%24LATEST",
        ),
    ] {
        let name = FunctionName::try_from(name).unwrap();
        let invoke = InvokeRequest::new(name.clone()).to_http(&base()).unwrap();
        assert_eq!(
            invoke.uri().path(),
            format!("/2015-03-31/functions/{path}/invocations")
        );
        assert_eq!(invoke.method(), "POST");
        let stream = StreamRequest::new(name).to_http(&base()).unwrap();
        let expected = format!("/2021-11-15/functions/{path}/response-streaming-invocations");
        assert_eq!(stream.uri().path(), expected);
    }
}

#[test]
fn default_values_are_not_sent() {
    let http = InvokeRequest::new(hello()).to_http(&base()).unwrap();
    let names: Vec<_> = http
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(names, ["content-type"]);
    assert_eq!(http.uri().query(), None);
}

#[test]
fn a_base_may_have_a_path_and_nothing_else() {
    let uri = |base: &str| {
        InvokeRequest::new(hello())
            .to_http(&base.parse().unwrap())
            .map(|http| http.uri().to_string())
    };
    let expected = "https://gateway:8443/lambda/2015-03-31/functions/hello/invocations";
    assert_eq!(uri("https://gateway:8443/lambda").unwrap(), expected);
    assert_eq!(uri("https://gateway:8443/lambda/").unwrap(), expected);
    assert_eq!(uri("/lambda"), Err(RequestError::BaseNotAbsolute));
    assert_eq!(uri("gateway:8443"), Err(RequestError::BaseNotAbsolute));
    assert_eq!(uri("https://gateway/?a=b"), Err(RequestError::BaseQuery));
}

#[test]
fn the_client_rejects_contradictory_members() {
    let mut request = InvokeRequest::new(hello());
    request.invocation_type = InvocationType::Event;
    request.client_context = Some(ClientContext::from_json(b"{}").unwrap());
    assert_eq!(
        request.to_http(&base()).unwrap_err(),
        RequestError::ClientContextWithEvent
    );
    request.client_context = None;
    request.log_type = LogType::Tail;
    assert_eq!(
        request.to_http(&base()).unwrap_err(),
        RequestError::TailWithEvent
    );
    assert_eq!(
        StreamInvocationType::try_from(InvocationType::Event),
        Err(RequestError::NotForStream {
            invocation_type: InvocationType::Event
        })
    );
    for (tenant, accepted) in [("a b", true), (" a", false), ("a ", false), (" ", false)] {
        let mut request = StreamRequest::new(hello());
        request.tenant_id = Some(TenantId::try_from(tenant).unwrap());
        assert_eq!(request.check().is_ok(), accepted, "{tenant:?}");
    }
}

#[test]
fn payloads_are_limited_by_their_invocation_type() {
    for (invocation_type, limit) in [
        (InvocationType::RequestResponse, 6_291_456),
        (InvocationType::DryRun, 6_291_456),
        (InvocationType::Event, 1_048_576),
    ] {
        let mut request = InvokeRequest::new(hello());
        request.invocation_type = invocation_type;
        request.payload = vec![b' '; limit].into();
        assert_eq!(request.check(), Ok(()));
        request.payload = vec![b' '; limit + 1].into();
        let length = limit + 1;
        let error = RequestError::PayloadTooLarge {
            length,
            limit,
            invocation_type,
        };
        assert_eq!(request.check(), Err(error));
    }
    let mut request = StreamRequest::new(hello());
    request.payload = vec![b' '; 6_291_457].into();
    assert!(request.check().is_err());
}

/// Decodes a head that this crate's client would not send.
fn read(uri: &str, headers: &[(&str, &str)]) -> Result<IncomingRequest<'static>, Rejection> {
    let mut request = http::Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    IncomingRequest::from_parts(&parts, &NameRules::recorded()).map(IncomingRequest::into_owned)
}

fn rejected(uri: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let error = read(uri, headers).unwrap_err().to_service_error();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (error.status(), text(error.code()), text(error.message()))
}

const INVOKE: &str = "/2015-03-31/functions/hello/invocations";
const STREAM: &str = "/2021-11-15/functions/hello/response-streaming-invocations";
const ASYNC: &str = "/2014-11-13/functions/hello/invoke-async/";

#[test]
fn absent_headers_mean_request_response_without_log() {
    let incoming = read(INVOKE, &[]).unwrap();
    assert_eq!(incoming.operation(), Operation::Invoke);
    let request = incoming.members();
    assert_eq!(request.invocation_type, InvocationType::RequestResponse);
    assert_eq!(request.log_type, LogType::None);
    assert_eq!(request.content_type, None);
    let incoming = read(STREAM, &[]).unwrap();
    assert_eq!(incoming.operation(), Operation::InvokeWithResponseStream);
    let request = StreamRequest::try_from(incoming).unwrap();
    assert_eq!(
        request.invocation_type,
        StreamInvocationType::RequestResponse
    );
}

#[test]
fn the_old_operation_is_an_event_with_a_smaller_limit() {
    // A header and a parameter that the operation does not have are ignored.
    let incoming = read(&format!("{ASYNC}?Qualifier=!"), &[("x-amz-log-type", "?")]).unwrap();
    assert_eq!(incoming.operation(), Operation::InvokeAsync);
    assert_eq!(incoming.invocation_type(), InvocationType::Event);
    assert_eq!(incoming.max_payload(), 262_144);
    assert_eq!(incoming.check_length(262_144), Ok(()));
    assert!(incoming.check_length(262_145).is_err());
    let rejection = incoming
        .with_payload(vec![b' '; 264_496].into())
        .unwrap_err();
    let error = rejection.to_service_error();
    assert_eq!(error.status(), 413);
    assert_eq!(error.code(), Some("RequestEntityTooLargeException"));
    assert_eq!(
        error.message(),
        Some("264496 byte payload is too large for the Event invocation type (limit 262144 bytes)")
    );
    assert_eq!(
        rejection.to_documented_error().code(),
        Some("RequestTooLargeException")
    );
}

#[test]
fn several_violations_are_counted_and_listed() {
    let (status, code, message) = rejected(
        "/2021-11-15/functions/he!!o/response-streaming-invocations?Qualifier=a!",
        &[
            ("x-amz-invocation-type", "Event"),
            ("x-amz-log-type", "Head"),
            ("x-amz-tenant-id", "#"),
        ],
    );
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(message.starts_with("5 validation errors detected: Value 'a!' at 'qualifier' failed"));
    assert_eq!(message.matches("; Value '").count(), 4);
    assert!(message.contains(
        "; Value 'Event' at 'invocationType' failed to satisfy constraint: Member must satisfy \
         enum value set: [RequestResponse, DryRun]; "
    ));
}

#[test]
fn rejects_unknown_invocation_types_and_event_on_a_stream() {
    for (uri, value, accepted) in [
        (INVOKE, "Event", true),
        (INVOKE, "DryRun", true),
        (INVOKE, "event", false),
        (INVOKE, "", false),
        (STREAM, "Event", false),
        (STREAM, "DryRun", true),
        (STREAM, "RequestResponse", true),
    ] {
        let headers = [("x-amz-invocation-type", value)];
        assert_eq!(read(uri, &headers).is_ok(), accepted, "{uri} {value}");
    }
}

#[test]
fn members_of_synchronous_calls_are_ignored_for_events() {
    let headers = [
        ("x-amz-invocation-type", "Event"),
        ("x-amz-log-type", "Tail"),
        ("x-amz-client-context", "!"),
    ];
    let incoming = read(INVOKE, &headers).unwrap();
    let request = incoming.members();
    assert_eq!(request.log_type, LogType::None);
    assert_eq!(request.client_context, None);
    assert_eq!(request.check(), Ok(()));
}

#[test]
fn a_client_context_is_an_object_in_base64() {
    // {} [] null !
    for (context, accepted) in [
        ("e30=", true),
        ("e30", true),
        ("W10=", false),
        ("bnVsbA==", false),
        ("!", false),
    ] {
        let found = read(STREAM, &[("x-amz-client-context", context)]);
        assert_eq!(found.is_ok(), accepted, "{context}");
    }
    let (status, code, message) = rejected(INVOKE, &[("x-amz-client-context", "string")]);
    assert_eq!(
        (status, code.as_str()),
        (400, "InvalidRequestContentException")
    );
    assert_eq!(
        message,
        "Client context must be a valid Base64-encoded JSON object."
    );
}

#[test]
fn other_paths_and_methods_are_unknown_operations() {
    assert_eq!(rejected("/", &[]).0, 404);
    let (parts, ()) = http::Request::get(INVOKE).body(()).unwrap().into_parts();
    let rejection = IncomingRequest::from_parts(&parts, &NameRules::recorded()).unwrap_err();
    assert_eq!(
        rejection.to_service_error().code(),
        Some("UnknownOperationException")
    );
}

#[test]
fn content_types_that_no_sdk_sends_are_415_if_checked() {
    for (content_type, accepted) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/octet-stream", true),
        ("binary/octet-stream", true),
        ("Binary/Octet-Stream ; charset=binary", true),
        ("application/x-amz-json-1.0", true),
        ("APPLICATION/X-AMZ-JSON-1.1; charset=UTF-8", true),
        ("", true),
        ("text/plain", false),
        ("application/jsonl", false),
        ("application/x-amz-jsonl", false),
        ("application/x-www-form-urlencoded", false),
        ("binary/octet-streams", false),
    ] {
        let incoming = read(INVOKE, &[("content-type", content_type)]).unwrap();
        assert_eq!(
            incoming.check_content_type().is_ok(),
            accepted,
            "{content_type}"
        );
    }
    assert_eq!(read(INVOKE, &[]).unwrap().check_content_type(), Ok(()));
    let rejection = read(INVOKE, &[("content-type", "a/b")])
        .unwrap()
        .check_content_type()
        .unwrap_err();
    assert_eq!(rejection.to_service_error().status(), 415);
    assert_eq!(
        rejection.to_service_error().code(),
        Some("UnsupportedMediaTypeException")
    );
    assert_eq!(
        rejection.to_service_error().message(),
        Some(
            "Unsupported content type: a/b. Send application/json, application/octet-stream or no \
             Content-Type."
        )
    );
}

#[test]
fn a_payload_that_is_not_json_has_the_services_error_if_checked() {
    let incoming = read(INVOKE, &[]).unwrap();
    assert_eq!(incoming.check_json(), Ok(()), "an empty payload");
    let rejection = incoming
        .with_payload("{".into())
        .unwrap()
        .check_json()
        .unwrap_err();
    let error = rejection.to_service_error();
    assert_eq!(
        (error.status(), error.code()),
        (400, Some("InvalidRequestContentException"))
    );
    assert!(
        error
            .message()
            .unwrap()
            .starts_with("Could not parse request body into json: Could")
    );
}

#[test]
fn rejects_an_empty_qualifier_by_its_length_but_not_an_absent_one() {
    let (_, _, message) = rejected(&format!("{INVOKE}?Qualifier="), &[]);
    assert!(message.contains("Value '' at 'qualifier' failed to satisfy constraint: Member must have length greater than or equal to 1"));
    assert_eq!(
        read(INVOKE, &[]).unwrap().members().target.qualifier(),
        None
    );
}
