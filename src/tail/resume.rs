//! Finds the generations of an earlier process again, by their checkpoints.

use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::between::{Departed, younger_than};
use super::body::Body;
use super::checkpoint::Checkpoint;
use super::event::{FailureKind, FileId, LossReason, RotationKind, TailEvent};
use super::found::Found;
use super::generation::{Doubt, Generation, Identity, Life, regular};
use super::rewrite::Opened;
use super::sibling::{Sibling, born, live, looks_rotated, relocated, siblings};
use super::signature::{Likeness, Seen};
use super::{Depth, Tail};

/// A checkpoint whose file has not been found yet.
pub(super) struct Waiting {
    pub(super) checkpoint: Checkpoint,
    /// When it was first looked for in vain.
    since: Option<Duration>,
    /// It was reported as gone.
    is_given_up: bool,
    /// What is at its path may be a copy in the making.
    doubt: Option<Doubt>,
}

impl Tail {
    /// Keeps a checkpoint until its file is found.
    pub(super) fn wait_for(&mut self, checkpoint: Checkpoint) {
        let source = self.sources.iter().position(|source| source.name == checkpoint.source);
        if let Some(source) = source {
            let identity = Identity { source, dev: checkpoint.dev, ino: checkpoint.ino };
            let waiting = Waiting { since: None, is_given_up: false, doubt: None, checkpoint };
            self.waiting.insert((identity, waiting.checkpoint.file), waiting);
        }
    }

    /// Keeps the checkpoint of a generation that is about to be closed: its file may come back.
    pub(super) fn remember(&mut self, file: FileId) {
        let Some(g) = self.generations.get(&file) else { return };
        // A file of which nothing was read cannot be recognised. A deleted one may come back compressed.
        let offset = g.offset();
        if offset == 0 {
            return;
        }
        if let Ok(checkpoint) = self.checkpoint(file, offset) {
            self.wait_for(Checkpoint { finished: true, ..checkpoint });
        }
        let finished = self.waiting.iter().filter(|(_, waiting)| waiting.checkpoint.finished);
        if self.limits.files < self.waiting.len()
            && let Some(oldest) = finished.map(|(key, _)| *key).min_by_key(|(_, file)| *file)
        {
            self.waiting.remove(&oldest);
        }
    }

    /// The checkpoint of a generation whose file has not been found, or is closed.
    pub(super) fn waiting_for(&self, file: FileId) -> Option<&Checkpoint> {
        let mut all = self.waiting.values().map(|waiting| &waiting.checkpoint);
        all.find(|checkpoint| checkpoint.file == file)
    }

    /// Where the files of checkpoints were that have not been found, or are closed.
    pub(super) fn waiting_paths(&self) -> impl Iterator<Item = (usize, &Path, FileId)> {
        let known = self.waiting.iter().filter(|(_, waiting)| 0 < waiting.checkpoint.offset);
        known.map(|((identity, file), waiting)| {
            (identity.source, waiting.checkpoint.path.as_path(), *file)
        })
    }

    /// Whether a file has been read before, to its end at that time, and closed.
    pub(super) fn was_finished(&self, identity: Identity, path: &Path) -> bool {
        let closed = |waiting: &&Waiting| 0 < waiting.checkpoint.offset;
        let mut closed = self.of_inode(identity).filter(closed).peekable();
        closed.peek().is_some()
            && Body::open(path, self.limits).is_ok_and(|(file, metadata)| {
                closed.any(|waiting| waiting.checkpoint.fits(&file, &metadata).unwrap_or(false))
            })
    }

    /// Whether a checkpoint of which nothing was read leads to this file.
    pub(super) fn is_unread_of(&self, identity: Identity, metadata: &Metadata) -> bool {
        let mut unread = self.of_inode(identity).map(|waiting| &waiting.checkpoint);
        unread.any(|checkpoint| checkpoint.offset == 0 && !checkpoint.is_older_than(metadata))
    }

