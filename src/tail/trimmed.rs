//! A file that lost lines at its head: reading goes on behind what was read, wherever that stands now.
//!
//! Somebody keeps the last lines of a log only (`tail -n 1000`, `sed -i 1,50d`), in a new file or in the old one, or
//! punches a hole into it, or takes whole blocks out. What stands there then begins at another byte, so that it is
//! a generation of its own, of which the part that was read has been read.

use std::os::unix::fs::MetadataExt;

use super::Tail;
use super::body::{Body, are_alike};
use super::checkpoint::Checkpoint;
use super::event::{FileId, RotationKind, TailEvent};
use super::generation::{Generation, Identity, Life, Stat};
use super::resume::Waiting;
use super::rewrite::Opened;
use super::signature::{Likeness, Seen};
use super::trail::Trail;

impl Tail {
    /// Whether nobody can find the file of a generation any more: only then another may hold what is left of it.
    pub(super) fn is_gone(&self, id: FileId) -> bool {
        let Some(g) = self.generations.get(&id) else { return true };
        match &g.file {
            Some(file) => file.metadata().is_ok_and(|metadata| metadata.nlink() == 0),
            None => g.life == Life::Gone,
        }
    }

    /// Whether a file that is not itself any more lost lines at its head only. Then it is read on.
    pub(super) fn lost_its_head(
        &mut self,
        id: FileId,
        size: u64,
        events: &mut Vec<TailEvent>,
    ) -> bool {
        let like = self.with_file(id, |g| match &g.file {
            Some(Body::Plain(file)) if 0 < g.offset() => g.seen.likeness(file, size, true),
            _ => Ok(Likeness::Other),
        });
        let Ok(Some(Likeness::LostHead(offset))) = like else { return false };
        let Some(g) = self.generations.get_mut(&id) else { return false };
        if offset == g.offset() {
            return self.has_hole(id, events);
        }
        // Rotation copies before it cuts off.
        if self.find_copy(id).is_some() {
            return false;
        }
        let Some(g) = self.generations.get_mut(&id) else { return false };
        let Ok(true) = g.reopen() else { return false };
        let Some((file, metadata)) =
            g.file.take().and_then(|file| file.metadata().ok().map(|metadata| (file, metadata)))
        else {
            return false;
        };
        let is_here = g.sight.scan == self.scans;
        let path = g.path.clone();
        let source = self.sources.get(g.identity.source);
        let place = source.and_then(|s| s.position(&path)).filter(|_| is_here);
        let at = Opened { path, file, metadata };
        match self.go_on_behind(id, place, at, offset, events) {
            None => true,
            Some(at) => {
                if let Some(g) = self.generations.get_mut(&id) {
                    g.file = Some(at.file);
                }
                false
            }
        }
    }

    /// What was read stands where it did, but for its first bytes.
    fn has_hole(&mut self, id: FileId, events: &mut Vec<TailEvent>) -> bool {
        let now = self.now;
        let done = self.with_file(id, |g| {
            let Some(file) = &g.file else { return Ok(false) };
            let Some(seen) = Seen::load_all(file, g.offset())? else { return Ok(false) };
            let stat = Stat::of(&file.metadata()?);
            g.seen = seen;
            g.changed(stat, now)?;
            Ok(true)
        });
        let is_done = matches!(done, Ok(Some(true)));
        if is_done {
            self.report_rewrite(id, events);
        }
        is_done
    }

