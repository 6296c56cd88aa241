use super::*;
use crate::functions::testing::Folder;

fn handler(language: Language, handler: &str) -> Code {
    Code::Handler {
        language,
        handler: handler.to_owned(),
    }
}

/// `stream current --local --function current.py` calls it by this name.
#[cfg(unix)]
#[test]
fn a_link_has_its_own_name_and_runs_the_file_that_it_points_to() {
    let folder = Folder::new();
    folder.write("src/v2.py", "def handler(event, context): pass");
    std::os::unix::fs::symlink("src/v2.py", folder.path().join("current.py")).unwrap();
    let spec = argument("current.py", folder.path()).unwrap();
    assert_eq!(spec.name, "current");
    assert_eq!(spec.code, handler(Language::Python, "v2.handler"));
    assert_eq!(spec.root, folder.path().join("src"));
}

#[test]
fn reads_sources_and_commands() {
    let folder = Folder::new();
    folder.write("app.py", "def lambda_handler(event, context): pass");
    folder.write("web/index.mjs", "export const handler = 1");
    folder.program("my-fn");
    folder.program("custom/bootstrap");
    folder.write("my dir/pay it.py", "def handler(event, context): pass");
    let root = fs::canonicalize(folder.path()).unwrap();
    let path = |file: &str| root.join(file).to_str().unwrap().to_owned();
    for (text, name, code, root) in [
        (
            "app.py",
            "app",
            handler(Language::Python, "app.lambda_handler"),
            root.clone(),
        ),
        (
            "./app.py:other",
            "app",
            handler(Language::Python, "app.other"),
            root.clone(),
        ),
        (
            "pay=app.py",
            "pay",
            handler(Language::Python, "app.lambda_handler"),
            root.clone(),
        ),
        (
            "pay=./app.py:handle",
            "pay",
            handler(Language::Python, "app.handle"),
            root.clone(),
        ),
        (
            "pay=my dir/pay it.py:later",
            "pay",
            handler(Language::Python, "pay it.later"),
            root.join("my dir"),
        ),
        (
            "web/index.mjs",
            "index",
            handler(Language::Node, "index.handler"),
            root.join("web"),
        ),
        (
            "./my-fn",
            "my-fn",
            Code::Command(vec![path("my-fn")]),
            root.clone(),
        ),
        (
            "named=custom",
            "named",
            Code::Command(vec![path("custom/bootstrap")]),
            root.join("custom"),
        ),
        (
            "custom",
            "custom",
            Code::Command(vec![path("custom/bootstrap")]),
            root.join("custom"),
        ),
        (
            "chat=./my-fn",
            "chat",
            Code::Command(vec![path("my-fn")]),
            root.clone(),
        ),
    ] {
        let found = argument(text, folder.path()).unwrap();
        assert_eq!(
            (found.name.as_str(), found.code, found.root),
            (name, code, root),
            "{text}"
        );
    }
    let chat = argument("chat=node 'my file.mjs' --x=1", folder.path()).unwrap();
    let words = ["node", "my file.mjs", "--x=1"].map(str::to_owned).to_vec();
    assert_eq!(chat.code, Code::Command(words));
    assert_eq!(chat.root, folder.path());
}

#[test]
fn says_what_would_be_right() {
    let folder = Folder::new();
    for (file, text) in [
        ("handle.py", "def handle(event, context): pass"),
        ("my app.py", "def handler(e, c): pass"),
        ("a.b.py", "def handler(e, c): pass"),
        ("notes.txt", ""),
        ("app.ts", ""),
        ("lambda.toml", ""),
        ("template.yaml", ""),
        ("fn.zip", ""),
        ("empty/x", ""),
    ] {
        folder.write(file, text);
    }
    folder.program("my-fn");
    for (text, part) in [
        (
            "nothing.py",
            "'nothing.py' does not exist; expected a source file",
        ),
        ("x=./nothing", "'./nothing' does not exist"),
        (
            "handle.py",
            "to serve the function handle, write FILE:handle",
        ),
        ("my app.py", "the name of the function is 'my app'"),
        ("a.b.py", "rename the file"),
        ("notes.txt", "make it executable"),
        ("app.ts", "serve the compiled file"),
        ("lambda.toml", "use --config"),
        ("template.yaml", "use --sam"),
        ("fn.zip", "unpack it"),
        ("empty", "executable file 'bootstrap'"),
        ("my-fn:handler", "no handler 'handler' to choose"),
        ("x=", "NAME=SOURCE or NAME='COMMAND'"),
        ("a b=./my-fn", "1 to 64 letters"),
        ("x=node 'a", "a quote is not closed"),
    ] {
        let error = argument(text, folder.path()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_file_that_another_one_hides_is_rejected_with_both_names() {
    let folder = Folder::new();
    for file in ["index.js", "index.mjs", "fn.cjs", "fn"] {
        folder.write(file, "exports.handler = 1");
    }
    for file in ["app.py", "app/__init__.py", "dot.py"] {
        folder.write(file, "def handler(event, context): pass");
    }
    for (named, other) in [
        ("index.mjs", "index.js"),
        ("fn.cjs", "fn"),
        ("app.py", "app/__init__.py"),
        ("one=app.py:handler", "app/__init__.py"),
    ] {
        let error = argument(named, folder.path()).unwrap_err().to_string();
        let other = folder.path().join(other);
        let part = format!("would not be run, but {}; ", other.display());
        assert!(error.contains(&part), "{named}: {error}");
    }
    assert!(argument("index.js", folder.path()).is_ok());
    let error = argument("dot.py:a.b", folder.path()).unwrap_err();
    assert!(error.to_string().contains("a name without dots"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_text_is_bounded_whatever_it_is_read_from() {
    let error = read(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error, Problem::TooLarge { limit: LARGEST }));
    assert_eq!(read(Path::new("/dev/null")).unwrap(), "");
    let folder = Folder::new();
    let path = folder.path().join("latin1");
    fs::write(&path, b"Zo\xeb").unwrap();
    let error = read(&path).unwrap_err();
    assert_eq!(error.to_string(), "cannot be read: it is not UTF-8 text");
}

#[test]
fn finds_the_file_of_a_handler() {
    let folder = Folder::new();
    for file in [
        "app.py",
        "both.py",
        "both/__init__.py",
        "src/app.py",
        "pkg/__init__.py",
        "index.mjs",
        "dist/main.js",
    ] {
        folder.write(file, "");
    }
    for (language, handler, file) in [
        (Language::Python, "app.lambda_handler", Some("app.py")),
        (Language::Python, "./app.handler", Some("app.py")),
        (Language::Python, "src/app.handler", Some("src/app.py")),
        (Language::Python, "src.app.handler", Some("src/app.py")),
        (Language::Python, "pkg.handler", Some("pkg/__init__.py")),
        (Language::Python, "both.handler", Some("both/__init__.py")),
        (Language::Python, "handler", None),
        (Language::Python, "none.handler", None),
        (Language::Node, "index.handler", Some("index.mjs")),
        (Language::Node, "./dist/main.api.get", Some("dist/main.js")),
        (Language::Node, "dist/main", None),
    ] {
        let expected = file.map(|file| folder.path().join(file));
        assert_eq!(
            module(folder.path(), language, handler),
            expected,
            "{handler}"
        );
    }
}
