//! From when and until when the metrics may be seen, on disk for the process that comes after this one.

use chrono::TimeDelta;

use crate::app::engine::Engine;
use crate::clock;
use crate::store::Commit;
use crate::time::Instant;

/// A commit allows the counters of time to be shown for this long: more than lies between two commits while a
/// run is open, so that they do not fall when the process is killed and an end is read by the next one.
const SHOWN_AHEAD: TimeDelta = TimeDelta::seconds(30);

/// Until when a commit that is made now allows the counters of time to be shown.
pub(super) fn from_now() -> Instant {
    clock::now() + SHOWN_AHEAD
}

impl Engine {
    /// Tells the draft until when the counters of time may have been shown.
    pub(super) fn remember_shown(&mut self) {
        match self.store.reader().shown_until() {
            Ok(until) => self.draft.set_shown_until(until),
            Err(error) => tracing::error!(%error, "the ledger cannot be read"),
        }
    }

    /// Once everything there was has been read, the metrics may be seen.
    pub(super) fn get_ready(&mut self) {
        if self.shared.is_ready() {
            return;
        }
        let partners = &self.config.policy.partners;
        if partners.iter().all(|p| self.follower.is_caught_up(&p.name)) {
            // A ledger that cannot be written now is told of when there is something to write: what pages must
            // not wait for it.
            // Commits that did not wait for the disk are there with this one.
            let promise = Commit { shown_until: Some(from_now()), ..Commit::default() };
            let through = self.store.write_through();
            if let Err(error) = through.and_then(|()| self.store.commit(&promise)) {
                tracing::warn!(%error, "not on disk: how far the counters of time are shown");
            }
            // Everything that the draft has is on disk now.
            *self.shared.ledger_mut() = self.draft.ledger().clone();
            self.shared.set_ready();
            let (bytes, entries) = (self.follower.catch_up().0, self.store.head().0);
            tracing::info!(bytes, entries, "caught up, ready to be scraped");
        }
    }
}
