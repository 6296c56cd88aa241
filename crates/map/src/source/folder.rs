//! The files of a folder.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Fields, MAX_ITEM, SourceError, SourceErrorKind, check};
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
