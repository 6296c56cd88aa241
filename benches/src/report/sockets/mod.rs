//! Client and endpoint over real sockets: separate processes that take turns with one server.

mod client;
mod endpoint;
mod growth;
mod program;
mod streams;

use serde_json::{Value, json};

use crate::programs::Place;
use crate::rows::{Goal, Row, time};
use crate::stats::{median, ratio};
use crate::{Report, Result};

pub use client::client;
pub use endpoint::endpoint;
pub use growth::{chunks, concurrency, lengths, open};
pub use program::program;
pub use streams::streams;

/// Reads a number from a program's output.
pub fn number(value: &Value, key: &str) -> Result<f64> {
    value[key]
        .as_f64()
        .ok_or_else(|| format!("no {key} in {value}").into())
}

/// Work for the three clients, which take turns.
struct Turns<'a> {
    /// Some of `ours`, `bare`, `sdk`, and `bare-crc`, which is the bare client with checksums.
    clients: &'a [&'a str],
    args: &'a [&'a str],
    env: Vec<(&'a str, &'a str)>,
    /// The processor to which the clients are pinned, if any.
    cpu: Option<&'a str>,
    rounds: usize,
}

/// The output of each client in each round.
struct Outputs(Vec<Vec<Value>>);

impl Turns<'_> {
    fn run(&self, place: &Place, report: &mut Report) -> Result<Outputs> {
        let mut outputs = vec![Vec::with_capacity(self.rounds); self.clients.len()];
        for round in 0..self.rounds {
            for turn in 0..self.clients.len() {
                let index = (round + turn) % self.clients.len();
                let mut env = self.env.clone();
                let name = match self.clients[index] {
                    "bare-crc" => {
                        env.push(("BENCH_CRC", "1"));
                        "bare"
                    }
                    name => name,
                };
                let program = format!("load-{name}");
                let measured = place.measure_on(self.cpu, &program, self.args, &env)?;
                report.raw(
                    "load",
                    json!({
                        "client": self.clients[index], "work": &self.args[1..], "env": env,
                        "cpu": self.cpu, "round": round, "measured": measured,
                    }),
                );
                outputs[index].push(measured);
            }
        }
        Ok(Outputs(outputs))
    }
}

impl Outputs {
    /// The values of a key, for the client at this index.
    fn values(&self, client: usize, key: &str) -> Result<Vec<f64>> {
        self.0[client]
            .iter()
            .map(|value| number(value, key))
            .collect()
    }

    /// A row that compares the client at this index with `ours`, with each value divided by `each`.
    fn row(
        &self,
        name: String,
        key: &str,
        other: (usize, &str),
        each: f64,
        goal: Goal,
    ) -> Result<Row> {
        let (ours, theirs) = (self.values(0, key)?, self.values(other.0, key)?);
        let detail = format!(
            "{}, {} {}",
            time(median(&ours) / each),
            other.1,
            time(median(&theirs) / each)
        );
        let measured = match goal {
            Goal::AtLeast(_) => ratio(&theirs, &ours),
            Goal::AtMost(_) | Goal::Fact => ratio(&ours, &theirs),
        };
        Ok(Row::ratio("client", name, measured, goal, detail))
    }
}
