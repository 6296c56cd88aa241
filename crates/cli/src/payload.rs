//! What is sent: given inline, in a file, or on stdin.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use bytes::Bytes;
use lambda_invoke::ClientContext;
use lambda_invoke_protocol::json;

use crate::encoding::Encoding;
use crate::exit::Failure;
use crate::home;

/// Ten times what the service takes: more is a mistake that need not be read to its end.
const MOST: u64 = 64 << 20;

/// The options that say what is sent.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The payload: JSON itself, @FILE, file://FILE or fileb://FILE, or - for stdin. Without it,
    /// none is sent
    #[arg(short, long, value_name = "JSON", allow_negative_numbers = true)]
    payload: Option<OsString>,
    /// Send the payload as it is, without a look whether it is JSON
    #[arg(long, requires = "payload")]
    raw: bool,
}

impl Options {
    /// The payload, checked unless told otherwise.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not JSON; the failure says where.
    pub(crate) fn read(&self) -> Result<Bytes, Failure> {
        let Some(value) = &self.payload else {
            return Ok(Bytes::new());
        };
        let source = Source::of(value);
        let bytes = source.read("payload")?;
        if !self.raw {
            source.check_encoding("payload", &bytes)?;
            json::check(&bytes).map_err(|fault| {
                let advice = match bytes.is_empty() {
                    true => "leave --payload out to send none",
                    false => "correct it, or send it as it is with --raw",
                };
                Failure::usage(format!(
                    "{fault}{}\n  what you can do: {advice}",
                    source.whence()
                ))
                .with("offset", fault.offset())
                .with("line", fault.line())
                .with("column", fault.column())
            })?;
        }
        Ok(bytes.into())
    }
}

/// A client context as JSON, as base64 of it, or in a file that has either.
///
/// # Errors
///
/// If the file cannot be read, or it is none of these.
pub(crate) fn client_context(value: &OsString) -> Result<ClientContext<'static>, Failure> {
    let source = Source::of(value);
    let bytes = source.read("client context")?;
    source.check_encoding("client context", &bytes)?;
    let context = match std::str::from_utf8(&bytes).map(str::trim) {
        // An object in base64 begins with `e`.
        Ok(text) if !text.starts_with('{') => {
            ClientContext::from_base64(text).map(ClientContext::into_owned)
        }
        _ => ClientContext::from_json(&bytes),
    };
    let unusable = |why: &dyn Display| {
        Failure::usage(format!(
            "the client context cannot be used: {why}{}\n  what you can do: give it as a JSON \
             object, as base64 of one, or as @FILE",
            source.whence()
        ))
    };
    let context = context.map_err(|error| unusable(&error))?;
    // The service refuses the base64 of anything else, and no call need be made to hear so.
    let object = context.to_json();
    match json::check(&object) {
        Ok(()) if object.trim_ascii_start().starts_with(b"{") => Ok(context),
        Ok(()) => Err(unusable(&"it is JSON, but no object")),
        Err(fault) => Err(unusable(&format_args!(
            "not JSON from byte {} on",
            fault.offset()
        ))),
    }
}

/// Where the bytes of an option come from.
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
        // A shell expands the `~` only of a word that begins with it.
        if let Some(path) = after("@", value) {
            return Self::File(home::expanded(path));
        }
        // The AWS CLI reads the first as text and the second as bytes. Here both are sent as they
        // are, since JSON is UTF-8.
        match after("file://", value).or_else(|| after("fileb://", value)) {
            Some(path) => Self::File(with_variables(home::expanded(path))),
            None => Self::Inline(value),
        }
    }

    /// Rejects what a person would take for JSON in UTF-8, and a parser would not.
    fn check_encoding(&self, what: &str, bytes: &[u8]) -> Result<(), Failure> {
        let Some(encoding) = Encoding::of(bytes) else {
            return Ok(());
        };
        Err(Failure::usage(format!(
            "the {what}{} {encoding}, and JSON is sent as plain UTF-8\n  what you can do: {}{}",
            self.whence(),
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
                let message =
                    format!("the {what} names no file: give it as @FILE, or as - for stdin");
                return Err(Failure::usage(message));
            }
            // On Unix these are the argument's bytes, whatever they are.
            Self::Inline(value) => return Ok(value.as_encoded_bytes().to_vec()),
            Self::File(path) => File::open(path).and_then(all),
            Self::Stdin => all(io::stdin().lock()),
        };
        let bytes = read.map_err(|error| {
            Failure::usage(format!(
                "the {what}{} cannot be read: {error}",
                self.whence()
            ))
        })?;
        if bytes.len() as u64 > MOST {
            let message = format!(
                "the {what}{} has more than {MOST} bytes; the service takes 6 MiB",
                self.whence()
            );
            return Err(Failure::usage(message));
        }
        Ok(bytes)
    }

    fn whence(&self) -> String {
        match self {
            Self::Inline(_) => String::new(),
            Self::File(path) => format!(" (from {})", path.display()),
            Self::Stdin => " (from stdin)".to_owned(),
        }
    }
}

fn all(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The path after a prefix. On Unix it need not be UTF-8.
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

/// Puts the values of variables in a path for `$NAME` and `${NAME}`, as the AWS CLI does. One that
/// is not set stays as it is written.
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
