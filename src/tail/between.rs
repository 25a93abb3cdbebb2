//! Files that came and went at a path between two looks, or while nobody looked.

use std::cmp::Reverse;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::Tail;
use super::body::{Body, begins};
use super::checkpoint::Checkpoint;
use super::event::FileId;
use super::found::Found;
use super::generation::{Generation, Identity, Life, Stat, open_regular, regular};
use super::rewrite::Opened;
use super::sibling::{Sibling, born, is_numbered, live, modified, rotations_ago, siblings};
use super::signature::is_prefix;

impl Tail {
    /// The paths whose last file is not there any more: one after the other may come and go there.
    pub(super) fn vacant(&self) -> Vec<Departed> {
        let places = self.sources.iter().enumerate();
        let places = places.flat_map(|(source, s)| s.places.iter().map(move |p| (source, p)));
        let vacant = places.filter_map(|(source, place)| {
            let (holder, since) = place.holder.zip(place.since)?;
            let g = self.generations.get(&holder);
            if g.is_some_and(|g| g.life == Life::Listed && g.path == place.path) {
                return None;
            }
            let (path, written_since) = (place.path.clone(), since);
            let older = None;
            Some(Departed { source, path, holder, since, written_since, older })
        });
        vacant.collect()
    }

    /// Adds the files that came and went at a path between two scans: rotated siblings that came into
    /// being after the file that was there last had changed last. (Equal will do: the clock of a file
    /// system may tick as slowly as every 10 ms.)
    pub(super) fn find_between(&self, found: &mut Vec<Found>, departed: Vec<Departed>) {
        let here = found.iter().filter_map(|f| {
            let (holder, since) = f.before?;
            let (source, path, written_since) = (f.identity.source, f.path.clone(), since);
            let older = None;
            Some(Departed { source, path, holder, since, written_since, older })
        });
        let searches: Vec<Departed> = here.chain(departed).collect();
        for departed in searches {
            let is_found = |sibling: &Sibling| self.is_among(found, departed.source, sibling);
            for sibling in self.between(&departed, is_found) {
                found.push(Found::rotated(departed.source, sibling));
            }
        }
    }

    /// The rotated siblings that came into being at a path after the file that was there, and are not known.
    pub(super) fn between(
        &self,
        departed: &Departed,
        is_found: impl Fn(&Sibling) -> bool,
    ) -> Vec<Sibling> {
        let Departed { source, path, since, written_since, .. } = departed;
        let is_older = |sibling: &Sibling| {
            let count = rotations_ago(path, &sibling.path);
            count
                .zip(departed.older)
                .is_some_and(|(count, (ago, written))| ago < count && modified(sibling) < written)
        };
        let base = path.file_name().unwrap_or_default();
        let is_unknown = |sibling: &Sibling| {
            let identity = Identity::of(*source, &sibling.metadata);
            let name = sibling.path.file_name().unwrap_or_default();
            let is_elsewhere = sibling.path.parent() != path.parent();
            born(&sibling.metadata).is_some_and(|born| *since <= born)
                && sibling.metadata.modified().is_ok_and(|modified| *written_since <= modified)
                && (is_elsewhere || is_numbered(base.as_bytes(), name.as_bytes()))
                && !is_older(sibling)
                && !self.identities.contains_key(&identity)
                && !self.is_copy_of(sibling, departed)
                && !self.was_finished(identity, &sibling.path)
                && !self.is_unread_of(identity, &sibling.metadata)
                && !self.is_known_packed(*source, &sibling.path)
                && !self.is_awaited(*source, &sibling.path)
                && !is_found(sibling)
        };
        // A directory that cannot be listed is reported by the search for files.
        let siblings = siblings(path).unwrap_or_default();
        let archived = self.archived_by_name(*source, path);
        siblings.into_iter().chain(archived).filter(is_unknown).collect()
    }

