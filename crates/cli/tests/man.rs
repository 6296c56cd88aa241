//! The manual pages in the package, as `man` renders them.
#![allow(clippy::unwrap_used, clippy::panic)] // It is a test.

#[path = "../../runtime/tests/support/tools.rs"]
mod tools;

use std::path::Path;
use std::process::Command;

#[test]
fn every_page_renders_without_a_warning() {
    if tools::lacks(&["groff"]) {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut groff = Command::new("groff");
        // All warnings; without colors and overstrikes.
        groff.args(["-man", "-ww", "-Tutf8", "-P-cbou"]).arg(&path);
        let output = groff.output().unwrap();
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && warnings.is_empty(), "{warnings}");
        let page = String::from_utf8_lossy(&output.stdout);
        for heading in ["\nNAME\n", "\nSYNOPSIS\n", "\nOPTIONS\n"] {
            assert!(page.contains(heading), "{}: {heading}", path.display());
        }
        // Requests of roff that were meant as text, or text that was taken for a request.
        let is_raw =
            |line: &&str| line.trim_start().starts_with(['.', '\'']) || line.contains("\\f");
        assert_eq!(page.lines().find(is_raw), None, "{}", path.display());
        count += 1;
    }
    assert!(count > 10, "{count} pages");
}
