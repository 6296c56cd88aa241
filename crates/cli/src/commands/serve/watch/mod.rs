//! Starts new instances of a function after a change of its source.
//!
//! The files are polled. This works in the same way on every system and file system, including
//! network and container mounts, and needs no descriptor per folder. Scans take at most a twentieth
//! of the time.

mod calls;
mod sources;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lambda_invoke_endpoint::Endpoint;
use tokio::task::JoinHandle;

use self::sources::{Change, Snapshot, Sources};
use crate::commands::serve::log::Log;
use crate::functions::spec::FunctionSpec;

pub(super) use self::calls::Calls;

/// The time between two scans.
const INTERVAL: Duration = Duration::from_millis(250);

/// The time between two scans, as a multiple of the time that a scan takes.
const RARELY: u32 = 20;

/// Watches these functions until the task is aborted.
pub(super) fn start(
    endpoint: &Endpoint,
    functions: &[FunctionSpec],
    calls: &Arc<Calls>,
    log: &Log,
) -> JoinHandle<()> {
    let watched: Vec<_> = functions
        .iter()
        .filter(|spec| spec.watch)
        .map(|spec| Watched::new(spec, log))
        .collect();
    tokio::spawn(watch(
        endpoint.clone(),
        watched,
        Arc::clone(calls),
        log.clone(),
    ))
}

async fn watch(endpoint: Endpoint, mut watched: Vec<Watched>, calls: Arc<Calls>, log: Log) {
    let mut pause = INTERVAL;
    while !watched.is_empty() {
        tokio::time::sleep(pause).await;
        let shared = Arc::clone(&calls);
        let scan = tokio::task::spawn_blocking(move || {
            let begin = Instant::now();
            let notes: Vec<_> = watched
                .iter_mut()
                .flat_map(|watched| watched.poll(&shared))
                .collect();
            (watched, notes, begin.elapsed())
        });
        // This fails only if the scan panics, or the program ends.
        let Ok((same, notes, took)) = scan.await else {
            return;
        };
        watched = same;
        pause = INTERVAL.max(took.saturating_mul(RARELY));
        for note in notes {
            if let Some(function) = &note.restart {
                endpoint.restart(function);
            }
            log.say(note.text);
        }
    }
}

/// A message, and a function to restart.
struct Note {
    restart: Option<String>,
    text: String,
}

/// A function with the state of its source.
struct Watched {
    name: String,
    sources: Sources,
    /// The state that the instances were started with.
    known: Snapshot,
    /// The state of the last scan, if it differs: a change is complete when two scans agree.
    seen: Option<Snapshot>,
    /// Source that was removed, such as build output that is about to be written again.
    removed: BTreeSet<PathBuf>,
}

impl Watched {
    fn new(spec: &FunctionSpec, log: &Log) -> Self {
        let sources = Sources::of(spec);
        let known = sources.snapshot();
        if !known.is_complete() {
            log.say(format_args!(
                "{}: {} has too many files; only some are watched",
                spec.name,
                spec.root.display()
            ));
        }
        Self {
            name: spec.name.clone(),
            sources,
            known,
            seen: None,
            removed: BTreeSet::new(),
        }
    }

    fn poll(&mut self, calls: &Calls) -> Vec<Note> {
        let now = self.sources.snapshot();
        if now == self.known {
            self.seen = None;
            return Vec::new();
        }
        if self.seen.as_ref() != Some(&now) {
            self.seen = Some(now);
            return Vec::new();
        }
        self.seen = None;
        let changes = now.changes(&self.known);
        self.known = now;
        let (mut notes, mut restart) = (Vec::new(), None);
        for mut changed in changes {
            match changed.time {
                None => {
                    self.removed.insert(changed.path.clone());
                }
                Some(_) => changed.is_new &= !self.removed.remove(&changed.path),
            }
            let shown = self.sources.shown(&changed.path);
            if let Some(what) = unwatched(&changed, &shown, calls) {
                notes.push(Note {
                    restart: None,
                    text: format!("{}: {what}", self.name),
                });
                self.known.forget(&changed.path);
                self.sources.ignore(changed.path);
                continue;
            }
            if let Some(time) = changed.time {
                sources::remove_compiled(&changed.path, time);
            }
            // The first of them stands for all.
            restart.get_or_insert(shown);
        }
        notes.extend(restart.map(|shown| Note {
            restart: Some(self.name.clone()),
            text: format!(
                "{}: {shown} changed; the next call starts a new instance",
                self.name
            ),
        }));
        notes
    }
}

