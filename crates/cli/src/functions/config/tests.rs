use std::time::Duration;

use super::*;
use crate::functions::spec::Language;
use crate::functions::testing::Folder;

/// A folder with the files that the example names.
fn project() -> Folder {
    let folder = Folder::new();
    folder.write("chat/index.mjs", "export const handler = 1");
    folder.write("pay/app.py", "def lambda_handler(event, context): pass");
    folder.write(".env", "A=file\nB=file");
    folder
}

fn read(folder: &Folder, text: &str) -> Result<Vec<FunctionSpec>, ConfigError> {
    parse("lambda.toml", text, folder.path())
}

#[test]
fn the_example_can_be_read_and_printed_and_read_again() {
    let folder = project();
    let functions = read(&folder, EXAMPLE).unwrap();
    let names: Vec<_> = functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["chat", "custom", "pay"]);
    let [chat, custom, pay] = functions.as_slice() else {
        panic!("{functions:?}")
    };
    assert_eq!(chat.root, folder.path().join("chat"));
    let handler = "index.handler".to_owned();
    let language = Language::Node;
    assert_eq!(chat.code, Code::Handler { language, handler });
    assert_eq!(chat.environment["MODEL"].0, "small");
    let url = chat.url.as_ref().unwrap();
    assert_eq!(url.streamed, Some(true));
    assert_eq!(
        url.cors.as_ref().unwrap().settings().allow_methods,
        ["GET", "POST"]
    );
    let command = ["node", "bootstrap.mjs"].map(str::to_owned).to_vec();
    assert_eq!(custom.code, Code::Command(command));
    assert_eq!(custom.root, folder.path());
    assert_eq!(custom.timeout, Duration::from_secs(900));
    assert_eq!(pay.root, folder.path().join("pay"));
    assert_eq!(pay.timeout, Duration::from_secs(30));
    // The defaults that the example states are the real defaults.
    let plain = read(
        &folder,
        "[functions.custom]\ncommand = 'node bootstrap.mjs'",
    )
    .unwrap();
    assert_eq!(plain, std::slice::from_ref(custom));
    assert_eq!(read(&folder, &print(&functions)).unwrap(), functions);
}

#[test]
fn what_is_more_specific_replaces() {
    let folder = project();
    folder.write("chat.env", "B=chat\nD=chat");
    let text = "
        [defaults]
        env-file = '.env'
        env = { C = 1, B = 'default' }
        memory = 256
        concurrency = 4
        [functions.chat]
        root = '.'
        source = 'chat/index.mjs'
        env-file = ['chat.env']
        env = { C = true }
        memory = 512
    ";
    let functions = read(&folder, text).unwrap();
    let chat = &functions[0];
    let variables: Vec<_> = chat
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.0.as_str()))
        .collect();
    assert_eq!(
        variables,
        [("A", "file"), ("B", "chat"), ("C", "true"), ("D", "chat")]
    );
    assert_eq!((chat.memory, chat.concurrency), (512, 4));
    // If there is a root, the handler is relative to it.
    assert_eq!(chat.root, folder.path());
    let handler = "chat/index.handler".to_owned();
    let language = Language::Node;
    assert_eq!(chat.code, Code::Handler { language, handler });
}

#[test]
fn a_timeout_may_be_a_fraction_of_a_second() {
    let folder = project();
    for (timeout, milliseconds) in [("1.5", 1_500), ("2", 2_000), ("'1.5'", 1_500)] {
        let text = format!("[functions.x]\ncommand = 'a'\ntimeout = {timeout}");
        let functions = read(&folder, &text).unwrap();
        assert_eq!(functions[0].timeout, Duration::from_millis(milliseconds));
        assert_eq!(read(&folder, &print(&functions)).unwrap(), functions);
    }
}

