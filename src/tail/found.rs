//! Files that were found and are not followed yet.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::Tail;
use super::body::Body;
use super::checkpoint::Checkpoint;
use super::event::{FailureKind, FileId, TailEvent};
use super::generation::{Doubt, Generation, Identity, Life};
use super::rewrite::Opened;
use super::rotate::is_rotation_of;
use super::sibling::{Sibling, is_compressed, relocated};
use super::signature::Seen;
use super::source::Place;

/// A file to be opened.
#[derive(Debug)]
pub(super) struct Found {
    pub identity: Identity,
    pub path: PathBuf,
    pub modified: Option<SystemTime>,
    /// Its place among those of its source; `None` if no pattern leads to it.
    pub place: Option<usize>,
    /// Already open: the file whose earlier content was cut off.
    pub file: Option<File>,
    /// The generation that was at its path before, and when that last changed.
    pub before: Option<(FileId, SystemTime)>,
    /// The generation of which it may be a copy.
    pub after: Option<FileId>,
    /// For how long that has been waited for already.
    doubt: Option<Doubt>,
}

impl Found {
    /// A file seen at a place.
    pub fn at(identity: Identity, position: usize, place: &Place, metadata: &Metadata) -> Found {
        Found {
            identity,
            path: place.path.clone(),
            modified: metadata.modified().ok(),
            place: Some(position),
            file: None,
            before: place.holder.zip(place.since),
            after: place.holder,
            doubt: None,
        }
    }

    /// A rotated file to which no pattern leads.
    pub fn rotated(source: usize, sibling: Sibling) -> Found {
        let identity = Identity::of(source, &sibling.metadata);
        let modified = sibling.metadata.modified().ok();
        let (path, place, file, before) = (sibling.path, None, None, None);
        let (after, doubt) = (None, None);
        Found { identity, path, modified, place, file, before, after, doubt }
    }

    /// The file of a generation whose content was cut off; `place` if a pattern leads to it.
    pub fn again(g: &Generation, place: Option<usize>, file: Option<File>) -> Found {
        let metadata = file.as_ref().and_then(|file| file.metadata().ok());
        let modified = metadata.and_then(|metadata| metadata.modified().ok());
        let (identity, path, after) = (g.identity, g.path.clone(), Some(g.id));
        let before = Some((g.id, g.stat.changed_at()));
        Found { identity, path, modified, place, file, before, after, doubt: g.doubt }
    }
}

impl Tail {
    /// The file of a checkpoint, if it was cut off, written to and rotated since: all that it holds is new.
    pub(super) fn cut_off_and_rotated(&self, identity: Identity, of: &Checkpoint) -> Option<Found> {
        let moved = relocated(&of.path, identity.dev, identity.ino).ok()??;
        // Whatever its name: one that got its inode later came into being later.
        let is_same = || of.changed_at.is_some() && !of.is_older_than(&moved.metadata);
        let is_rotated = is_rotation_of(&of.path, &moved.path) || is_same();
        let is_known = of.offset == 0
            || is_compressed(moved.path.as_os_str().as_bytes())
            || self.identities.contains_key(&identity)
            || self.was_finished(identity, &moved.path);
        (is_rotated && !is_known).then(|| Found::rotated(identity.source, moved))
    }

    /// Opens a file that was found, unless its patterns do not allow that.
    pub(super) fn open(&self, f: &Found) -> io::Result<(Body, Metadata)> {
        let (file, metadata) = Body::open(&f.path, self.limits)?;
        if let Some(source) = self.sources.get(f.identity.source) {
            source.allows(&f.path, &file)?;
        }
        Ok((file, metadata))
    }

    /// Opens what was found, the file that was written to first before the others. Where the clock of
    /// the file system does not tell, `app.log.2` comes before `app.log.1` and that before `app.log`.
    ///
    /// True if one was not where it had been seen any more. Unless this `is_last`, it and those behind it are left alone
    /// then: a file that came and went between two others is looked for only as long as the younger is new, and what
    /// is in the younger is not to be read before it.
    pub(super) fn open_found(
        &mut self,
        mut found: Vec<Found>,
        is_last: bool,
        events: &mut Vec<TailEvent>,
    ) -> bool {
        // What is open already will not be found again.
        found.sort_by(|a, b| {
            let of = |f: &Found| (f.file.is_none(), f.modified);
            (of(a), &b.path).cmp(&(of(b), &a.path))
        });
        let mut refused = BTreeSet::new();
        let mut has_moved = false;
        for mut f in found {
            let (number, path, position) = (f.identity.source, f.path.clone(), f.place);
            let seen = f.identity;
            let opened = match f.file.take() {
                Some(file) => file.metadata().map(|metadata| (Body::Plain(file), metadata)),
                None if self.identities.contains_key(&f.identity) => continue,
                None if self.limits.files <= self.generations.len() => {
                    refused.insert(number);
                    continue;
                }
                None => self.open(&f),
            };
            has_moved = match &opened {
                Ok((_, metadata)) => Identity::of(number, metadata) != seen,
                Err(e) => FailureKind::of(e) == FailureKind::NotFound,
            };
            if has_moved && !is_last {
                break;
            }
            if let Err(e) = opened.and_then(|opened| self.follow(f, opened, events)) {
                self.found_fails(number, &path, position, &e, events);
            }
        }
        self.report_crowded(&refused, events);
        has_moved
    }

