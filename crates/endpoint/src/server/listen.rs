//! Listens on an address, or on the loopback addresses of both IP versions.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, ToSocketAddrs, lookup_host};

/// How many free ports are tried until one is free on both loopback addresses.
const TRIES: usize = 16;

/// Listens on an address. If a name stands for several loopback addresses, as `localhost` often
/// does, listens on each of them, since a client may choose any.
pub(super) async fn listen(address: impl ToSocketAddrs) -> io::Result<Vec<TcpListener>> {
    let addresses: Vec<SocketAddr> = lookup_host(address).await?.collect();
    if addresses.len() > 1 && addresses.iter().all(|address| address.ip().is_loopback()) {
        return loopbacks(addresses).await;
    }
    Ok(vec![TcpListener::bind(&*addresses).await?])
}

/// Listens on both loopback addresses, or only on 127.0.0.1 if the machine has no other.
pub(super) async fn localhost(port: u16) -> io::Result<Vec<TcpListener>> {
    let addresses = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    loopbacks(addresses.to_vec()).await
}

async fn loopbacks(mut addresses: Vec<SocketAddr>) -> io::Result<Vec<TcpListener>> {
    // The IPv4 address comes first, since the URL is made from the first address.
    addresses.sort_unstable();
    addresses.dedup();
    let is_any_port = addresses.iter().any(|address| address.port() == 0);
    let mut listened = each(&addresses).await;
    for _ in 1..TRIES {
        match &listened {
            Err(error) if is_any_port && error.kind() == io::ErrorKind::AddrInUse => {}
            _ => break,
        }
        listened = each(&addresses).await;
    }
    listened
}

/// Listens on each address that the machine has, all with the same port.
async fn each(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(addresses.len());
    let mut port = None;
    let mut missing = None;
    for address in addresses {
        let mut address = *address;
        if let (0, Some(port)) = (address.port(), port) {
            address.set_port(port);
        }
        match TcpListener::bind(address).await {
            Ok(listener) => {
                port = Some(listener.local_addr()?.port());
                listeners.push(listener);
            }
            // The machine has no IPv6, like many containers.
            Err(error) if is_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// Whether the machine does not have the address or its IP version.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
#[path = "../../tests/common/tools.rs"]
mod tools;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_both_loopback_addresses_with_one_port() {
        let listeners = localhost(0).await.unwrap();
        let addresses: Vec<_> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect();
        assert_eq!(addresses[0].ip(), Ipv4Addr::LOCALHOST);
        assert_ne!(addresses[0].port(), 0);
        if tools::lacks_ipv6() {
            assert_eq!(addresses.len(), 1);
            return;
        }
        let second = SocketAddr::from((Ipv6Addr::LOCALHOST, addresses[0].port()));
        assert_eq!(addresses[1..], [second]);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_on_one_loopback_address_is_rejected() {
        for taken in ["127.0.0.1:0", "[::1]:0"] {
            if taken.starts_with('[') && tools::lacks_ipv6() {
                continue;
            }
            let taken = TcpListener::bind(taken).await.unwrap();
            let port = taken.local_addr().unwrap().port();
            let error = localhost(port).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        }
    }

    #[tokio::test]
    async fn a_name_of_several_loopback_addresses_is_listened_on_at_each() {
        let both = [
            SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        ];
        let listeners = listen(&both[..]).await.unwrap();
        assert_eq!(listeners[0].local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
        assert_eq!(listeners.len(), if tools::lacks_ipv6() { 1 } else { 2 });
        assert_eq!(listen("127.0.0.1:0").await.unwrap().len(), 1);
    }
}