    /// Whether a checkpoint whose file is still looked for will find it here, or may be what a compressed file
    /// was made of before the rest was written: that it is gone is reported then.
    pub(super) fn is_awaited(&self, source: usize, path: &Path) -> bool {
        let all = self.waiting.iter().filter(|((identity, _), _)| identity.source == source);
        let all = all.filter(|(_, waiting)| !waiting.checkpoint.finished || waiting.is_given_up);
        let all = all.map(|(_, waiting)| &waiting.checkpoint);
        let mut unfinished = all.filter(|checkpoint| 0 < checkpoint.offset).peekable();
        unfinished.peek().is_some()
            && Body::open(path, self.limits).is_ok_and(|(file, metadata)| {
                unfinished.any(|checkpoint| {
                    checkpoint.fits(&file, &metadata).unwrap_or(false)
                        || checkpoint.may_begin_with(&file).unwrap_or(false)
                })
            })
    }

    /// The checkpoints of a source that were read to their ends.
    pub(super) fn finished(&self, source: usize) -> impl Iterator<Item = &Checkpoint> {
        let all = self.waiting.iter().filter(move |((identity, _), _)| identity.source == source);
        let all = all.map(|(_, waiting)| &waiting.checkpoint);
        all.filter(|checkpoint| checkpoint.finished && 0 < checkpoint.offset)
    }

    fn of_inode(&self, identity: Identity) -> impl Iterator<Item = &Waiting> {
        let all = (identity, FileId(0))..=(identity, FileId(u64::MAX));
        self.waiting.range(all).map(|(_, waiting)| waiting)
    }

    /// Goes on with what was found where a checkpoint says; then looks elsewhere for the others.
    pub(super) fn resume(
        &mut self,
        depth: Depth,
        found: &mut Vec<Found>,
        departed: &mut Vec<Departed>,
        events: &mut Vec<TailEvent>,
    ) {
        found.retain(|f| !self.resume_here(f, departed, events));
        if depth == Depth::Stat {
            return;
        }
        let unfinished = self.waiting.iter().filter(|(_, waiting)| !waiting.checkpoint.finished);
        for key in unfinished.map(|(key, _)| *key).collect::<Vec<_>>() {
            let Some(waiting) = self.waiting.remove(&key) else { continue };
            match self.find_elsewhere(key.0, &waiting.checkpoint) {
                Ok(Some(at)) => {
                    let (identity, checkpoint) = (key.0, waiting.checkpoint);
                    let place = self.place_of(identity.source, &checkpoint, &at);
                    if place.is_none() {
                        departed.extend(younger_than(identity, &checkpoint, &at));
                    }
                    self.go_on(identity.source, checkpoint, at, place, events);
                }
                Ok(None) => {
                    let moved = self.cut_off_and_rotated(key.0, &waiting.checkpoint);
                    found.extend(moved.filter(|m| found.iter().all(|f| f.identity != m.identity)));
                    departed.extend(self.give_up(key, waiting, events));
                }
                Err(_) => {
                    self.waiting.insert(key, waiting);
                }
            }
        }
    }

    /// Of several checkpoints for one inode the one that was read furthest and fits is right: the
    /// others belong to content that was cut off.
    fn resume_here(
        &mut self,
        f: &Found,
        departed: &mut Vec<Departed>,
        events: &mut Vec<TailEvent>,
    ) -> bool {
        if f.file.is_some() || self.of_inode(f.identity).next().is_none() {
            return false;
        }
        // What cannot be opened is reported when it is opened as a new file.
        let Ok((file, metadata)) = self.open(f) else { return false };
        if Identity::of(f.identity.source, &metadata) != f.identity {
            return false;
        }
        let all = self.of_inode(f.identity).map(|waiting| &waiting.checkpoint);
        let fits = all.filter(|checkpoint| checkpoint.fits(&file, &metadata).unwrap_or(false));
        let best = fits.max_by_key(|checkpoint| checkpoint.offset);
        let key = best.map(|checkpoint| (f.identity, checkpoint.file));
        let Some(waiting) = key.and_then(|key| self.waiting.remove(&key)) else { return false };
        let Waiting { checkpoint, .. } = waiting;
        if let Some(copy) = self.copied_unread(f, &checkpoint, &metadata) {
            departed.extend(younger_than(f.identity, &checkpoint, &copy));
            self.go_on(f.identity.source, checkpoint, copy, None, events);
            return false;
        }
        let at = Opened { path: f.path.clone(), file, metadata };
        self.go_on(f.identity.source, checkpoint, at, f.place, events);
        true
    }

