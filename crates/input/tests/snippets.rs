//! Snippets: a value with its mistake marked, for a terminal.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{DurableExecutionArn, FunctionName, Qualifier, Snippet, Target};

#[track_caller]
fn snippet(text: &str) -> String {
    let error = FunctionName::try_from(text).unwrap_err();
    error.snippet(text).to_string()
}

#[test]
fn a_snippet_marks_what_is_wrong() {
    assert_eq!(snippet("thumb nail"), "thumb nail\n     ^");
    assert_eq!(snippet("thumbnail:"), "thumbnail:\n          ^");
    assert_eq!(snippet(""), "\n^");
    assert_eq!(snippet("é"), "é\n^");
    assert_eq!(snippet("aé"), "aé\n ^");
    assert_eq!(snippet("thumbnail:1:2"), "thumbnail:1:2\n~~~~~~~~~  ^");
    assert_eq!(
        snippet("arn:aws:lambda:us-east-1:12345:function:f"),
        "arn:aws:lambda:us-east-1:12345:function:f\n                         ^^^^^"
    );
    assert_eq!(snippet("http://a"), "http://a\n^^^^^^^^");
    let error = DurableExecutionArn::try_from("arn:x").unwrap_err();
    assert_eq!(error.snippet("arn:x").to_string(), "arn:x\n     ^");
    let name = FunctionName::try_from("thumbnail:live").unwrap();
    let parameter = Qualifier::try_from("7").unwrap();
    let mismatch = Target::new(name, Some(parameter)).unwrap_err();
    assert_eq!(
        mismatch.snippet("thumbnail:live").to_string(),
        "thumbnail:live\n          ^^^^"
    );
    let unknown = "event".parse::<lambda_invoke_input::InvocationType>();
    assert_eq!(
        unknown.unwrap_err().snippet("event").to_string(),
        "event\n^^^^^"
    );
}

#[test]
fn a_snippet_of_a_long_value_is_truncated_around_the_place() {
    let text = format!("{}!{}", "a".repeat(80), "b".repeat(80));
    assert_eq!(
        snippet(&text),
        format!(
            "...{}!{}...\n{}^",
            "a".repeat(50),
            "b".repeat(49),
            " ".repeat(53)
        )
    );
    // A text that just fits is not truncated.
    let text = format!("{}!{}", "a".repeat(50), "b".repeat(49));
    assert_eq!(snippet(&text), format!("{text}\n{}^", " ".repeat(50)));
    // The marked part may be truncated, too.
    let url = format!("https://{}.lambda-url.eu-west-1.on.aws", "a".repeat(40));
    assert_eq!(
        snippet(&url),
        format!("{}...\n{}", &url[..50], "^".repeat(50))
    );
    // The length limit is in characters, and so is the position that the snippet marks.
    let long = "é".repeat(171);
    let error = FunctionName::try_from(&long).unwrap_err();
    let expected = format!("...{}\n{}^", "é".repeat(51), " ".repeat(53));
    assert_eq!(error.snippet(&long).to_string(), expected);
    // A `~` that is far to the left of the caret is omitted together with the text above it.
    let text = format!("{}:q{}:x", "n".repeat(4), "q".repeat(60));
    let (value, marks) = (snippet(&text), format!("\n{}^", " ".repeat(53)));
    assert!(value.ends_with(&marks), "{value}");
    let text = format!("{}:q{}:x", "n".repeat(4), "q".repeat(45));
    assert!(snippet(&text).contains("\n   ~~~ "), "{}", snippet(&text));
}

#[test]
fn a_snippet_shows_nothing_that_a_terminal_interprets() {
    assert_eq!(snippet("a\u{1b}[2Jb"), "a\u{fffd}[2Jb\n ^");
    assert_eq!(snippet("a\u{202e}\n"), "a\u{fffd}\u{fffd}\n ^");
}

#[test]
fn a_span_that_does_not_fit_is_moved() {
    let at = |start, end| Snippet::new("aéb", (start, end)).to_string();
    assert_eq!(at(0, 0), "aéb\n^");
    assert_eq!(at(1, 3), "aéb\n ^");
    assert_eq!(at(2, 3), "aéb\n ^");
    assert_eq!(at(3, 1), "aéb\n  ^");
    assert_eq!(at(4, 4), "aéb\n   ^");
    assert_eq!(at(9, usize::MAX), "aéb\n   ^");
    assert_eq!(at(0, usize::MAX), "aéb\n^^^");
}
