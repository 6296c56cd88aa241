//! The hosts that are reached without a proxy: `NO_PROXY`.

use std::net::IpAddr;

use http::Uri;

use crate::port;

/// A list of hosts, read as curl and Python's `urllib` (and so boto3) read theirs.
///
/// Where both agree, this type agrees with them: `*` stands for all hosts only if it is the whole
/// list, and an entry with a port is for URIs with this explicit port. Where one of them accepts
/// more than the other (curl: networks, white space and trailing dots; Python: ports and brackets),
/// this type accepts it too.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions {
    everything: bool,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    hosts: Hosts,
    /// `None` is any port.
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    /// A name in lower case, and every name below it.
    Domain(String),
    Network(IpAddr, u32),
}

impl Exceptions {
    /// Reads a list that is separated by commas or white space. An entry that can match no host, such as a
    /// network with too long a prefix, is ignored: those requests go through the proxy.
    pub(super) fn parse(list: &str) -> Self {
        let separators = |character: char| character == ',' || character.is_whitespace();
        Self {
            everything: list == "*",
            entries: list.split(separators).filter_map(Entry::parse).collect(),
        }
    }

    /// Whether a request to this URI goes directly to its server.
    pub(super) fn contain(&self, uri: &Uri) -> bool {
        if self.everything {
            return true;
        }
        let Some(host) = uri.host() else {
            return false;
        };
        let Ok(port) = port::port_of(uri) else {
            return false;
        };
        let address = without_brackets(host).parse::<IpAddr>().ok();
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.entries.iter().any(|entry| {
            (entry.port.is_none() || entry.port == port) && entry.hosts.contain(&name, address)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let any_port = |hosts| Self { hosts, port: None };
        if let Some((address, bits)) = text.split_once('/') {
            let address = without_brackets(address).parse::<IpAddr>().ok()?;
            let bits = bits.parse().ok()?;
            return (bits <= width(address)).then(|| any_port(Hosts::Network(address, bits)));
        }
        if let Ok(address) = without_brackets(text).parse::<IpAddr>() {
            return Some(any_port(Hosts::Network(address, width(address))));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port::parse(port).ok()?)),
            None => (text, None),
        };
        let hosts = match without_brackets(host).parse::<IpAddr>() {
            Ok(address) => Hosts::Network(address, width(address)),
            Err(_) => {
                let name = host.trim_start_matches('.');
                let name = name.strip_suffix('.').unwrap_or(name);
                if name.is_empty() {
                    return None;
                }
                Hosts::Domain(name.to_ascii_lowercase())
            }
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn contain(&self, name: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::Network(network, bits), Some(address)) => {
                leading_bits(*network, *bits) == leading_bits(address, *bits)
                    && network.is_ipv4() == address.is_ipv4()
            }
            (Self::Domain(domain), None) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            _ => false,
        }
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn leading_bits(address: IpAddr, bits: u32) -> u128 {
    let number = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    // A shift by all bits would overflow; no bit of the address counts then.
    let rest = width(address).saturating_sub(bits);
    number.checked_shr(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: bool = true; // goes straight to the server
    const P: bool = false; // goes through the proxy

    #[test]
    fn hosts_are_excepted_as_by_curl_and_python() {
        for (list, uri, direct) in [
            ("", "http://a.example/", P),
            (",, ,", "http://a.example/", P),
            ("*", "http://a.example/", C),
            (" * ", "http://[::1]/", P),
            ("x.test, *", "http://[::1]/", P),
            ("*.example", "http://a.example/", P),
            // A name covers the names below it, at the boundary of a label.
            ("example", "http://example/", C),
            ("example", "http://a.b.example/", C),
            ("example", "http://anexample/", P),
            ("a.example", "http://example/", P),
            (".example", "http://a.example/", C),
            (".example", "http://example/", C),
            ("EXAMPLE", "http://A.example/", C),
            ("example.", "http://a.example/", C),
            ("example", "http://a.example./", C),
            // Several entries, however they are separated.
            ("x.test,a.example", "http://a.example/", C),
            ("x.test , a.example ", "http://a.example/", C),
            ("x.test a.example", "http://a.example/", C),
            // Ports.
            ("a.example:8080", "http://a.example:8080/", C),
            ("a.example:8080", "http://a.example/", P),
            ("a.example:80", "http://a.example/", P),
            ("a.example:80", "http://a.example:80/", C),
            ("a.example:443", "https://a.example:443/", C),
            ("a.example:443", "http://a.example/", P),
            (".example:8080", "http://a.example:8080/", C),
            ("a.example", "http://a.example:8080/", C),
            ("a.example:", "http://a.example/", P),
            ("a.example:0", "http://a.example/", P),
            ("a.example:+80", "http://a.example/", P),
            ("127.0.0.1:9001", "http://127.0.0.1:9001/", C),
            ("127.0.0.1:9001", "http://127.0.0.1:9002/", P),
            // Addresses, however they are written.
            ("127.0.0.1", "http://127.0.0.1:9001/", C),
            ("0.0.1", "http://127.0.0.1/", P),
            ("::1", "http://[::1]:9001/", C),
            ("[::1]", "http://[::1]:9001/", C),
            ("[::1]:9001", "http://[::1]:9001/", C),
            ("[::1]:9001", "http://[::1]:9002/", P),
            ("0:0:0:0:0:0:0:1", "http://[::1]/", C),
            ("::2", "http://[::1]/", P),
            ("localhost", "http://127.0.0.1/", P),
            // Networks.
            ("10.0.0.0/8", "http://10.1.2.3/", C),
            ("10.0.0.0/8", "http://11.1.2.3/", P),
            ("10.1.2.3/8", "http://10.9.9.9/", C),
            ("0.0.0.0/0", "http://192.0.2.1/", C),
            ("0.0.0.0/0", "http://[::1]/", P),
            ("0.0.0.0/0", "http://a.example/", P),
            ("::/0", "http://192.0.2.1/", P),
            ("fd00::/8", "http://[fd12::1]/", C),
            ("[fd00::]/8", "http://[fd12::1]/", C),
            ("10.0.0.0/33", "http://10.0.0.0/", P),
            ("10.0.0.0/x", "http://10.0.0.0/", P),
        ] {
            let found = Exceptions::parse(list).contain(&uri.parse().unwrap());
            assert_eq!(found, direct, "{list:?} {uri}");
        }
    }
}
