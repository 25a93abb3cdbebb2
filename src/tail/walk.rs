//! Finds the paths that patterns name, and the directories in which more of them may appear.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::event::FailureKind;
use super::glob::{Component, Pattern};
use super::sibling::is_compressed;

/// How many directories deep a path may lie that `**` finds.
const DEEPEST: usize = 64;

/// Names in directories that are looked at to find whether a pattern leads anywhere.
const ENTRIES_LOOKED_AT: usize = 100_000;

/// A directory that could not be listed, or not to its end.
pub(super) struct Blocked {
    pub directory: PathBuf,
    pub kind: FailureKind,
    pub error: String,
}

/// What the patterns of one source lead to.
#[derive(Default)]
pub(super) struct Walk {
    /// In no order, perhaps repeated. A path without wildcards is here whether it exists or not.
    pub paths: Vec<PathBuf>,
    /// Existing directories in which a change may mean a new file.
    pub directories: BTreeSet<PathBuf>,
    pub blocked: Vec<Blocked>,
    entries_left: usize,
    /// Whether compressed files are found by a pattern.
    is_of_archive: bool,
}

impl Pattern {
    /// Of the files that it names now, the one that was written to last.
    pub fn newest(&self) -> Option<PathBuf> {
        let walk = Walk::through(std::slice::from_ref(self), ENTRIES_LOOKED_AT);
        let dated = walk.paths.into_iter().filter_map(|path| {
            let written = fs::metadata(&path).ok()?;
            Some((written.modified().unwrap_or(SystemTime::UNIX_EPOCH), path))
        });
        dated.max_by_key(|(written, _)| *written).map(|(_, path)| path)
    }
}

impl Walk {
    /// Looks for everything that the patterns name, at `entries` names in directories at most.
    pub fn through(patterns: &[Pattern], entries: usize) -> Walk {
        let mut walk = Walk { entries_left: entries, ..Walk::default() };
        for pattern in patterns {
            walk.step(Path::new("/"), &pattern.components, false);
        }
        walk
    }

    /// The same in an archive, where compressed files are what is looked for.
    pub fn through_archive(patterns: &[Pattern], entries: usize) -> Walk {
        let mut walk = Walk { entries_left: entries, is_of_archive: true, ..Walk::default() };
        for pattern in patterns {
            walk.step(Path::new("/"), &pattern.components, false);
        }
        walk
    }

    fn step(&mut self, directory: &Path, components: &[Component], was_wild: bool) {
        let Some((first, rest)) = components.split_first() else { return };
        match first {
            Component::Name(name) if rest.is_empty() => {
                let path = directory.join(name);
                self.watch(directory);
                if !was_wild || fs::metadata(&path).is_ok() {
                    self.paths.push(path);
                }
            }
            Component::Name(name) => self.step(&directory.join(name), rest, was_wild),
            Component::Wild(wild) => {
                let matches = |name: &OsString| wild.matches(name.as_bytes());
                for (name, kind) in self.entries(directory) {
                    if !matches(&name) {
                    } else if !rest.is_empty() {
                        self.step(&directory.join(name), rest, true);
                    } else if !kind.is_dir()
                        && (self.is_of_archive || !is_compressed(name.as_bytes()))
                    {
                        self.paths.push(directory.join(name));
                    }
                }
            }
            Component::Deep => self.descend(directory, components, rest),
        }
    }

    /// Symbolic links are not descended into: they may lead back up.
    fn descend(&mut self, directory: &Path, components: &[Component], rest: &[Component]) {
        self.step(directory, rest, true);
        if DEEPEST <= directory.components().count() {
            return;
        }
        for (name, kind) in self.entries(directory) {
            if kind.is_dir() && !name.as_bytes().starts_with(b".") {
                self.step(&directory.join(name), components, true);
            }
        }
    }

    /// The names in a directory; those that could be read if there was an error.
    fn entries(&mut self, directory: &Path) -> Vec<(OsString, FileType)> {
        self.watch(directory);
        let mut entries = Vec::new();
        if let Err(e) = self.list(directory, &mut entries)
            && FailureKind::of(&e) != FailureKind::NotFound
        {
            let (directory, kind) = (directory.to_path_buf(), FailureKind::of(&e));
            self.blocked.push(Blocked { directory, kind, error: e.to_string() });
        }
        entries
    }

    fn list(&mut self, directory: &Path, into: &mut Vec<(OsString, FileType)>) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let Some(left) = self.entries_left.checked_sub(1) else {
                self.blocked.push(Blocked {
                    directory: directory.to_path_buf(),
                    kind: FailureKind::TooManyFiles,
                    error: "too many directory entries, the rest is not looked at".into(),
                });
                return Ok(());
            };
            self.entries_left = left;
            let entry = entry?;
            into.push((entry.file_name(), entry.file_type()?));
        }
        Ok(())
    }

    /// A directory that does not exist yet is waited for in the nearest one above it that does.
    fn watch(&mut self, directory: &Path) {
        if let Some(existing) = directory.ancestors().find(|directory| directory.is_dir())
            && !self.directories.contains(existing)
        {
            self.directories.insert(existing.to_path_buf());
        }
    }
}

#[cfg(test)]
mod tests;
