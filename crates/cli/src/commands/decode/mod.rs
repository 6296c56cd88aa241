//! `lambda-invoke decode`: shows event-stream messages as JSON lines.

mod foreign;
mod line;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::PathBuf;

use bytes::Bytes;
use lambda_invoke_event_stream::{DecodeError, Decoder, Limits};

use crate::commands::decode::foreign::SNIFF_LEN;
use crate::commands::decode::line::Lambda;
use crate::exit::{Exit, Failure};
use crate::number::{counted, whole};
use crate::output;
use crate::terminal::{MOST_TEXT, excerpt, say};

/// How many bytes to read at once.
const READ_LEN: usize = 64 << 10;

/// The length of a message without headers and payload.
const SHORTEST: u32 = 16;

/// The largest limit that `--max-message` takes: such a message is kept in memory.
const LONGEST: u32 = 1 << 30;

const EXAMPLES: &str = "\
Each message is written as one line, as soon as it is complete:
  {\"offset\":0,\"length\":111,
   \"headers\":[{\"name\":\":event-type\",\"type\":\"string\",\"value\":..}, ..],
   \"event\":\"PayloadChunk\",\"payload\":\"Hello\"}
A payload that is not UTF-8 is in \"payload_base64\". Messages of Lambda also have \"event\", \
\"exception\" or \"error\"; \"complete\" has the content of an InvokeComplete, with its log decoded.

With --payload, only the payloads of PayloadChunk messages are written; stderr reports how many messages \
were not Lambda's, and whether the function failed.

The exit code is 5 if the input ends in the middle of a message, or after a PayloadChunk without \
the InvokeComplete or exception that ends a response; it is 2 if the input cannot be read, is \
corrupt, is not an event stream, or with --payload has no messages of Lambda. All messages before \
the error are written.

Examples:
  lambda-invoke decode recorded.bin
  lambda-invoke decode --payload recorded.bin > response.txt
  eval \"$(lambda-invoke sign hello --stream --curl)\" | lambda-invoke decode";

/// Show event-stream messages as JSON lines as they arrive
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file to read, or - for stdin [default: -]
    file: Option<PathBuf>,
    /// Write only the payload of the response, unchanged
    #[arg(long)]
    payload: bool,
    /// The maximum length of a message, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Limits::new().max_message_len(), value_parser = whole(SHORTEST..=LONGEST))]
    max_message: u32,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments
        .file
        .as_deref()
        .filter(|file| file.as_os_str() != "-")
    {
        None => decode(io::stdin().lock(), "stdin", &arguments),
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
            decode(file, &name, &arguments)
        }
    }
}

/// Decodes the input until its end.
fn decode(mut input: impl Read, name: &str, arguments: &Arguments) -> Result<(), Failure> {
    let mut out = BufWriter::new(output::stdout());
    let mut decoder =
        Decoder::with_limits(Limits::new().with_max_message_len(arguments.max_message));
    let mut lambda = Lambda::default();
    let mut first = Vec::new();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &error)),
        };
        let read = buffer.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        first.extend(read.iter().take(SNIFF_LEN.saturating_sub(first.len())));
        // Copied, so that a few bytes do not keep the large buffer alive until their message is
        // complete.
        decoder.push(Bytes::copy_from_slice(read));
        let result = drain(&mut decoder, &mut lambda, arguments.payload, &mut out);
        // Everything that was decoded is written before an error is reported.
        out.flush().map_err(|error| output::not_written(&error))?;
        match result {
            Ok(()) => {}
            Err(Stopped::Input(error)) => return Err(invalid(name, &first, &lambda, error)),
            Err(Stopped::Output(error)) => return Err(output::not_written(&error)),
        }
    }
    decoder
        .finish()
        .map_err(|error| invalid(name, &first, &lambda, error))?;
    if let Some(chunks) = lambda.unfinished() {
        return Err(Failure::new(
            Exit::Incomplete,
            format!(
                "{name}: the response is truncated: the input ends without InvokeComplete (chunks \
                 received: {chunks})"
            ),
        ));
    }
    match arguments.payload {
        true => summarize(name, &lambda),
        false => {
            // An empty stream is valid, but seldom what was meant.
            if lambda.messages() == 0 {
                say(format_args!("lambda-invoke: {name}: the input is empty"));
            }
            Ok(())
        }
    }
}

/// Reports on stderr what `--payload` does not show about a complete input: whether there was a
/// response of Lambda at all, and whether the function failed.
fn summarize(name: &str, lambda: &Lambda) -> Result<(), Failure> {
    if lambda.messages() == 0 {
        return Err(Failure::usage(format!("{name}: the input is empty")));
    }
    if !lambda.is_response() {
        let failure = lambda.failure().map_or_else(String::new, |failure| {
            format!("; the failure is {}", excerpt(failure, MOST_TEXT))
        });
        return Err(Failure::usage(format!(
            "{name}: no PayloadChunk or InvokeComplete in the input (messages: {}){failure}\n  hint: to see \
             the messages, run this again without --payload",
            lambda.messages()
        )));
    }
    if lambda.others() > 0 {
        say(format_args!(
            "lambda-invoke: {name}: skipped {} of {}, which {} not Lambda's",
            lambda.others(),
            counted(lambda.messages(), "message"),
            if lambda.others() == 1 { "is" } else { "are" }
        ));
    }
    if let Some(failure) = lambda.failure() {
        say(format_args!(
            "lambda-invoke: {name}: the function failed: {}",
            excerpt(failure, MOST_TEXT)
        ));
    }
    Ok(())
}

/// The failure of an input that is corrupt, truncated, or not an event stream at all.
fn invalid(name: &str, first: &[u8], lambda: &Lambda, error: DecodeError) -> Failure {
    if let (0, Some((what, advice))) = (lambda.messages(), foreign::identify(first)) {
        let text = String::from_utf8_lossy(first);
        return Failure::usage(format!(
            "{name}: not an event stream: it begins with {what}: {text:?}\n  decode expects \
             application/vnd.amazon.eventstream ({error})\n  hint: {advice}"
        ))
        .with("offset", error.offset());
    }
    let exit = match error.is_unexpected_eof() {
        true => Exit::Incomplete,
        false => Exit::Usage,
    };
    Failure::new(exit, format!("{name}: {error}")).with("offset", error.offset())
}

enum Stopped {
    Input(DecodeError),
    Output(io::Error),
}

/// Writes every complete message.
fn drain(
    decoder: &mut Decoder,
    lambda: &mut Lambda,
    payload_only: bool,
    out: &mut impl io::Write,
) -> Result<(), Stopped> {
    loop {
        let message = match decoder.next_message() {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(error) => return Err(Stopped::Input(error)),
        };
        let written = match payload_only {
            true => lambda.write_payload(&message, out),
            false => lambda.write_line(&message, decoder.position(), out),
        };
        written.map_err(Stopped::Output)?;
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {name}: {error}"))
}