    /// Goes on in a file that holds, up to `offset`, the last of what was read of a followed one; otherwise gives it
    /// back.
    pub(super) fn go_on_behind(
        &mut self,
        id: FileId,
        place: Option<usize>,
        at: Opened,
        offset: u64,
        events: &mut Vec<TailEvent>,
    ) -> Option<Opened> {
        let Ok(Some(seen)) = Seen::load_all(&at.file, offset) else { return Some(at) };
        if !self.is_left_of(id, &at, offset) {
            return Some(at);
        }
        let Some(g) = self.generations.get_mut(&id) else { return Some(at) };
        let (source, memo, was) = (g.identity.source, g.memo.clone(), g.identity);
        let is_listed = place.is_some();
        if self.ends_with(id, &at, offset) {
            if self.identities.get(&was) == Some(&id) {
                self.identities.remove(&was);
            }
            self.leave(id, offset, &at);
        }
        let next = FileId(self.next);
        self.next = self.next.saturating_add(1);
        let opened = (at.file, &at.metadata);
        let mut g = Generation::new(next, source, at.path, opened, seen, self.now);
        g.memo = memo;
        g.life = if is_listed { Life::Listed } else { Life::Unlisted };
        g.sight.scan = self.scans;
        let source = self.source_name(source);
        events.push(TailEvent::Opened {
            file: next,
            source: source.clone(),
            path: g.path.clone(),
            resumed_at: offset,
            mtime: at.metadata.modified().ok(),
        });
        self.hold(g, place);
        events.push(TailEvent::Rotated { file: next, source, kind: RotationKind::Rewrite });
        None
    }

    /// Whether a file holds up to `offset` the last of what was read of a generation, byte for byte if that is open.
    fn is_left_of(&self, id: FileId, at: &Opened, offset: u64) -> bool {
        let Some(g) = self.generations.get(&id) else { return false };
        let Some(from) = g.offset().checked_sub(offset) else { return false };
        match &g.file {
            Some(old) => are_alike((old, from), (&at.file, 0), offset).unwrap_or(false),
            None => true,
        }
    }

    /// Whether nothing is left to be read of a generation but what another file holds behind `offset` as well.
    fn ends_with(&self, id: FileId, at: &Opened, offset: u64) -> bool {
        let Some(g) = self.generations.get(&id) else { return true };
        let Some(Body::Plain(old)) = &g.file else { return true };
        let Ok(size) = old.metadata().map(|old| old.len()) else { return false };
        let (left, here) =
            (size.saturating_sub(g.offset()), at.metadata.len().saturating_sub(offset));
        let common = left.min(here);
        are_alike((old, g.offset()), (&at.file, offset), common).unwrap_or(false)
    }

    /// A generation goes on in another file. What may still be written to its old one is looked for.
    fn leave(&mut self, id: FileId, offset: u64, at: &Opened) {
        let Some(g) = self.generations.get_mut(&id) else { return };
        let here = at.metadata.len().saturating_sub(offset);
        let file = g.file.take();
        if let Some(Body::Plain(file)) = file {
            let size = file.metadata().map_or(0, |old| old.len());
            let copied = size.min(g.offset().saturating_add(here)).max(g.offset());
            self.keep_remainder(id, file, copied);
        }
        if let Some(g) = self.generations.get_mut(&id) {
            g.end();
        }
    }

    /// Goes on in a file that turned out to be a copy of one whose file has not been found, or is closed; with an
    /// `offset`, a copy that lost its first lines, so that what was read ends there.
    pub(super) fn go_on_waiting(
        &mut self,
        file: FileId,
        offset: Option<u64>,
        at: Opened,
        place: Option<usize>,
        events: &mut Vec<TailEvent>,
    ) {
        let mut keys = self.waiting.keys();
        let Some(key) = keys.find(|(_, waiting)| *waiting == file).copied() else { return };
        let Some(Waiting { checkpoint, .. }) = self.waiting.remove(&key) else { return };
        let Some(offset) = offset else {
            return self.go_on(key.0.source, checkpoint, at, place, events);
        };
        let (source, has_moved) = (self.source_name(key.0.source), offset < checkpoint.offset);
        let is_same_inode = Identity::of(key.0.source, &at.metadata) == key.0;
        let trail = Trail::load(&at.file, offset).unwrap_or_default();
        let mut from = Checkpoint { offset, trail, skipped: 0, ..checkpoint };
        if has_moved {
            from.file = FileId(self.next);
            self.next = self.next.saturating_add(1);
        }
        let id = from.file;
        self.go_on(key.0.source, from, at, place, events);
        if is_same_inode {
            let kind = RotationKind::Rewrite;
            events.push(TailEvent::Rotated { file: id, source: source.clone(), kind });
        }
        if has_moved {
            events.push(TailEvent::Closed { file, source });
        }
    }
}
