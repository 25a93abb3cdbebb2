//! Whose file is read next, and which files are followed closely enough that their lines are seen soon.

use chrono::TimeDelta;

use super::queue::Queue;
use super::{Intake, QUEUE_ITEMS, QUEUE_ITEMS_LEAST};
use crate::tail::FileId;
use crate::time::Instant;

impl Intake {
    /// Blocks read so far.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// A block of a file is read: now it is the turn of other partners.
    pub fn served(&mut self, file: FileId) {
        self.blocks += 1;
        let source = self.queues.get(&file).and_then(|q| self.sources.get(q.source));
        let partners = source.map_or(&[] as &[_], |source| &source.partners);
        self.served.extend(partners.iter().map(|partner| (partner.clone(), self.blocks)));
    }

    /// Whether a block was read for the partner of a file since there were so many.
    pub fn was_served(&self, file: FileId, since: u64) -> bool {
        self.queues.get(&file).is_some_and(|queue| since < self.last_served(queue))
    }

    fn last_served(&self, queue: &Queue) -> u64 {
        // A file of several partners is due as soon as one of them is.
        let served = self.partners_of(queue).map(|partner| self.served.get(partner).copied());
        served.min().flatten().unwrap_or(0)
    }

    /// Of the files with unread bytes, the next: partners take turns, so that none waits for the files of another, and
    /// of the files of one partner the one that is furthest behind and has room.
    pub fn next_to_read(&mut self, unread: &[FileId]) -> Option<FileId> {
        for (file, queue) in &mut self.queues {
            queue.at_end = unread.binary_search(file).is_err();
        }
        let share = (QUEUE_ITEMS / self.queues.len().max(1)).max(QUEUE_ITEMS_LEAST);
        let has_room = |q: &Queue| !q.at_end && !q.is_stuck && q.items.len() < share;
        let open = self.queues.iter().filter(|(_, q)| has_room(q));
        open.min_by_key(|(_, q)| (self.last_served(q), q.high)).map(|(file, _)| *file)
    }

    /// Files that have come to their end count as followed from now on, and those that have not for longer than `gap`
    /// as followed no longer: their lines were not read soon after they were written.
    pub fn follow(&mut self, now: Instant, gap: TimeDelta) {
        for queue in self.queues.values_mut() {
            if queue.is_at_end() {
                queue.followed_since = queue.followed_since.or(Some(now));
                queue.behind_since = None;
            } else if gap < now - *queue.behind_since.get_or_insert(now) {
                queue.followed_since = None;
            }
        }
    }

    /// There was a gap in following the files of a source (or of all).
    pub fn gap(&mut self, source: Option<usize>) {
        for queue in self.queues.values_mut().filter(|q| source.is_none_or(|s| s == q.source)) {
            queue.followed_since = None;
        }
    }
}
