//! Every public item of the facade is used in an example: in its own documentation, that of another
//! item, the README, the manual, or a program in `examples`. Exceptions are listed with a reason.
//!
//! Methods are found in examples by name only, so one example covers all methods of that name.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::sources;
use syn::{ImplItem, Item, UseTree, Visibility};

/// Items without an example, and why they need none. A star stands for any ending.
const REASONS: &[(&str, &str)] = &[
    (
        "Call::maybe_*",
        "as the method without `maybe_`; `maybe_tenant_id` is shown",
    ),
    ("Call", "named by its aliases `InvokeCall` and `StreamCall`"),
    ("BoxError", "an alias for any error"),
    (
        "CredentialsError",
        "the error of `Credentials::new`, which is shown",
    ),
    ("InvalidPort", "the error of `port_of`, which is shown"),
    (
        "LoggedFailure",
        "what `Reply::logged_failure` returns, which is shown",
    ),
    (
        "ReportedVersion",
        "what `executed_version` returns, which is shown",
    ),
    (
        "StreamException",
        "what `Error::stream_exception` returns, which is shown",
    ),
    (
        "CallFuture",
        "the future of `.await` on a call, which nobody has to name",
    ),
    (
        "IntoProvider*",
        "a bound of `ClientBuilder::credentials`, which is shown",
    ),
    ("Provider", "a marker that the compiler infers"),
    ("Closure", "a marker that the compiler infers"),
    ("InvokeOperation", "sealed: a bound in signatures"),
];

/// Whether a code block is Rust, by what follows its first three backticks.
fn is_example(language: &str) -> bool {
    let attributes = ["rust", "no_run", "compile_fail", "should_panic", "ignore"];
    let mut words = language.split([',', ' ']);
    language.is_empty() || words.any(|word| attributes.contains(&word))
}

/// The lines within Rust code blocks, of a page or of doc comments.
fn code_blocks(text: &str, is_rust: bool) -> String {
    let (mut code, mut is_code, mut is_block) = (String::new(), false, false);
    for line in text.lines() {
        let line = line.trim_start();
        let line = match is_rust {
            false => Some(line),
            true => line
                .strip_prefix("///")
                .or_else(|| line.strip_prefix("//!")),
        };
        match line.map(str::trim_start) {
            None => (is_code, is_block) = (false, false),
            Some(line) if line.starts_with("```") => {
                is_block = !is_block;
                is_code = is_block && is_example(line.trim_start_matches('`'));
            }
            Some(line) if is_code => {
                code.push_str(line);
                code.push('\n');
            }
            Some(_) => {}
        }
    }
    code
}

/// All example code in a crate's documentation.
fn examples(krate: &Path) -> String {
    let mut code = String::new();
    for path in sources(&krate.join("src")) {
        code.push_str(&code_blocks(&fs::read_to_string(path).unwrap(), true));
    }
    let manual = fs::read_dir(krate.join("manual")).into_iter().flatten();
    let pages = manual.map(|entry| entry.unwrap().path());
    for path in pages.chain([krate.join("README.md")]) {
        code.push_str(&code_blocks(&fs::read_to_string(path).unwrap(), false));
    }
    for path in sources(&krate.join("examples")) {
        code.push_str(&fs::read_to_string(path).unwrap());
    }
    code
}

/// Whether a name is used: as a whole word, and if it is a method, after a dot or two colons.
fn is_used(name: &str, is_method: bool, code: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        !before.ends_with(is_word)
            && !after.starts_with(is_word)
            && (!is_method || before.ends_with(['.', ':']))
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The names that a `pub use` exports, except for whole crates.
fn reexported(tree: &UseTree, is_within: bool, found: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => reexported(&path.tree, true, found),
        UseTree::Group(group) => {
            for tree in &group.items {
                reexported(tree, is_within, found);
            }
        }
        UseTree::Name(name) if is_within && name.ident != "self" => {
            found.insert(name.ident.to_string());
        }
        UseTree::Rename(rename) if is_within => {
            found.insert(rename.rename.to_string());
        }
        UseTree::Name(_) | UseTree::Rename(_) => {}
        UseTree::Glob(_) => panic!("the facade names what it re-exports"),
    }
}

/// The public items of the facade: those that it defines, and those that it re-exports.
struct Items {
    own: BTreeSet<String>,
    reexported: BTreeSet<String>,
}

