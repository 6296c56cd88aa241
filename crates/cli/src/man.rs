//! The manual pages in the folder `man` of the package, generated from the commands.
//!
//! They are files of the package rather than output of the program, so that the program does not
//! carry the generator, and a packager needs no build step. A test keeps them up to date:
//! `UPDATE_DOCS=1 cargo test -p lambda-invoke-cli --bins man` writes them.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

/// Every page by the name of its file.
fn pages() -> Vec<(String, String)> {
    let mut command = crate::Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![page(&command)];
    pages.extend(command.get_subcommands().map(page));
    pages
}

fn page(command: &clap::Command) -> (String, String) {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    let man = Man::new(command.clone())
        .title(name)
        .source("lambda-invoke")
        .manual("User Commands");
    // Without a date, so that the pages change only with the commands.
    man.render(&mut text).unwrap();
    (format!("{name}.1"), String::from_utf8(text).unwrap())
}

#[test]
fn the_manual_pages_are_those_of_the_commands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = pages();
    assert!(pages.len() > 8);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            found == *text,
            "man/{name} is out of date: run this test with UPDATE_DOCS=1"
        );
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), pages.len());
}
