//! The scan: looks at every path, attends to what changed, opens what is new, releases what is done.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::body::Body;
use super::event::{FailureKind, FileId, TailEvent};
use super::found::Found;
use super::generation::{Generation, Identity, Life, Stat, regular};
use super::rotate::Findings;
use super::source::Place;
use super::{Depth, Tail};
use crate::process::Written;

/// How long the answer counts to the question which files somebody has open for writing.
const WRITERS_EVERY: Duration = Duration::from_secs(10);

/// How often one scan looks while files move on between being seen and being opened.
const ROUNDS: usize = 5;

/// How long a file must be quiet before it is closed for want of descriptors.
const IDLE: Duration = Duration::from_secs(60);

impl Tail {
    /// Finds out what has changed. Cheap where nothing has: one system call for each path, and for
    /// each file that no path leads to. The first scan is always a [`Depth::Glob`].
    ///
    /// `now` is the time on a clock that never goes back, since any fixed moment.
    pub fn scan(&mut self, depth: Depth, now: Duration) -> Vec<TailEvent> {
        self.now = now;
        self.waiting_at = None;
        self.descriptors = self.generations.values().filter(|g| g.file.is_some()).count();
        let mut events = Vec::new();
        let mut depth = if self.scans == 0 { Depth::Glob } else { depth };
        // While they move on faster than that, the next scan goes on.
        for round in 1..=ROUNDS {
            if !self.discover(depth, round == ROUNDS, &mut events) {
                break;
            }
            depth = Depth::Glob;
        }
        self.judge_rewrites(&mut events);
        self.judge_copies(&mut events);
        self.look_at_remainders(&mut events);
        self.release(&mut events);
        self.report_empty(&mut events);
        events
    }

    /// Looks and opens what is new. True if a file moved on before it was opened: then everything is to be looked for
    /// again at once.
    fn discover(&mut self, depth: Depth, is_last: bool, events: &mut Vec<TailEvent>) -> bool {
        self.scans += 1;
        if depth == Depth::Glob {
            self.list(events);
        }
        let mut found = self.look(events);
        for id in self.restless() {
            self.attend(id, &mut Findings { found: &mut found, events });
        }
        let mut departed = if depth == Depth::Glob { self.vacant() } else { Vec::new() };
        self.resume(depth, &mut found, &mut departed, events);
        self.find_between(&mut found, departed);
        self.open_found(found, is_last, events)
    }

    fn list(&mut self, events: &mut Vec<TailEvent>) {
        let generations = &self.generations;
        let is_followed = |id: FileId| generations.contains_key(&id);
        for source in &mut self.sources {
            source.list(self.limits.entries, is_followed, events);
        }
    }

    /// Looks at every place; returns the files there that are not followed yet.
    pub(super) fn look(&mut self, events: &mut Vec<TailEvent>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut sources = std::mem::take(&mut self.sources);
        for (number, source) in sources.iter_mut().enumerate() {
            for (position, place) in source.places.iter_mut().enumerate() {
                if self.now < place.retry_at {
                    self.cannot_look(place);
                    continue;
                }
                match regular(&place.path) {
                    Ok(metadata) => {
                        let identity = Identity::of(number, &metadata);
                        if !self.saw(identity, position, place, Stat::of(&metadata)) {
                            found.push(Found::at(identity, position, place, &metadata));
                        }
                    }
                    Err(e) => self.looked_in_vain(&source.name, place, &e, events),
                }
            }
        }
        self.sources = sources;
        found
    }

    /// A place leads to a file; `false` if it is not followed.
    fn saw(&mut self, identity: Identity, position: usize, place: &mut Place, stat: Stat) -> bool {
        let known = self.identities.get(&identity);
        let Some(g) = known.and_then(|id| self.generations.get_mut(id)) else { return false };
        g.saw(self.scans, position, &place.path, stat);
        (place.holder, place.since) = (Some(g.id), Some(stat.changed_at()));
        (place.was_seen, place.failing) = (true, None);
        true
    }

    /// Nothing can be said about the file that was seen at this place.
    fn cannot_look(&mut self, place: &Place) {
        if let Some(g) = place.holder.and_then(|id| self.generations.get_mut(&id))
            && matches!(g.life, Life::Listed | Life::CopyOf(_))
            && g.path == place.path
        {
            g.could_not_see(self.scans);
        }
    }

    fn looked_in_vain(
        &mut self,
        source: &Arc<str>,
        place: &mut Place,
        error: &io::Error,
        events: &mut Vec<TailEvent>,
    ) {
        let kind = FailureKind::of(error);
        if kind == FailureKind::NotFound {
            place.failing = None;
            return;
        }
        // Something else at its path means that the file is elsewhere; any other error says nothing.
        if kind != FailureKind::NotRegular {
            self.cannot_look(place);
        }
        if place.fails(kind, self.now.saturating_add(self.limits.retry)) {
            events.push(TailEvent::failed(source, &place.path, error));
        }
    }

