//! The payload and the client context: given inline, in a file, or on stdin.

mod advice;
mod example;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::PathBuf;

use bytes::Bytes;
use lambda_invoke::ClientContext;
use lambda_invoke_protocol::json;

pub(crate) use self::advice::quoted;
use self::example::Example;
use crate::exit::Failure;
use crate::terminal::say;
use lambda_invoke_credentials::{Encoding, ProcessEnvironment, expand_home};

/// The maximum number of bytes to read: about ten times the service's limit, so more is surely a
/// mistake.
const MAX_LEN: u64 = 64 << 20;

/// The options of the payload.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The payload: JSON, @FILE, file://FILE or fileb://FILE, or - for stdin [default: no payload]
    #[arg(short, long, value_name = "JSON", allow_negative_numbers = true)]
    payload: Option<OsString>,
    /// Send a sample event of a service as the payload
    #[arg(
        long,
        value_enum,
        value_name = "SERVICE",
        conflicts_with = "payload",
        hide_possible_values = true
    )]
    data_example: Option<Example>,
    /// Send the payload unchanged, without checking that it is JSON
    #[arg(long, requires = "payload")]
    raw: bool,
}

impl Options {
    /// Whether a payload is given, by whichever option.
    pub(crate) fn is_given(&self) -> bool {
        self.payload.is_some() || self.data_example.is_some() || self.raw
    }

    /// Reads the payload, and checks that it is JSON unless `--raw` is given.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not JSON; the failure says where.
    pub(crate) fn read(&self) -> Result<Bytes, Failure> {
        if let Some(example) = self.data_example {
            return Ok(Bytes::from_static(example.json().as_bytes()));
        }
        let Some(value) = &self.payload else {
            return Ok(Bytes::new());
        };
        let source = Source::of(value);
        let bytes = source.read("payload")?;
        if !self.raw {
            source.check_encoding("payload", &bytes)?;
            json::check(&bytes).map_err(|fault| {
                let meant = match (&source, std::str::from_utf8(&bytes)) {
                    _ if bytes.is_empty() => None,
                    (Source::Inline(_), Ok(text)) => advice::for_inline(text),
                    (Source::Inline(_), Err(_)) => None,
                    (Source::File(_) | Source::Stdin, _) => advice::for_file(&bytes)
                        .map(|rules| format!("{rules}; or send it as it is with --raw")),
                };
                let advice = match (bytes.is_empty(), &meant) {
                    (true, _) => "to send no payload, leave out --payload",
                    (false, Some(meant)) => meant,
                    (false, None) => "correct it, or send it as it is with --raw",
                };
                Failure::usage(format!("{fault}{}\n  hint: {advice}", source.origin()))
                    .with("offset", fault.offset())
                    .with("line", fault.line())
                    .with("column", fault.column())
            })?;
        }
        Ok(bytes.into())
    }
}

/// Reads a client context: JSON, its base64 encoding, or a file with either.
///
/// # Errors
///
/// If the file cannot be read, or its content is neither.
pub(crate) fn client_context(value: &OsString) -> Result<ClientContext<'static>, Failure> {
    let source = Source::of(value);
    let bytes = source.read("client context")?;
    source.check_encoding("client context", &bytes)?;
    let context = match std::str::from_utf8(&bytes).map(str::trim) {
        // Not base64: the encoding of an object begins with `e`.
        Ok(text) if !text.starts_with('{') => text.parse(),
        _ => ClientContext::from_json(&bytes),
    };
    let unusable = |why: &dyn Display| {
        Failure::usage(format!(
            "invalid client context{}: {why}\n  hint: pass a JSON object, its base64 encoding, or \
             @FILE",
            source.origin()
        ))
    };
    let context = context.map_err(|error| unusable(&error))?;
    // The service rejects anything but an object.
    let object = context.to_json();
    match json::check(&object) {
        Ok(()) if object.trim_ascii_start().starts_with(b"{") => Ok(context),
        Ok(()) => Err(unusable(&"it is JSON, but not an object")),
        Err(fault) => Err(unusable(&format_args!(
            "it is not JSON from byte {} on",
            fault.offset()
        ))),
    }
}

/// Expands a `~` at the start of a path.
fn with_home(path: PathBuf) -> PathBuf {
    expand_home(path, &ProcessEnvironment::default())
}

