//! Text from a peer is safe in a log and on a terminal, whichever crate shows it.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_error::ServiceError;
use lambda_invoke_error::text::is_interpreted;
use lambda_invoke_input::{ClientContext, FunctionName, Snippet};
use lambda_invoke_protocol::{
    Expected, FunctionError, InvokeComplete, LoggedFailure, ReportStatus, StreamError,
    StreamException,
};

/// Two crates show foreign text, and neither depends on the other.
#[test]
fn a_snippet_replaces_the_characters_that_messages_escape() {
    for character in '\0'..=char::MAX {
        let text = character.to_string();
        let snippet = Snippet::new(&text, (0, text.len())).to_string();
        let shown = snippet.lines().next().and_then(|line| line.chars().next());
        let expected = if is_interpreted(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        };
        assert_eq!(shown, Some(expected), "{character:?}");
    }
}

/// Messages that quote what a peer sent or a user wrote.
#[test]
fn no_message_has_a_character_that_a_terminal_interprets() {
    let hostile: String = ('\0'..='\u{2100}')
        .filter(|each| is_interpreted(*each))
        .collect();
    let quoted = serde_json::to_string(&hostile).unwrap();

    let body = format!("{{\"Message\":{quoted},\"Type\":{quoted},\"Reason\":{quoted}}}");
    let service = ServiceError::parse(500, |_| None, body.as_bytes());
    assert!(service.message().unwrap().contains('\u{202e}'));

    let failed = format!("{{\"errorType\":{quoted},\"errorMessage\":{quoted}}}");
    let failed = FunctionError::parse(failed.as_bytes());
    let mut logged = LoggedFailure::default();
    logged.status = Some(ReportStatus::from(&*hostile));
    logged.error = FunctionError::new(&*hostile, &*hostile);
    let exception = StreamException::new(&*hostile, &*hostile);
    let complete = InvokeComplete::failed(&*hostile, &*hostile);
    let stream = StreamError::FunctionFailed {
        complete: complete.into(),
        logged: Some(logged.clone().into()),
    };
    let response = http::Response::builder()
        .header("x-amzn-requestid", "1")
        .header("content-type", "text/\u{9b}\u{202e}".as_bytes())
        .body(())
        .unwrap();
    let unexpected = Expected::Stream.check_head(&response.into_parts().0);
    for message in [
        service.to_string(),
        failed.to_string(),
        logged.to_string(),
        exception.to_string(),
        stream.to_string(),
        unexpected.unwrap_err().to_string(),
        FunctionName::try_from(&*hostile).unwrap_err().to_string(),
        ClientContext::try_from(&*hostile).unwrap_err().to_string(),
    ] {
        assert!(!message.contains(is_interpreted), "{message:?}");
    }
}
