//! Whether the files of an open ledger are still the ones that lie in its folder: what is written to a file that was
//! deleted or replaced is seen by nobody, and gone with the process.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Device and inode.
type Identity = (u64, u64);

/// The files that belong to an open ledger.
#[derive(Debug)]
pub(super) struct Place {
    files: Vec<(PathBuf, Option<Identity>)>,
}

impl Place {
    /// Those of the ledger at `path`, which is open, and of its lock.
    ///
    /// # Errors
    /// One of them cannot be looked at, or is gone already.
    pub(super) fn of(path: &Path, lock: PathBuf) -> Result<Place, StoreError> {
        let log = path.with_file_name("ledger.db-wal");
        let mut place = Place { files: vec![(path.into(), None), (lock, None), (log, None)] };
        place.check()?;
        Ok(place)
    }

    /// Looks whether each of them is where it was. The log of the database appears with the first write.
    ///
    /// # Errors
    /// One was deleted or replaced, or cannot be looked at.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        for (path, known) in &mut self.files {
            let found = match std::fs::metadata(&*path) {
                Ok(metadata) => Some((metadata.dev(), metadata.ino())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => return Err(StoreError::Io { path: path.clone(), source }),
            };
            match (*known, found) {
                (None, found) => *known = found,
                (Some(known), Some(found)) if known == found => {}
                (Some(_), Some(_)) => return Err(StoreError::replaced(path, "was replaced")),
                (Some(_), None) => return Err(StoreError::replaced(path, "was deleted or moved")),
            }
        }
        Ok(())
    }
}
