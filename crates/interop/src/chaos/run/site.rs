//! The endpoint that most cases call: functions that count their executions, over plain HTTP and TLS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use lambda_invoke::BoxError;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, Invocation, Server};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoClientAuth, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::chaos::case::{Asked, Over};
use crate::chaos::schedule::text::ID;

/// The size of a long request and of a long response: many packets, and several buffers of every
/// program in between.
const LONG_REQUEST: usize = 64 * 1024;
const LONG_RESPONSE: usize = 128 * 1024;

/// A payload that no buffer between a client and a server holds, so that a server can respond before it
/// has read all of it.
pub static HUGE_REQUEST: LazyLock<Bytes> = LazyLock::new(|| {
    let mut bytes = format!("\"{ID}\"").into_bytes();
    bytes.resize(5 << 20, b' ');
    bytes.into()
});

/// How often a function ran, by the id that it was called with.
#[derive(Clone, Debug, Default)]
pub struct Executions(Arc<Mutex<HashMap<String, Arc<AtomicU32>>>>);

impl Executions {
    /// The counter for one id.
    pub fn of(&self, id: &str) -> Arc<AtomicU32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(id.to_owned()).or_default())
    }

    /// Forgets the counters of ids that are no longer used.
    pub fn forget(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, count| Arc::strong_count(count) > 1);
    }

    /// Counts an execution, and returns the id that the function was called with.
    pub fn count(&self, invocation: &Invocation) -> Result<String, FunctionError> {
        let id: String = invocation.json()?;
        self.of(&id).fetch_add(1, Ordering::SeqCst);
        Ok(id)
    }
}

/// The payload with which a function is called. All ids have the same length, so that offsets are
/// the same.
pub fn payload(asked: Asked, id: &str) -> Bytes {
    padded(asked, format!("\"{id}\""), LONG_REQUEST)
}

/// JSON may have white space behind it.
fn padded(asked: Asked, json: String, length: usize) -> Bytes {
    let mut bytes = json.into_bytes();
    if asked.is_long() {
        bytes.resize(length, b' ');
    }
    Bytes::from(bytes)
}

/// The pieces in which a function responds; a buffered function returns them all at once.
pub fn pieces(id: &str) -> [String; 4] {
    [
        format!("{{\"id\":\"{id}\","),
        "\"one\":[1,1,1,1,1,1,1],".to_owned(),
        "\"two\":[2,2,2,2,2,2,2],".to_owned(),
        "\"whole\":true}".to_owned(),
    ]
}

/// The whole response.
pub fn whole(asked: Asked, id: &str) -> Bytes {
    match asked {
        Asked::Event | Asked::DryRun | Asked::StreamDryRun => Bytes::new(),
        _ => padded(asked, pieces(id).concat(), LONG_RESPONSE),
    }
}

/// The name of the function that is called.
pub fn function(asked: Asked) -> &'static str {
    match asked {
        Asked::Invoke | Asked::Event | Asked::DryRun => "invoked",
        Asked::Stream | Asked::StreamDryRun => "streamed",
        Asked::Failing => "failing",
        Asked::FailingStream => "breaking",
        Asked::LongInvoke => "long-invoked",
        Asked::LongStream => "long-streamed",
    }
}