/// The message about a changed file that is not source, but written by the function.
fn unwatched(changed: &Change, shown: &str, calls: &Calls) -> Option<String> {
    let time = changed.time?;
    if changed.is_new && calls.was_running(time) {
        return Some(format!(
            "{shown} was written during a call; it is not watched"
        ));
    }
    calls.writes(&changed.path, time).then(|| {
        let often = Calls::OFTEN;
        format!("{shown} changed {often} times, each time during a call; it is no longer watched")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::source;
    use crate::functions::testing::Folder;
    use std::time::SystemTime;

    /// Two scans agree on a change before it counts.
    fn all_settled(watched: &mut Watched, calls: &Calls) -> Vec<Note> {
        let notes = watched.poll(calls);
        match notes.is_empty() {
            true => watched.poll(calls),
            false => notes,
        }
    }

    fn settled(watched: &mut Watched, calls: &Calls) -> Option<Note> {
        let mut notes = all_settled(watched, calls);
        assert!(notes.len() < 2);
        notes.pop()
    }

    fn watched(folder: &Folder) -> Watched {
        folder.write("app.py", "def handler(e, c): pass");
        let spec = source::argument("app.py", folder.path()).unwrap();
        let sources = Sources::of(&spec);
        let known = sources.snapshot();
        Watched {
            name: spec.name,
            sources,
            known,
            seen: None,
            removed: BTreeSet::new(),
        }
    }

    #[test]
    fn a_change_names_its_file_and_restarts_once() {
        let folder = Folder::new();
        let mut watched = watched(&folder);
        let calls = Calls::default();
        assert!(settled(&mut watched, &calls).is_none());
        folder.write("lib/util.py", "A = 1");
        let note = settled(&mut watched, &calls).unwrap();
        assert_eq!(note.restart.as_deref(), Some("app"));
        assert!(
            note.text.starts_with("app: lib/util.py changed"),
            "{}",
            note.text
        );
        assert!(settled(&mut watched, &calls).is_none());
        std::fs::remove_file(folder.path().join("lib/util.py")).unwrap();
        assert!(settled(&mut watched, &calls).unwrap().restart.is_some());
    }

    #[test]
    fn what_calls_write_does_not_restart_forever() {
        let folder = Folder::new();
        let mut watched = watched(&folder);
        let calls = Calls::default();
        // A file that first appears during a call.
        let begin = SystemTime::now() - Duration::from_secs(1);
        folder.write("generated.py", "A = 1");
        calls.ended(begin, SystemTime::now() + Duration::from_secs(1));
        let note = settled(&mut watched, &calls).unwrap();
        assert!(
            note.restart.is_none() && note.text.contains("generated.py"),
            "{}",
            note.text
        );
        folder.write("generated.py", "A = 12");
        assert!(settled(&mut watched, &calls).is_none());
        // A file of the source that every call writes.
        let calls = Calls::default();
        let mut restarts = 0;
        for number in 0..20 {
            let path = folder.write("app.py", &"#".repeat(number + 1));
            let time = std::fs::metadata(path).unwrap().modified().unwrap();
            let moment = Duration::from_micros(1);
            calls.ended(time - moment, time + moment);
            restarts +=
                usize::from(settled(&mut watched, &calls).is_some_and(|it| it.restart.is_some()));
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(restarts, Calls::OFTEN - 1);
    }

    #[test]
    fn source_that_is_written_again_stays_watched() {
        let folder = Folder::new();
        let mut watched = watched(&folder);
        let calls = Calls::default();
        std::fs::remove_file(folder.path().join("app.py")).unwrap();
        assert!(settled(&mut watched, &calls).unwrap().restart.is_some());
        let begin = SystemTime::now() - Duration::from_secs(1);
        folder.write("app.py", "def handler(e, c): return 2");
        calls.ended(begin, SystemTime::now() + Duration::from_secs(1));
        assert!(settled(&mut watched, &calls).unwrap().restart.is_some());
        folder.write("app.py", "def handler(e, c): return 33");
        assert!(settled(&mut watched, &calls).unwrap().restart.is_some());
    }

    #[test]
    fn functions_that_share_a_folder_do_not_restart_forever() {
        let folder = Folder::new();
        let mut both = [watched(&folder), watched(&folder)];
        // The second one has written app.py again.
        let _ = settled(&mut both[0], &Calls::default());
        let (calls, begin) = (Calls::default(), SystemTime::now());
        let moment = Duration::from_micros(1);
        let mut restarts = 0;
        for number in 1..=20_u8 {
            let path = folder.write("app.py", &"#".repeat(number.into()));
            let time = begin + Duration::from_secs(number.into());
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(time).unwrap();
            calls.ended(time - moment, time + moment);
            for watched in &mut both {
                let note = settled(watched, &calls);
                restarts += usize::from(note.is_some_and(|note| note.restart.is_some()));
            }
        }
        assert_eq!(restarts, 2 * (Calls::OFTEN - 1));
    }

    #[test]
    fn a_file_that_a_call_wrote_does_not_hide_another_change() {
        let folder = Folder::new();
        let mut watched = watched(&folder);
        let calls = Calls::default();
        let begin = SystemTime::now() - Duration::from_secs(1);
        folder.write("a_generated.py", "A = 1");
        calls.ended(begin, SystemTime::now() + Duration::from_secs(1));
        folder.write("lib.py", "A = 1");
        std::fs::File::options()
            .write(true)
            .open(folder.path().join("lib.py"))
            .unwrap()
            .set_modified(SystemTime::now() + Duration::from_secs(2))
            .unwrap();
        let notes = all_settled(&mut watched, &calls);
        let texts: Vec<_> = notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "app: a_generated.py was written during a call; it is not watched",
                "app: lib.py changed; the next call starts a new instance"
            ]
        );
        assert!(notes[1].restart.is_some());
        folder.write("a_generated.py", "A = 12");
        assert!(settled(&mut watched, &calls).is_none());
    }

    #[test]
    fn what_python_compiled_from_an_earlier_state_is_removed() {
        let folder = Folder::new();
        let mut watched = watched(&folder);
        let compiled = folder.write("__pycache__/app.cpython-311.pyc", "old");
        let other = folder.write("__pycache__/apple.cpython-311.pyc", "other");
        std::thread::sleep(Duration::from_millis(20));
        folder.write("app.py", "def handler(e, c): return 1");
        assert!(settled(&mut watched, &Calls::default()).is_some());
        assert!(!compiled.exists() && other.exists());
        let compiled = folder.write("__pycache__/app.cpython-311.pyc", "new");
        assert!(settled(&mut watched, &Calls::default()).is_none());
        assert!(compiled.exists());
    }
}
