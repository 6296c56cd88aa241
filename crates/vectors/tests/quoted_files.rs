//! Files that the documentation quotes are quoted verbatim, so that a reader copies what the checks
//! build.
//!
//! `UPDATE_DOCS=1` copies the files into the documentation.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- file: ";

#[test]
fn quoted_files_are_quoted_verbatim() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut quoted = 0;
    for name in ["benchmarking.md", "fuzzing.md"] {
        let path = root.join("docs").join(name);
        let page = fs::read_to_string(&path).unwrap();
        let mut right = String::new();
        let mut parts = page.split(BEGIN);
        right.push_str(parts.next().unwrap());
        for part in parts {
            let (file, rest) = part.split_once(" -->\n```rust\n").unwrap();
            let (_, rest) = rest.split_once("```\n").unwrap();
            let source = fs::read_to_string(root.join(file)).unwrap();
            right.push_str(&format!("{BEGIN}{file} -->\n```rust\n{source}```\n{rest}"));
            quoted += 1;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &right).unwrap();
        } else {
            assert!(page == right, "{name} quotes a file as it was before");
        }
    }
    assert_eq!(quoted, 2);
}
