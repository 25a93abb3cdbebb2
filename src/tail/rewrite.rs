//! A file that was replaced, or written anew, by a copy of itself: reading goes on in it where it was.
//!
//! Whoever delivers a log again writes a temporary file and renames it, or cuts the old one off and writes it from
//! its start. So a look may find any length of it. What is shorter than what was read, and nothing else, is waited
//! for a while; and nothing is read of it meanwhile.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::Tail;
use super::body::{Body, are_alike};
use super::checkpoint::Checkpoint;
use super::event::{FileId, RotationKind, TailEvent};
use super::found::Found;
use super::generation::{Doubt, Identity, Life};
use super::rotate::{Findings, find_moved};
use super::signature::{Likeness, Seen};

/// What is known of the file of which another may be a copy.
enum Known {
    Followed(Seen),
    Waiting(Box<Checkpoint>),
}

/// An open file and where it is.
pub(super) struct Opened {
    pub path: PathBuf,
    pub file: Body,
    pub metadata: Metadata,
}

impl Tail {
    /// Whether a file that no path leads to any more was replaced at its path by a copy: then it goes on there.
    pub(super) fn goes_on_at_its_path(&mut self, id: FileId, findings: &mut Findings) -> bool {
        let Some(g) = self.generations.get_mut(&id) else { return false };
        let (source, path) = (g.identity.source, &g.path);
        let is_here = |f: &Found| {
            f.place.is_some() && f.file.is_none() && f.identity.source == source && f.path == *path
        };
        let Some(at) = findings.found.iter().position(is_here) else { return false };
        if g.file.is_none() {
            // What is not found has nothing left to be read.
            find_moved(g).unwrap_or(false);
        }
        let Some(f) = findings.found.get(at) else { return false };
        let Ok((file, metadata)) = self.open(f) else { return false };
        let is_copy = self.is_copy_of_followed(id, &file, &metadata).unwrap_or(false);
        let left = match self.left_of(id, &file, &metadata) {
            _ if is_copy => None,
            Some(offset) => Some(offset),
            None => return false,
        };
        let f = findings.found.remove(at);
        let opened = Opened { path: f.path.clone(), file, metadata };
        let Some(offset) = left else {
            self.move_over(id, f.place, opened, findings.events);
            return true;
        };
        let given_back = self.go_on_behind(id, f.place, opened, offset, findings.events);
        if given_back.is_some() {
            findings.found.push(f);
        }
        given_back.is_none()
    }

    /// How far another file holds the last of what was read of a followed one that is gone.
    fn left_of(&self, id: FileId, file: &Body, new: &Metadata) -> Option<u64> {
        let g = self.generations.get(&id)?;
        let identity = Identity::of(g.identity.source, new);
        let is_other = g.is_packed() || self.identities.get(&identity).is_some_and(|it| *it != id);
        // One that was not open has been looked for.
        if is_other || g.file.is_some() && !self.is_gone(id) {
            return None;
        }
        match g.seen.likeness(file, new.len(), true) {
            Ok(Likeness::LostHead(offset)) if offset < g.offset() => Some(offset),
            _ => None,
        }
    }

    /// Whether the content of a file that is not itself may be under way again: it was cut off and is written anew.
    pub(super) fn is_being_rewritten(&mut self, id: FileId, size: u64) -> bool {
        let now = self.now;
        let may_become = self.with_file(id, |g| {
            let may_become = match &g.file {
                Some(Body::Plain(file)) if 0 < g.offset() => g.seen.likeness(file, size, true)?,
                _ => Likeness::Other,
            };
            Ok(matches!(may_become, Likeness::MayBecome | Likeness::MayLoseHead))
        });
        let Some(g) = self.generations.get_mut(&id) else { return false };
        if !matches!(may_become, Ok(Some(true))) || !Doubt::lasts(&mut g.doubt, size, now) {
            return false;
        }
        g.suspect = true;
        // Rotation copies before it cuts off.
        self.find_copy(id).is_none()
    }

    /// A file was written anew and holds what it held.
    pub(super) fn report_rewrite(&self, file: FileId, events: &mut Vec<TailEvent>) {
        let Some(g) = self.generations.get(&file) else { return };
        let (source, kind) = (self.source_name(g.identity.source), RotationKind::Rewrite);
        events.push(TailEvent::Rotated { file, source, kind });
    }

