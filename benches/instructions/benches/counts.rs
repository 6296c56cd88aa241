//! Instructions of the paths of every request and every frame: one call each, after a warm-up. `run`
//! in this package's folder compares them with the baseline.

use std::hint::black_box;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as aws_sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use http::request::Parts;
use lambda_invoke_benches::fixture;
use lambda_invoke_error::ServiceError;
use lambda_invoke_event_stream::{Decoder, EncodedMessage, HeaderBlock, Message, encode_vectored};
use lambda_invoke_input::{FunctionName, LogType};
use lambda_invoke_protocol::{StreamEvent, StreamReader, StreamRequest};
use lambda_invoke_sigv4::{
    ChunkSigner, Credentials, MessageSigner, PayloadHash, Signature, Signer, Timestamp, Verifier,
};

/// A fixed time, so that all runs do the same work.
fn time() -> Timestamp {
    "20261121T120000Z".parse().unwrap()
}

fn credentials() -> Credentials {
    let keys = Credentials::new(fixture::KEY_ID, fixture::SECRET).unwrap();
    keys.with_session_token(fixture::token()).unwrap()
}

fn signed(body: usize) -> (Parts, Signer, Vec<u8>, Timestamp) {
    let (mut parts, body) = (fixture::request(), vec![b'x'; body]);
    let signer = Signer::new(credentials(), fixture::REGION, fixture::SERVICE).unwrap();
    signer
        .sign(&mut parts, &PayloadHash::of(&body), time())
        .unwrap();
    (parts, signer, body, time())
}

/// Signs with a key that is already derived, but another request.
fn to_sign(body: usize) -> (Parts, Signer, Vec<u8>, Timestamp) {
    let (_, signer, body, time) = signed(body);
    (fixture::request(), signer, body, time)
}

#[library_benchmark]
#[bench::empty(args = (0), setup = to_sign)]
#[bench::kib(args = (1024), setup = to_sign)]
fn sign(
    (mut parts, signer, body, time): (Parts, Signer, Vec<u8>, Timestamp),
) -> (Parts, Signer, Vec<u8>) {
    signer
        .sign(&mut parts, &PayloadHash::of(black_box(&body)), time)
        .unwrap();
    (parts, signer, body)
}

/// The commonest request.
fn to_sign_without_query(body: usize) -> (Parts, Signer, Vec<u8>, Timestamp) {
    let (_, signer, body, time) = signed(body);
    (fixture::request_without_query(), signer, body, time)
}

#[library_benchmark]
#[bench::empty(args = (0), setup = to_sign_without_query)]
fn sign_without_query(
    (mut parts, signer, body, time): (Parts, Signer, Vec<u8>, Timestamp),
) -> (Parts, Signer, Vec<u8>) {
    signer
        .sign(&mut parts, &PayloadHash::of(black_box(&body)), time)
        .unwrap();
    (parts, signer, body)
}

fn to_chain(size: usize) -> (ChunkSigner, MessageSigner, Vec<u8>) {
    let (_, signer, body, time) = signed(size);
    let seed = Signature::from_bytes([7; 32]);
    (
        signer.chunk_signer(time, seed),
        signer.message_signer(time, seed),
        body,
    )
}

#[library_benchmark]
#[bench::kib(args = (1024), setup = to_chain)]
fn sign_chunk(
    (mut chunks, messages, data): (ChunkSigner, MessageSigner, Vec<u8>),
) -> (ChunkSigner, MessageSigner, Vec<u8>) {
    chunks.sign_chunk(black_box(&data));
    (chunks, messages, data)
}

#[library_benchmark]
#[bench::kib(args = (1024), setup = to_chain)]
fn sign_message(
    (chunks, mut messages, data): (ChunkSigner, MessageSigner, Vec<u8>),
) -> (ChunkSigner, MessageSigner, Vec<u8>) {
    messages.sign(time(), b"headers", black_box(&data));
    (chunks, messages, data)
}

fn to_sign_with_aws(
    body: usize,
) -> (
    http::Request<()>,
    aws_credential_types::Credentials,
    Vec<u8>,
) {
    let token = Some(fixture::token());
    let keys =
        aws_credential_types::Credentials::from_keys(fixture::KEY_ID, fixture::SECRET, token);
    (
        http::Request::from_parts(fixture::request(), ()),
        keys,
        vec![b'x'; body],
    )
}

