//! Further folders in which a rotated file may lie.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Tail;
use super::glob::{Pattern, PatternError};
use super::sibling::{Sibling, SiblingsOf, is_readable, modified};
use super::walk::Walk;

/// How many files of the archive are looked at for one that is missing.
const CANDIDATES: usize = 256;

impl Tail {
    /// Looks for rotated files of a source in these folders, or among the files of these patterns, as well.
    ///
    /// # Errors
    /// A pattern that is not absolute.
    pub fn look_also_in(&mut self, source: &str, archive: &[String]) -> Result<(), PatternError> {
        let mut patterns = Vec::new();
        for text in archive {
            let text = text.trim_end_matches('/');
            patterns.push(Pattern::parse(text)?);
            patterns.push(Pattern::parse(&format!("{text}/*"))?);
        }
        if let Some(source) = self.sources.iter_mut().find(|s| &*s.name == source) {
            source.archive = patterns;
        }
        Ok(())
    }

    /// The files in the archive of a source that may have been at `path`: those with a name that rotation may have
    /// given first, and of these the last written.
    pub(super) fn archived(&self, source: usize, path: &Path) -> Vec<Sibling> {
        let Some(source) = self.sources.get(source).filter(|s| !s.archive.is_empty()) else {
            return Vec::new();
        };
        let walk = Walk::through_archive(&source.archive, self.limits.entries);
        let mut paths = walk.paths;
        paths.sort();
        paths.dedup();
        let names = SiblingsOf::path(path);
        let is_candidate = |path: &Path| {
            let name = path.file_name().unwrap_or_default();
            is_readable(name.as_bytes())
        };
        let candidates = paths.into_iter().filter(|path| is_candidate(path));
        let regular = candidates.filter_map(|path| {
            let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
            Some(Sibling { path, metadata })
        });
        let mut found: Vec<Sibling> = regular.collect();
        let key = |sibling: &Sibling| (!names.may_be(&sibling.path), modified(sibling));
        found.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            (a.0, b.1).cmp(&(b.0, a.1))
        });
        found.truncate(CANDIDATES);
        found
    }

    /// Those of them that have such a name.
    pub(super) fn archived_by_name(&self, source: usize, path: &Path) -> Vec<Sibling> {
        let names = SiblingsOf::path(path);
        let mut found = self.archived(source, path);
        found.retain(|sibling| names.may_be(&sibling.path));
        found
    }
}