    /// The generation of which a file that was just found may be a copy: the one that was at its path before.
    pub(super) fn predecessor(&mut self, f: &Found, file: &Body) -> Option<FileId> {
        f.place?;
        if file.packed().is_some() {
            return None;
        }
        let last = f.after.filter(|id| self.known(*id).is_some());
        if last.is_some() {
            return last;
        }
        self.last_at(f.identity.source, &f.path)
    }

    /// The last generation at a path whose file has not been found, or is closed.
    pub(super) fn last_at(&mut self, source: usize, path: &Path) -> Option<FileId> {
        if self.waiting_at.is_none() {
            self.waiting_at = Some(index(self.waiting_paths()));
        }
        let index = self.waiting_at.as_ref()?;
        index.get(&(source, path.to_path_buf())).copied()
    }

    /// Goes on in a file that was just found if it is a copy of what was read before; otherwise gives it back.
    pub(super) fn adopt(
        &mut self,
        before: Option<FileId>,
        place: Option<usize>,
        at: Opened,
        events: &mut Vec<TailEvent>,
    ) -> Option<Opened> {
        let Some(before) = before else { return Some(at) };
        let is_gone = self.is_gone(before);
        let known = self.known(before);
        let like = known.map(|known| known.likeness(&at.file, &at.metadata, is_gone));
        let is_followed = self.generations.contains_key(&before);
        let offset = match like {
            Some(Ok(Likeness::Same)) => None,
            Some(Ok(Likeness::LostHead(offset))) if is_followed => {
                return self.go_on_behind(before, place, at, offset, events);
            }
            Some(Ok(Likeness::LostHead(offset))) => Some(offset),
            _ => return Some(at),
        };
        if !is_followed {
            self.go_on_waiting(before, offset, at, place, events);
            return None;
        }
        if !self.is_copy_of_followed(before, &at.file, &at.metadata).unwrap_or(false) {
            return Some(at);
        }
        self.move_over(before, place, at, events);
        None
    }

    /// Decides on files that may be copies in the making.
    pub(super) fn judge_rewrites(&mut self, events: &mut Vec<TailEvent>) {
        let doubtful = self.generations.values().filter_map(|g| Some((g.id, g.after?)));
        for (id, before) in doubtful.collect::<Vec<_>>() {
            match self.likeness_of(id, before) {
                Ok(Likeness::Same | Likeness::LostHead(_)) => self.merge(id, before, events),
                Ok(Likeness::MayBecome | Likeness::MayLoseHead) => {}
                Ok(Likeness::Other) => self.is_of_its_own(id),
                // Not readable at present: nothing is decided.
                Err(_) => {}
            }
        }
    }

    fn likeness_of(&mut self, id: FileId, before: FileId) -> io::Result<Likeness> {
        let now = self.now;
        let Some(known) = self.known(before) else { return Ok(Likeness::Other) };
        let is_gone = self.is_gone(before);
        let like = self.with_file(id, |g| {
            let Some(file) = &g.file else { return Ok(Likeness::MayBecome) };
            let metadata = file.metadata()?;
            let like = known.likeness(file, &metadata, is_gone)?;
            let lasts = Doubt::lasts(&mut g.doubt, metadata.len(), now);
            // In an empty one there is nothing to be waited for.
            let is_waited_for = lasts || metadata.len() == 0;
            match like {
                _ if 0 < g.offset() => Ok(Likeness::Other),
                Likeness::MayBecome | Likeness::MayLoseHead if !is_waited_for => {
                    Ok(Likeness::Other)
                }
                like => Ok(like),
            }
        })?;
        // Its path leads to another one: the next scan finds out.
        Ok(like.unwrap_or(Likeness::MayBecome))
    }

    /// It is no copy: it is read from its start.
    fn is_of_its_own(&mut self, id: FileId) {
        if let Some(g) = self.generations.get_mut(&id) {
            (g.after, g.doubt) = (None, None);
        }
    }

