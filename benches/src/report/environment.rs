//! Python virtual environments, for peers from the Python Package Index.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::programs::{Place, run};

/// Creates a virtual environment with these packages, in the target folder.
pub fn environment(place: &Place, packages: &[&str]) -> Result<PathBuf> {
    let folder = place.target.join("peers").join(packages.join("-"));
    let done = folder.join("installed");
    if !done.exists() {
        let mut venv = Command::new("python3");
        run(venv
            .args(["-m", "venv"])
            .arg(&folder)
            .env("PATH", &place.path))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet"]).args(packages);
        run(&mut pip)?;
        fs::write(done, "")?;
    }
    Ok(folder)
}
