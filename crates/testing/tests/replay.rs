//! Replays the committed fuzz corpora, so that a fixed bug does not return.

use std::fs;
use std::path::Path;

use lambda_invoke_testing::{TARGETS, corpus};

fn fuzz_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn every_corpus_still_holds_its_property() {
    for (name, property) in TARGETS {
        let seeds = corpus::seeds(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (path, seed) in seeds {
            // Printed before the run, so that a failure shows its seed.
            println!("{}", path.display());
            property(&seed);
        }
    }
}

/// The fuzz targets of other codecs and signers. Their properties and seeds are those of ours, and
/// `benches/tests/differential.rs` replays the seeds: these dependencies are not in this workspace.
const PEERS: [&str; 2] = ["event_stream_aws", "sigv4_aws"];

#[test]
fn every_property_is_a_fuzz_target_and_every_target_a_property() {
    let mut targets: Vec<String> = fs::read_dir(fuzz_folder().join("fuzz_targets"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    targets.sort();
    let names = TARGETS.iter().map(|(name, _)| *name);
    let mut properties: Vec<&str> = names.chain(PEERS).collect();
    properties.sort_unstable();
    assert_eq!(targets, properties);
}

#[test]
fn every_target_has_a_row_of_results() {
    let page = fs::read_to_string(fuzz_folder().join("../docs/fuzzing.md")).unwrap();
    let (_, results) = page.split_once("\n## Results\n").unwrap();
    let names = TARGETS.iter().map(|(name, _)| *name);
    for name in names.chain(PEERS) {
        let row = format!("\n| `{name}` | ");
        assert_eq!(results.matches(&row).count(), 1, "{name}");
    }
}
