//! A bare hyper-util client, over TCP, or over TLS with hyper-rustls and ring.
#![allow(dead_code)] // Each program uses a part of it.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

pub type Plain = Client<HttpConnector, Full<Bytes>>;
pub type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

pub fn plain() -> Plain {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(tcp)
}

/// Trusts this certificate authority, or the bundled ones.
pub fn https(ca: Option<&str>) -> Https {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => roots
            .add(CertificateDer::from_pem_file(path).unwrap())
            .unwrap(),
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http();
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(connector.enable_http1().wrap_connector(tcp))
}

/// A request as long as a signed one, for a server that does not verify signatures.
pub fn unsigned(url: &str) -> Request<Bytes> {
    let path = "2021-11-15/functions/small/response-streaming-invocations";
    let authorization = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/lambda/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date, \
        Signature=0000000000000000000000000000000000000000000000000000000000000000";
    Request::post(format!("{}/{path}", url.trim_end_matches('/')))
        .header("content-type", "application/json")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", authorization)
        .header("user-agent", "lambda-invoke/0.1.0")
        .body(Bytes::from_static(br#"{"name":"Ada"}"#))
        .unwrap()
}

pub async fn first_byte<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, Full<Bytes>>,
    request: Request<Bytes>,
) -> bool {
    let mut response = client.request(request.map(Full::new)).await.unwrap();
    assert!(response.status().is_success());
    response
        .frame()
        .await
        .unwrap()
        .unwrap()
        .data_ref()
        .is_some_and(|data| !data.is_empty())
}

/// Reads a response and drops it, passes each piece to `seen`, and returns the length of the body.
pub async fn drain<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, Full<Bytes>>,
    request: Request<Bytes>,
    mut seen: impl FnMut(&[u8]),
) -> u64 {
    let mut response = client.request(request.map(Full::new)).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    let mut count = 0;
    while let Some(frame) = response.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        count += data.len() as u64;
        seen(&data);
    }
    count
}
