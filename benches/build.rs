//! Collects the contenders: each file in `src/codecs` and `src/signers` is a module whose type
//! `Contender` takes part in every comparison. Adding one needs no other change here.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let sources = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    for (folder, kind) in [("codecs", "Codec"), ("signers", "Signer")] {
        let folder = sources.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
            .collect();
        files.sort();
        let (mut modules, mut visits) = (String::new(), String::new());
        for path in files {
            let name = path.file_stem().unwrap().to_str().unwrap();
            writeln!(modules, "#[path = {path:?}]\npub mod {name};").unwrap();
            writeln!(
                visits,
                "    visit.{}::<{name}::Contender>();",
                kind.to_lowercase()
            )
            .unwrap();
        }
        let text = format!(
            "{modules}\n/// Visits the type of each file, in the order of their names.\n\
             pub fn visit_all(visit: &mut impl super::Visit{kind}s) {{\n{visits}}}\n"
        );
        fs::write(out.join(format!("{}s.rs", kind.to_lowercase())), text).unwrap();
    }
}