    /// A file turned out to be a copy: the one that it is a copy of goes on in it.
    fn merge(&mut self, id: FileId, before: FileId, events: &mut Vec<TailEvent>) {
        let Some(mut g) = self.forget(id) else { return };
        let opened = g.reopen().and_then(|_| match g.file.take() {
            Some(file) => file.metadata().map(|metadata| Some((file, metadata))),
            None => Ok(None),
        });
        let source = g.identity.source;
        let position = self.sources.get(source).and_then(|s| s.position(&g.path));
        let place = position.filter(|_| g.life == Life::Listed);
        let left = match opened {
            Ok(Some((file, metadata))) => {
                let at = Opened { path: g.path.clone(), file, metadata };
                self.adopt(Some(before), place, at, events)
            }
            Ok(None) | Err(_) => {
                // Gone since it was looked at.
                self.identities.insert(g.identity, id);
                self.generations.insert(id, g);
                return;
            }
        };
        match left {
            None => {
                let source = self.source_name(source);
                events.push(TailEvent::Closed { file: id, source });
            }
            Some(at) => {
                g.file = Some(at.file);
                (g.after, g.doubt) = (None, None);
                self.identities.insert(g.identity, id);
                self.generations.insert(id, g);
            }
        }
    }

    /// Whether a file holds all that was read of one that is followed, and goes on as that does.
    fn is_copy_of_followed(&self, id: FileId, file: &Body, new: &Metadata) -> io::Result<bool> {
        let Some(g) = self.generations.get(&id) else { return Ok(false) };
        let is_other = g.offset() == 0
            || g.is_packed()
            || matches!(g.life, Life::CopyOf(_))
            || self.identities.contains_key(&Identity::of(g.identity.source, new))
            || g.seen.likeness(file, new.len(), false)? != Likeness::Same;
        if is_other {
            return Ok(false);
        }
        match &g.file {
            Some(old) => {
                let common = old.metadata()?.len().min(new.len());
                let (from, count) = (g.offset(), common.saturating_sub(g.offset()));
                are_alike((old, from), (file, from), count)
            }
            None => Ok(true),
        }
    }

    /// A generation goes on in a copy. What may still be written to its old file is looked for.
    fn move_over(
        &mut self,
        id: FileId,
        place: Option<usize>,
        at: Opened,
        events: &mut Vec<TailEvent>,
    ) {
        let (now, scan) = (self.now, self.scans);
        let Some(g) = self.generations.get_mut(&id) else { return };
        let was = g.identity;
        if let Some(Body::Plain(file)) = g.file.take() {
            let size = file.metadata().map_or(0, |old| old.len());
            let copied = size.min(at.metadata.len()).max(g.offset());
            self.keep_remainder(id, file, copied);
        }
        let Some(g) = self.generations.get_mut(&id) else { return };
        g.move_to(at.path, (at.file, &at.metadata), now);
        g.life = if place.is_some() { Life::Listed } else { Life::Unlisted };
        (g.sight.scan, g.after) = (scan, None);
        let (identity, changed_at) = (g.identity, g.stat.changed_at());
        if self.limits.descriptors <= self.descriptors && place.is_some() {
            g.file = None;
        }
        if self.identities.get(&was) == Some(&id) {
            self.identities.remove(&was);
        }
        self.identities.insert(identity, id);
        let source = self.sources.get_mut(identity.source);
        if let Some(place) = place.and_then(|place| source?.places.get_mut(place)) {
            (place.holder, place.since) = (Some(id), Some(changed_at));
            (place.was_seen, place.failing) = (true, None);
        }
        self.report_rewrite(id, events);
    }

    fn known(&self, id: FileId) -> Option<Known> {
        if let Some(g) = self.generations.get(&id) {
            return (0 < g.offset()).then(|| Known::Followed(g.seen.clone()));
        }
        let checkpoint = self.waiting_for(id)?;
        (0 < checkpoint.offset).then(|| Known::Waiting(Box::new(checkpoint.clone())))
    }
}

impl Known {
    fn likeness(&self, file: &Body, metadata: &Metadata, is_gone: bool) -> io::Result<Likeness> {
        match self {
            Known::Followed(seen) => seen.likeness(file, metadata.len(), is_gone),
            Known::Waiting(checkpoint) => checkpoint.likeness(file, metadata),
        }
    }
}

/// The last checkpoint for each path.
fn index<'a>(
    all: impl Iterator<Item = (usize, &'a Path, FileId)>,
) -> HashMap<(usize, PathBuf), FileId> {
    let mut index = HashMap::new();
    for (source, path, file) in all {
        let last = index.entry((source, path.to_path_buf())).or_insert(file);
        *last = file.max(*last);
    }
    index
}
