//! Every way to give a payload, and the errors for one that is not JSON.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;

use program::{fed, program, run, text};

/// Creates a file for this test.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("payload");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_payload_arrives_unchanged_inline_from_a_file_or_from_stdin() {
    let payload = "{\"sch\\u00f6n\":\n [1, \"\u{1f600}\"]} ";
    let path = file("unchanged.json", payload.as_bytes());
    let path = path.to_str().unwrap();
    for value in [payload, &format!("@{path}"), &format!("file://{path}")] {
        for command in ["invoke", "stream"] {
            let output = run(&[command, "echo", "--local", "-p", value]);
            assert_eq!(text(&output.stderr), "");
            assert_eq!(text(&output.stdout), payload, "{command} {value}");
        }
    }
    let output = fed(
        program().args(["stream", "echo", "--local", "--payload", "-"]),
        payload.as_bytes(),
    );
    assert_eq!(text(&output.stdout), payload);
    for number in ["-1", "-0.5e3"] {
        assert_eq!(
            text(&run(&["invoke", "echo", "--local", "-p", number]).stdout),
            number
        );
    }
}

#[test]
fn without_a_payload_stdin_is_not_read() {
    let output = fed(program().args(["invoke", "echo", "--local"]), b"[1,2,3]");
    // The service gives a function without a payload an empty object.
    assert_eq!(text(&output.stdout), "{}");
}

#[test]
fn invalid_json_is_reported_with_its_position_and_not_sent() {
    let path = file("broken.json", b"{\n  \"a\": no\n}\n");
    let from_file = format!("@{}", path.display());
    for (payload, place) in [
        (
            r#"{"name": Ada}"#,
            "unexpected 'A' at byte 9 (line 1, column 10)",
        ),
        ("{\"a\": 1,\n \"b\": ]}", "at byte 15 (line 2, column 7)"),
        ("[1, 2", "at byte 5 (line 1, column 6)"),
        ("", "at byte 0 (line 1, column 1)"),
        (&from_file, "at byte 10 (line 2, column 9)"),
    ] {
        for command in ["invoke", "stream"] {
            // Nothing listens at this address, so a call that was sent would have another exit
            // code.
            let output = program::local()
                .args([command, "echo", "-p", payload])
                .args(["--endpoint-url", "http://127.0.0.1:1"])
                .output()
                .unwrap();
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{payload}: {stderr}");
            assert!(
                stderr.contains("the payload is not JSON"),
                "{payload}: {stderr}"
            );
            assert!(stderr.contains(place), "{payload}: {stderr}");
        }
    }
    let output = run(&["invoke", "echo", "--local", "-p", &from_file]);
    assert!(text(&output.stderr).contains("broken.json"));
    let output = fed(
        program().args(["invoke", "echo", "--local", "-p", "-"]),
        b"{\"a\":\xff}",
    );
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("at byte 5") && stderr.contains("from stdin"),
        "{stderr}"
    );
}

#[test]
fn raw_bytes_are_sent_unchecked() {
    let output = run(&["invoke", "echo", "--local", "--raw", "-p", "{no json"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.contains("InvalidRequestContentException"),
        "{stderr}"
    );
    assert_eq!(
        run(&["invoke", "echo", "--local", "--raw"]).status.code(),
        Some(2)
    );
}

#[cfg(unix)]
#[test]
fn an_argument_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt as _;

    let output = program()
        .args(["invoke", "echo", "--local", "-p"])
        .arg(OsStr::from_bytes(b"\"\xff\""))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("at byte 1 "));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for value in [
        "@no-such-file.json",
        "file://no-such-file.json",
        "fileb://no-such-file.json",
        "file://~/no-such-file.json",
        "file://$UNSET_/no-such-file.json",
    ] {
        let output = run(&["invoke", "echo", "--local", "-p", value]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("no-such-file.json"), "{stderr}");
    }
}

