//! The source files of a function, and their state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::functions::source;
use crate::functions::spec::{Code, FunctionSpec, Language};

/// The maximum number of files and folders that a scan examines.
const MOST: usize = 20_000;

/// The maximum depth of folders below the root.
const DEEPEST: usize = 16;

/// Folders of dependencies, build output and caches, in addition to hidden ones.
const OTHERS: &[&str] = &[
    "__pycache__",
    "build",
    "cdk.out",
    "coverage",
    "dist",
    "node_modules",
    "out",
    "site-packages",
    "target",
    "venv",
];

/// Which files are the source of a function.
#[derive(Debug)]
pub(super) struct Sources {
    root: PathBuf,
    /// The language whose files in the root are watched.
    language: Option<Language>,
    /// A folder of the handler's file that would not be scanned, since its name is that of build output.
    output: Option<PathBuf>,
    /// Further files that are watched.
    files: Vec<PathBuf>,
    ignored: BTreeSet<PathBuf>,
}

/// The state of the files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    files: BTreeMap<PathBuf, (SystemTime, u64)>,
    is_complete: bool,
}

/// A file that changed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// The time at which it was written; `None` if it was removed.
    pub(super) time: Option<SystemTime>,
    /// Whether it did not exist before.
    pub(super) is_new: bool,
}

/// A scan of the folders of the source.
struct Scan {
    language: Language,
    /// How many further files and folders may be examined.
    left: usize,
    /// The folders outside of the root to which links lead.
    linked: BTreeSet<PathBuf>,
    snapshot: Snapshot,
}

impl Sources {
    pub(super) fn of(spec: &FunctionSpec) -> Self {
        let (language, files) = match &spec.code {
            Code::Handler { language, handler } => {
                let file = source::module(&spec.root, *language, handler);
                (Some(*language), Vec::from_iter(file))
            }
            Code::Command(words) => {
                let files: Vec<_> = words.iter().map(|word| spec.root.join(word)).collect();
                let files: Vec<_> = files.into_iter().filter(|path| path.is_file()).collect();
                let mut languages = files.iter().filter_map(|path| language(path));
                (languages.next(), files)
            }
        };
        let folders = files.iter().filter_map(|file| file.parent());
        let output = folders.filter(|folder| is_output(&spec.root, folder));
        Self {
            root: spec.root.clone(),
            language,
            output: output.map(Path::to_owned).next(),
            files,
            ignored: BTreeSet::new(),
        }
    }

    /// Stops watching a file.
    pub(super) fn ignore(&mut self, path: PathBuf) {
        self.ignored.insert(path);
    }

    /// A path, relative to the root if it is in the root.
    pub(super) fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        relative.display().to_string()
    }

    /// Reads the state of the files.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            files: BTreeMap::new(),
            is_complete: true,
        };
        for path in &self.files {
            self.add(path, &mut snapshot);
        }
        if let Some(language) = self.language {
            let mut scan = Scan {
                language,
                left: MOST,
                linked: BTreeSet::new(),
                snapshot,
            };
            self.scan(&self.root, DEEPEST, &mut scan);
            if let Some(output) = &self.output {
                self.scan(output, DEEPEST, &mut scan);
            }
            snapshot = scan.snapshot;
            snapshot.is_complete = scan.left > 0;
        }
        snapshot
    }

    fn scan(&self, folder: &Path, depth: usize, scan: &mut Scan) {
        // A folder that cannot be read, or is just being removed, has no files.
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            scan.left = scan.left.saturating_sub(1);
            if scan.left == 0 {
                return;
            }
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            if is_folder {
                let is_due = depth > 0 && !is_other(&name, &path);
                if is_due && (kind.is_dir() || self.is_elsewhere(&path, scan)) {
                    self.scan(&path, depth - 1, scan);
                }
            } else if is_source(&path, &name, scan.language) {
                self.add(&path, &mut scan.snapshot);
            }
        }
    }

    /// Whether a link leads to a folder that is not scanned otherwise: neither within the root nor around
    /// it, and not linked before.
    fn is_elsewhere(&self, link: &Path, scan: &mut Scan) -> bool {
        fs::canonicalize(link).is_ok_and(|target| {
            let is_related = target.starts_with(&self.root) || self.root.starts_with(&target);
            !is_related && scan.linked.insert(target)
        })
    }

    fn add(&self, path: &Path, snapshot: &mut Snapshot) {
        // Symbolic links are followed, because the file that a link points to is the one that runs.
        let Ok(found) = fs::metadata(path) else {
            return;
        };
        let Ok(time) = found.modified() else {
            return;
        };
        if found.is_file() && !self.ignored.contains(path) {
            snapshot.files.insert(path.to_owned(), (time, found.len()));
        }
    }
}

impl Snapshot {
    /// Whether all files were examined.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The files that differ from an earlier state: those that were written, then those that were removed.
    pub(super) fn changes(&self, before: &Self) -> Vec<Change> {
        let written = self
            .files
            .iter()
            .filter(|(path, state)| before.files.get(*path) != Some(state))
            .map(|(path, (time, _))| Change {
                path: path.clone(),
                time: Some(*time),
                is_new: !before.files.contains_key(path),
            });
        let removed = before
            .files
            .keys()
            .filter(|path| !self.files.contains_key(*path))
            .map(|path| Change {
                path: path.clone(),
                time: None,
                is_new: false,
            });
        written.chain(removed).collect()
    }

