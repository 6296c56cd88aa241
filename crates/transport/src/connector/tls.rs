//! TLS: which certificates are trusted, and the handshake on an existing stream.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use http::Uri;
use hyper::rt;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::Connection;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::once::Once;
use crate::error::BoxError;
use crate::{Error, ErrorKind};

/// The trusted certificates. None are loaded before the first https connection.
#[derive(Clone)]
pub(crate) struct Roots {
    pub(crate) bundled: bool,
    #[cfg(feature = "native-roots")]
    pub(crate) native: bool,
    extra: RootCertStore,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            bundled: true,
            #[cfg(feature = "native-roots")]
            native: false,
            extra: RootCertStore::empty(),
        }
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Roots");
        f.field("bundled", &self.bundled);
        #[cfg(feature = "native-roots")]
        f.field("native", &self.native);
        f.field("extra", &self.extra.len()).finish()
    }
}

impl Roots {
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        let mut count = 0_usize;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            count = count.saturating_add(1);
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|der| self.extra.add(der).map_err(|error| error.to_string()));
            added.map_err(|error| {
                Error::configuration(format!("certificate {count} of the PEM text: {error}"))
            })?;
        }
        if count == 0 {
            return Err(Error::configuration("the PEM text contains no certificate"));
        }
        Ok(())
    }

    fn store(&self) -> Result<RootCertStore, String> {
        let mut store = self.extra.clone();
        if self.bundled {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        #[cfg(feature = "native-roots")]
        if self.native {
            // Some of a platform's certificates may be of a kind that rustls does not support.
            // Those are not trusted; the others are.
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if let (true, Some(error)) = (store.is_empty(), found.errors.first()) {
                return Err(format!(
                    "no certificate of the platform could be read: {error}"
                ));
            }
        }
        if store.is_empty() {
            return Err("no certificate authority is trusted".to_owned());
        }
        Ok(store)
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(self.store()?)
            .with_no_client_auth();
        // No ALPN: without it every server speaks HTTP/1.1.
        Ok(Arc::new(config))
    }
}

/// The roots, and the configuration that is made from them on first use.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    roots: Roots,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    pub(crate) fn new(roots: Roots) -> Self {
        Self {
            roots,
            config: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_set_up(&self) -> bool {
        self.config.get().is_some()
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| self.roots.config()).clone()
    }

    /// Makes a TLS handshake on `io` with the host that `to` names.
    pub(crate) async fn handshake<T>(
        self: &Arc<Self>,
        io: T,
        to: Uri,
    ) -> Result<MaybeHttpsStream<T>, Error>
    where
        T: Connection + rt::Read + rt::Write + Send + Unpin + 'static,
    {
        #[cfg(feature = "native-roots")]
        if self.roots.native && self.config.get().is_none() {
            // Reading a platform's certificates may mean reading hundreds of files.
            let this = Arc::clone(self);
            let _ = tokio::task::spawn_blocking(move || this.config().is_ok()).await;
        }
        let config = self.config().map_err(Error::configuration)?;
        let host = to.host().unwrap_or_default().to_owned();
        HttpsConnector::from((Once(Some(io)), config))
            .call(to)
            .await
            .map_err(|error| {
                let cause = innermost(error);
                let rejected = matches!(
                    cause.downcast_ref::<rustls::Error>(),
                    Some(
                        rustls::Error::InvalidCertificate(_)
                            | rustls::Error::NoCertificatesPresented
                    )
                );
                if rejected {
                    let message = format!("the certificate of {host} was rejected");
                    Error::no_connection(ErrorKind::Certificate, message, cause)
                } else {
                    let message = format!("the TLS handshake with {host} failed");
                    Error::no_connection(ErrorKind::Tls, message, cause)
                }
            })
    }
}

/// Unwraps I/O errors that only wrap an error of TLS.
fn innermost(mut error: BoxError) -> BoxError {
    loop {
        error = match error.downcast::<io::Error>() {
            Ok(io) if io.get_ref().is_some() => {
                let kind = io.kind();
                io.into_inner()
                    .unwrap_or_else(|| io::Error::from(kind).into())
            }
            Ok(io) => return io,
            Err(other) => return other,
        }
    }
}
