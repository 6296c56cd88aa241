//! A file that is named is the file that runs, whatever else has its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::time::Duration;

use lambda_invoke_runtime::{Pool, Program};
use support::{Folder, invoke};

/// Calls a function of a file, which returns the name of the file that runs.
async fn file_of(folder: &Folder, name: &str) -> String {
    let program = Program::source(folder.path().join(name)).unwrap();
    let program = program
        .timeout(Duration::from_secs(20))
        .init_timeout(Duration::from_secs(60));
    let called = invoke(&Pool::new(program), "{}").await;
    assert_eq!(called.error_type(), "", "{name}: {}", called.body());
    called.text()
}

const OFFICIAL_NODE: &str = "exports.run = () => { throw new Error('it loads another file'); };\n";

#[tokio::test]
async fn a_javascript_file_runs_although_another_comes_first() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let files = [
        ("index.js", "exports.handler = async () =>"),
        ("index.mjs", "export const handler = async () =>"),
        ("index.cjs", "exports.handler = async () =>"),
        ("a.b.mjs", "export const handler = async () =>"),
        ("a.js", "exports.b = { handler: async () => 'a.js' }; //"),
    ];
    for (name, start) in files {
        folder.file(name, &format!("{start} '{name} ' + process.argv.length;\n"));
    }
    let others = &files[1..4];
    for (name, _) in others {
        assert_eq!(file_of(&folder, name).await, format!("\"{name} 1\""));
    }
    // The official client, which finds a file by the handler's name, is used only where that is the one.
    folder.file("node_modules/aws-lambda-ric/index.js", OFFICIAL_NODE);
    for (name, _) in others {
        assert_eq!(file_of(&folder, name).await, format!("\"{name} 1\""));
    }
    let program = Program::source(folder.path().join("index.js")).unwrap();
    let called = invoke(&Pool::new(program), "{}").await;
    assert!(called.report.outcome.failure().is_some());
}

const OFFICIAL_PYTHON: &str = "def main(arguments): raise Exception('it imports another file')\n";

#[tokio::test]
async fn a_python_file_runs_although_another_comes_first() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    // One has a package beside it, one a name with a dot, and the others the names of modules that are part
    // of the interpreter, or that the client imports.
    let files = ["app.py", "a.b.py", "time.py", "json.py"];
    for name in files {
        let text = "import json, sys\n\
            def handler(event, context):\n\
            \x20   assert json.loads('1') == 1\n\
            \x20   return [__file__.rpartition('/')[2], *sys.argv]\n";
        folder.file(name, text);
    }
    folder.file("app/__init__.py", "def handler(event, context): return 1\n");
    folder.file("b.py", "def handler(event, context): return 1\n");
    for name in files {
        let stem = name.strip_suffix(".py").unwrap();
        let expected = format!("[\"{name}\", \"{stem}.handler\"]");
        assert_eq!(file_of(&folder, name).await, expected);
    }
    // The official client, which imports the module of the handler's name, is used only where that is the file.
    folder.file("awslambdaric/__init__.py", "");
    folder.file("awslambdaric/__main__.py", OFFICIAL_PYTHON);
    folder.file("plain.py", "def handler(event, context): return 1\n");
    for name in ["app.py", "a.b.py"] {
        assert!(file_of(&folder, name).await.contains(name));
    }
    let program = Program::source(folder.path().join("plain.py")).unwrap();
    let called = invoke(&Pool::new(program), "{}").await;
    assert!(called.report.outcome.failure().is_some());
}
