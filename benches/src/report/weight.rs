//! The weight of a caller: the number of crates, the size in bytes, and the CPU time of a clean
//! build.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::programs::{CLIENTS, Place, WITH_PROFILE, run};
use crate::rows::{Goal, Row, number};
use crate::start::children_cpu;
use crate::{Report, Result};

pub fn weight(place: &Place, report: &mut Report) -> Result<Vec<Row>> {
    let row = |name: &str, measured, unit, goal, detail| Row {
        part: "weight",
        name: name.to_owned(),
        measured,
        unit,
        goal,
        detail,
    };
    let mut rows = Vec::new();

    let facade = crates(&place.project().join("Cargo.toml"), "lambda-invoke")?;
    let workspace = place.benches.join("Cargo.toml");
    let sdk_crates = crates(&workspace, "bench-client-sdk")?.len() - 1;
    let bare = crates(&workspace, "bench-client-bare")?.len() - 1;
    report.raw(
        "crates",
        json!({ "lambda-invoke": facade, "bare": bare, "sdk": sdk_crates }),
    );
    rows.push(row(
        "facade with TLS, crates in `cargo tree -e normal`",
        facade.len() as f64,
        "",
        Goal::AtMost(60.0),
        format!("including itself; caller with aws-sdk-lambda {sdk_crates}, bare {bare}"),
    ));

    let with_credentials = crates(&workspace, "bench-client-credentials")?.len() - 1;
    rows.push(row(
        "facade with TLS and credentials, crates",
        with_credentials as f64,
        "",
        Goal::AtMost(facade.len() as f64 + 8.0),
        format!("including both; the facade alone {}", facade.len()),
    ));

    // The minimal callers, each built without the features for load generators.
    let builds = clean_builds(place, report)?;
    let of = |client: &str, key: &str| builds.get(client).and_then(|build| build[key].as_f64());
    let sdk = |key, unit: &str| match of("sdk", key) {
        Some(value) => format!("aws-sdk-lambda {}{unit}", number(value)),
        None => "aws-sdk-lambda not built clean by a --quick run".to_owned(),
    };
    let both = |key| Some((of("ours", key)?, of("bare", key)?));
    let (ours, bare) = both("mb").ok_or("a clean build left no program")?;
    rows.push(row(
        "facade with TLS, stripped size of a minimal caller",
        ours,
        " MB",
        Goal::AtMost(3.0),
        format!("bare {} MB, {}", number(bare), sdk("mb", " MB")),
    ));
    let (ours, bare) = both("cpu_s").ok_or("a clean build was not timed")?;
    let kept = builds.values().any(|build| build["kept"] == true);
    let kept = if kept {
        "; as an earlier run built them"
    } else {
        ""
    };
    rows.push(row(
        "facade with TLS, clean-build CPU relative to the bare TLS client's",
        ours / bare,
        "x",
        Goal::AtMost(1.8),
        format!(
            "{} CPU-s, bare {}, {}{kept}",
            number(ours),
            number(bare),
            sdk("cpu_s", "")
        ),
    ));
    let with_credentials = |key| of(WITH_PROFILE, key).ok_or("a clean build was not measured");
    let (cpu, alone) = (with_credentials("cpu_s")?, ours);
    let (mb, mb_alone) = (
        with_credentials("mb")?,
        of("ours", "mb").unwrap_or(f64::NAN),
    );
    rows.push(row(
        "facade with TLS and credentials, stripped size of a minimal caller",
        mb,
        " MB",
        Goal::Fact,
        format!("without credentials {} MB", number(mb_alone)),
    ));
    rows.push(row(
        "facade with TLS and credentials, clean-build CPU relative to the facade's alone",
        cpu / alone,
        "x",
        Goal::Fact,
        format!("{} CPU-s, alone {}{kept}", number(cpu), number(alone)),
    ));
    rows.extend(program(place)?.map(|mb| {
        row(
            "program, size as one static file",
            mb,
            " MB",
            Goal::Fact,
            "built for x86_64-unknown-linux-musl".to_owned(),
        )
    }));
    Ok(rows)
}

/// Builds the program as one static file, and returns its size in MB, or `None` if this machine
/// cannot build it.
fn program(place: &Place) -> Result<Option<f64>> {
    const TARGET: &str = "x86_64-unknown-linux-musl";
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--target", TARGET]);
    cargo.args(["--package", "lambda-invoke-cli"]);
    cargo.current_dir(place.project());
    if run(cargo.env("CARGO_TARGET_DIR", &place.target)).is_err() {
        return Ok(None);
    }
    let path = place.target.join(TARGET).join("release/lambda-invoke");
    Ok(Some(std::fs::metadata(path)?.len() as f64 / 1e6))
}

/// Returns the number of crates of a package with its default features, including itself, on this
/// machine.
fn crates(manifest: &std::path::Path, package: &str) -> Result<BTreeSet<String>> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--package",
        package,
    ]);
    let tree = run(cargo
        .args(["--format", "{p}"])
        .arg("--manifest-path")
        .arg(manifest))?;
    // A path and a mark follow the version.
    let crates = tree
        .lines()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    Ok(crates.filter(|line| !line.is_empty()).collect())
}

fn clean_folder(place: &Place, client: &str) -> std::path::PathBuf {
    place.target.join("clean").join(client)
}

/// Builds each minimal caller from a clean state. With `--quick`, the times of an earlier run are
/// used and marked, and the SDK's caller, which takes minutes, is not built.
fn clean_builds(place: &Place, report: &mut Report) -> Result<BTreeMap<&'static str, Value>> {
    let mut builds = BTreeMap::new();
    for client in CLIENTS.into_iter().chain([WITH_PROFILE]) {
        let folder = clean_folder(place, client);
        let note = folder.join("build.json");
        if report.quick && note.exists() {
            let mut build: Value = serde_json::from_str(&std::fs::read_to_string(&note)?)?;
            build["kept"] = true.into();
            builds.insert(client, build);
            continue;
        }
        if report.quick && client == "sdk" {
            continue;
        }
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let (package, program) = (format!("bench-client-{client}"), format!("first-{client}"));
        let before = children_cpu()?;
        let mut cargo = Command::new("cargo");
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--package",
            &package,
            "--bin",
            &program,
        ]);
        run(cargo
            .current_dir(&place.benches)
            .env("CARGO_TARGET_DIR", &folder))?;
        let cpu_s = (children_cpu()? - before).as_secs_f64();
        let size = std::fs::metadata(folder.join("release").join(&program))?.len();
        let build = json!({ "client": client, "cpu_s": cpu_s, "mb": size as f64 / 1e6 });
        std::fs::write(&note, build.to_string())?;
        report.raw("build", build.clone());
        builds.insert(client, build);
    }
    Ok(builds)
}
