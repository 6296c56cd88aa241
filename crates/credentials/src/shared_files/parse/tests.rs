use std::path::Path;

use crate::official::{bytes, json, suite};
use serde_json::Value;

use super::*;

fn config(text: &str) -> Sections {
    parse(text, Kind::Config).unwrap()
}

fn region<'s>(sections: &'s Sections, profile: &str) -> Option<&'s str> {
    let section = sections.profiles.get(profile)?;
    section.get("region").map(String::as_str)
}

#[test]
fn a_name_can_be_quoted_as_in_a_shell() {
    for (header, name) in [
        ("[profile dev]", "dev"),
        ("[profile \"dev\"]", "dev"),
        ("[profile 'dev']", "dev"),
        ("[profile\t\"dev\"\t] # comment", "dev"),
        ("[profile 'my dev']", "my dev"),
        ("[profile my\\ dev]", "my dev"),
        ("[profile \"a]b\"]", "a]b"),
        ("[profile 'a#b;c'];comment ]", "a#b;c"),
        ("[profile \"say \\\"hi\\\" \\\\o\"]", "say \"hi\" \\o"),
        ("[profile 'it'\"'\"'s']", "it's"),
        ("[\"profile\" dev]", "dev"),
        ("[profile \"default\"]", "default"),
        // An unclosed quote is part of the name.
        ("[profile o'brien]", "o'brien"),
        ("[profile \"dev]", "\"dev"),
        ("[profile Zoë]", "Zoë"),
    ] {
        let sections = config(&format!("{header}\nregion = r"));
        assert_eq!(region(&sections, name), Some("r"), "{header}");
        assert_eq!(sections.profiles.len(), 1, "{header}");
    }
    for (header, name) in [
        ("[dev]", "dev"),
        ("[\"dev\"]", "dev"),
        ("['my dev']", "my dev"),
        // The AWS CLI writes it unquoted in this file.
        ("[my dev]", "my dev"),
        ("[o'brien]", "o'brien"),
        (r"[CORP\ada]", r"CORP\ada"),
        (r"[my\ dev]", r"my\ dev"),
        (r#"[d"e"v]"#, r#"d"e"v"#),
    ] {
        let sections = parse(&format!("{header}\nregion = r"), Kind::Credentials).unwrap();
        assert_eq!(region(&sections, name), Some("r"), "{header}");
    }
}

#[test]
fn a_quoted_section_and_a_plain_one_are_the_same_profile() {
    let sections = config("[profile dev]\nregion = a\nx = 1\n[profile 'dev']\nregion = b\n");
    assert_eq!(region(&sections, "dev"), Some("b"));
    assert_eq!(sections.profiles["dev"]["x"], "1");
    for text in [
        "[default]\nregion = a\n[profile \"default\"]\nregion = b\n",
        "[profile \"default\"]\nregion = b\n[default]\nregion = a\n",
    ] {
        assert_eq!(region(&config(text), "default"), Some("b"));
    }
}

#[test]
fn services_are_sections_with_sub_properties() {
    let sections = config(
        "[services 'my own']\ns3 =\n  endpoint_url = http://s3\nLambda =\n  # a comment\n\n  \
         Endpoint_URL = http://a # here\n  other=1\n[services]\nlambda =\n  endpoint_url = http://b\n",
    );
    assert_eq!(sections.services.len(), 1);
    let own = &sections.services["my own"];
    assert_eq!(
        sub_property(&own["lambda"], "endpoint_url"),
        Some("http://a")
    );
    assert_eq!(sub_property(&own["s3"], "endpoint_url"), Some("http://s3"));
    assert_eq!(sub_property(&own["lambda"], "region"), None);
    assert_eq!(
        sub_property("endpoint_url = http://a", "endpoint_url"),
        None
    );
}

#[test]
fn values_keep_characters_that_look_like_syntax() {
    let sections = parse(
        "# a comment\n[dev]\n; another\naws_secret_access_key = a/b+c=:#;\"d\\e\n\
         s3 =\n  region = nested\n  max_concurrent_requests = 2\nregion = own\n",
        Kind::Credentials,
    );
    let sections = sections.unwrap();
    let dev = &sections.profiles["dev"];
    assert_eq!(dev["aws_secret_access_key"], "a/b+c=:#;\"d\\e");
    assert_eq!(dev["region"], "own");
}

#[test]
fn invalid_lines_are_errors_with_their_number() {
    for (text, line, why) in [
        (
            "[default]\nregion = a\n[profile dev\n",
            3,
            "expected ']' at the end",
        ),
        ("[profile dev] x\n", 1, "expected ']' at the end"),
        ("\n\nregion = a\n", 3, "such as [default] first"),
        ("  region = a\n", 1, "such as [default] first"),
        ("[default]\n  region = a\n", 2, "there is no value above"),
        ("[default]\r\nregion\r\n", 2, "equals sign"),
        ("[default]\n= a\n", 2, "a name"),
        (
            "[default]\ns3 =\n  x\n",
            3,
            "a sub-property needs an equals",
        ),
        (
            "[other section]\nx =\n =1\n",
            3,
            "a sub-property needs a name",
        ),
    ] {
        let error = parse(text, Kind::Config).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("line {line}: ")),
            "{text:?}: {error}"
        );
        assert!(error.contains(why), "{text:?}: {error}");
    }
}

