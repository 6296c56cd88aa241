//! Decodes a recorded event stream, as `curl --output` writes it.
//!
//! ```text
//! cargo run -p lambda-invoke-event-stream --example decode_file -- recorded.bin
//! ```
//!
//! Without a file, it decodes a stream that it has just encoded.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;

use bytes::Bytes;
use lambda_invoke_event_stream::{Decoder, HeaderBlock, encode};

fn main() -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    match std::env::args().nth(1) {
        Some(path) => {
            File::open(path)?.read_to_end(&mut bytes)?;
        }
        None => {
            let headers = HeaderBlock::from_headers([(":event-type", "PayloadChunk")])?;
            encode(headers.headers(), &b"hello"[..], &mut bytes)?;
        }
    }
    let mut decoder = Decoder::new();
    // Push the bytes in pieces, as they arrive from a connection.
    for piece in bytes.chunks(7) {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(message) = decoder.next_message()? {
            for (name, value) in message.headers().iter() {
                println!("{name}: {value}");
            }
            println!("{} bytes of payload", message.payload().len());
        }
    }
    // This is an error if the file ends within a message.
    decoder.finish()?;
    Ok(())
}
