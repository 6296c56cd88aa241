//! The messages for common mistakes. The pages next to this file list command lines, each with what
//! the program writes to stderr and its exit code.
//!
//! The pages are tested, and meant to be read. `UPDATE_DOCS=1 cargo test -p lambda-invoke-cli
//! --test messages` rewrites the messages after a change; review what it writes.
//!
//! Addresses on the pages stand for servers that this test starts: see [`Servers`]. Request IDs are
//! replaced.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../program/mod.rs"]
mod program;
#[path = "../scripted/mod.rs"]
mod scripted;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Serve, local, text};
use scripted::Scripted;

/// The pages must have at least this many mistakes in total.
const LEAST: usize = 190;

/// The servers that the addresses on the pages stand for.
struct Servers {
    serve: Serve,
    web_page: Scripted,
    silent: Scripted,
    not_http: Scripted,
    throttled: Scripted,
    /// Broken responses of the built-in functions.
    broken: Serve,
}

impl Servers {
    fn start() -> Self {
        let page = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
                    <body><center><h1>502 Bad Gateway</h1></center></body></html>";
        let throttled = r#"{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}"#;
        Self {
            serve: Serve::start(&[]),
            web_page: Scripted::responding(format!(
                "HTTP/1.1 502 Bad Gateway\r\nserver: nginx\r\ncontent-type: text/html\r\n\
                 content-length: {}\r\n\r\n{page}",
                page.len()
            )),
            silent: Scripted::silent(),
            not_http: Scripted::responding("220 mail.example.com ESMTP\r\n"),
            throttled: Scripted::responding(format!(
                "HTTP/1.1 429 Too Many Requests\r\nx-amzn-errortype: TooManyRequestsException\r\n\
                 x-amzn-requestid: a\r\ncontent-length: {}\r\n\r\n{throttled}",
                throttled.len()
            )),
            broken: Serve::start(&[
                "--fault",
                "count: no-complete",
                "--fault",
                "hello: wrong-crc",
                "--fault",
                "echo: cut-at=2",
            ]),
        }
    }

    /// The addresses on the pages, each with that of the server it stands for.
    fn addresses(&self) -> Vec<(&'static str, String)> {
        let address = |url: &str| {
            let address = url.trim_start_matches("http://");
            address.trim_end_matches('/').to_owned()
        };
        vec![
            ("127.0.0.1:9001", address(&self.serve.url)),
            ("127.0.0.1:9002", address(&self.web_page.url)),
            // Port 1 needs privileges to bind and no service uses it, so nothing listens there.
            ("127.0.0.1:9003", "127.0.0.1:1".to_owned()),
            ("127.0.0.1:9004", address(&self.silent.url)),
            ("127.0.0.1:9005", address(&self.not_http.url)),
            ("127.0.0.1:9006", address(&self.throttled.url)),
            ("127.0.0.1:9007", address(&self.broken.url)),
        ]
    }
}

/// Runs a command line, and returns what it writes to stderr and its exit code, in the form that
/// the pages have.
fn run(line: &str, folder: &Path, addresses: &[(&str, String)]) -> String {
    let mut script = line.to_owned();
    for (shown, real) in addresses {
        script = script.replace(shown, real);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_lambda-invoke"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program.parent().unwrap().to_owned());
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path);
    for (name, value) in local().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    let mut shown = text(&output.stderr).to_owned();
    for (page, real) in addresses {
        shown = shown.replace(real.as_str(), page);
    }
    let mut shown = without_request_ids(&shown);
    shown.push_str(&format!("[exit code {}]\n", output.status.code().unwrap()));
    shown
}

/// Replaces UUIDs.
fn without_request_ids(text: &str) -> String {
    let is_uuid = |word: &str| {
        word.len() == 36
            && word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
            && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(if is_uuid(word) {
            "4e0a1f7c-2a5c-4b1e-9d3f-0c1d2e3f4a5b"
        } else {
            word
        });
        rest = after;
    }
    out + rest
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort_unstable();
    pages
}

/// Creates a folder with the files that the pages mention.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages");
    fs::create_dir_all(folder.join("folder")).unwrap();
    fs::write(folder.join("request.json"), "{\"name\": \"Ada\"}\n").unwrap();
    fs::write(folder.join("broken.json"), "{\n  \"name\": \"Ada\",\n}\n").unwrap();
    fs::write(folder.join("utf16.json"), b"\xff\xfe{\0}\0").unwrap();
    fs::write(folder.join("latin1.json"), b"{\"name\": \"Zo\xeb\"}").unwrap();
    fs::write(folder.join("large.json"), "1".repeat(7_000_000)).unwrap();
    fs::write(folder.join("broken.toml"), "functions = [\n").unwrap();
    fs::write(
        folder.join("app.py"),
        "def handler(event, context):\n    return event\n",
    )
    .unwrap();
    fs::write(folder.join("nohandler.py"), "def other(): pass\n").unwrap();
    for name in ["app.ts", "main.go", "app.zip", "program", "template.yaml"] {
        fs::write(folder.join(name), "x\n").unwrap();
    }
    fs::write(folder.join("config"), "[profile dev]\nregion = eu-west-1\n").unwrap();
    fs::write(folder.join("sso"), "[profile work]\nsso_session = corp\n").unwrap();
    folder
}

#[test]
fn each_mistake_has_its_message() {
    let servers = Servers::start();
    let (addresses, folder) = (servers.addresses(), folder());
    let mut count = 0;
    let mut differences = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let mut right = String::new();
        let mut rest = page.as_str();
        while let Some((before, block)) = rest.split_once("```console\n$ ") {
            let (block, after) = block.split_once("```\n").unwrap();
            let (line, expected) = block.split_once('\n').unwrap();
            let shown = run(line, &folder, &addresses);
            if shown != expected {
                differences.push(format!("$ {line}\n{shown}instead of\n{expected}"));
            }
            count += 1;
            right.push_str(&format!("{before}```console\n$ {line}\n{shown}```\n"));
            rest = after;
        }
        right.push_str(rest);
        if std::env::var_os("UPDATE_DOCS").is_some() && right != page {
            fs::write(&path, right).unwrap();
        }
    }
    assert!(count >= LEAST, "only {count} mistakes");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
