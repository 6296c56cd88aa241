//! The manual pages in the folder `man` of the package, generated from the commands.
//!
//! They are files of the package rather than output of the program, so that the program does not
//! contain the generator, and a packager needs no build step. A test keeps them up to date:
//! `UPDATE_DOCS=1 cargo test -p lambda-invoke-cli --bins man` writes them.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

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
    // The generator would fill the lines of examples, under the heading "EXTRA".
    let man = Man::new(command.clone().after_help(None::<&str>))
        .title(name)
        // Without a date, so that the pages change only with the commands.
        .date(" ")
        .source("lambda-invoke")
        .manual("User Commands");
    man.render(&mut text).unwrap();
    let help = command.get_after_help().map(ToString::to_string);
    extra(&help.unwrap_or_default())
        .to_writer(&mut text)
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    // The generator capitalizes headings, which is wrong for units.
    let units = ".SH \"TIMEOUTS (30, 1.5, 500MS, 2M; 0 FOR NONE)\"\n";
    let right = ".SH TIMEOUTS\nIn seconds, or with a unit: 30, 1.5, 500ms, 2m; 0 for none.\n";
    (format!("{name}.1"), text.replace(units, right))
}

/// The sections after the options in `--help`: paragraphs, then tables and examples, whose lines
/// stay unchanged.
fn extra(help: &str) -> Roff {
    let (notes, lists): (Vec<_>, Vec<_>) = help
        .split("\n\n")
        .filter(|paragraph| !paragraph.is_empty())
        .partition(|paragraph| heading(paragraph).is_none());
    let mut roff = Roff::default();
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
    }
    for paragraph in notes {
        roff.control("PP", []);
        lines(&mut roff, paragraph);
    }
    for list in lists {
        if let Some((heading, rest)) = heading(list) {
            roff.control("SH", [heading]);
            lines(&mut roff, rest);
        }
    }
    roff
}

/// The heading of a list that has its own section, and its lines.
fn heading(paragraph: &str) -> Option<(&'static str, &str)> {
    [
        ("Examples:\n", "EXAMPLES"),
        ("Exit codes:\n", "EXIT STATUS"),
    ]
    .into_iter()
    .find_map(|(first, heading)| Some((heading, paragraph.strip_prefix(first)?)))
}

/// Lines that are filled, except for indented ones.
fn lines(roff: &mut Roff, text: &str) {
    let mut is_literal = false;
    for line in text.lines() {
        if line.starts_with(' ') != is_literal {
            is_literal = !is_literal;
            roff.control(if is_literal { "nf" } else { "fi" }, []);
        }
        roff.text([roman(line)]);
    }
    if is_literal {
        roff.control("fi", []);
    }
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

#[test]
fn examples_and_tables_keep_their_lines() {
    let roff = extra("Some words\nthat are filled.\n\nExamples:\n  a -b\n  c\n\nThen:\n  d");
    assert_eq!(
        roff.render().split_once(".SH").unwrap().1,
        " NOTES\n.PP\nSome words\nthat are filled.\n.PP\nThen:\n.nf\n  d\n.fi\n.SH EXAMPLES\n.nf\n  \
         a \\-b\n  c\n.fi\n"
    );
    for (_, page) in pages() {
        assert!(
            !page.contains("SH EXTRA") && !page.contains("500MS"),
            "{page}"
        );
    }
}
