//! Turns the name of a host into addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// Host names whose addresses were set.
pub(crate) type Known = Vec<(String, Vec<IpAddr>)>;

/// Looks up a host among those whose addresses were set, then asks the operating system.
#[derive(Clone)]
pub(crate) struct Resolver {
    known: Arc<Known>,
    system: GaiResolver,
}

impl Resolver {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            known: Arc::new(known),
            system: GaiResolver::new(),
        }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let mut known = self.known.iter();
        if let Some((_, addresses)) =
            known.find(|(host, _)| name.as_str().eq_ignore_ascii_case(host))
        {
            // The connector replaces port 0 with the URI's port.
            let addresses: Vec<_> = addresses.iter().map(|ip| (*ip, 0).into()).collect();
            return Box::pin(async { Ok(addresses.into_iter()) });
        }
        let found = self.system.call(name);
        Box::pin(async { Ok(found.await?.collect::<Vec<_>>().into_iter()) })
    }
}
