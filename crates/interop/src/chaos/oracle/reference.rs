//! A naive parser of HTTP responses, to determine what the bytes that a client received prove.
//!
//! Plain HTTP has no checksum. A flipped bit in `Content-Length` can result in a shorter response
//! that is complete in every respect, and no client can detect that. Such a success is counted
//! separately, and only if this parser, which shares no code with the client, reads the same
//! payload.

/// A response as it was received.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The payload, if its end is proved.
    pub payload: Option<Vec<u8>>,
}

impl Received {
    /// The length of the head at the beginning of these bytes, if they begin with a complete one.
    pub fn head_length(bytes: &[u8]) -> Option<usize> {
        Self::parse(bytes)?;
        Some(find(bytes, b"\r\n\r\n")? + 4)
    }

    /// Parses the first response in the bytes of a connection; `None` if its head is not complete.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = find(bytes, b"\r\n\r\n")? + 4;
        let head: Vec<char> = bytes[..end].iter().map(|byte| *byte as char).collect();
        let head: String = head.into_iter().collect();
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        if words.next()? != "HTTP/1.1" {
            return None;
        }
        let status = words.next()?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut received = Self {
            status,
            headers,
            payload: None,
        };
        let rest = &bytes[end..];
        received.payload = match received.header("transfer-encoding") {
            Some("chunked") => unchunk(rest),
            Some(_) => None,
            None => received
                .header("content-length")
                .and_then(|length| length.parse::<usize>().ok())
                .and_then(|length| rest.get(..length))
                .map(<[u8]>::to_vec),
        };
        Some(received)
    }

    /// Whether the framing of the body is unambiguous, so that no client has a reason to reject the
    /// head.
    pub fn is_framed(&self) -> bool {
        let all = |name: &str| {
            let found = self.headers.iter().filter(|(found, _)| found == name);
            found.map(|(_, value)| &value[..]).collect::<Vec<_>>()
        };
        match (&all("content-length")[..], &all("transfer-encoding")[..]) {
            ([length], []) => length.parse::<u64>().is_ok() && !length.starts_with('+'),
            ([], ["chunked"]) => true,
            _ => false,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name)?;
        Some(&found.1)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let line = find(rest, b"\r\n")?;
        let text = std::str::from_utf8(&rest[..line]).ok()?;
        let digits = text.split(';').next()?.trim();
        let length = usize::from_str_radix(digits, 16).ok()?;
        rest = &rest[line + 2..];
        if length == 0 {
            return Some(all);
        }
        all.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_counts_only_with_its_end() {
        let payload = |text: &str| Received::parse(text.as_bytes()).unwrap().payload;
        let head = "HTTP/1.1 200 OK\r\n";
        assert_eq!(
            payload(&format!("{head}content-length: 2\r\n\r\nabc")).unwrap(),
            b"ab"
        );
        assert_eq!(
            payload(&format!("{head}content-length: 4\r\n\r\nabc")),
            None
        );
        assert_eq!(payload(&format!("{head}\r\nabc")), None);
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
        assert_eq!(
            payload(&format!("{chunked}2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n")).unwrap(),
            b"abc"
        );
        assert_eq!(payload(&format!("{chunked}2\r\nab\r\n")), None);
        assert_eq!(Received::parse(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(Received::parse(b"HTTQ/1.1 200 OK\r\n\r\n"), None);
    }
}