    /// Whether a sibling is one of the files to be opened, or was made of one that is open already.
    fn is_among(&self, found: &[Found], source: usize, sibling: &Sibling) -> bool {
        let identity = Identity::of(source, &sibling.metadata);
        let mut open = found.iter().filter_map(|f| f.file.as_ref()).peekable();
        found.iter().any(|f| f.identity == identity)
            || open.peek().is_some()
                && Body::open(&sibling.path, self.limits).is_ok_and(|(body, _)| {
                    body.packed().is_some() && open.any(|f| begins(&body, f).unwrap_or(false))
                })
    }

    /// Whether a sibling holds nothing but what the file that was at the path holds, or what the one that is there does.
    fn is_copy_of(&self, sibling: &Sibling, of: &Departed) -> bool {
        let Ok((copy, metadata)) = Body::open(&sibling.path, self.limits) else { return false };
        if metadata.len() == 0 {
            return false;
        }
        if let Some(g) = self.generations.get(&of.holder) {
            let is_plain = copy.packed().is_none();
            if is_plain && g.seen.began_with(&copy, metadata.len()).unwrap_or(false) {
                return true;
            }
            if let Some(Body::Plain(original)) = &g.file {
                return is_part_of((&copy, &metadata), original).unwrap_or(false);
            }
        }
        // No copy is older than what it was made of.
        open_regular(&of.path).is_ok_and(|(here, here_metadata)| {
            born(&here_metadata) <= born(&metadata)
                && is_part_of((&copy, &metadata), &here).unwrap_or(false)
        })
    }

    /// Whether nothing but known content comes out of a compressed file: what a followed file begins with, or
    /// what was read to its end.
    fn is_known_packed(&self, source: usize, path: &std::path::Path) -> bool {
        let Ok((body, metadata)) = Body::open(path, self.limits) else { return true };
        let Some(packed) = body.packed() else { return false };
        let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let key = (Identity::of(source, &metadata), metadata.len(), written);
        if self.known_packed.borrow().contains(&key) {
            return true;
        }
        let mut followed = self.generations.values().filter(|g| g.identity.source == source);
        let is_begun = |g: &Generation| match &g.file {
            Some(file) => begins(&body, file).unwrap_or(false),
            None => g.seen.is_telling() && g.seen.stands_in(&body).unwrap_or(false),
        };
        let is_known = followed.any(is_begun)
            || self.finished(source).any(|checkpoint| {
                checkpoint.fits(&body, &metadata).unwrap_or(false)
                    && packed.length().is_ok_and(|length| length <= checkpoint.offset)
                    || checkpoint.written_at.is_some_and(|at| written <= at)
                        && checkpoint.may_begin_with(&body).unwrap_or(false)
            });
        if is_known {
            // It need not be unpacked again; and what it was known by may be forgotten before it goes.
            let mut known = self.known_packed.borrow_mut();
            if self.limits.files <= known.len() {
                known.pop_first();
            }
            known.insert(key);
        }
        is_known
    }

    /// Of a file of which nothing was read there is nothing to recognise it by. What rotation made since then,
    /// and nobody knows, is that.
    pub(super) fn find_unread(
        &self,
        identity: Identity,
        of: &Checkpoint,
    ) -> io::Result<Option<Opened>> {
        let Some(since) = of.written_at.filter(|_| of.offset == 0) else { return Ok(None) };
        let (source, path, holder) = (identity.source, live(&of.path), of.file);
        let (written_since, older) = (since, None);
        let departed = Departed { source, path, holder, since, written_since, older };
        self.first_between(&departed)
    }

    /// A copy of what was written to a file of which nothing was read, if it has changed since and may have been cut
    /// off.
    pub(super) fn copied_unread(
        &self,
        f: &Found,
        of: &Checkpoint,
        now: &Metadata,
    ) -> Option<Opened> {
        let is_here = of.offset == 0 && of.path == f.path;
        let has_changed = of.changed_at.is_some_and(|at| at != Stat::of(now).changed_at());
        if !is_here || !has_changed {
            return None;
        }
        self.first_copy(Departed::since(f.identity.source, of)?, now)
    }