    pub(super) fn restless(&self) -> Vec<FileId> {
        let restless = |g: &&Generation| g.needs_attention(self.scans, self.now);
        self.generations.values().filter(restless).map(|g| g.id).collect()
    }

    /// Lets go of what is read to its end, and of descriptors if they are short.
    fn release(&mut self, events: &mut Vec<TailEvent>) {
        let is_short = self.limits.descriptors <= self.descriptors;
        let quiet_for = |g: &Generation| self.now.saturating_sub(g.quiet_since);
        let is_due = |g: &&Generation| {
            matches!(g.life, Life::Unlisted | Life::Ending)
                && g.is_read()
                && g.failing.is_none()
                && self.linger(g) <= quiet_for(g)
        };
        let due: Vec<FileId> = self.generations.values().filter(is_due).map(|g| g.id).collect();
        let is_asked =
            due.iter().any(|id| self.generations.get(id).is_some_and(|g| !g.is_packed()));
        let written = if is_asked { self.written() } else { None };
        let mut done = Vec::new();
        for id in due {
            let Some(g) = self.generations.get_mut(&id) else { continue };
            let is_unseen = self.now.saturating_sub(g.quiet_since) < self.limits.linger_unseen;
            let (is_written, is_kept) = match &written {
                _ if g.is_packed() => (false, false),
                Some(written) => (written.contains(&(g.identity.dev, g.identity.ino)), false),
                None => (false, is_unseen && !is_short),
            };
            if is_written {
                g.life = Life::Unlisted;
            } else if g.offset() < g.stat.size {
                g.life = Life::Ending;
            } else if is_kept {
                g.life = Life::Unlisted;
            } else if g.offset() <= g.committed {
                done.push(id);
            } else {
                g.is_over = true;
            }
        }
        for g in self.generations.values_mut() {
            let is_quiet = IDLE <= self.now.saturating_sub(g.quiet_since);
            match g.life {
                Life::Gone if g.offset() <= g.committed => done.push(g.id),
                Life::Listed if is_short && g.is_read() && is_quiet && !g.is_packed() => {
                    g.file = None;
                }
                _ => {}
            }
        }
        self.close(&done, events);
    }

    /// For how long a file that no path leads to must be quiet before it is asked whether anything may still come.
    fn linger(&self, g: &Generation) -> Duration {
        match g.file.as_ref().and_then(Body::packed) {
            // Nobody writes to it, so the next scan is soon enough; but one that seems damaged may not be whole yet.
            Some(packed) if packed.trouble().is_none() => Duration::from_nanos(1),
            _ if g.stat.links == 0 => self.limits.linger_deleted,
            _ => self.limits.linger,
        }
    }

    /// The files that somebody has open for writing, not asked for at each scan.
    fn written(&mut self) -> Option<Written> {
        let is_old = |at: &Duration| WRITERS_EVERY <= self.now.saturating_sub(*at);
        if self.written.as_ref().is_none_or(|(at, _)| is_old(at)) {
            self.written = Some((self.now, (self.limits.writers)()));
        }
        self.written.as_ref().and_then(|(_, written)| written.clone())
    }

    fn close(&mut self, done: &[FileId], events: &mut Vec<TailEvent>) {
        for file in done {
            self.report_trouble(*file, events);
            self.remember(*file);
            let Some(g) = self.forget(*file) else { continue };
            let source = self.source_name(g.identity.source);
            events.push(TailEvent::Closed { file: *file, source });
        }
    }

    /// A generation is followed no longer.
    pub(super) fn forget(&mut self, file: FileId) -> Option<Generation> {
        let g = self.generations.remove(&file)?;
        if self.identities.get(&g.identity) == Some(&file) {
            self.identities.remove(&g.identity);
        }
        Some(g)
    }

    /// The name of a source by its number.
    pub(super) fn source_name(&self, source: usize) -> Arc<str> {
        self.sources.get(source).map_or_else(|| "".into(), |source| source.name.clone())
    }

    /// Says so when a source has no files, once each time.
    fn report_empty(&mut self, events: &mut Vec<TailEvent>) {
        self.sources.iter_mut().for_each(|source| source.files = 0);
        for g in self.generations.values().filter(|g| g.life == Life::Listed) {
            if let Some(source) = self.sources.get_mut(g.identity.source) {
                source.files += 1;
            }
        }
        for source in &mut self.sources {
            let is_empty = source.files == 0;
            if is_empty && !source.is_empty {
                let patterns: Vec<&str> = source.patterns.iter().map(|p| &*p.text).collect();
                events.push(TailEvent::Failed {
                    source: source.name.clone(),
                    path: None,
                    kind: FailureKind::NotFound,
                    error: format!("no file matches {}", patterns.join(", ")),
                });
            }
            source.is_empty = is_empty;
        }
    }
}