    /// Where rotation may have put the file, or a copy of it.
    fn find_elsewhere(&self, identity: Identity, of: &Checkpoint) -> io::Result<Option<Opened>> {
        let is_held = |metadata: &Metadata| {
            self.identities.contains_key(&Identity::of(identity.source, metadata))
        };
        let moved = relocated(&of.path, identity.dev, identity.ino)?;
        let copies = siblings(&of.path)?;
        if let Some(here) = self.find_rewritten(identity, of, moved.as_ref())? {
            return Ok(Some(here));
        }
        let archived = self.archived(identity.source, &of.path);
        for sibling in moved.into_iter().chain(copies).chain(archived) {
            if is_held(&sibling.metadata) {
                continue;
            }
            let (file, metadata) = match Body::open(&sibling.path, self.limits) {
                Ok(opened) => opened,
                // Not everything in an archive need be for us.
                Err(_) if sibling.path.parent() != of.path.parent() => continue,
                Err(e) => return Err(e),
            };
            if of.fits(&file, &metadata)? && !self.is_further_read(of, &file, &metadata) {
                return Ok(Some(Opened { path: sibling.path, file, metadata }));
            }
        }
        self.find_unread(identity, of)
    }

    /// Whether another checkpoint, of a file that was at the same path and read further, leads to this file.
    fn is_further_read(&self, of: &Checkpoint, file: &Body, metadata: &Metadata) -> bool {
        let path = live(&of.path);
        let inode = (metadata.dev(), metadata.ino());
        let mut others = self.waiting.values().map(|waiting| &waiting.checkpoint);
        others.any(|other| {
            of.offset < other.offset
                && of.source == other.source
                && (live(&other.path) == path || (other.dev, other.ino) == inode)
                && other.fits(file, metadata).unwrap_or(false)
        })
    }

    /// A copy that stands at its path, unless the file itself was moved.
    fn find_rewritten(
        &self,
        identity: Identity,
        of: &Checkpoint,
        moved: Option<&Sibling>,
    ) -> io::Result<Option<Opened>> {
        let Some(source) = self.sources.get(identity.source) else { return Ok(None) };
        let path = of.path.clone();
        if of.offset == 0 || source.position(&path).is_none() || regular(&path).is_err() {
            return Ok(None);
        }
        if let Some(moved) = moved {
            let (file, metadata) = Body::open(&moved.path, self.limits)?;
            if of.fits(&file, &metadata)? {
                return Ok(None);
            }
        }
        let (file, metadata) = Body::open(&path, self.limits)?;
        let is_held = self.identities.contains_key(&Identity::of(identity.source, &metadata));
        let is_copy = !is_held
            && of.likeness(&file, &metadata)? == Likeness::Same
            && source.allows(&path, &file).is_ok();
        Ok(is_copy.then_some(Opened { path, file, metadata }))
    }

    /// The place at which a file was found again, if it was at its path.
    fn place_of(&self, source: usize, of: &Checkpoint, at: &Opened) -> Option<usize> {
        let source = self.sources.get(source).filter(|_| of.path == at.path)?;
        source.position(&at.path)
    }

    /// Follows a generation from where its checkpoint left it.
    pub(super) fn go_on(
        &mut self,
        source: usize,
        from: Checkpoint,
        at: Opened,
        place: Option<usize>,
        events: &mut Vec<TailEvent>,
    ) {
        // It fitted a moment ago; if it does not any more, it is read as another file.
        let Ok(Some(seen)) = Seen::load(&at.file, from.offset) else { return };
        let is_younger = from.is_older_than(&at.metadata);
        let mut seen = seen.with_trail(from.trail);
        if seen.look_ahead(&at.file).is_err() {
            return;
        }
        let was = Identity { source, dev: from.dev, ino: from.ino };
        let moved_to = at.path != from.path;
        // What was moved to another file system is another file.
        let is_beside = at.path.parent() == from.path.parent();
        let is_other = Identity::of(source, &at.metadata) != was || is_younger;
        let is_copy = is_other
            && (at.file.packed().is_none() && is_beside
                || was_cut_off(was, &from.path, &at.metadata));
        let copied = at.file.packed().filter(|_| is_copy).and_then(|packed| packed.length().ok());
        let opened = (at.file, &at.metadata);
        let mut g = Generation::new(from.file, source, at.path, opened, seen, self.now);
        g.examined = from.offset.saturating_add(from.skipped).min(g.stat.size);
        g.memo = from.memo;
        g.life = if place.is_some() { Life::Listed } else { Life::Unlisted };
        g.sight.scan = self.scans;
        if g.offset() == 0 && place.is_some() {
            g.after = self.last_at(source, &g.path).filter(|last| *last < g.id);
        }
        let name = self.source_name(source);
        events.push(TailEvent::Opened {
            file: g.id,
            source: name.clone(),
            path: g.path.clone(),
            resumed_at: g.offset(),
            mtime: at.metadata.modified().ok(),
        });
        if !moved_to && Identity::of(source, &at.metadata) != was {
            let kind = RotationKind::Rewrite;
            events.push(TailEvent::Rotated { file: g.id, source: name.clone(), kind });
        }
        if moved_to {
            let kind = if is_copy { RotationKind::Copytruncate } else { RotationKind::Rename };
            let was_rotated = looks_rotated(from.path.file_name().unwrap_or_default().as_bytes())
                || self.sources.get(source).is_some_and(|source| !source.fits(&from.path));
            if is_copy || !was_rotated && !from.has_left {
                events.push(TailEvent::Rotated { file: g.id, source: name.clone(), kind });
            }
            if is_copy {
                let (file, from) = (g.id, copied.unwrap_or(g.stat.size));
                let (reason, to) = (LossReason::Copytruncate, None);
                events.push(TailEvent::PossibleLoss { file, source: name, reason, from, to });
            }
        }
        self.hold(g, place);
    }

