//! What became of a file that changed, moved, or is not there any more.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Tail;
use super::body::Body;
use super::event::{FailureKind, FileId, LossReason, RotationKind, TailEvent};
use super::found::Found;
use super::generation::{Generation, Identity, Life, Stat, open_regular, regular};
use super::rewrite::Opened;
use super::sibling::{looks_rotated, relocated, rotation_suffix, siblings};
use super::unpack::End;

/// What a scan collects.
pub(super) struct Findings<'a> {
    pub found: &'a mut Vec<Found>,
    pub events: &'a mut Vec<TailEvent>,
}

impl Tail {
    /// Something about this generation is not as it was.
    pub(super) fn attend(&mut self, id: FileId, findings: &mut Findings) {
        let Some(g) = self.generations.get(&id) else { return };
        if matches!(g.life, Life::CopyOf(_)) {
            return;
        }
        let stat = if g.sight.scan == self.scans {
            self.listed(id, findings)
        } else {
            self.unlisted(id, findings)
        };
        match stat {
            Ok(Some(stat)) => self.changed(id, stat, findings),
            Ok(None) => {}
            Err(e) => self.fails(id, &e, findings.events),
        }
    }

    /// A path leads to it, perhaps another one than before.
    fn listed(&mut self, id: FileId, findings: &mut Findings) -> io::Result<Option<Stat>> {
        let Some(g) = self.generations.get_mut(&id) else { return Ok(None) };
        if let Some(elsewhere) = g.sight.elsewhere
            && let Some(source) = self.sources.get(g.identity.source)
            && let Some(place) = source.places.get(elsewhere)
        {
            let old = std::mem::replace(&mut g.path, place.path.clone());
            let was_live = !looks_rotated(old.file_name().unwrap_or_default().as_bytes());
            if g.life == Life::Listed && was_live {
                let (source, kind) = (source.name.clone(), RotationKind::Rename);
                findings.events.push(TailEvent::Rotated { file: id, source, kind });
            }
        }
        g.life = Life::Listed;
        if g.is_packed() { g.fstat() } else { Ok(g.sight.stat) }
    }

    /// No path leads to it any more. Its state, if it still exists.
    fn unlisted(&mut self, id: FileId, findings: &mut Findings) -> io::Result<Option<Stat>> {
        if self.goes_on_at_its_path(id, findings) {
            return Ok(None);
        }
        let Some(g) = self.generations.get_mut(&id) else { return Ok(None) };
        let source = self.sources.get(g.identity.source).map(|source| source.name.clone());
        let source = source.unwrap_or_else(|| "".into());
        let place = g.path.clone();
        if g.file.is_none() && !find_moved(g)? {
            self.vanished(id, findings.events);
            return Ok(None);
        }
        let stat = g.fstat()?;
        if g.life == Life::Listed {
            g.life = Life::Unlisted;
            g.quiet_since = self.now;
            let deleted = stat.is_some_and(|stat| stat.links == 0);
            // A name that rotation gave tells the old one as well, and that the file has been rotated.
            if !deleted
                && let Some(moved) = relocated(&place, g.identity.dev, g.identity.ino)?
                && is_rotation_of(&place, &moved.path)
            {
                g.path = moved.path;
            }
            // It was rotated and compressed since it was looked at.
            let is_packed = || {
                let copy = self.find_copy(id);
                copy.is_some_and(|copy| copy.file.packed().is_some())
            };
            let is_gone = deleted && !is_packed();
            findings.events.push(left(id, &source, &place, regular(&place).is_ok(), is_gone));
        }
        Ok(stat)
    }

    /// The file is gone and was not open. Perhaps it lies in the archive, or was copied first.
    fn vanished(&mut self, id: FileId, events: &mut Vec<TailEvent>) {
        let Some(g) = self.generations.get(&id) else { return };
        let (path, size) = (g.path.clone(), g.stat.size);
        let was = g.identity;
        let source = self.source_name(was.source);
        let copy = self.find_copy(id);
        let is_itself =
            copy.as_ref().is_some_and(|copy| Identity::of(was.source, &copy.metadata) == was);
        let (from, reason) = match self.go_on_in_copy(id, copy) {
            Ok(_) if is_itself => {
                return events.push(left(id, &source, &path, regular(&path).is_ok(), false));
            }
            Ok(from) => (from, LossReason::Copytruncate),
            Err(from) => (from, LossReason::Vanished),
        };
        events.push(left(id, &source, &path, regular(&path).is_ok(), true));
        let to = Some(size).filter(|size| from < *size);
        events.push(TailEvent::PossibleLoss { file: id, source, reason, from, to });
    }