#[test]
fn a_handler_in_two_languages_is_rejected_with_both_files() {
    let folder = project();
    folder.write("both/app.py", "def handler(event, context): pass");
    folder.write("both/app.js", "exports.handler = 1");
    let text = "[functions.x]\nroot = 'both'\nhandler = 'app.handler'";
    let error = read(&folder, text).unwrap_err();
    assert_eq!(error.line(), Some(3));
    let error = error.to_string();
    for part in ["both/app.py", "both/app.js", "source = \"FILE:NAME\""] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // What is printed says which of them it is.
    for (file, language) in [("app.py", Language::Python), ("app.js", Language::Node)] {
        let text = format!("[functions.x]\nroot = 'both'\nsource = '{file}'");
        let functions = read(&folder, &text).unwrap();
        let handler = "app.handler".to_owned();
        assert_eq!(functions[0].code, Code::Handler { language, handler });
        assert_eq!(read(&folder, &print(&functions)).unwrap(), functions);
    }
}

#[test]
fn errors_name_the_line_and_what_would_be_right() {
    let folder = project();
    folder.write("bad.env", "A=1\nhush");
    for (text, line, part) in [
        ("", None, "[functions.NAME] is missing"),
        ("[functions.x\n", Some(1), "unclosed table"),
        (
            "[functions.x]\ncommand = 'a'\nmemroy = 1",
            Some(3),
            "unknown field `memroy`, expected",
        ),
        (
            "[function.x]",
            Some(1),
            "unknown field `function`, expected",
        ),
        ("[functions.x]", Some(1), "source = \"FILE\""),
        (
            "[functions.'a b']\ncommand = 'a'",
            Some(1),
            "1 to 64 letters",
        ),
        (
            "[functions.x]\ncommand = 'a'\nsource = 'b'",
            Some(1),
            "keep one of them",
        ),
        (
            "[functions.x]\ncommand = []",
            Some(2),
            "a program and its arguments",
        ),
        (
            "[functions.x]\ncommand = 'a \"'",
            Some(2),
            "quoted as in a shell",
        ),
        (
            "[functions.x]\ncommand = 1",
            Some(2),
            "a string or a list of strings",
        ),
        (
            "[functions.x]\ncommand = 'a'\n[functions.x.url]\ncors = { allow-origins = ['x'] }",
            Some(4),
            "cors: \"x\" is not an origin",
        ),
        (
            "[defaults.url]\nauth = 'NONE'\n[defaults.url.cors]\nmax-age = 86401\n[functions.x]\ncommand = 'a'",
            Some(3),
            "cors: ",
        ),
        (
            "[functions.x]\nsource = 'no.py'",
            Some(2),
            "'no.py' does not exist",
        ),
        (
            "[functions.x]\nhandler = 'no.handler'",
            Some(2),
            "no module for it",
        ),
        (
            "[functions.x]\nroot = 'no'\ncommand = 'a'",
            Some(2),
            "expected a folder",
        ),
        (
            "[functions.x]\ncommand = 'a'\nmemory = 0",
            Some(3),
            "memory is '0'; expected 1 to",
        ),
        (
            "[functions.x]\ncommand = 'a'\nmemory = -1",
            Some(3),
            "memory is '-1'",
        ),
        (
            "[functions.x]\ncommand = 'a'\nconcurrency = 0",
            Some(3),
            "expected 1 to",
        ),
        (
            "[functions.x]\ncommand = 'a'\nqueue = 1001",
            Some(3),
            "queue is '1001'; expected 0 to 1000",
        ),
        (
            "[functions.x]\ncommand = 'a'\ntimeout = 1801",
            Some(3),
            "at most 1800 s",
        ),
        (
            "[functions.x]\ncommand = 'a'\ntimeout = 'soon'",
            Some(3),
            "such as \"30s\"",
        ),
        (
            "[functions.x]\ncommand = 'a'\ntimeout = -1.5",
            Some(3),
            "timeout is '-1.5'; expected seconds, or",
        ),
        (
            "[functions.x]\ncommand = 'a'\nmemory = 'much'",
            Some(3),
            "expected a whole number",
        ),
        (
            "[functions.x]\ncommand = 'a'\nmemory = 99999999999999999999",
            Some(3),
            "integer `99999999999999999999` is out of range",
        ),
        (
            "[functions.x]\ncommand = 'a'\nwatch = 1",
            Some(3),
            "expected true or false",
        ),
        (
            "[functions.x]\ncommand = 'a'\n[functions.x.url.cors]\nmax-age = -1",
            Some(4),
            "expected a whole number that is not negative",
        ),
        (
            "[functions.x]\ncommand = 'a'\n[functions.x.url.cors]\nallow-origins = '*'",
            Some(4),
            "expected a list",
        ),
        ("functions.x = 1", Some(1), "expected a table"),
        ("functions = 1", Some(1), "expected a table"),
        (
            "[functions.x]\ncommand = 'a'\nenv = 1",
            Some(3),
            "expected a table",
        ),
        (
            "[functions.x]\ncommand = 'a'\nmemory = 1\nmemory = 2",
            Some(4),
            "this key occurs twice",
        ),
        (
            "[functions.x]\ncommand = 'a'\n[functions.x.url.cors]\nmax-age = 'x'",
            Some(4),
            "expected a whole number",
        ),
        (
            "[functions.x]\ncommand = 'a'\ntimeout = 0",
            Some(3),
            "timeout is '0'",
        ),
        (
            "[functions.x]\ncommand = 'a'\nenv = { A = [1] }",
            Some(3),
            "a string, a whole number",
        ),
        (
            "[functions.x]\ncommand = 'a'\nenv = { 'A B' = '1' }",
            Some(3),
            "not beginning with",
        ),
        (
            "[functions.x]\ncommand = 'a'\nenv = { A = \"\\u0000\" }",
            Some(3),
            "NUL",
        ),
        (
            "[functions.x]\ncommand = 'a'\nenv-file = 'no.env'",
            Some(3),
            "no.env: cannot be read",
        ),
        (
            "[functions.x]\ncommand = 'a'\nenv-file = 'bad.env'",
            Some(3),
            "bad.env:2: ",
        ),
        (
            "[functions.x]\ncommand = 'a'\n[functions.x.url]\nmode = 'x'",
            Some(4),
            "expected",
        ),
        (
            "[defaults]\ncommand = 'a'",
            Some(2),
            "move it to a [functions.NAME]",
        ),
    ] {
        let error = read(&folder, text).unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.line(), line, "{text}: {shown}");
        assert!(shown.contains(part), "{text}: {shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn a_source_with_a_root_is_a_handler_in_the_root_or_an_error() {
    let folder = project();
    for file in ["src/v2.py", "v1.2/app.py", "other/app.py"] {
        folder.write(file, "def handler(event, context): pass");
    }
    folder.write("other/app.mjs", "export const handler = 1");
    std::os::unix::fs::symlink("src/v2.py", folder.path().join("current.py")).unwrap();
    let absolute = folder.path().join("src/v2.py");
    for (root, source, handler) in [
        (".", absolute.to_str().unwrap(), Some("src/v2.handler")),
        (".", "current.py", Some("src/v2.handler")),
        (".", "v1.2/app.py", None),
        ("src", "../other/app.py", None),
    ] {
        let text = format!("[functions.x]\nroot = '{root}'\nsource = '{source}'");
        match (read(&folder, &text), handler) {
            (Ok(found), Some(handler)) => {
                let (language, handler) = (Language::Python, handler.to_owned());
                assert_eq!(found[0].code, Code::Handler { language, handler });
            }
            (Err(error), None) => assert_eq!(error.line(), Some(3), "{error}"),
            (found, _) => panic!("{source}: {found:?}"),
        }
    }
    let text = "[functions.x]\nroot = 'src'\nsource = '../other/app.mjs'";
    let found = &read(&folder, text).unwrap()[0];
    assert_eq!(found.root, folder.path().join("src"));
    let Code::Handler { handler, .. } = &found.code else {
        panic!("{found:?}")
    };
    assert!(handler.ends_with("/other/app.handler"), "{handler}");
}