/// The public items in the facade's files: types, traits, functions, and `Type::method`. Because of
/// the workspace's lints, every `pub` item is reachable.
fn public_items(facade: &Path) -> Items {
    let mut found = BTreeSet::new();
    let mut reexports = BTreeSet::new();
    for path in sources(&facade.join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let is_root = path.ends_with("src/lib.rs");
        for item in syn::parse_file(&text).unwrap().items {
            let (visibility, name) = match &item {
                Item::Struct(one) => (&one.vis, &one.ident),
                Item::Enum(one) => (&one.vis, &one.ident),
                Item::Trait(one) => (&one.vis, &one.ident),
                Item::Type(one) => (&one.vis, &one.ident),
                Item::Const(one) => (&one.vis, &one.ident),
                Item::Static(one) => (&one.vis, &one.ident),
                Item::Mod(one) => {
                    let items = one.content.iter().flat_map(|(_, items)| items);
                    // Those of tests, and of the manual, whose pages are modules without items.
                    let is_listed = !is_public(&one.vis) || items.count() == 0;
                    assert!(is_listed, "{} has items that are not listed", one.ident);
                    continue;
                }
                Item::Fn(one) => (&one.vis, &one.sig.ident),
                Item::Use(one) if is_root && is_public(&one.vis) => {
                    reexported(&one.tree, false, &mut reexports);
                    continue;
                }
                Item::Impl(block) if block.trait_.is_none() => {
                    let syn::Type::Path(of) = &*block.self_ty else {
                        continue;
                    };
                    let of = &of.path.segments.last().unwrap().ident;
                    for item in &block.items {
                        let (visibility, name) = match item {
                            ImplItem::Fn(method) => (&method.vis, &method.sig.ident),
                            ImplItem::Const(one) => (&one.vis, &one.ident),
                            _ => continue,
                        };
                        if is_public(visibility) {
                            found.insert(format!("{of}::{name}"));
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            if is_public(visibility) {
                found.insert(name.to_string());
            }
        }
    }
    Items {
        // The facade's own modules are re-exported, too.
        reexported: &reexports - &found,
        own: found,
    }
}

fn reason(item: &str) -> Option<&'static (&'static str, &'static str)> {
    REASONS
        .iter()
        .find(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(start) => item.starts_with(start),
            None => *pattern == item,
        })
}

#[test]
fn every_public_item_of_the_facade_has_an_example_or_a_reason() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let facade = crates.join("lambda-invoke");
    let code = examples(&facade);
    // An item that is defined in another crate has its example there.
    let mut elsewhere = code.clone();
    for folder in ["error", "input", "protocol", "sigv4", "transport"] {
        elsewhere.push_str(&examples(&crates.join(folder)));
    }
    let Items { own, reexported } = public_items(&facade);
    let counts = (own.len(), reexported.len());
    assert!(counts.0 > 120 && counts.1 > 30, "{counts:?}");
    let own = own.iter().map(|item| (item, &code));
    let items = own.chain(reexported.iter().map(|item| (item, &elsewhere)));
    let mut used_reasons = BTreeSet::new();
    let mut missing = Vec::new();
    for (item, code) in items {
        let name = item.rsplit("::").next().unwrap();
        let is_shown = is_used(name, item.contains("::"), code);
        match reason(item) {
            _ if is_shown => {}
            Some((pattern, _)) => {
                used_reasons.insert(*pattern);
            }
            None => missing.push(item),
        }
    }
    assert!(missing.is_empty(), "without an example: {missing:#?}");
    let unused: Vec<_> = REASONS
        .iter()
        .filter(|(pattern, _)| !used_reasons.contains(pattern))
        .collect();
    assert!(unused.is_empty(), "reasons for what is shown: {unused:#?}");
}

#[test]
fn only_code_blocks_and_whole_names_count() {
    let text = "/// `call` in prose\n/// ```text\n/// x.call()\n/// ```\n/// ```no_run\n\
        /// client.send();\n/// ```\nfn call() {}\n";
    let code = code_blocks(text, true);
    assert_eq!(code, "client.send();\n");
    assert!(is_used("send", true, &code) && is_used("client", false, &code));
    assert!(!is_used("call", false, &code) && !is_used("sen", true, &code));
    assert!(!is_used("client", true, &code));
}