/// Where the value of an option comes from.
#[derive(Debug)]
enum Source<'v> {
    Inline(&'v OsString),
    File(PathBuf),
    Stdin,
}

impl<'v> Source<'v> {
    fn of(value: &'v OsString) -> Self {
        if value == "-" {
            return Self::Stdin;
        }
        // Expanded here, because a shell expands `~` only at the start of a word.
        if let Some(path) = after("@", value) {
            return Self::File(with_home(path));
        }
        // The AWS CLI reads the first kind as text and the second as bytes. JSON is UTF-8, so both
        // are the same here.
        match after("file://", value).or_else(|| after("fileb://", value)) {
            Some(path) => Self::File(with_variables(with_home(path))),
            None => Self::Inline(value),
        }
    }

    /// Rejects encodings other than plain UTF-8. They look right in an editor, but JSON parsers do
    /// not read them.
    fn check_encoding(&self, what: &str, bytes: &[u8]) -> Result<(), Failure> {
        let Some(encoding) = Encoding::detect(bytes) else {
            return Ok(());
        };
        Err(Failure::usage(format!(
            "the {what}{} {encoding}, but JSON must be plain UTF-8\n  hint: {}{}",
            self.origin(),
            encoding.advice(),
            match what {
                "payload" => "; or send it as it is with --raw",
                _ => "",
            }
        )))
    }

    fn read(&self, what: &str) -> Result<Vec<u8>, Failure> {
        let read = match self {
            Self::File(path) if path.as_os_str().is_empty() => {
                let message = format!("the {what} names no file: expected @FILE, or - for stdin");
                return Err(Failure::usage(message));
            }
            // On Unix, these are the bytes of the argument, which need not be UTF-8.
            Self::Inline(value) => return Ok(value.as_encoded_bytes().to_vec()),
            Self::File(path) => File::open(path).and_then(read_all),
            Self::Stdin => {
                let stdin = io::stdin().lock();
                if stdin.is_terminal() {
                    say(format_args!(
                        "lambda-invoke: type the {what}; Ctrl-D on a line of its own ends it"
                    ));
                }
                read_all(stdin)
            }
        };
        let bytes = read.map_err(|error| {
            Failure::usage(format!(
                "the {what}{} cannot be read: {error}",
                self.origin()
            ))
        })?;
        if bytes.len() as u64 > MAX_LEN {
            let message = format!(
                "the {what}{} is larger than {MAX_LEN} bytes; the service accepts up to 6 MiB",
                self.origin()
            );
            return Err(Failure::usage(message));
        }
        Ok(bytes)
    }

    fn origin(&self) -> String {
        match self {
            Self::Inline(_) => String::new(),
            Self::File(path) => format!(" (from {})", path.display()),
            Self::Stdin => " (from stdin)".to_owned(),
        }
    }
}

fn read_all(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The path after a prefix, which need not be UTF-8 on Unix.
fn after(prefix: &str, value: &OsStr) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;

        let path = value.as_bytes().strip_prefix(prefix.as_bytes())?;
        Some(PathBuf::from(OsStr::from_bytes(path)))
    }
    #[cfg(not(unix))]
    {
        value.to_str()?.strip_prefix(prefix).map(PathBuf::from)
    }
}

/// Expands `$NAME` and `${NAME}` in a path, as the AWS CLI does. A variable that is not set is left
/// unchanged.
fn with_variables(path: PathBuf) -> PathBuf {
    let Some(mut rest) = path.to_str().filter(|text| text.contains('$')) else {
        return path;
    };
    let mut expanded = OsString::new();
    while let Some(start) = rest.find('$') {
        let (before, after) = rest.split_at(start);
        expanded.push(before);
        let in_braces = after
            .strip_prefix("${")
            .and_then(|name| name.split_once('}'));
        let (name, length) = match in_braces {
            Some((name, _)) => (name, name.len() + "${}".len()),
            None => {
                let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = after.bytes().skip(1).take_while(is_of_name).count();
                (&after[1..=length], 1 + length)
            }
        };
        let (written, after) = after.split_at(length);
        match env::var_os(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push(value),
            None => expanded.push(written),
        }
        rest = after;
    }
    expanded.push(rest);
    expanded.into()
}
