//! Reasons why no connection can be made.

/// What prevents the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing listens.
    Refused,
    /// Nothing responds to the first packet.
    BlackHole,
    /// The name does not exist.
    UnknownHost,
    /// Misbehavior of a server of `https://`.
    Tls(Tls),
    /// Misbehavior of a proxy on the way to an endpoint behind TLS.
    Proxy(Proxy),
    /// Nothing listens where a proxy for `http://` should be.
    ForwardProxyRefused,
}

impl Obstacle {
    /// Whether it is there before any part of a request can be sent.
    pub fn precedes_request(self) -> bool {
        self != Self::Tls(Tls::AsksForCertificate)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The certificate is from an authority that is not trusted.
    Untrusted,
    /// The certificate is for another host.
    OtherHost,
    /// The server closes after the client's first message.
    Closes,
    Resets,
    /// The server sends an alert.
    Alert,
    /// The server speaks plain HTTP.
    PlainHttp,
    Garbage,
    /// The server never responds.
    Hangs,
    /// The server demands a certificate from the client. In TLS 1.3 it rejects the client only after the
    /// client's handshake is complete, and the request may be sent by then.
    AsksForCertificate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Refused,
    /// The proxy responds to CONNECT with this status.
    Status(u16),
    Closes,
    Resets,
    Hangs,
    Garbage,
    /// The proxy sends a head without an end.
    EndlessHead,
    /// The proxy accepts, and then closes.
    AcceptsAndCloses,
    /// The proxy accepts, and then sends garbage instead of TLS.
    AcceptsAndLies,
}

/// How far a connection has got when its caller drops the call, before a byte of the request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The name of the host is being looked up.
    Lookup,
    /// The first packet has been sent.
    Tcp,
    /// The server has the client's first message of TLS.
    Tls,
    /// The proxy has the request for a tunnel.
    Proxy,
    /// The tunnel is open, and its server has the client's first message of TLS.
    Tunnel,
}

impl Stage {
    pub const ALL: [Self; 5] = [
        Self::Lookup,
        Self::Tcp,
        Self::Tls,
        Self::Proxy,
        Self::Tunnel,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Lookup => "connecting-lookup",
            Self::Tcp => "connecting-tcp",
            Self::Tls => "connecting-tls",
            Self::Proxy => "connecting-proxy",
            Self::Tunnel => "connecting-tunnel",
        }
    }
}

/// All obstacles, with their names.
pub fn obstacles() -> Vec<(String, Obstacle)> {
    let mut all = vec![
        ("refused".to_owned(), Obstacle::Refused),
        ("black-hole".to_owned(), Obstacle::BlackHole),
        ("unknown-host".to_owned(), Obstacle::UnknownHost),
        (
            "forward-proxy-refused".to_owned(),
            Obstacle::ForwardProxyRefused,
        ),
    ];
    for tls in [
        Tls::Untrusted,
        Tls::OtherHost,
        Tls::Closes,
        Tls::Resets,
        Tls::Alert,
        Tls::PlainHttp,
        Tls::Garbage,
        Tls::Hangs,
        Tls::AsksForCertificate,
    ] {
        all.push((format!("tls-{tls:?}"), Obstacle::Tls(tls)));
    }
    let statuses = [201, 204, 301, 400, 403, 404, 407, 429, 500, 502, 503, 504];
    for proxy in statuses.map(Proxy::Status).into_iter().chain([
        Proxy::Refused,
        Proxy::Closes,
        Proxy::Resets,
        Proxy::Hangs,
        Proxy::Garbage,
        Proxy::EndlessHead,
        Proxy::AcceptsAndCloses,
        Proxy::AcceptsAndLies,
    ]) {
        all.push((format!("proxy-{proxy:?}"), Obstacle::Proxy(proxy)));
    }
    all
}
