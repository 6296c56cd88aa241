//! Requests, from the client to the endpoint.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use http::HeaderValue;
use lambda_invoke_error::Operation;
use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, NameRules,
    Qualifier, Target, TenantId,
};
use lambda_invoke_protocol::{
    IncomingRequest, InvokeRequest, RequestError, StreamInvocationType, StreamRequest,
    error_to_http, service_error,
};

const BASE: &str = "http://127.0.0.1:9001";

/// Draws a text of these characters.
fn text(u: &mut Unstructured<'_>, alphabet: &[u8], max: usize) -> Result<String> {
    let length = u.int_in_range(1..=max)?;
    (0..length)
        .map(|_| u.choose(alphabet).map(|byte| char::from(*byte)))
        .collect()
}

const WORD: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    let mut name = String::new();
    if u.arbitrary()? {
        name.push_str(u.choose(&["arn:aws:lambda:", "arn:aws-cn:lambda:", "arn::lambda:"])?);
    }
    if u.arbitrary()? {
        name.push_str(u.choose(&[
            "eu-west-1:",
            "us-gov-east-1:",
            "eusc-de-east-1:",
            "us-isob-x-9:",
        ])?);
    }
    if u.arbitrary()? {
        name.push_str("123456789012:");
    }
    if u.arbitrary()? {
        name.push_str("function:");
    }
    name.push_str(&text(u, &[WORD, b"."].concat(), 64)?);
    if u.arbitrary()? {
        name.push(':');
        name.push_str(&match u.int_in_range(0..=2)? {
            0 => "$LATEST".to_owned(),
            1 => "$LATEST.PUBLISHED".to_owned(),
            _ => text(u, WORD, 20)?,
        });
    }
    Ok(name)
}

fn target(u: &mut Unstructured<'_>) -> Result<Option<Target<'static>>> {
    let Ok(name) = FunctionName::try_from(name(u)?) else {
        return Ok(None);
    };
    let qualifier = match u.int_in_range(0..=2)? {
        0 => None,
        1 => Some("$LATEST".to_owned()),
        _ => Some(text(u, &[WORD, b"$"].concat(), 128)?),
    };
    let qualifier = qualifier.map(|text| Qualifier::try_from(text).expect("of its alphabet"));
    Ok(Target::new(name, qualifier).ok())
}

fn requests(
    u: &mut Unstructured<'_>,
) -> Result<Option<(InvokeRequest<'static>, StreamRequest<'static>)>> {
    let Some(target) = target(u)? else {
        return Ok(None);
    };
    let mut invoke = InvokeRequest::new(target.clone());
    let mut stream = StreamRequest::new(target);
    invoke.invocation_type = *u.choose(&[
        InvocationType::RequestResponse,
        InvocationType::Event,
        InvocationType::DryRun,
    ])?;
    if u.arbitrary()? {
        stream.invocation_type = StreamInvocationType::DryRun;
    }
    stream.log_type = *u.choose(&[LogType::None, LogType::Tail])?;
    if u.arbitrary()? {
        let json = serde_json::json!({ "custom": u.arbitrary::<&str>()? }).to_string();
        stream.client_context = ClientContext::from_json(json.as_bytes()).ok();
    }
    if u.arbitrary()? {
        let id = text(u, &[WORD, b"._:/=+@ "].concat(), 256)?;
        stream.tenant_id = TenantId::try_from(id.trim().to_owned()).ok();
    }
    if u.arbitrary()? {
        let name = DurableExecutionName::try_from(text(u, WORD, 64)?);
        invoke.durable_execution_name = Some(name.expect("of its alphabet"));
    }
    stream.content_type = HeaderValue::from_bytes(u.arbitrary::<&[u8]>()?).ok();
    stream.payload = Bytes::copy_from_slice(u.arbitrary()?);
    if invoke.invocation_type != InvocationType::Event {
        invoke.log_type = stream.log_type;
        invoke.client_context = stream.client_context.clone();
    }
    invoke.tenant_id = stream.tenant_id.clone();
    invoke.content_type = stream.content_type.clone();
    invoke.payload = stream.payload.clone();
    Ok(Some((invoke, stream)))
}

fn arrive(request: http::Request<Bytes>) -> IncomingRequest<'static> {
    let (parts, body) = request.into_parts();
    let request = IncomingRequest::from_parts(&parts, &NameRules::recorded())
        .expect("a client's request is accepted");
    request
        .with_payload(body)
        .expect("a client's payload is accepted")
        .into_owned()
}

/// A request decodes at an endpoint to what the client encoded.
pub fn request_round_trip(data: &[u8]) {
    let Ok(Some((invoke, stream))) = requests(&mut Unstructured::new(data)) else {
        return;
    };
    let base = BASE.parse().expect("a base");
    let written = (invoke.to_http(&base), stream.to_http(&base));
    if matches!(invoke.target.name().as_str(), "." | "..") {
        let rejected = RequestError::DotSegment;
        assert_eq!(written.0.err().as_ref(), Some(&rejected));
        assert_eq!(written.1.err().as_ref(), Some(&rejected));
        return;
    }
    let http = written.0.expect("a request that passes the checks");
    assert_eq!(arrive(http), IncomingRequest::from(invoke));
    let http = written.1.expect("a request that passes the checks");
    assert_eq!(arrive(http), IncomingRequest::from(stream));
}

/// Reads a request from text: method, a space and the target in the first line, a header in each
/// line up to an empty one, then the body.
fn raw_request(data: &[u8]) -> Option<http::Request<Bytes>> {
    let (head, body) = super::head_and_body(data);
    let (first, headers) = head.split_first()?;
    let mut words = first.splitn(2, |byte| *byte == b' ');
    let (method, uri) = (words.next()?, words.next()?);
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers.iter().filter_map(|line| super::header(line)) {
        request = request.header(name, value);
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

/// Whatever an endpoint accepts can be encoded again, and whatever it rejects has a service error.
pub fn http_request(data: &[u8]) {
    let Some(request) = raw_request(data) else {
        return;
    };
    let (parts, body) = request.into_parts();
    let taken = IncomingRequest::from_parts(&parts, &NameRules::recorded()).and_then(|request| {
        request.check_content_type()?;
        let request = request.with_payload(body)?;
        request.check_json()?;
        Ok(request.into_owned())
    });
    let request = match taken {
        Ok(request) => request,
        Err(rejection) => {
            for error in [
                rejection.to_service_error(),
                rejection.to_documented_error(),
            ] {
                assert!((400..500).contains(&error.status()) && error.known_error().is_some());
                let (parts, body) = error_to_http(&error).into_parts();
                assert_eq!(service_error(&parts, &body), error);
            }
            return;
        }
    };
    let base = BASE.parse().expect("a base");
    let is_stream = request.operation() == Operation::InvokeWithResponseStream;
    let written = match StreamRequest::try_from(request.clone()) {
        Ok(request) if is_stream => request.to_http(&base),
        Err(error) if is_stream => panic!("{error}"),
        _ => request.members().to_http(&base),
    };
    match (written, &request) {
        // A value that HTTP cannot carry unchanged; a name whose length the rules do not limit.
        (
            Err(RequestError::TenantIdSpace | RequestError::DotSegment | RequestError::UriTooLong),
            _,
        ) => {}
        (Err(error), _) => panic!("{error}"),
        (Ok(http), request) if request.operation() == Operation::InvokeAsync => {
            assert_eq!(
                arrive(http),
                IncomingRequest::from(request.members().clone())
            );
        }
        (Ok(http), request) => assert_eq!(arrive(http), *request),
    }
}