/// Calls with the test's folder as home and working directory; echoes the payload.
fn at_home(value: &OsStr) -> Output {
    let home = file("whole.json", b"[1]").parent().unwrap().to_owned();
    program()
        .args(["invoke", "echo", "--local", "-p"])
        .arg(value)
        .env("HOME", &home)
        .env("USERPROFILE", &home)
        .env("FOLDER", &home)
        .current_dir(&home)
        .output()
        .unwrap()
}

#[test]
fn paths_are_expanded_as_by_the_aws_cli() {
    file("folder.json", b"[2]");
    for value in [
        "file://~/folder.json",
        "fileb://~/folder.json",
        "@~/folder.json",
        "file://folder.json",
        "fileb://folder.json",
        "file://./folder.json",
        "file://$FOLDER/folder.json",
        "fileb://${FOLDER}/folder.json",
        "@folder.json",
    ] {
        let output = at_home(value.as_ref());
        assert_eq!(text(&output.stderr), "", "{value}");
        assert_eq!(text(&output.stdout), "[2]", "{value}");
    }
    // Whatever neither a shell nor the AWS CLI expands is part of the file name.
    file("$FOLDER", b"[3]");
    assert_eq!(text(&at_home("@$FOLDER".as_ref()).stdout), "[3]");
    file("a$b", b"[4]");
    for value in ["file://a$b", "file://~/a$b"] {
        assert_eq!(text(&at_home(value.as_ref()).stdout), "[4]");
    }
    for value in ["file://", "fileb://", "@"] {
        let output = at_home(value.as_ref());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("names no file"), "{value}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = file("whole.json", b"[1]").parent().unwrap().to_owned();
    std::fs::write(folder.join(OsStr::from_bytes(b"\xff.json")), b"[5]").unwrap();
    for value in [
        &b"@\xff.json"[..],
        b"file://\xff.json",
        b"fileb://~/\xff.json",
    ] {
        assert_eq!(text(&at_home(OsStr::from_bytes(value)).stdout), "[5]");
    }
}

#[test]
fn another_encoding_is_named_with_a_hint() {
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{{\"a\": 1}}")
            .encode_utf16()
            .flat_map(unit)
            .collect()
    };
    for (content, what) in [
        (
            b"\xef\xbb\xbf{}".to_vec(),
            "begins with a UTF-8 byte order mark",
        ),
        (utf16(u16::to_le_bytes, "\u{feff}"), "is UTF-16LE"),
        (utf16(u16::to_be_bytes, "\u{feff}"), "is UTF-16BE"),
        (utf16(u16::to_le_bytes, ""), "is UTF-16LE"),
        (utf16(u16::to_be_bytes, ""), "is UTF-16BE"),
    ] {
        let path = file("encoded.json", &content);
        let path = path.to_str().unwrap();
        for value in [
            format!("@{path}"),
            format!("file://{path}"),
            format!("fileb://{path}"),
        ] {
            for command in ["invoke", "stream"] {
                let output = run(&[command, "echo", "--local", "-p", &value]);
                let said = text(&output.stderr);
                assert_eq!(output.status.code(), Some(2), "{said}");
                assert!(
                    said.contains(what) && said.contains("encoded.json"),
                    "{said}"
                );
                assert!(said.contains("save it as UTF-8 without"), "{said}");
                assert!(said.contains("--raw"), "{said}");
            }
        }
        let output = fed(
            program().args(["invoke", "echo", "--local", "-p", "-"]),
            &content,
        );
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(what) && said.contains("from stdin"), "{said}");
        let output = run(&[
            "invoke",
            "echo",
            "--local",
            "-p",
            "1",
            "--client-context",
            &format!("@{path}"),
        ]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("the client context") && said.contains(what),
            "{said}"
        );
        // With --raw, rejecting it is up to the service.
        let output = run(&[
            "invoke",
            "echo",
            "--local",
            "--raw",
            "-p",
            &format!("@{path}"),
        ]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    }
}
