//! The files of a folder.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Fields, MARK, MAX_ITEM, SourceError, SourceErrorKind, check};
use crate::item::Item;

/// The files of a folder as items, in the order of their names, which are the keys. Hidden files and
/// folders in it are left out.
///
/// The names are kept in memory, since no system lists a folder in a fixed order; the contents are
/// read one by one.
#[derive(Debug)]
pub struct Folder {
    paths: std::vec::IntoIter<PathBuf>,
    fields: Fields,
}

impl Folder {
    /// Lists a folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a symbolic link in it leads nowhere.
    pub fn open(path: &Path, fields: Fields) -> Result<Self, SourceError> {
        let failed =
            |error| SourceError::new(path.display().to_string(), SourceErrorKind::Io(error));
        let mut paths = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // A broken link is a missing item.
            let found = fs::metadata(&path).map_err(|error| {
                SourceError::new(path.display().to_string(), SourceErrorKind::Io(error))
            })?;
            if found.is_file() {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        Ok(Self {
            paths: paths.into_iter(),
            fields,
        })
    }

    fn read(&self, path: &Path) -> Result<Item, SourceError> {
        let place = || path.display().to_string();
        let mut payload = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(MAX_ITEM as u64 + 1).read_to_end(&mut payload));
        read.map_err(|error| SourceError::new(place(), SourceErrorKind::Io(error)))?;
        if payload.len() > MAX_ITEM {
            return Err(SourceError::new(place(), SourceErrorKind::TooLarge));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if payload.starts_with(MARK) {
            payload.drain(..MARK.len());
        }
        check(&payload, place)?;
        let item = Item::new(payload).with_key(&*name);
        self.fields.name(item, place)
    }
}

impl Iterator for Folder {
    type Item = Result<Item, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let path = self.paths.next()?;
        Some(self.read(&path))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::source::Selector;

    /// A folder that is removed when it is dropped.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(files: &[(&str, &str)]) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("lambda-invoke-folder-{}-{number}", std::process::id());
            let this = Self(std::env::temp_dir().join(name));
            fs::create_dir_all(&this.0).unwrap();
            for (name, text) in files {
                fs::write(this.0.join(name), text).unwrap();
            }
            this
        }

        /// Each item as its key and its payload, or the error.
        fn items(&self, fields: Fields) -> Vec<Result<(String, String), String>> {
            let items = Folder::open(&self.0, fields).unwrap();
            let shown = |item: Item| {
                let payload = String::from_utf8(item.payload.to_vec()).unwrap();
                (item.key.unwrap().to_string(), payload)
            };
            items
                .map(|item| item.map(shown).map_err(|error| error.to_string()))
                .collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn files_are_items_in_the_order_of_their_names_which_are_the_keys() {
        let scratch = Scratch::new(&[
            ("b.json", "\u{feff}[2]"),
            ("a.json", "{\"id\":\"one\"}"),
            (".hidden", "{"),
        ]);
        fs::create_dir(scratch.0.join("c.json")).unwrap();
        let item = |key: &str, payload: &str| Ok((key.to_owned(), payload.to_owned()));
        assert_eq!(
            scratch.items(Fields::default()),
            [item("a.json", "{\"id\":\"one\"}"), item("b.json", "[2]")]
        );
        // A field names the item instead of its file.
        let fields = Fields::default().key(Some(Selector::new("id")));
        let items = scratch.items(fields);
        assert_eq!(items[0], item("one", "{\"id\":\"one\"}"));
        let missing = format!(
            "{}: the field id is missing",
            scratch.0.join("b.json").display()
        );
        assert_eq!(items[1], Err(missing));
    }

    #[test]
    fn a_file_that_is_no_item_is_reported_with_its_path_and_the_next_is_read() {
        let scratch = Scratch::new(&[("a", "{"), ("b", ""), ("d", "4")]);
        let c = scratch.0.join("c");
        let largest = format!("\"{}\"", "x".repeat(MAX_ITEM - 2));
        fs::write(&c, &largest).unwrap();
        let items = scratch.items(Fields::default());
        for (place, name) in ["a", "b"].into_iter().enumerate() {
            let start = format!("{}: ", scratch.0.join(name).display());
            let error = items[place].as_ref().unwrap_err();
            assert!(error.starts_with(&start), "{error}");
        }
        assert_eq!(items[2].as_ref().unwrap().1.len(), MAX_ITEM);
        assert_eq!(items[3], Ok(("d".to_owned(), "4".to_owned())));

        fs::write(&c, largest + " ").unwrap();
        let items = scratch.items(Fields::default());
        let error = format!("{}: an item has more than 16 MiB", c.display());
        assert_eq!(items[2], Err(error));
        assert!(items[3].is_ok());

        // Removed after the folder was listed.
        let mut listed = Folder::open(&scratch.0, Fields::default()).unwrap();
        fs::remove_file(scratch.0.join("a")).unwrap();
        let error = listed.next().unwrap().unwrap_err();
        assert!(matches!(error.kind, SourceErrorKind::Io(_)), "{error}");
    }

    #[test]
    fn what_cannot_be_listed_is_an_error_at_once() {
        let scratch = Scratch::new(&[("a", "1")]);
        let error = |path: &Path| Folder::open(path, Fields::default()).unwrap_err().place;
        let missing = scratch.0.join("missing");
        assert_eq!(error(&missing), missing.display().to_string());
        #[cfg(unix)]
        {
            let link = scratch.0.join("link");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            assert_eq!(error(&scratch.0), link.display().to_string());
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink("a", &link).unwrap();
            let linked = Ok(("link".to_owned(), "1".to_owned()));
            assert_eq!(scratch.items(Fields::default())[1], linked);
        }
    }
}
