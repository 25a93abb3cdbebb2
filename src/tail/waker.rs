//! Wakes the caller when something happens in a directory, so that a poll need not wait for its turn.
//!
//! A wake-up is a hint. If one is lost (queue overflow, no watch left, a network file system) the next
//! poll finds the same: it costs time, never a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How many names are remembered of files that appeared since they were last asked for.
const NAMES: usize = 10_000;

/// What the events of the directories say about names.
#[derive(Default)]
struct Names {
    /// Something happened at all.
    have_news: bool,
    /// There are new ones, or others; or some events were lost.
    have_changed: bool,
    appeared: BTreeSet<PathBuf>,
    /// Appeared and went again.
    gone: BTreeSet<PathBuf>,
}

impl Names {
    fn note(&mut self, event: &notify::Result<Event>) {
        self.have_news = true;
        let Ok(event) = event else {
            self.have_changed = true;
            return;
        };
        match event.kind {
            EventKind::Create(_) if self.appeared.len() < NAMES => {
                self.appeared.extend(event.paths.iter().cloned());
            }
            EventKind::Remove(_) => {
                let gone = event.paths.iter().filter_map(|path| self.appeared.take(path));
                self.gone.extend(gone);
            }
            EventKind::Modify(ModifyKind::Name(_)) => {
                event.paths.iter().for_each(|path| drop(self.appeared.take(path)));
            }
            EventKind::Modify(_) if !event.need_rescan() => return,
            _ => {}
        }
        self.have_changed = true;
    }
}

/// Watches directories.
pub struct Waker {
    watcher: Option<RecommendedWatcher>,
    names: Arc<Mutex<Names>>,
    /// Device and inode of each directory: one that was removed and made anew must be watched anew.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    refused: BTreeSet<PathBuf>,
    /// One of the directories lies on a file system that others may change.
    is_remote: bool,
}

impl Waker {
    /// A waker that calls `wake` from a thread of its own. With a warning it is one that never does.
    pub fn new(wake: Box<dyn Fn() + Send>) -> (Waker, Option<String>) {
        let names = Arc::new(Mutex::new(Names::default()));
        let noted = names.clone();
        let handler = move |event: notify::Result<Event>| {
            // Reading a file is an event as well: answering it would never end.
            if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
                lock(&noted).note(&event);
                wake();
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => (Waker { watcher: Some(watcher), names, ..Waker::none() }, None),
            Err(e) => (Waker::none(), Some(format!("files are polled, not watched: {e}"))),
        }
    }

    /// A waker that never wakes.
    pub fn none() -> Waker {
        Waker {
            watcher: None,
            names: Arc::default(),
            watched: BTreeMap::new(),
            refused: BTreeSet::new(),
            is_remote: false,
        }
    }

    /// Whether anything happened since [`Waker::forget_news`].
    pub fn have_news(&self) -> bool {
        lock(&self.names).have_news
    }

    /// To be called before files are looked at.
    pub fn forget_news(&self) {
        lock(&self.names).have_news = false;
    }

    /// Whether every change is told: a network file system accepts a watch and tells nothing of others.
    pub fn is_complete(&self) -> bool {
        self.watcher.is_some() && self.refused.is_empty() && !self.is_remote
    }

    /// Whether a directory has to be listed again to know its files.
    pub fn names_have_changed(&self) -> bool {
        lock(&self.names).have_changed
    }

    /// To be called before directories are listed.
    pub fn forget_names(&self) {
        lock(&self.names).have_changed = false;
    }

    /// The files that appeared and went since the last call. Of the others those are remembered which `is_awaited`.
    pub fn take_gone(&self, is_awaited: impl Fn(&Path) -> bool) -> BTreeSet<PathBuf> {
        let mut names = lock(&self.names);
        names.appeared.retain(|path| is_awaited(path));
        std::mem::take(&mut names.gone)
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
        self.is_remote = directories.iter().any(|path| is_remote(path));
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

/// Nothing that holds it can leave it half done.
fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// File systems that another machine or program may change: NFS, SMB, CIFS, FUSE, 9p, Ceph, AFS (linux/magic.h).
const REMOTE: [u32; 8] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];

fn is_remote(path: &Path) -> bool {
    // The upper half is an extended sign.
    let kind = rustix::fs::statfs(path).ok().map(|fs| (fs.f_type as u64 & 0xffff_ffff) as u32);
    kind.is_some_and(|kind| REMOTE.contains(&kind))
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