    /// Looks whether a changed file only grew.
    fn changed(&mut self, id: FileId, stat: Stat, findings: &mut Findings) {
        let now = self.now;
        let Some(g) = self.generations.get(&id) else { return };
        if g.stat == stat && !g.suspect {
            return;
        }
        let was_open = g.file.is_some();
        let was_doubtful = g.doubt.is_some();
        let copy = self.copied_unseen(id, stat);
        let (mut lost, mut is_known) = (None, false);
        let verdict = self.with_file(id, |g| {
            // A younger one that holds all that was read is a copy.
            is_known = was_open || 0 < g.offset() || !g.is_younger()?;
            let is_itself = is_known && copy.is_none() && g.is_itself(stat.size)?;
            if is_itself {
                // What was cut off had not been read; what had been is all there.
                lost = Some((stat.size, g.stat.size)).filter(|(now, before)| now < before);
                g.changed(stat, now)?;
            }
            Ok(is_itself)
        });
        match verdict {
            Ok(Some(true)) => {
                if was_doubtful {
                    self.report_rewrite(id, findings.events);
                }
                if let Some((from, to)) = lost {
                    let (kind, reason) = (RotationKind::Truncate, LossReason::Truncate);
                    self.report_cut(id, kind, reason, (from, to), findings.events);
                }
            }
            Ok(Some(false)) if self.generations.get(&id).is_some_and(Generation::is_packed) => {
                self.spoiled(id, findings.events);
            }
            Ok(Some(false)) if self.lost_its_head(id, stat.size, findings.events) => {}
            Ok(Some(false)) if self.is_being_rewritten(id, stat.size) => {}
            Ok(Some(false)) => {
                let copy = copy.filter(|_| is_known);
                self.replaced(id, was_open, copy, findings);
            }
            // Its path leads to another file since it was looked at: the next scan finds out.
            Ok(None) => {}
            Err(e) => self.fails(id, &e, findings.events),
        }
    }

    /// What was read does not stand in the file any more: it was cut off and perhaps filled again, or
    /// the inode belongs to another file now. If there is a copy of the old content, reading goes on there.
    fn replaced(
        &mut self,
        id: FileId,
        was_open: bool,
        copy: Option<Opened>,
        findings: &mut Findings,
    ) {
        let Some(g) = self.generations.get_mut(&id) else { return };
        let place = self.sources.get(g.identity.source).and_then(|s| s.position(&g.path));
        let place = place.filter(|_| g.sight.scan == self.scans);
        let file = match g.file.take() {
            Some(Body::Plain(file)) => Some(file),
            Some(Body::Packed(_)) | None => None,
        };
        findings.found.push(Found::again(g, place, file));
        let size = g.stat.size;
        let copy = self.find_copy(id).or(copy);
        let (kind, reason, from) = match self.go_on_in_copy(id, copy) {
            Ok(from) => (RotationKind::Copytruncate, LossReason::Copytruncate, from),
            Err(from) if was_open => (RotationKind::Truncate, LossReason::Truncate, from),
            Err(from) => (RotationKind::Replace, LossReason::Vanished, from),
        };
        self.report_cut(id, kind, reason, (from, size), findings.events);
    }

    /// What was read does not come out of a compressed file any more: there is no use in reading on.
    fn spoiled(&mut self, id: FileId, events: &mut Vec<TailEvent>) {
        let Some(g) = self.generations.get_mut(&id) else { return };
        let (path, source, from) = (g.path.clone(), g.identity.source, g.offset());
        g.end();
        let (kind, error) = (FailureKind::Damaged, "it was written anew".into());
        let source = self.source_name(source);
        let (reason, to) = (LossReason::Damaged, None);
        events.push(TailEvent::Failed { source: source.clone(), path: Some(path), kind, error });
        events.push(TailEvent::PossibleLoss { file: id, source, reason, from, to });
    }

    /// A compressed file of which nothing more comes out: whether anything was wrong with it.
    pub(super) fn report_trouble(&self, id: FileId, events: &mut Vec<TailEvent>) {
        let Some(g) = self.generations.get(&id) else { return };
        let packed = g.file.as_ref().and_then(Body::packed);
        let (kind, reason, error) = match packed.and_then(|packed| packed.trouble()) {
            Some(End::Damaged(why)) => (FailureKind::Damaged, LossReason::Damaged, why),
            Some(End::TooLarge(why)) => (FailureKind::TooLarge, LossReason::TooLarge, why),
            Some(End::Clean) | None => return,
        };
        let (source, path) = (self.source_name(g.identity.source), Some(g.path.clone()));
        let (from, to) = (g.offset(), None);
        events.push(TailEvent::Failed { source: source.clone(), path, kind, error });
        events.push(TailEvent::PossibleLoss { file: id, source, reason, from, to });
    }