    /// The same for one that is followed, and of which no byte was known.
    pub(super) fn copied_unseen(&self, id: FileId, now: Stat) -> Option<Opened> {
        let g = self.generations.get(&id)?;
        let is_here = g.sight.scan == self.scans && g.sight.elsewhere.is_none();
        let is_unknown = !g.seen.is_telling() && !g.is_packed();
        if !is_here || !is_unknown || !now.was_written_after(&g.stat) {
            return None;
        }
        let (source, path, since) = (g.identity.source, g.path.clone(), g.stat.changed_at());
        let (holder, written_since, older) = (id, since, None);
        let here = regular(&path).ok()?;
        self.first_copy(Departed { source, path, holder, since, written_since, older }, &here)
    }

    /// What is still at its path is older than its copies.
    fn first_copy(&self, departed: Departed, of: &Metadata) -> Option<Opened> {
        let after = born(of)?.checked_add(Duration::from_nanos(1))?;
        let since = departed.since.max(after);
        self.first_between(&Departed { since, ..departed }).ok()?
    }

    /// Of several files that came and went at a path, the one that was written to first.
    fn first_between(&self, departed: &Departed) -> io::Result<Option<Opened>> {
        let unknown = self.between(departed, |_| false);
        let first = unknown
            .into_iter()
            .min_by(|a, b| (modified(a), Reverse(&a.path)).cmp(&(modified(b), Reverse(&b.path))));
        let Some(first) = first else { return Ok(None) };
        let (file, metadata) = Body::open(&first.path, self.limits)?;
        Ok(Some(Opened { path: first.path, file, metadata }))
    }
}

/// A path that a followed file has left. What came to it later was made after `since` and, as a copy
/// or an old file may have been, not written to before `written_since` for the last time.
pub(super) struct Departed {
    pub source: usize,
    pub path: PathBuf,
    pub holder: FileId,
    pub since: SystemTime,
    pub written_since: SystemTime,
    /// So many rotations ago that file left it, and when it was written to last: what was rotated earlier is older,
    /// unless it was written to later.
    pub older: Option<(u32, SystemTime)>,
}

impl Departed {
    /// One of which nobody knows what became of it since it was seen last.
    pub fn since(source: usize, checkpoint: &Checkpoint) -> Option<Departed> {
        let since = checkpoint.changed_at?;
        let (path, holder, older) = (checkpoint.path.clone(), checkpoint.file, None);
        let written_since = checkpoint.written_at.unwrap_or(since);
        Some(Departed { source, path, holder, since, written_since, older })
    }
}

/// A file that moved away from its path left it to younger ones, since it was seen there last. Of one that was cut
/// off, again and again perhaps, younger copies were made than the one that was found.
pub(super) fn younger_than(
    identity: Identity,
    checkpoint: &Checkpoint,
    at: &Opened,
) -> Option<Departed> {
    let source = identity.source;
    let (path, holder) = (checkpoint.path.clone(), checkpoint.file);
    let written = at.metadata.modified().ok()?;
    let older = rotations_ago(&path, &at.path).map(|ago| (ago, written));
    let is_beside = at.path.parent() == path.parent();
    if at.file.packed().is_none() && is_beside && Identity::of(source, &at.metadata) != identity {
        let (since, written_since) = (born(&at.metadata)?, written);
        return Some(Departed { source, path, holder, since, written_since, older });
    }
    // Whoever had it open may have written to it after a younger one came to its place.
    let or_before = |at: Option<SystemTime>| at.map_or(written, |at| at.min(written));
    let since = or_before(checkpoint.changed_at);
    let written_since = or_before(checkpoint.written_at);
    Some(Departed { source, path, holder, since, written_since, older })
}

/// Whether a file holds nothing but what another one begins with.
fn is_part_of((copy, metadata): (&Body, &Metadata), original: &File) -> io::Result<bool> {
    match copy {
        Body::Plain(copy) => {
            is_prefix((copy, metadata.len()), (original, original.metadata()?.len()))
        }
        Body::Packed(copy) => begins(&**copy, original),
    }
}
