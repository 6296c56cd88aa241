//! `lambda-invoke decode`: event-stream frames as JSON lines.

mod begins;
mod line;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::PathBuf;

use bytes::Bytes;
use lambda_invoke_event_stream::{DecodeError, Decoder, Limits};

use crate::decode::begins::ENOUGH;
use crate::decode::line::Lambda;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::terminal::{MOST_TEXT, excerpt, say};

/// How much is read at once.
const PIECE: usize = 64 << 10;

const EXAMPLES: &str = "\
A line for each message, as soon as the message is whole:
  {\"offset\":0,\"length\":118,\"headers\":[{\"name\":\":event-type\",\"type\":\"string\",\"value\":..}, ..],
   \"event\":\"PayloadChunk\",\"payload\":\"Hello\"}
The payload is text, or \"payload_base64\" if it is not UTF-8. \"event\" is the event, exception or
error of Lambda's, if the message is one; \"complete\" has what an InvokeComplete says, its log
decoded.

With --payload, messages that are not Lambda's are left out, and so is what an InvokeComplete or an
exception says; how many there were, and that the function failed, is said on stderr.

Exit code 5 if the input ends in the middle of a message, or after a function's chunks without the
message that ends them (InvokeComplete or an exception); 2 if it cannot be read, is damaged, with
the byte at which, is no event stream, or with --payload has no message of Lambda's. What came
before is written in any case.

Examples:
  lambda-invoke decode recorded.bin
  lambda-invoke decode --payload recorded.bin > answer.txt
  eval \"$(lambda-invoke sign hello --stream --curl)\" | lambda-invoke decode";

/// Show event-stream frames as JSON lines, as they come
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file to read; stdin without it or with -
    file: Option<PathBuf>,
    /// Write the payloads of a function's chunks as they are, and nothing else
    #[arg(long)]
    payload: bool,
    /// The longest message to take, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Limits::new().max_message_len())]
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

/// Reads the input to its end and shows what is in it.
fn decode(mut input: impl Read, name: &str, arguments: &Arguments) -> Result<(), Failure> {
    let mut out = BufWriter::new(output::stdout());
    let mut decoder =
        Decoder::with_limits(Limits::new().with_max_message_len(arguments.max_message));
    let mut lambda = Lambda::default();
    let mut first = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = match input.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &error)),
        };
        let read = piece.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        first.extend(read.iter().take(ENOUGH.saturating_sub(first.len())));
        // A copy, since a small piece must not keep a large buffer for as long as its message takes.
        decoder.push(Bytes::copy_from_slice(read));
        let result = drain(&mut decoder, &mut lambda, arguments.payload, &mut out);
        // Before anything is said about a fault: what came is written.
        out.flush().map_err(|error| output::not_written(&error))?;
        match result {
            Ok(()) => {}
            Err(Stopped::Input(error)) => return Err(wrong(name, &first, &lambda, error)),
            Err(Stopped::Output(error)) => return Err(output::not_written(&error)),
        }
    }
    decoder
        .finish()
        .map_err(|error| wrong(name, &first, &lambda, error))?;
    if let Some(chunks) = lambda.unfinished() {
        return Err(Failure::new(
            Exit::Cut,
            format!(
                "{name}: ended after {chunks} chunks without InvokeComplete: the response is \
                 truncated between two messages"
            ),
        ));
    }
    match arguments.payload {
        true => end(name, &lambda),
        false => Ok(()),
    }
}

/// What `--payload` has to say of an input that was whole: its stdout does not tell an empty
/// response from one that is not Lambda's, nor a success from a failure.
fn end(name: &str, lambda: &Lambda) -> Result<(), Failure> {
    if lambda.messages() == 0 {
        return Err(Failure::usage(format!(
            "{name}: the input is empty: there is no payload in it"
        )));
    }
    if !lambda.is_response() {
        let said = lambda.failure().map_or_else(String::new, |failure| {
            format!("; it says {}", excerpt(failure, MOST_TEXT))
        });
        return Err(Failure::usage(format!(
            "{name}: neither PayloadChunk nor InvokeComplete among the {} messages, so there is no \
             payload of a function{said}\n  what you can do: see the messages without --payload",
            lambda.messages()
        )));
    }
    if lambda.others() > 0 {
        say(format_args!(
            "lambda-invoke: {name}: left out {} of {} messages, which are not Lambda's",
            lambda.others(),
            lambda.messages()
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

/// The failure of an input that is damaged or truncated, or is no event stream at all.
fn wrong(name: &str, first: &[u8], lambda: &Lambda, error: DecodeError) -> Failure {
    if let (0, Some((what, advice))) = (lambda.messages(), begins::what(first)) {
        let text = String::from_utf8_lossy(first);
        return Failure::usage(format!(
            "{name}: not an event stream: it begins with {what}: {text:?}\n  decode expects the \
             messages of application/vnd.amazon.eventstream ({error})\n  what you can do: {advice}"
        ))
        .with("offset", error.offset());
    }
    let exit = match error.is_unexpected_eof() {
        true => Exit::Cut,
        false => Exit::Usage,
    };
    Failure::new(exit, format!("{name}: {error}")).with("offset", error.offset())
}

enum Stopped {
    Input(DecodeError),
    Output(io::Error),
}

/// Writes every message that is whole.
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
