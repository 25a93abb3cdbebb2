//! What hints are good for: to look earlier, and to tell of files that nobody could look at.

use std::path::Path;
use std::sync::Arc;

use crate::app::follow::{Follower, GLOB_EVERY};
use crate::app::shared::{Message, Shared};
use crate::tail::{Depth, LossReason, Waker};

/// After a hint they are listed at once, unless that was done just now and took long: then after this many times as
/// long.
const GLOB_REST: u32 = 4;

impl Follower {
    /// How thoroughly to look: at all names from time to time, and when a hint says that they have changed; but if
    /// there are many, not for most of the time.
    pub(super) fn depth(&self) -> Depth {
        let since = self.last_glob.map(|at| at.elapsed());
        let is_due = since.is_none_or(|since| GLOB_EVERY <= since);
        let is_cheap = since.is_none_or(|since| self.glob_took * GLOB_REST <= since);
        let is_hinted = is_cheap && self.waker.names_have_changed();
        if is_due || is_hinted { Depth::Glob } else { Depth::Stat }
    }

    /// A file appeared and went before it could be looked at.
    pub(super) fn note_missed(&mut self, path: &Path) {
        if let Some(source) = self.tail.missed(path) {
            let reason = LossReason::Vanished.as_str();
            let path = path.display();
            tracing::error!(source = &*source, %path, reason, from = 0, "lines may be lost");
            self.watch.count(&source, "possible_loss", reason, 1);
            self.is_urgent = true;
        }
    }
}

/// Wakes the loop when something happens in a directory.
pub(super) fn waker(shared: &Arc<Shared>) -> Waker {
    let shared = shared.clone();
    let wake = move || {
        // The loop may have ended: then nobody needs to be woken.
        shared.send(Message::Wake);
    };
    let (waker, warning) = Waker::new(Box::new(wake));
    if let Some(warning) = warning {
        tracing::warn!(warning, "polling");
    }
    waker
}
