//! `map`, as a program: compared with `bench` and with what people write for the same work, and
//! with a limit that it does not know.

mod bench;
mod limit;
mod peers;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub use bench::beside_bench;
pub use limit::unknown_limit;
pub use peers::beside_peers;

use crate::Result;
use crate::programs::Place;

const PART: &str = "map";

/// The payload with which the functions are called.
const PAYLOAD: &str = r#"{"name":"Ada"}"#;

/// The files of a run: payloads, journal, results.
struct Work {
    folder: PathBuf,
    count: usize,
}

impl Work {
    /// Writes this many payloads.
    fn new(place: &Place, count: usize) -> Result<Self> {
        let folder = place.target.join("report").join("map");
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join("payloads.jsonl"),
            format!("{PAYLOAD}\n").repeat(count),
        )?;
        Ok(Self { folder, count })
    }

    fn payloads(&self) -> PathBuf {
        self.folder.join("payloads.jsonl")
    }

    /// Redirects a command to read the payloads and write the results, as all contenders do.
    fn redirected(&self, mut command: Command) -> Result<Command> {
        command
            .stdin(File::open(self.payloads())?)
            .stdout(File::create(self.folder.join("results.jsonl"))?)
            .stderr(Stdio::null());
        Ok(command)
    }

    /// Returns `map` with a new journal.
    fn map(&self, place: &Place, url: &str, concurrency: usize) -> Result<Command> {
        let journal = self.folder.join("run.journal");
        // An earlier run may have left a journal.
        let _ = fs::remove_file(&journal);
        let mut command = program(place, url, &["map", "small"]);
        command.args(["--concurrency", &concurrency.to_string()]);
        command.arg("--journal").arg(journal);
        self.redirected(command)
    }

    /// Checks that the last run has a line for each payload.
    fn check(&self) -> Result<()> {
        let results = fs::read_to_string(self.folder.join("results.jsonl"))?;
        match results.lines().count() {
            found if found == self.count => Ok(()),
            found => Err(format!("{found} results for {} payloads", self.count).into()),
        }
    }
}

/// Returns the program, configured for the endpoint.
fn program(place: &Place, url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(place.program("lambda-invoke"));
    command.args(args).args(["--endpoint-url", url]);
    command
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", "us-east-1");
    command
}