    /// Removes a file that is no longer watched.
    pub(super) fn forget(&mut self, path: &Path) {
        self.files.remove(path);
    }
}

/// Removes what Python compiled from an earlier state of a file. Python compares only the time
/// in whole seconds and the size, so it would run the earlier code after two changes within
/// one second.
pub(super) fn remove_compiled(source: &Path, written: SystemTime) {
    let (Some(folder), Some(stem)) = (source.parent(), source.file_stem()) else {
        return;
    };
    let begin = format!("{}.", stem.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder.join("__pycache__")) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_older = || {
            let compiled = entry.metadata().and_then(|found| found.modified());
            compiled.is_ok_and(|compiled| compiled <= written)
        };
        if name.starts_with(&begin) && name.ends_with(".pyc") && is_older() {
            // If it cannot be removed, Python may run the earlier code.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn language(path: &Path) -> Option<Language> {
    path.extension()
        .and_then(|extension| Language::of_extension(extension.to_str()?))
}

fn is_source(path: &Path, name: &str, language: Language) -> bool {
    let is_manifest = language == Language::Node && name == "package.json";
    !name.starts_with('.') && (self::language(path) == Some(language) || is_manifest)
}

/// Whether a folder below the root is not scanned with it.
fn is_output(root: &Path, folder: &Path) -> bool {
    let Ok(below) = folder.strip_prefix(root) else {
        return false;
    };
    let mut path = root.to_owned();
    below.iter().any(|name| {
        path.push(name);
        is_other(&name.to_string_lossy(), &path)
    })
}

/// Whether a folder contains something other than source: dependencies, build output, caches.
fn is_other(name: &str, path: &Path) -> bool {
    name.starts_with('.')
        || OTHERS.contains(&name)
        || name.ends_with(".dist-info")
        || name.ends_with(".egg-info")
        // A virtual environment, whatever its name.
        || path.join("pyvenv.cfg").exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::Folder;

    fn names(folder: &Folder, function: &str) -> Vec<String> {
        let spec = source::argument(function, folder.path()).unwrap();
        let sources = Sources::of(&spec);
        let snapshot = sources.snapshot();
        snapshot
            .files
            .keys()
            .map(|path| sources.shown(path))
            .collect()
    }

    #[test]
    fn watches_source_but_not_dependencies_output_and_caches() {
        let folder = Folder::new();
        for file in [
            "app.py",
            "lib/util.py",
            "lib/__pycache__/util.py",
            "data.json",
            "notes.txt",
            ".hidden.py",
            ".venv/lib/x.py",
            "env/pyvenv.cfg",
            "env/lib/x.py",
            "node_modules/x/index.js",
            "build/x.py",
            "dist/x.js",
            "index.mjs",
            "package.json",
            "other.cjs",
        ] {
            folder.write(file, "handler = 1; exports.handler = 1");
        }
        assert_eq!(names(&folder, "app.py"), ["app.py", "lib/util.py"]);
        let node = ["index.mjs", "other.cjs", "package.json"];
        assert_eq!(names(&folder, "index.mjs:handler"), node);
        // The handler, too, may be in a folder of build output.
        folder.write("dist/lib/y.js", "");
        let mut spec = source::argument("index.mjs:handler", folder.path()).unwrap();
        spec.code = Code::Handler {
            language: Language::Node,
            handler: "dist/x.handler".to_owned(),
        };
        let sources = Sources::of(&spec);
        let files = sources.snapshot().files;
        let output: Vec<_> = files.keys().map(|path| sources.shown(path)).collect();
        assert_eq!(
            output,
            [&["dist/lib/y.js", "dist/x.js"], &node[..]].concat()
        );
        std::fs::remove_dir_all(folder.path().join("dist/lib")).unwrap();
        // The root itself may be a folder of build output.
        folder.write("dist/index.mjs", "export const handler = 1");
        assert_eq!(names(&folder, "dist/index.mjs"), ["index.mjs", "x.js"]);
    }

    /// As with a folder that the functions of a project share.
    #[cfg(unix)]
    #[test]
    fn watches_a_folder_to_which_a_link_leads_once() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new();
        folder.write("fn/app.py", "handler = 1");
        folder.write("fn/own/a.py", "");
        folder.write("shared/b.py", "");
        let at = |path: &str| folder.path().join(path);
        for (target, link) in [
            ("../shared", "fn/lib"),
            ("../shared", "fn/lib2"),
            ("own", "fn/alias"),
            ("..", "fn/project"),
            (".", "fn/loop"),
            (".", "shared/loop"),
            ("nowhere", "fn/broken"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        let names = names(&folder, "fn/app.py");
        let linked = names.iter().filter(|name| name.ends_with("/b.py")).count();
        assert_eq!((names.len(), linked), (3, 1), "{names:?}");
        folder.write("shared/c.py", "");
        assert_eq!(self::names(&folder, "fn/app.py").len(), 4);
    }

    #[test]
    fn watches_a_program_and_the_files_of_its_command() {
        let folder = Folder::new();
        folder.program("my-fn");
        folder.write("other", "");
        folder.write("bootstrap.mjs", "");
        folder.write("lib.mjs", "");
        assert_eq!(names(&folder, "./my-fn"), ["my-fn"]);
        let command = "x=node bootstrap.mjs";
        assert_eq!(names(&folder, command), ["bootstrap.mjs", "lib.mjs"]);
        assert_eq!(names(&folder, "x=no-such-program a b"), [""; 0]);
    }
}
