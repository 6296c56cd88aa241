//! How the cost of sockets grows: with concurrency, chunk size, length, and the number of open
//! streams.

use super::Turns;
use crate::programs::{Place, Server};
use crate::stats::median;
use crate::svg::Curves;
use crate::{Report, Result};

/// The clients and the names of their curves.
type Clients = [(&'static str, &'static str); 3];

const BARE: Clients = [
    ("ours", "ours"),
    ("bare", "bare hyper-util"),
    ("sdk", "aws-sdk-lambda"),
];

const BARE_WITH_CRC: Clients = [
    ("ours", "ours"),
    ("bare-crc", "bare hyper-util with a CRC pass"),
    ("sdk", "aws-sdk-lambda"),
];

fn empty(clients: Clients) -> Curves {
    clients
        .map(|(_, name)| (name.to_owned(), Vec::new()))
        .to_vec()
}

/// Makes the clients do the same work in turn, and returns a value of each client, such as
/// `cpu_ns`, for each of `keys`.
fn measure(
    place: &Place,
    report: &mut Report,
    clients: Clients,
    args: &[&str],
    keys: &[&str],
    rounds: usize,
) -> Result<Vec<[f64; 3]>> {
    let turns = Turns {
        clients: &clients.map(|(client, _)| client),
        args,
        env: Vec::new(),
        cpu: None,
        rounds,
    };
    let outputs = turns.run(place, report)?;
    let of = |key: &&str| {
        let mut values = [0.0; 3];
        for (client, value) in values.iter_mut().enumerate() {
            *value = median(&outputs.values(client, key)?);
        }
        Ok(values)
    };
    keys.iter().map(of).collect()
}

/// Adds a point to the curve of each client.
fn add(curves: &mut Curves, x: f64, values: [f64; 3]) {
    for (curve, value) in curves.iter_mut().zip(values) {
        curve.1.push((x, value));
    }
}

/// Returns the median CPU time of a work over several rounds, in nanoseconds.
fn cpu(place: &Place, report: &mut Report, clients: Clients, args: &[&str]) -> Result<[f64; 3]> {
    let rounds = if report.quick { 3 } else { 7 };
    let values = measure(place, report, clients, args, &["cpu_ns"], rounds)?;
    Ok(values[0])
}

/// CPU time of a small stream, by the number of concurrent ones.
pub fn concurrency(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty(BARE);
    for at_once in [1_u32, 3, 10, 32, 100, 316, 1000] {
        let count = (at_once * 5).max(2000);
        let args = [
            server.url.as_str(),
            "small",
            &at_once.to_string(),
            &count.to_string(),
        ];
        let values = cpu(place, report, BARE, &args)?;
        add(
            &mut curves,
            at_once.into(),
            values.map(|ns| ns / f64::from(count)),
        );
    }
    Ok(curves)
}

/// CPU time per GB of a long stream, by the size of its chunks.
pub fn chunks(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty(BARE_WITH_CRC);
    for size in [64, 256, 1024, 4096, 16384, 65536, 262_144, 1_048_576] {
        let mib = if size < 1024 { 8 } else { 64 };
        let args = [
            server.url.as_str(),
            &format!("stream-{mib}-{size}"),
            "1",
            "1",
        ];
        let values = cpu(place, report, BARE_WITH_CRC, &args)?;
        let gb = 1e9 / (f64::from(mib) * 1_048_576.0);
        add(&mut curves, f64::from(size), values.map(|ns| ns * gb));
    }
    Ok(curves)
}

/// CPU time of a long stream, by its length.
pub fn lengths(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty(BARE_WITH_CRC);
    for mib in [1, 2, 5, 10, 20, 50, 100, 200] {
        // Short streams are repeated, since one takes less time than the resolution of the clock.
        let count = (20 / mib).max(1);
        let args = [
            server.url.as_str(),
            &format!("stream-{mib}"),
            "1",
            &count.to_string(),
        ];
        let values = cpu(place, report, BARE_WITH_CRC, &args)?;
        let length = f64::from(mib) * 1_048_576.0;
        add(&mut curves, length, values.map(|ns| ns / f64::from(count)));
    }
    Ok(curves)
}

/// Memory of the client, and CPU time of all its streams, by the number of open streams.
pub fn open(place: &Place, report: &mut Report) -> Result<[Curves; 2]> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = [empty(BARE), empty(BARE)];
    // Each stream takes a file descriptor on both sides.
    let most = if report.quick { 1000 } else { 10_000 };
    for streams in [100, 316, 1000, 3162, 10_000] {
        if streams > most.min(place.descriptors()? / 2) {
            continue;
        }
        let count = streams.to_string();
        let args = [server.url.as_str(), "hold", &count, &count];
        let values = measure(place, report, BARE, &args, &["resident", "cpu_ns"], 1)?;
        for (curves, values) in curves.iter_mut().zip(values) {
            add(curves, streams as f64, values);
        }
    }
    Ok(curves)
}
