//! `lambda-invoke decode`: event-stream frames as JSON lines.

mod line;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use lambda_invoke_event_stream::{Decoder, Limits};

use crate::decode::line::Lambda;
use crate::exit::{Exit, Failure};
use crate::output;

/// How much is read at once.
const PIECE: usize = 64 << 10;

const EXAMPLES: &str = "\
A line for each message, as soon as the message is whole:
  {\"offset\":0,\"length\":118,\"headers\":[{\"name\":\":event-type\",\"type\":\"string\",\"value\":..}, ..],
   \"event\":\"PayloadChunk\",\"payload\":\"Hello\"}
The payload is text, or \"payload_base64\" if it is not UTF-8. \"event\" is the event, exception or
error of Lambda's, if the message is one; \"complete\" has what an InvokeComplete says, its log
decoded.

Exit code 5 if the input ends in the midst of a message, or after a function's chunks without the
message that ends them (InvokeComplete or an exception); 2 if it cannot be read or is damaged, with
the byte at which. What came before is written in any case.

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

fn decode(mut input: impl Read, name: &str, arguments: &Arguments) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut decoder =
        Decoder::with_limits(Limits::new().with_max_message_len(arguments.max_message));
    let mut lambda = Lambda::default();
    let wrong = |error: lambda_invoke_event_stream::DecodeError| {
        let exit = if error.is_unexpected_eof() {
            Exit::Cut
        } else {
            Exit::Usage
        };
        Failure::new(exit, format!("{name}: {error}")).with("offset", error.offset())
    };
    loop {
        let mut piece = BytesMut::zeroed(PIECE);
        let count = match input.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &error)),
        };
        if count == 0 {
            break;
        }
        piece.truncate(count);
        decoder.push(shrunk(piece));
        let result = drain(&mut decoder, &mut lambda, arguments.payload, &mut out);
        // Before anything is said about a fault: what came is written.
        out.flush().map_err(|error| output::not_written(&error))?;
        match result {
            Ok(()) => {}
            Err(Stopped::Input(error)) => return Err(wrong(error)),
            Err(Stopped::Output(error)) => return Err(output::not_written(&error)),
        }
    }
    decoder.finish().map_err(wrong)?;
    match lambda.unfinished() {
        None => Ok(()),
        Some(chunks) => Err(Failure::new(
            Exit::Cut,
            format!(
                "{name}: ended after {chunks} chunks without InvokeComplete: the answer was cut off \
                 between two messages"
            ),
        )),
    }
}

enum Stopped {
    Input(lambda_invoke_event_stream::DecodeError),
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

/// A small piece does not keep a large buffer in memory for as long as its message takes.
fn shrunk(piece: BytesMut) -> Bytes {
    if piece.len() < PIECE / 2 {
        return Bytes::copy_from_slice(&piece);
    }
    piece.freeze()
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {name}: {error}"))
}
