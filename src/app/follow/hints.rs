//! What hints are good for: to look earlier, and to tell of files that nobody could look at.

use std::sync::Arc;
use std::time::Duration;

use crate::app::follow::{Follower, GLOB_EVERY};
use crate::app::shared::{Message, Shared};
use crate::tail::{Depth, LossReason, Waker};

/// After a look, nothing is looked at for so many times as long as it took, so that thousands of idle files cost
/// less than a hundredth of a core, what comes with a look included; where hints may be missing, for half as many
/// times; after a hint, for a few.
const SCAN_REST_HINTED: u32 = 400;
const SCAN_REST: u32 = 200;
const HINT_REST: u32 = 4;

/// But for no longer than this, because a change may come without a hint (a write through a mapping); and where hints
/// may be missing, than this.
const REST_MOST: Duration = Duration::from_secs(10);
const REST_MOST_UNSEEN: Duration = Duration::from_millis(700);

impl Follower {
    /// Whether nothing need be looked at yet. Looking takes long where files are many: then it is done as rarely as
    /// that costs no more than [`SCAN_REST_HINTED`] allows, and a hint makes it come earlier.
    pub(super) fn may_rest(&self) -> bool {
        let Some((at, took)) = self.last_scan else { return false };
        let rest = if self.waker.have_news() {
            took * HINT_REST
        } else if self.waker.is_complete() {
            (took * SCAN_REST_HINTED).min(REST_MOST)
        } else {
            (took * SCAN_REST).min(REST_MOST_UNSEEN)
        };
        at.elapsed() < rest
    }

    /// How thoroughly to look: at all names from time to time, and when a hint says that they have changed.
    pub(super) fn depth(&self) -> Depth {
        let Some((at, took)) = self.last_glob else { return Depth::Glob };
        let since = at.elapsed();
        let rest = match self.waker.names_have_changed() {
            true => took * HINT_REST,
            false => GLOB_EVERY.max((took * SCAN_REST).min(REST_MOST_UNSEEN)),
        };
        if rest <= since { Depth::Glob } else { Depth::Stat }
    }

    /// Files that appeared and went before they could be looked at.
    pub(super) fn note_missed(&mut self) {
        let gone = self.waker.take_gone(|path| self.tail.awaits(path).is_some());
        for path in gone.into_iter().filter(|path| !path.exists()) {
            let Some(source) = self.tail.awaits(&path) else { continue };
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