    /// The content of a generation is no longer where it was. If there is a copy, reading goes on
    /// there: its size. Otherwise the generation has ended: how far it was read.
    fn go_on_in_copy(&mut self, id: FileId, copy: Option<Opened>) -> Result<u64, u64> {
        let Some(g) = self.generations.get_mut(&id) else { return Err(0) };
        // The inode may be another's already.
        if self.identities.get(&g.identity) == Some(&id) {
            self.identities.remove(&g.identity);
        }
        let Some(Opened { path, file, metadata }) = copy else {
            let read = g.offset();
            g.end();
            return Err(read);
        };
        let size = match file.packed() {
            Some(packed) => packed.length().unwrap_or(0),
            None => metadata.len(),
        };
        g.move_to(path, (file, &metadata), self.now);
        g.life = Life::Unlisted;
        if let Some(other) = self.identities.insert(g.identity, id) {
            self.dispossess(other, id);
        }
        Ok(size)
    }

    /// The file of `other` is the copy in which `id` goes on.
    fn dispossess(&mut self, other: FileId, id: FileId) {
        let Some(g) = self.generations.get_mut(&other).filter(|g| g.id != id) else { return };
        if g.life == Life::CopyOf(id) {
            self.generations.remove(&other);
        } else if g.offset() == 0 {
            // Nothing was read of it, so that nothing but the inode tells it from the copy.
            g.end();
        }
        // One that was read finds out that its file has gone when it is attended to.
    }

    /// Content was cut off: what was written behind `from`, at least up to `to`, may be lost.
    fn report_cut(
        &self,
        file: FileId,
        kind: RotationKind,
        reason: LossReason,
        (from, to): (u64, u64),
        events: &mut Vec<TailEvent>,
    ) {
        let Some(g) = self.generations.get(&file) else { return };
        let source = self.source_name(g.identity.source);
        events.push(TailEvent::Rotated { file, source: source.clone(), kind });
        let to = Some(to).filter(|to| from < *to);
        events.push(TailEvent::PossibleLoss { file, source, reason, from, to });
    }

    /// A sibling that holds everything that was read of a generation, and perhaps the rest of it.
    pub(super) fn find_copy(&self, id: FileId) -> Option<Opened> {
        let g = self.generations.get(&id).filter(|g| g.seen.is_telling())?;
        let archived = self.archived(g.identity.source, &g.path);
        siblings(&g.path).ok()?.into_iter().chain(archived).find_map(|sibling| {
            let identity = Identity::of(g.identity.source, &sibling.metadata);
            let holder = self.identities.get(&identity).and_then(|id| self.generations.get(id));
            let (file, metadata) = Body::open(&sibling.path, self.limits).ok()?;
            // An inode of its own that became free may have gone to the copy.
            if holder.is_some_and(|holder| holder.id != id && g.is_kept_from(holder, &file)) {
                return None;
            }
            let is_long_enough = file.packed().is_some() || g.offset() <= metadata.len();
            let holds = is_long_enough && g.seen.stands_in(&file).ok()?;
            holds.then_some(Opened { path: sibling.path, file, metadata })
        })
    }

    /// Leaves a generation alone for a while; says so once.
    fn fails(&mut self, id: FileId, error: &io::Error, events: &mut Vec<TailEvent>) {
        let Some(g) = self.generations.get_mut(&id) else { return };
        g.retry_at = self.now.saturating_add(self.limits.retry);
        if g.failing.replace(FailureKind::of(error)) != Some(FailureKind::of(error))
            && let Some(source) = self.sources.get(g.identity.source)
        {
            events.push(TailEvent::failed(&source.name, &g.path, error));
        }
    }
}

/// Opens a file that moved while it was closed, if it is still in the same directory.
pub(super) fn find_moved(g: &mut Generation) -> io::Result<bool> {
    let Some(moved) = relocated(&g.path, g.identity.dev, g.identity.ino)? else { return Ok(false) };
    let (file, metadata) = open_regular(&moved.path)?;
    let is_same = Identity::of(g.identity.source, &metadata) == g.identity;
    // With other content it may be an unrelated file that got the inode, unless rotation named it:
    // then it was cut off before it was moved.
    let is_rotated = is_rotation_of(&g.path, &moved.path);
    if !is_same || !is_rotated && !g.holds_what_was_read(&file, metadata.len())? {
        return Ok(false);
    }
    g.file = Some(Body::Plain(file));
    Ok(true)
}

/// Whether rotation may have given the second name to a file with the first.
pub(super) fn is_rotation_of(before: &Path, after: &Path) -> bool {
    let name = |path: &Path| path.file_name().unwrap_or_default().as_bytes().to_vec();
    rotation_suffix(&name(before), &name(after)).is_some()
}

/// How a file left its path.
fn left(
    file: FileId,
    source: &std::sync::Arc<str>,
    path: &Path,
    has_successor: bool,
    is_deleted: bool,
) -> TailEvent {
    let source = source.clone();
    match (is_deleted, has_successor) {
        (false, _) => TailEvent::Rotated { file, source, kind: RotationKind::Rename },
        (true, true) => TailEvent::Rotated { file, source, kind: RotationKind::Replace },
        (true, false) => TailEvent::Vanished { file, source, path: path.to_path_buf() },
    }
}
