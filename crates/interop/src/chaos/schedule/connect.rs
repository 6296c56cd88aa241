//! Why no connection can be made.

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing listens.
    Refused,
    /// Nothing responds to the first packet.
    BlackHole,
    /// The name does not exist.
    UnknownHost,
    /// How a server of `https://` behaves.
    Tls(Tls),
    /// How a proxy behaves, on the way to an endpoint over TLS.
    Proxy(Proxy),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Its certificate is of an authority that is not trusted.
    Untrusted,
    /// Its certificate is for another host.
    OtherHost,
    /// It closes after the client's first message.
    Closes,
    Resets,
    /// It sends an alert.
    Alert,
    /// It speaks plain HTTP.
    PlainHttp,
    Garbage,
    /// It never responds.
    Hangs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Refused,
    /// It responds with this status to CONNECT.
    Status(u16),
    Closes,
    Resets,
    Hangs,
    Garbage,
    /// It sends a head without an end.
    EndlessHead,
    /// It accepts, and then closes.
    AcceptsAndCloses,
    /// It accepts, and then sends garbage instead of TLS.
    AcceptsAndLies,
}

/// All obstacles and their names.
pub fn obstacles() -> Vec<(String, Obstacle)> {
    let mut all = vec![
        ("refused".to_owned(), Obstacle::Refused),
        ("black-hole".to_owned(), Obstacle::BlackHole),
        ("unknown-host".to_owned(), Obstacle::UnknownHost),
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
