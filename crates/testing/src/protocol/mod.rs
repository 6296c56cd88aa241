//! Properties of `lambda-invoke-protocol`.

mod decisions;
mod function_url;
mod requests;
mod responses;
mod streams;

pub use decisions::{json_check, retry};
pub use function_url::{function_url_event, function_url_response};
pub use requests::{http_request, request_round_trip};
pub use responses::http_response;
pub use streams::{prelude_split, report, stream_split, text};

use http::{HeaderName, HeaderValue};

/// Splits the data into the lines before an empty line, and the rest.
fn head_and_body(data: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &b""[..]), |end| (&data[..end], &data[end + 2..]));
    (head.split(|byte| *byte == b'\n').collect(), body)
}

/// Parses a header from `name: value`, trimmed as in HTTP; `None` if the line is not a header.
fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}
