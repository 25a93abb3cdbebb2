//! How far the files have come: kept until the next commit, stored with it, and known to be stored.

use crate::app::follow::Follower;
use crate::app::intake::Progress;
use crate::store::{Commit, InFile, StoreError};
use crate::tail::{Checkpoint, FileId};

impl Follower {
    /// How far files have come, to be stored with the next commit.
    pub fn note_progress(&mut self, progress: Vec<Progress>) {
        for p in progress {
            self.progress.insert(p.file, p);
        }
    }

    /// Whether anything has come further than the last commit says.
    pub fn has_progress(&self) -> bool {
        !self.progress.is_empty() || !self.closed.is_empty() || self.documents.has_marks()
    }

    /// A file is no longer where its checkpoint says: a restart right now must know where to look for it.
    pub(super) fn moved(&mut self, file: FileId) {
        self.is_urgent = true;
        self.intake.moved(file);
        if let Some(stored) = self.stored.get(&file) {
            let (offset, memo) = (stored.offset, stored.memo.clone());
            // If its old place is all that can be said of it, the old checkpoint is as good.
            if self.tail.checkpoint(file, offset).is_ok() {
                self.progress.entry(file).or_insert(Progress { file, offset, memo });
            }
        }
    }

    /// Completes a commit with the counts and checkpoints that belong to it.
    ///
    /// # Errors
    /// A file cannot be looked at, so that nothing would know it again; its lines are to be read again.
    pub fn checkpoints(&mut self, commit: &mut Commit) -> Result<(), StoreError> {
        self.is_urgent = false;
        commit.tallies.append(&mut self.watch.take_pending());
        commit.documents = self.documents.take_marks();
        commit.forgotten = self.documents.take_forgotten();
        for progress in std::mem::take(&mut self.progress).into_values() {
            self.tail.set_memo(progress.file, progress.memo);
            let checkpoint = self.tail.checkpoint(progress.file, progress.offset);
            let path = self.stored.get(&progress.file).map(|c| c.path.clone()).unwrap_or_default();
            commit.checkpoints.push(checkpoint.in_file(&path)?);
        }
        for file in std::mem::take(&mut self.closed) {
            if let Some(stored) = self.stored.remove(&file) {
                commit.checkpoints.push(Checkpoint { finished: true, ..stored });
            }
        }
        Ok(())
    }

    /// A commit is on disk.
    pub fn committed(&mut self, commit: &Commit) {
        for checkpoint in commit.checkpoints.iter().filter(|c| !c.finished) {
            self.tail.committed(checkpoint.file, checkpoint.offset);
            self.stored.insert(checkpoint.file, checkpoint.clone());
        }
        self.watch.committed(&commit.tallies);
    }
}