#[library_benchmark]
#[bench::empty(args = (0), setup = to_sign_with_aws)]
fn sign_aws_sigv4(
    (mut request, keys, body): (
        http::Request<()>,
        aws_credential_types::Credentials,
        Vec<u8>,
    ),
) -> http::Request<()> {
    let identity = keys.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(fixture::REGION)
        .name(fixture::SERVICE)
        .time(time().into())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = request.headers().iter();
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())),
        SignableBody::Bytes(black_box(&body)),
    )
    .unwrap();
    let (instructions, _) = aws_sign(signable, &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

struct ToVerify {
    parts: Parts,
    verifier: Verifier,
    credentials: Credentials,
    body: Vec<u8>,
    time: Timestamp,
}

impl ToVerify {
    fn run(&self) {
        let payload = PayloadHash::of(black_box(&self.body));
        self.verifier
            .verify(&self.parts, &payload, &self.credentials, self.time)
            .unwrap();
    }
}

fn to_verify(body: usize) -> ToVerify {
    let (parts, _, body, time) = signed(body);
    let prepared = ToVerify {
        parts,
        verifier: Verifier::new(fixture::REGION, fixture::SERVICE).unwrap(),
        credentials: credentials(),
        body,
        time,
    };
    prepared.run();
    prepared
}

#[library_benchmark]
#[bench::empty(args = (0), setup = to_verify)]
#[bench::kib(args = (1024), setup = to_verify)]
fn verify(prepared: ToVerify) -> ToVerify {
    prepared.run();
    prepared
}

fn to_decode(size: usize) -> (Decoder, Bytes) {
    let frame = fixture::frame(size);
    let mut decoder = Decoder::new();
    decoder.push(frame.clone());
    drop(decoder.next_message().unwrap());
    (decoder, frame)
}

#[library_benchmark]
#[bench::b64(args = (64), setup = to_decode)]
#[bench::kib(args = (1024), setup = to_decode)]
#[bench::kib64(args = (65536), setup = to_decode)]
fn decode((mut decoder, frame): (Decoder, Bytes)) -> (Decoder, Message) {
    decoder.push(frame);
    let message = decoder.next_message().unwrap().unwrap();
    (decoder, message)
}

fn to_decode_pieces(size: usize) -> (Decoder, Vec<Bytes>) {
    let pieces = fixture::frame(size)
        .chunks(8192)
        .map(Bytes::copy_from_slice)
        .collect();
    (to_decode(64).0, pieces)
}

#[library_benchmark]
#[bench::kib64(args = (65536), setup = to_decode_pieces)]
fn decode_pieces((mut decoder, pieces): (Decoder, Vec<Bytes>)) -> (Decoder, Option<Message>) {
    let mut message = None;
    for piece in pieces {
        decoder.push(piece);
        message = decoder.next_message().unwrap();
    }
    (decoder, message)
}

fn to_encode(size: usize) -> (HeaderBlock, Bytes) {
    (fixture::chunk_headers(), fixture::payload(size))
}

#[library_benchmark]
#[bench::b64(args = (64), setup = to_encode)]
#[bench::kib64(args = (65536), setup = to_encode)]
fn encode((headers, payload): (HeaderBlock, Bytes)) -> (HeaderBlock, EncodedMessage) {
    let message = encode_vectored(black_box(&headers).headers(), payload).unwrap();
    (headers, message)
}

#[library_benchmark]
#[bench::bare("thumbnail-service")]
#[bench::arn(fixture::ARN)]
fn function_name(text: &str) -> FunctionName<'_> {
    FunctionName::parse(black_box(text)).unwrap()
}

fn to_write() -> StreamRequest<'static> {
    let mut request = StreamRequest::new(FunctionName::parse(fixture::ARN).unwrap());
    request.log_type = LogType::Tail;
    request.payload = Bytes::from_static(b"{\"key\":\"cat.jpg\"}");
    request
}

#[library_benchmark]
#[bench::stream(setup = to_write)]
fn write_request(request: StreamRequest<'static>) -> http::Request<Bytes> {
    let base = http::Uri::from_static("https://lambda.eu-west-1.amazonaws.com");
    black_box(&request).to_http(&base).unwrap()
}

fn to_read() -> (StreamReader, Bytes) {
    let mut frame = Vec::new();
    StreamEvent::PayloadChunk(fixture::payload(64).into())
        .encode(&mut frame)
        .unwrap();
    (StreamReader::new(), frame.into())
}

#[library_benchmark]
#[bench::chunk(setup = to_read)]
fn read_event((mut reader, frame): (StreamReader, Bytes)) -> (StreamReader, Option<StreamEvent>) {
    reader.push(frame);
    let event = reader.next_event().unwrap();
    (reader, event)
}

#[library_benchmark]
#[bench::throttled()]
fn parse_error() -> ServiceError {
    let body = br#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let header = |name: &str| (name == "x-amzn-errortype").then_some("TooManyRequestsException");
    ServiceError::parse(429, header, black_box(body))
}

library_benchmark_group!(
    name = counts,
    benchmarks = [
        sign,
        sign_without_query,
        sign_chunk,
        sign_message,
        sign_aws_sigv4,
        verify,
        decode,
        decode_pieces,
        encode,
        function_name,
        write_request,
        read_event,
        parse_error
    ]
);

main!(
    config = LibraryBenchmarkConfig::default()
        .tool(Callgrind::with_args(["--cache-sim=no", "--dump-instr=no"])),
    library_benchmark_groups = counts
);
