//! Wakes the caller when something happens in a directory, so that a poll need not wait for its turn.
//!
//! A wake-up is a hint. If one is lost (queue overflow, no watch left, a network file system) the next
//! poll finds the same: it costs time, never a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches directories.
pub struct Waker {
    watcher: Option<RecommendedWatcher>,
    /// Device and inode of each directory: one that was removed and made anew must be watched anew.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    refused: BTreeSet<PathBuf>,
}

impl Waker {
    /// A waker that calls `wake` from a thread of its own. With a warning it is one that never does.
    pub fn new(wake: Box<dyn Fn() + Send>) -> (Waker, Option<String>) {
        let handler = move |event: notify::Result<Event>| {
            // Reading a file is an event as well: answering it would never end.
            if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
                wake();
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => (Waker { watcher: Some(watcher), ..Waker::none() }, None),
            Err(e) => (Waker::none(), Some(format!("files are polled, not watched: {e}"))),
        }
    }

    /// A waker that never wakes.
    pub fn none() -> Waker {
        Waker { watcher: None, watched: BTreeMap::new(), refused: BTreeSet::new() }
    }

    /// Watches these directories and no others. Returns a warning for each that cannot be watched,
    /// once: what happens there is found by polling.
    pub fn watch(&mut self, directories: &BTreeSet<&Path>) -> Vec<String> {
        let Some(watcher) = &mut self.watcher else { return Vec::new() };
        let mut warnings = Vec::new();
        self.watched.retain(|path, identity| {
            let stays =
                directories.contains(path.as_path()) && identity_of(path) == Some(*identity);
            if !stays {
                // Nothing to unwatch where the directory is gone.
                let _ = watcher.unwatch(path);
            }
            stays
        });
        self.refused.retain(|path| directories.contains(path.as_path()));
        for path in directories {
            let Some(identity) = identity_of(path) else { continue };
            if self.watched.contains_key(*path) {
                continue;
            }
            match watcher.watch(path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.refused.remove(*path);
                    self.watched.insert(path.to_path_buf(), identity);
                }
                Err(e) if self.refused.insert(path.to_path_buf()) => {
                    warnings.push(format!("{} is polled, not watched: {e}", path.display()));
                }
                Err(_) => {}
            }
        }
        warnings
    }
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