fn functions(executions: &Executions) -> Vec<Function> {
    let with = || executions.clone();
    let invoked = |asked: Asked| {
        let executions = with();
        Function::buffered(function(asked), move |invocation| {
            let id = executions.count(&invocation);
            async move { Ok::<_, FunctionError>(whole(asked, &id?)) }
        })
    };
    let failing = {
        let executions = with();
        Function::buffered("failing", move |invocation| {
            let id = executions.count(&invocation);
            async move { Err::<Bytes, _>(FunctionError::new("Broken", format!("on purpose: {}", id?))) }
        })
    };
    let stream = |name: &str, breaks: bool| {
        let executions = with();
        Function::streaming(name, move |invocation, mut writer| {
            let id = executions.count(&invocation);
            async move {
                for piece in pieces(&id?).into_iter().take(if breaks { 2 } else { 4 }) {
                    writer.write(piece).await?;
                    tokio::task::yield_now().await;
                }
                match breaks {
                    true => Err(FunctionError::new("Broken", "in mid-stream")),
                    false => Ok(()),
                }
            }
        })
    };
    let long_stream = {
        let executions = with();
        Function::streaming(
            function(Asked::LongStream),
            move |invocation, mut writer| {
                let id = executions.count(&invocation);
                async move {
                    let whole = whole(Asked::LongStream, &id?);
                    for piece in whole.chunks(LONG_RESPONSE / 20) {
                        writer.write(whole.slice_ref(piece)).await?;
                    }
                    Ok::<_, FunctionError>(())
                }
            },
        )
    };
    vec![
        invoked(Asked::Invoke),
        invoked(Asked::LongInvoke),
        long_stream,
        failing,
        stream("streamed", false),
        stream("breaking", true),
    ]
}

/// A certificate authority, and certificates from it.
pub struct Authority {
    pub pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Uses keys whose signatures always have the same length.
    pub fn new(name: &str) -> Result<Self, BoxError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Returns a TLS acceptor for a host.
    pub fn acceptor(&self, host: &str) -> Result<TlsAcceptor, BoxError> {
        self.accepting(host, Arc::new(NoClientAuth))
    }

    /// Returns a TLS acceptor for a host that rejects clients without a certificate.
    pub fn demanding_acceptor(&self, host: &str) -> Result<TlsAcceptor, BoxError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone())?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        self.accepting(host, verifier.build()?)
    }

    fn accepting(
        &self,
        host: &str,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<TlsAcceptor, BoxError> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let params = CertificateParams::new([host.to_owned()])?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der())?,
            )?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// The endpoint, and the counters of executions.
pub struct Site {
    pub executions: Executions,
    pub authority: Authority,
    acceptor: TlsAcceptor,
    plain: Server,
    tls: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Site {
    pub async fn start() -> Result<Self, BoxError> {
        let executions = Executions::default();
        let plain = endpoint(&executions, 0)?.bind("127.0.0.1:0").await?;
        let authority = Authority::new("chaos")?;
        let acceptor = authority.acceptor("localhost")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let tls = listener.local_addr()?;
        let behind = plain.endpoint().clone();
        let mut tasks = JoinSet::new();
        let accepting = acceptor.clone();
        tasks.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let (acceptor, endpoint) = (accepting.clone(), behind.clone());
                tokio::spawn(async move {
                    if let Ok(io) = acceptor.accept(socket).await {
                        endpoint.serve_connection(io).await;
                    }
                });
            }
        });
        Ok(Self {
            executions,
            authority,
            acceptor,
            plain,
            tls,
            _tasks: tasks,
        })
    }

    pub fn address(&self, over: Over) -> SocketAddr {
        match over {
            Over::Plain | Over::Inside => self.plain.local_addr(),
            Over::Tls => self.tls,
        }
    }

    /// What ends TLS before the bytes are damaged, if anything does.
    pub fn acceptor(&self, over: Over) -> Option<TlsAcceptor> {
        (over == Over::Inside).then(|| self.acceptor.clone())
    }

    /// Starts another endpoint with the same functions, whose clock differs.
    pub async fn with_clock(&self, seconds: i64) -> Result<Server, BoxError> {
        Ok(endpoint(&self.executions, seconds)?
            .bind("127.0.0.1:0")
            .await?)
    }
}

fn endpoint(executions: &Executions, clock: i64) -> Result<Endpoint, BoxError> {
    Ok(Endpoint::builder()
        .functions(functions(executions))
        .seed(1)
        .clock_offset(clock)
        .recorded_bytes(0)
        .build()?)
}