    /// Says so, once, when there are more files than may be followed.
    fn report_crowded(&mut self, refused: &BTreeSet<usize>, events: &mut Vec<TailEvent>) {
        for (number, source) in self.sources.iter_mut().enumerate() {
            let is_crowded = refused.contains(&number);
            if is_crowded && !source.is_crowded {
                let error =
                    format!("more than {} files match, the rest is not read", self.limits.files);
                events.push(TailEvent::Failed {
                    source: source.name.clone(),
                    path: None,
                    kind: FailureKind::TooManyFiles,
                    error,
                });
            }
            source.is_crowded = is_crowded;
        }
    }

    fn found_fails(
        &mut self,
        source: usize,
        path: &std::path::Path,
        position: Option<usize>,
        error: &io::Error,
        events: &mut Vec<TailEvent>,
    ) {
        let kind = FailureKind::of(error);
        let Some(source) = self.sources.get_mut(source) else { return };
        let place = position.and_then(|position| source.places.get_mut(position));
        let retry_at = self.now.saturating_add(self.limits.retry);
        let is_new = place.is_none_or(|place| place.fails(kind, retry_at));
        // Deleted since it was seen: the next scan tells.
        if is_new && kind != FailureKind::NotFound {
            events.push(TailEvent::failed(&source.name, path, error));
        }
    }

    /// A new generation begins.
    fn follow(
        &mut self,
        f: Found,
        (file, metadata): (Body, Metadata),
        events: &mut Vec<TailEvent>,
    ) -> io::Result<()> {
        let identity = Identity::of(f.identity.source, &metadata);
        if self.identities.contains_key(&identity) {
            return Ok(());
        }
        let before = self.predecessor(&f, &file);
        let opened = Opened { path: f.path.clone(), file, metadata };
        let Some(opened) = self.adopt(before, f.place, opened, events) else { return Ok(()) };
        let (file, metadata) = (opened.file, opened.metadata);
        let original = match &file {
            Body::Plain(file) => self.original_of(&f, file, &metadata),
            Body::Packed(_) => None,
        };
        let mut seen = Seen::default();
        seen.look_ahead(&file)?;
        let id = FileId(self.next);
        self.next = self.next.saturating_add(1);
        let opened = (file, &metadata);
        let mut g = Generation::new(id, identity.source, f.path, opened, seen, self.now);
        g.life = match (original, f.place) {
            (Some(original), _) => Life::CopyOf(original),
            (None, Some(_)) => Life::Listed,
            (None, None) => Life::Unlisted,
        };
        g.sight.scan = self.scans;
        g.after = before.filter(|_| g.life == Life::Listed);
        g.doubt = f.doubt.filter(|_| g.after.is_some());
        if original.is_none() {
            events.push(TailEvent::Opened {
                file: id,
                source: self.source_name(identity.source),
                path: g.path.clone(),
                resumed_at: 0,
                mtime: metadata.modified().ok(),
            });
        }
        self.hold(g, f.place);
        Ok(())
    }

    /// Follows a generation from here on.
    pub(super) fn hold(&mut self, mut g: Generation, place: Option<usize>) {
        let source = self.sources.get_mut(g.identity.source);
        if let Some(place) = place.and_then(|place| source?.places.get_mut(place)) {
            (place.holder, place.since) = (Some(g.id), Some(g.stat.changed_at()));
            (place.was_seen, place.failing) = (true, None);
        }
        if g.life == Life::Listed && !g.is_packed() && self.limits.descriptors <= self.descriptors {
            g.file = None;
        } else {
            self.descriptors += 1;
        }
        self.identities.insert(g.identity, g.id);
        self.generations.insert(g.id, g);
    }
}
