//! `lambda-invoke check`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use program::{run, text};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live";

fn accepted(arguments: &[&str]) -> String {
    let output = run(&[&["check"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).to_owned()
}

fn rejected(arguments: &[&str]) -> String {
    let output = run(&[&["check"], arguments].concat());
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr).to_owned()
}

fn object(arguments: &[&str], code: i32) -> Value {
    let output = run(&[&["check", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code));
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn explains_a_whole_arn() {
    assert_eq!(
        accepted(&[ARN]),
        "\
form         ARN
partition    aws
region       eu-west-1
account      123456789012
name         thumbnail
qualifier    live (an alias)
ARN          arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live
host         lambda.eu-west-1.amazonaws.com
path         /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Athumbnail%3Alive/invocations
accepted by  default, published, newest, recorded
"
    );
}

#[test]
fn an_arn_of_another_resource_is_noted() {
    let layer = "arn:aws:lambda:eu-west-1:123456789012:layer:tools";
    let mapping = "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:0a1b";
    for (arn, name, resource) in [
        (layer, "layer", "a layer"),
        (mapping, "event-source-mapping", "an event source mapping"),
    ] {
        let note = format!(
            "note         this is the ARN of {resource}; Lambda accepts it as the ARN of a function \
             called {name}\n"
        );
        let text = accepted(&[arn]);
        assert!(text.ends_with(&note), "{text}");
        assert_eq!(object(&[arn], 0)["other_resource"], resource);
    }
    assert_eq!(object(&[ARN], 0)["other_resource"], Value::Null);
    let version = rejected(&[&format!("{layer}:3")]);
    assert!(version.contains("an ARN of a layer at "), "{version}");
}

#[test]
fn explains_a_name_and_the_parameter() {
    let text = accepted(&["thumbnail", "--qualifier", "$LATEST"]);
    assert!(text.contains("qualifier    $LATEST (the unpublished version; from the parameter)\n"));
    assert!(
        text.contains("ARN          arn:aws:lambda:REGION:ACCOUNT:function:thumbnail:$LATEST\n")
    );
    assert!(text.contains("/thumbnail/invocations?Qualifier=%24LATEST\n"));
    assert!(accepted(&["thumbnail"]).contains("qualifier    (none; $LATEST is invoked)\n"));
    assert!(accepted(&["123456789012:thumbnail:7"]).contains("form         partial ARN\n"));
    assert!(accepted(&["arn:aws:lambda:thumbnail"]).contains("form         incomplete ARN\n"));
}

#[test]
fn marks_the_invalid_byte_and_says_what_is_expected() {
    let text = rejected(&["thumb nail"]);
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "lambda-invoke: invalid function name: ' ' at byte 5, expected a letter, a digit, '-', '.', \
         '_', ':' or the end"
    );
    assert_eq!(lines.next(), Some("  thumb nail"));
    assert_eq!(lines.next(), Some("       ^"));
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("  the service would respond: 400 ValidationException, 1")
    );

    let text = rejected(&["f", "--qualifier", "live!"]);
    assert!(text.contains("invalid qualifier: '!' at byte 4"), "{text}");
    assert!(text.contains("\n  live!\n      ^\n"), "{text}");
}

#[test]
fn a_known_mistake_is_named_and_marked_as_a_whole() {
    let text = rejected(&["arn:aws:lambda:eu-west-1:12345:function:thumbnail"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "lambda-invoke: invalid function name: an account id of 5 digits at bytes 25 to 30, \
             expected 12",
            "  arn:aws:lambda:eu-west-1:12345:function:thumbnail",
            "                           ^^^^^",
        ]
    );
    let invalid = object(&["https://x.lambda-url.eu-west-1.on.aws/"], 2);
    assert_eq!(invalid["error"]["span"], json!([0, 38]));
    let message = invalid["error"]["message"].as_str().unwrap();
    assert!(message.contains("a function URL"), "{message}");
}

#[test]
fn the_part_parsed_as_the_name_is_marked() {
    let text = rejected(&["thumbnail:live:7"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "  thumbnail:live:7");
    assert_eq!(lines[2], "  ~~~~~~~~~     ^");
    let name = format!("{}:12345:{}", "a".repeat(30), "b".repeat(80));
    let text = rejected(&[&name]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1].chars().nth(lines[2].find('^').unwrap()),
        Some(':'),
        "{text}"
    );
}

#[test]
fn a_long_value_is_shown_around_its_error() {
    let name = format!("{}!{}", "a".repeat(80), "b".repeat(80));
    let text = rejected(&[&name]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1].chars().nth(lines[2].find('^').unwrap()), Some('!'));
    assert!(
        lines[1].starts_with("  ...a") && lines[1].ends_with("b..."),
        "{text}"
    );
}

#[test]
fn escapes_control_characters() {
    assert!(!rejected(&["a\u{1b}[2Jb"]).contains('\u{1b}'));
}

#[test]
fn two_different_qualifiers_are_rejected() {
    let text = rejected(&[ARN, "--qualifier", "7"]);
    assert!(
        text.contains("400 InvalidParameterValueException, The derived qualifier"),
        "{text}"
    );
    accepted(&[ARN, "--qualifier", "live"]);
}

#[test]
fn the_rule_sets_differ() {
    let sovereign = "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:thumbnail";
    assert!(accepted(&[sovereign]).contains("accepted by  default, newest, recorded\n"));
    let text = rejected(&[sovereign, "--rules", "published"]);
    assert!(
        text.contains("other rules accept it: default, newest, recorded"),
        "{text}"
    );
    let long = "a".repeat(65);
    for (rules, code) in [
        ("default", 2),
        ("published", 2),
        ("newest", 0),
        ("recorded", 0),
    ] {
        let output = run(&["check", &long, "--rules", rules]);
        assert_eq!(output.status.code(), Some(code), "{rules}");
    }
}

#[test]
fn writes_json() {
    let valid = object(&[ARN], 0);
    assert_eq!(valid["valid"], true);
    assert_eq!(valid["region"], "eu-west-1");
    assert_eq!(valid["name"], "thumbnail");
    assert_eq!(valid["qualifier_kind"], "alias");
    assert_eq!(
        valid["accepted_by"],
        json!(["default", "published", "newest", "recorded"])
    );

    let bare = object(&["thumbnail"], 0);
    assert_eq!(
        (&bare["region"], &bare["qualifier"]),
        (&Value::Null, &Value::Null)
    );

    let invalid = object(&["thumb nail", "--rules", "newest"], 2);
    assert_eq!(invalid["valid"], false);
    assert_eq!(invalid["rules"], "newest");
    assert_eq!(invalid["error"]["offset"], 5);
    assert_eq!(invalid["error"]["member"], "functionName");
    assert_eq!(invalid["error"]["expected"]["end"], true);
    assert_eq!(invalid["accepted_by"], json!([]));
}
