//! HTTPS against a server with a certificate authority of its own.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;

use lambda_invoke::{Client, ErrorKind, Execution, Transport};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Starts the local endpoint behind TLS for these names, and returns the authority's certificate in
/// PEM.
async fn serve(names: &[&str]) -> (SocketAddr, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();

    let function = Function::streaming("words", |_, mut writer| async move {
        writer.write("over ").await?;
        writer.write("tls").await?;
        Ok::<_, FunctionError>(())
    });
    let endpoint = Arc::new(Endpoint::builder().function(function).build().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, endpoint) = (acceptor.clone(), Arc::clone(&endpoint));
            tokio::spawn(async move {
                // A client that rejects the certificate ends the handshake.
                if let Ok(io) = acceptor.accept(socket).await {
                    endpoint.serve_connection(io).await;
                }
            });
        }
    });
    (address, authority.pem())
}

fn client(url: String, transport: Transport) -> Client {
    support::builder()
        .endpoint_url(url)
        .transport(transport)
        .build()
        .unwrap()
}

#[tokio::test]
async fn streams_from_a_server_whose_authority_is_trusted() {
    let (address, pem) = serve(&["localhost"]).await;
    let transport = Transport::builder().ca_pem(pem.as_bytes()).unwrap().build();
    let client = client(format!("https://localhost:{}", address.port()), transport);
    let collected = client
        .stream("words")
        .send()
        .await
        .unwrap()
        .collect_all()
        .await
        .unwrap();
    assert_eq!(collected.to_bytes(), "over tls");
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_clear_error_and_is_not_retried() {
    let (address, pem) = serve(&["other.example"]).await;
    let url = format!("https://localhost:{}", address.port());
    let trusting = Transport::builder().ca_pem(pem.as_bytes()).unwrap().build();
    for transport in [Transport::new(), trusting] {
        let error = client(url.clone(), transport)
            .stream("words")
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Connect, Execution::NotStarted)
        );
        assert_eq!(error.attempts(), 1);
        let text = error.to_string();
        assert!(text.contains("was rejected"), "{text}");
        assert!(text.contains("the function was not run"), "{text}");
        let source = error.source().unwrap();
        assert!(source.to_string().contains("certificate"), "{source}");
    }
}
