//! A look at the files: what has appeared, moved, gone or failed since the one before.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment, SystemTime};

use crate::app::follow::Follower;
use crate::app::intake::Progress;
use crate::app::watch::GAP;
use crate::tail::{Depth, FileId, TailEvent};
use crate::time::Instant;

impl Follower {
    /// Finds out what has changed in the files. `elapsed`: since the last look.
    pub fn look(&mut self, now: Instant, elapsed: Duration) {
        if GAP < elapsed {
            self.intake.gap(None);
        }
        self.rests = self.may_rest();
        if !self.rests {
            self.look_now(now);
        }
    }

    /// The same between two turns of reading: while there is more to be read, nothing rests.
    pub fn look_between(&mut self, now: Instant) {
        if !self.may_rest() {
            self.look_now(now);
        }
    }

    fn look_now(&mut self, now: Instant) {
        self.still = None;
        self.waker.forget_news();
        let depth = self.depth();
        let begun = Moment::now();
        if depth == Depth::Glob {
            self.waker.forget_names();
        }
        let mut events = self.tail.scan(depth, self.began.elapsed());
        self.note_missed();
        self.last_scan = Some((Moment::now(), begun.elapsed()));
        if depth == Depth::Glob {
            self.last_glob = self.last_scan;
            events.extend(self.documents.look());
            let mut directories = self.tail.directories();
            directories.extend(self.documents.directories());
            for warning in self.waker.watch(&directories) {
                tracing::warn!(warning, "polling");
            }
        }
        self.intake.look();
        for event in events {
            self.note(event, now);
        }
        for file in self.tail.ended() {
            self.intake.ended(file, now);
        }
        self.is_first = false;
        self.last_look = Some(now);
    }

    /// Takes in what the tail, or a look at documents, has found.
    pub(super) fn note(&mut self, event: TailEvent, now: Instant) {
        match event {
            TailEvent::Opened { file, source, path, resumed_at, mtime } => {
                self.opened(file, &source, &path.to_string_lossy(), (resumed_at, mtime), now);
            }
            TailEvent::Rotated { file, source, kind } => {
                tracing::info!(source = &*source, file = file.0, kind = kind.as_str(), "rotated");
                self.watch.count(&source, "rotations", kind.as_str(), 1);
                self.moved(file);
            }
            TailEvent::Vanished { file, source, path } => {
                tracing::warn!(source = &*source, path = %path.display(), "file vanished");
                self.moved(file);
            }
            TailEvent::PossibleLoss { file, source, reason, from, to } => {
                let (file, reason) = (file.0, reason.as_str());
                tracing::error!(source = &*source, file, reason, from, to, "lines may be lost");
                self.watch.count(&source, "possible_loss", reason, 1);
                self.is_urgent = true;
            }
            TailEvent::Failed { source, path, kind, error } => {
                let (path, kind) = (path.map(|path| path.display().to_string()), kind.as_str());
                tracing::warn!(source = &*source, path, kind, error, "cannot be read");
                self.watch.count(&source, "read_errors", kind, 1);
                self.intake.gap(self.names.get(&source).copied());
            }
            TailEvent::Closed { file, .. } => {
                self.intake.close(file);
                self.progress.remove(&file);
                self.mtimes.remove(&file);
                self.closed.push(file);
            }
        }
    }

    fn opened(
        &mut self,
        file: FileId,
        source: &Arc<str>,
        path: &str,
        (resumed_at, mtime): (u64, Option<SystemTime>),
        now: Instant,
    ) {
        let Some(index) = self.names.get(source).copied() else { return };
        tracing::info!(source = &**source, file = file.0, path, resumed_at, "following");
        if let Some(mtime) = mtime.map(Instant::from) {
            if self.is_first {
                self.mtimes.insert(file, mtime);
            }
            if 0 < resumed_at {
                self.watch.saw_line(index, mtime.min(now));
            }
        }
        let header = match self.intake.needs_header(index) {
            true => self.tail.first_line(file).ok().flatten(),
            false => None,
        };
        let memo = self.tail.memo(file).to_string();
        // Where it begins is to be on disk at once, also if nothing is read of it: a restart knows it by that.
        self.progress.insert(file, Progress { file, offset: resumed_at, memo: memo.clone() });
        self.is_urgent = true;
        // What was not there at the last look has been followed since then.
        let since = if self.is_first || 0 < resumed_at { None } else { self.last_look };
        let trouble = self.intake.opened(
            file,
            (index, path.into()),
            resumed_at,
            &memo,
            header.as_deref(),
            since,
        );
        if let Err(rejection) = trouble {
            tracing::warn!(source = &**source, path, detail = rejection.detail, "header refused");
        }
    }
}
