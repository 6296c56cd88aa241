//! Writes a stream as one JSON object while it arrives, keeping only one event in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambda_invoke::{Completion, Error, ResponseStream};
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::interrupt::{Catch, interrupted};
use crate::output::destination::Destination;
use crate::output::{Deadline, Output};
use crate::terminal;

/// Writes the object, with the member names of the service's model and binary members in base64. It
/// is complete JSON however the stream ends: after a failure or an interrupt, it contains the
/// events received until then.
///
/// # Errors
///
/// If stdout cannot be written to, or on Ctrl-C. How the stream itself ended is the inner result.
pub(super) async fn write(
    stream: &mut ResponseStream,
    destination: &Destination,
    deadline: Deadline,
) -> Result<Result<(), Error>, Failure> {
    let mut catch = Catch::new();
    let mut document = Document {
        output: Output::new(destination, deadline)?,
        has_events: false,
    };
    document.begin(stream).await?;
    let mut event = Vec::new();
    // The number of payload bytes read so far. An event is complete when it equals the number
    // received.
    let mut seen = 0;
    let end = loop {
        let next = tokio::select! {
            biased;
            () = catch.caught() => break None,
            failure = document.output.failed() => return Err(failure),
            next = stream.next_chunk() => next,
        };
        match next {
            Some(Ok(chunk)) => {
                seen += chunk.len() as u64;
                event.extend_from_slice(&chunk);
                if seen < stream.received() {
                    continue;
                }
                tokio::select! {
                    biased;
                    () = catch.caught() => break None,
                    written = document.chunk(&event) => written?,
                }
                event.clear();
            }
            Some(Err(error)) => break Some(Err(error)),
            None => break Some(Ok(())),
        }
    };
    let is_complete = matches!(end, Some(Ok(())));
    document.end(stream, is_complete).await?;
    end.ok_or_else(interrupted)
}

struct Document {
    output: Output,
    has_events: bool,
}

impl Document {
    async fn begin(&mut self, stream: &ResponseStream) -> Result<(), Failure> {
        let mut text = format!("{{\"StatusCode\":{}", stream.status().as_u16());
        if let Some(version) = stream.executed_version() {
            text += ",\"ExecutedVersion\":";
            text += &terminal::json(version.as_str());
        }
        if let Some(id) = stream.request_id() {
            text += ",\"RequestId\":";
            text += &terminal::json(id);
        }
        text += ",\"EventStream\":[";
        self.output.write(text.into()).await
    }

    async fn chunk(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.event(
            "PayloadChunk",
            json!({ "Payload": STANDARD.encode(payload) }),
        )
        .await
    }

    async fn event(&mut self, name: &str, members: Value) -> Result<(), Failure> {
        let separator = match self.has_events {
            true => ",",
            false => "",
        };
        self.has_events = true;
        let text = format!("{separator}{}", terminal::json(&json!({ name: members })));
        self.output.write(Bytes::from(text)).await
    }

    async fn end(mut self, stream: &ResponseStream, is_complete: bool) -> Result<(), Failure> {
        if let Some(completion) = stream.completion() {
            self.event("InvokeComplete", invoke_complete(completion))
                .await?;
        }
        let mut text = "]".to_owned();
        if let Some(content_type) = stream.content_type() {
            text += ",\"ResponseStreamContentType\":";
            text += &terminal::json(content_type);
        }
        text += "}\n";
        self.output.write(text.into()).await?;
        self.output.finish(is_complete).await
    }
}

fn invoke_complete(completion: &Completion) -> Value {
    let members = [
        ("ErrorCode", completion.error_code().map(str::to_owned)),
        (
            "ErrorDetails",
            completion.error_details().map(str::to_owned),
        ),
        ("LogResult", completion.log().map(|log| log.to_base64())),
    ];
    let members: Map<String, Value> = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    members.into()
}
