//! A file that was replaced, or written anew, by a copy of itself: reading goes on in it where it was.
//!
//! Whoever delivers a log again writes a temporary file and renames it, or cuts the old one off and writes it from
//! its start. So a look may find any length of it. What is shorter than what was read, and nothing else, is waited
//! for a while; and nothing is read of it meanwhile.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Tail;
use super::body::{Body, Bytes};
use super::checkpoint::Checkpoint;
use super::event::{FileId, RotationKind, TailEvent};
use super::found::Found;
use super::generation::{Doubt, Generation, Identity, Life};
use super::rotate::{Findings, find_moved};
use super::signature::{Likeness, Seen, read_full};

/// How many bytes are compared at a time.
const STEP_BYTES: usize = 64 << 10;

/// A file that was replaced by a copy. Somebody may have it open and still write to it.
pub(super) struct Remainder {
    file: File,
    source: usize,
    path: PathBuf,
    /// Where the line begins in which the part ends that is in the copy.
    line: u64,
    /// How much of it is in the copy.
    copied: u64,
    since: Duration,
    memo: String,
}

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
        if !self.is_copy_of_followed(id, &file, &metadata).unwrap_or(false) {
            return false;
        }
        let f = findings.found.remove(at);
        self.move_over(id, f.place, Opened { path: f.path, file, metadata }, findings.events);
        true
    }

    /// Whether the content of a file that is not itself may be under way again: it was cut off and is written anew.
    pub(super) fn is_being_rewritten(&mut self, id: FileId, size: u64) -> bool {
        let now = self.now;
        let may_become = self.with_file(id, |g| {
            let may_become = match &g.file {
                Some(Body::Plain(file)) if 0 < g.offset() => g.seen.likeness(file, size)?,
                _ => Likeness::Other,
            };
            Ok(may_become == Likeness::MayBecome)
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
        let like = self.known(before).map(|known| known.likeness(&at.file, &at.metadata));
        if !matches!(like, Some(Ok(Likeness::Same))) {
            return Some(at);
        }
        if !self.generations.contains_key(&before) {
            self.go_on_waiting(before, at, place, events);
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
                Ok(Likeness::Same) => self.merge(id, before, events),
                Ok(Likeness::MayBecome) => {}
                Ok(Likeness::Other) => self.is_of_its_own(id),
                // Not readable at present: nothing is decided.
                Err(_) => {}
            }
        }
    }

    fn likeness_of(&mut self, id: FileId, before: FileId) -> io::Result<Likeness> {
        let now = self.now;
        let Some(known) = self.known(before) else { return Ok(Likeness::Other) };
        let like = self.with_file(id, |g| {
            let Some(file) = &g.file else { return Ok(Likeness::MayBecome) };
            let metadata = file.metadata()?;
            let like = known.likeness(file, &metadata)?;
            let lasts = Doubt::lasts(&mut g.doubt, metadata.len(), now);
            // In an empty one there is nothing to be waited for.
            let is_waited_for = lasts || metadata.len() == 0;
            match like {
                _ if 0 < g.offset() => Ok(Likeness::Other),
                Likeness::MayBecome if !is_waited_for => Ok(Likeness::Other),
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
            || g.seen.likeness(file, new.len())? != Likeness::Same;
        if is_other {
            return Ok(false);
        }
        match &g.file {
            Some(old) => {
                let common = old.metadata()?.len().min(new.len());
                are_alike(old, file, g.offset()..common)
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
        let longest = self.limits.line_bytes as u64;
        let Some(g) = self.generations.get_mut(&id) else { return };
        let was = g.identity;
        if let Some(Body::Plain(file)) = g.file.take() {
            let size = file.metadata().map_or(0, |old| old.len());
            let copied = size.min(at.metadata.len()).max(g.offset());
            let line = line_before(&file, g.offset().max(copied.saturating_sub(longest)), copied);
            let (source, path, memo) = (was.source, g.path.clone(), g.memo.clone());
            let line = line.unwrap_or(copied);
            let since = now;
            self.replaced.push(Remainder { file, source, path, line, copied, since, memo });
        }
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

    /// Reads what is written to a file after it was replaced.
    pub(super) fn look_at_remainders(&mut self, events: &mut Vec<TailEvent>) {
        for remainder in std::mem::take(&mut self.replaced) {
            let age = self.now.saturating_sub(remainder.since);
            match remainder.file.metadata() {
                Ok(metadata) if remainder.copied < metadata.len() => {
                    self.follow_remainder(remainder, &metadata, events);
                }
                Ok(_) if age < self.limits.linger_deleted => self.replaced.push(remainder),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn follow_remainder(&mut self, r: Remainder, metadata: &Metadata, events: &mut Vec<TailEvent>) {
        let identity = Identity::of(r.source, metadata);
        let Ok(Some(seen)) = Seen::load(&r.file, r.line) else { return };
        if self.identities.contains_key(&identity) {
            return;
        }
        let id = FileId(self.next);
        self.next = self.next.saturating_add(1);
        let opened = (Body::Plain(r.file), metadata);
        let mut g = Generation::new(id, r.source, r.path, opened, seen, self.now);
        (g.life, g.memo, g.sight.scan) = (Life::Unlisted, r.memo, self.scans);
        events.push(TailEvent::Opened {
            file: id,
            source: self.source_name(r.source),
            path: g.path.clone(),
            resumed_at: g.offset(),
            mtime: metadata.modified().ok(),
        });
        self.hold(g, None);
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
    fn likeness(&self, file: &Body, metadata: &Metadata) -> io::Result<Likeness> {
        match self {
            Known::Followed(seen) => seen.likeness(file, metadata.len()),
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

/// Whether two files have the same bytes at these places.
fn are_alike(
    one: &impl Bytes,
    other: &impl Bytes,
    places: std::ops::Range<u64>,
) -> io::Result<bool> {
    let (mut ours, mut theirs) = (vec![0; STEP_BYTES], vec![0; STEP_BYTES]);
    let mut at = places.start;
    while at < places.end {
        let want = usize::try_from(places.end - at).map_or(STEP_BYTES, |left| left.min(STEP_BYTES));
        let n = read_full(one, ours.get_mut(..want).unwrap_or_default(), at)?;
        let m = read_full(other, theirs.get_mut(..want).unwrap_or_default(), at)?;
        if n != want || m != want || ours.get(..want) != theirs.get(..want) {
            return Ok(false);
        }
        at += want as u64;
    }
    Ok(true)
}

/// Where the line begins in which `end` lies; `None` if it begins before `start`.
fn line_before(file: &impl Bytes, start: u64, end: u64) -> Option<u64> {
    let mut bytes = vec![0; usize::try_from(end.checked_sub(start)?).ok()?];
    read_full(file, &mut bytes, start).ok().filter(|n| *n == bytes.len())?;
    memchr::memrchr(b'\n', &bytes).map(|at| start + at as u64 + 1)
}
