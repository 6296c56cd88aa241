//! How the cost of sockets grows: by concurrency, by chunk size, by length, and by the number of open
//! streams.

use super::Turns;
use crate::programs::{Place, Server};
use crate::stats::median;
use crate::svg::Curves;
use crate::{Report, Result};

const NAMES: [&str; 3] = ["ours", "bare hyper-util", "aws-sdk-lambda"];

fn empty() -> Curves {
    NAMES.map(|name| (name.to_owned(), Vec::new())).to_vec()
}

/// CPU time of a small stream, by how many run at once.
pub fn concurrency(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty();
    for at_once in [1, 3, 10, 32, 100, 316, 1000] {
        let (at_once, count) = (at_once.to_string(), (at_once * 5).max(2000).to_string());
        let turns = Turns {
            clients: &["ours", "bare", "sdk"],
            args: &[&server.url, "small", &at_once, &count],
            env: Vec::new(),
            cpu: None,
            rounds: if report.quick { 3 } else { 7 },
        };
        let outputs = turns.run(place, report)?;
        for (client, curve) in curves.iter_mut().enumerate() {
            let cpu = median(&outputs.values(client, "cpu_ns")?) / count.parse::<f64>()?;
            curve.1.push((at_once.parse()?, cpu));
        }
    }
    Ok(curves)
}

/// CPU time per GB of a long stream, by the size of its chunks.
pub fn chunks(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty();
    curves[1].0 = "bare hyper-util with a CRC pass".to_owned();
    for size in [64, 256, 1024, 4096, 16384, 65536, 262_144, 1_048_576] {
        let mib = if size < 1024 { 8 } else { 64 };
        let work = format!("stream-{mib}-{size}");
        let turns = Turns {
            clients: &["ours", "bare-crc", "sdk"],
            args: &[&server.url, &work, "1", "1"],
            env: Vec::new(),
            cpu: None,
            rounds: if report.quick { 3 } else { 7 },
        };
        let outputs = turns.run(place, report)?;
        let gb = 1e9 / (f64::from(mib) * 1_048_576.0);
        for (client, curve) in curves.iter_mut().enumerate() {
            let cpu = median(&outputs.values(client, "cpu_ns")?) * gb;
            curve.1.push((f64::from(size), cpu));
        }
    }
    Ok(curves)
}

/// CPU time of a long stream, by its length.
pub fn lengths(place: &Place, report: &mut Report) -> Result<Curves> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = empty();
    curves[1].0 = "bare hyper-util with a CRC pass".to_owned();
    for mib in [1, 2, 5, 10, 20, 50, 100, 200] {
        // Several of the shorter ones, which take less time than its clock's resolution allows.
        let (work, count) = (format!("stream-{mib}"), (20 / mib).max(1).to_string());
        let turns = Turns {
            clients: &["ours", "bare-crc", "sdk"],
            args: &[&server.url, &work, "1", &count],
            env: Vec::new(),
            cpu: None,
            rounds: if report.quick { 3 } else { 7 },
        };
        let outputs = turns.run(place, report)?;
        for (client, curve) in curves.iter_mut().enumerate() {
            let cpu = median(&outputs.values(client, "cpu_ns")?) / count.parse::<f64>()?;
            curve.1.push((f64::from(mib) * 1_048_576.0, cpu));
        }
    }
    Ok(curves)
}

/// Memory of the client, and CPU time of all its streams, by the number of open ones.
pub fn open(place: &Place, report: &mut Report) -> Result<[Curves; 2]> {
    let server = Server::start(place, "server-bare", &[])?;
    let mut curves = [empty(), empty()];
    // Each stream takes a descriptor on both sides.
    let most = if report.quick { 1000 } else { 10_000 };
    for streams in [100, 316, 1000, 3162, 10_000] {
        if streams > most.min(place.descriptors()? / 2) {
            continue;
        }
        let streams = streams.to_string();
        let turns = Turns {
            clients: &["ours", "bare", "sdk"],
            args: &[&server.url, "hold", &streams, &streams],
            env: Vec::new(),
            cpu: None,
            rounds: 1,
        };
        let outputs = turns.run(place, report)?;
        for (curves, key) in curves.iter_mut().zip(["resident", "cpu_ns"]) {
            for (client, curve) in curves.iter_mut().enumerate() {
                let value = median(&outputs.values(client, key)?);
                curve.1.push((streams.parse()?, value));
            }
        }
    }
    Ok(curves)
}