/// Merges both files as the cases expect: the credentials file takes precedence.
fn merged(input: &Value) -> Result<[BTreeMap<String, Section>; 2], ParseError> {
    let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let config = parse(&text("configFile"), Kind::Config)?;
    let mut profiles = config.profiles;
    for (name, section) in parse(&text("credentialsFile"), Kind::Credentials)?.profiles {
        profiles.entry(name).or_default().extend(section);
    }
    // This parser and botocore also find quoted names, which the cases do not expect.
    profiles.retain(|name, _| name.bytes().all(is_of_name));
    Ok([profiles, config.sso_sessions])
}

#[test]
fn official_parser_tests() {
    suite("credentials/profile-parser", |folder| {
        let path = "profile/smithy-rs/aws-runtime/test-data/profile-parser-tests.json";
        let data = json(&folder.join(path));
        let cases = data["tests"].as_array().unwrap();
        for case in cases {
            let found = merged(&case["input"]);
            match &case["output"]["config"]["profiles"] {
                Value::Null => {
                    assert!(case["output"]["errorContaining"].is_string(), "{case}");
                    found.unwrap_err();
                }
                expected => {
                    let [profiles, sessions] = found.unwrap();
                    let value = |found| serde_json::to_value(found).unwrap();
                    assert_eq!(value(profiles), *expected, "{case}");
                    let expected = &case["output"]["config"]["sso_sessions"];
                    if !expected.is_null() {
                        assert_eq!(value(sessions), *expected, "{case}");
                    }
                }
            }
        }
        cases.len()
    });
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Parses the test and fuzzer files of other SDKs, whole and from each of their lines on: the result
/// is sections, or an error with a line number within the file.
#[test]
fn official_files_are_read_or_rejected() {
    suite("credentials/profile-files", |folder| {
        let mut count = 0;
        for part in [
            "aws-c-auth-fuzz-corpus",
            "aws-sdk-go-v1/ini",
            "botocore/cfg",
        ] {
            for path in files(&folder.join("profile").join(part)) {
                let content = bytes(&path);
                let text = String::from_utf8_lossy(&content);
                for (start, _) in text.match_indices('\n').chain([(0, "")]) {
                    for kind in [Kind::Config, Kind::Credentials] {
                        if let Err(error) = parse(&text[start..], kind) {
                            let lines = text[start..].lines().count();
                            assert!((1..=lines).contains(&error.line), "{path:?}: {error}");
                        }
                    }
                }
                let name = path.file_name().unwrap().to_str().unwrap();
                if ["aws_config_bad", "aws_config_nested_bad"].contains(&name) {
                    parse(&text, Kind::Config).unwrap_err();
                }
                count += 1;
            }
        }
        count
    });
}