    /// Whether what stands at its path may become a copy of what was read.
    fn is_under_way(&self, waiting: &mut Waiting) -> bool {
        let Waiting { checkpoint, doubt, .. } = waiting;
        let Ok((file, metadata)) = Body::open(&checkpoint.path, self.limits) else { return false };
        let like = checkpoint.likeness(&file, &metadata);
        // One that has become a copy is gone on with once all is looked at.
        like.is_ok_and(|like| like != Likeness::Other)
            && Doubt::lasts(doubt, metadata.len(), self.now)
    }

    /// The file is not where it was nor beside it. Another one at its path settles the matter; where
    /// there is none, a directory may not have been mounted yet. Once it is given up, others may have come and gone.
    fn give_up(
        &mut self,
        key: (Identity, FileId),
        mut waiting: Waiting,
        events: &mut Vec<TailEvent>,
    ) -> Option<Departed> {
        let since = *waiting.since.get_or_insert(self.now);
        let here = regular(&waiting.checkpoint.path);
        let is_late = since.saturating_add(self.limits.linger) <= self.now;
        let is_hidden =
            here.as_ref().is_err_and(|e| FailureKind::of(e) == FailureKind::PermissionDenied);
        let is_under_way = self.is_under_way(&mut waiting);
        if is_hidden || is_under_way || here.is_err() && !is_late {
            self.waiting.insert(key, waiting);
            return None;
        }
        let Checkpoint { file, offset: from, .. } = waiting.checkpoint;
        // Nothing was read of it before it turned out to be a copy of the one that is followed in it now.
        let holder = self.identities.get(&key.0).filter(|_| from == 0);
        if holder.is_some_and(|holder| *holder < file) {
            events.push(TailEvent::Closed { file, source: self.source_name(key.0.source) });
            return None;
        }
        let source = self.source_name(key.0.source);
        if let Ok(metadata) = here {
            let is_cut = Identity::of(key.0.source, &metadata) == key.0 && metadata.len() < from;
            let kind = if is_cut { RotationKind::Truncate } else { RotationKind::Replace };
            events.push(TailEvent::Rotated { file, source: source.clone(), kind });
        }
        let (reason, to) = (LossReason::Gone, None);
        events.push(TailEvent::PossibleLoss { file, source: source.clone(), reason, from, to });
        events.push(TailEvent::Closed { file, source });
        waiting.checkpoint.finished = true;
        waiting.is_given_up = true;
        let departed = Departed::since(key.0.source, &waiting.checkpoint);
        self.waiting.insert(key, waiting);
        departed
    }
}

/// Whether the file is still in its directory, and so was cut off rather than deleted after its content was
/// compressed. One with its inode that came into being after that content was written is another.
fn was_cut_off(was: Identity, path: &Path, packed: &Metadata) -> bool {
    let here = regular(path).ok().filter(|here| Identity::of(was.source, here) == was);
    let moved = || relocated(path, was.dev, was.ino).ok().flatten().map(|s| s.metadata);
    let exists = here.or_else(moved);
    exists.is_some_and(|file| born(&file) <= packed.modified().ok())
}
