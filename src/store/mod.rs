//! The ledger on disk: entries and checkpoints in one transaction, in an embedded SQLite database.
//!
//! One process writes (a lock file says so); others may read. Because the place up to which a file has been
//! read is part of the same transaction as what was read from it, every line counts exactly once.

mod form;
mod read;
mod scalar;
mod schema;
mod write;

pub use read::{Block, Counted, Reader, Rejected, RunFilter};
pub use write::{Commit, Store, Tally};

use std::path::{Path, PathBuf};

use crate::ledger::Entry;
use crate::run::Run;

/// The version of what is on disk. A ledger of another version is refused.
pub const VERSION: &str = "1";

/// Rejected lines kept for triage; beyond it the oldest go (they stay counted).
pub const REJECTED_KEPT: i64 = 100_000;

/// Files that are read to their end and still recognised when they come back under another name.
pub const FINISHED_KEPT: i64 = 1_000;

/// Why the ledger cannot be used. The text names the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "{path}: another offhours is using this ledger (it holds the lock); stop it first, or give this one another --storage.path"
    )]
    Locked { path: PathBuf },
    #[error("{path}: there is no ledger here; `offhours serve` makes one")]
    Missing { path: PathBuf },
    #[error(
        "{path}: this ledger has format version {found}, this offhours reads version {VERSION}"
    )]
    Version { path: PathBuf, found: String },
    #[error("{path}: entry {entry} cannot be read: {why}")]
    Damaged { path: PathBuf, entry: u64, why: String },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

/// Attaches the file's name to an error of the database.
pub(crate) trait InFile<T> {
    fn in_file(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> InFile<T> for Result<T, rusqlite::Error> {
    fn in_file(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { path: path.into(), source })
    }
}

impl<T> InFile<T> for Result<T, std::io::Error> {
    fn in_file(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { path: path.into(), source })
    }
}

fn write_entry(entry: &Entry, into: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(into, &form::EntryForm::from(entry))
}

fn read_entry(bytes: &[u8]) -> Result<Entry, serde_json::Error> {
    serde_json::from_slice::<form::EntryForm>(bytes).map(Entry::from)
}

fn write_run(run: &Run) -> Result<String, serde_json::Error> {
    serde_json::to_string(&form::RunForm::from(run))
}

fn read_run(text: &str) -> Result<Run, serde_json::Error> {
    serde_json::from_str::<form::RunForm>(text).map(Run::from)
}

#[cfg(test)]
mod tests;
