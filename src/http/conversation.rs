//! Where a connection stands: the stage decides how long it may stay there.
//!
//! One clock for "no head within 10 s" cannot serve: it would also cut a scraper that comes back
//! after 60 s. So the time for a head starts with its first byte, and waiting for that byte has a
//! time of its own.

use super::limits::{LINGER, Limits};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connected, nothing said yet.
    Silent,
    /// A request's head has begun.
    Head,
    /// A request has begun, and its body or the check of its login is waited for; the service bounds that itself.
    Unready,
    /// A request is being answered; the service bounds that itself.
    Serving,
    /// The answer is handed over and not yet written.
    Writing,
    /// The same, and the client takes none of it at the moment.
    Blocked,
    /// Everything is answered.
    Idle,
    /// Our side is closed, the client's not yet.
    Closing,
}

impl Stage {
    /// How long a connection may stay in this stage.
    pub(super) fn limit(self, limits: &Limits) -> Option<Duration> {
        match self {
            Stage::Silent => Some(limits.accept),
            Stage::Head => Some(limits.header_read),
            Stage::Unready | Stage::Serving => None,
            Stage::Writing | Stage::Blocked => Some(limits.request),
            Stage::Idle => Some(limits.idle),
            Stage::Closing => Some(LINGER),
        }
    }

    /// Whether the connection owes nothing: no request of it is complete and unanswered.
    pub(super) fn awaits_request(self) -> bool {
        matches!(self, Stage::Silent | Stage::Head | Stage::Idle)
    }

    /// Whether the connection may be closed to make room: nothing is being done for it.
    pub(super) fn may_leave(self) -> bool {
        self.awaits_request() || self == Stage::Unready
    }

    /// Whether an answer is on its way. One clock runs from its beginning to its end.
    pub(super) fn is_writing(self) -> bool {
        matches!(self, Stage::Writing | Stage::Blocked)
    }
}

/// The state shared by a connection's stream, its service and the task that drives it.
#[derive(Debug)]
pub(super) struct Conversation {
    stage: watch::Sender<Stage>,
    ambiguous: AtomicBool,
}

impl Conversation {
    pub(super) fn new() -> Conversation {
        Conversation { stage: watch::Sender::new(Stage::Silent), ambiguous: AtomicBool::new(false) }
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// A receiver that is told of each change of stage.
    pub(super) fn follow(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Bytes came in: the first of them begin a head.
    pub(super) fn received(&self) {
        self.enter_from(&[Stage::Silent, Stage::Idle], Stage::Head);
    }

    /// The head of a request is complete and goes to the service.
    pub(super) fn begun(&self) {
        let before = [Stage::Silent, Stage::Head, Stage::Idle, Stage::Writing, Stage::Blocked];
        self.enter_from(&before, Stage::Unready);
    }

    /// The request is whole, and its sender known.
    pub(super) fn serving(&self) {
        self.enter_from(&[Stage::Unready], Stage::Serving);
    }

    /// The answer is in the hands of the writer.
    pub(super) fn writing(&self) {
        self.enter_from(&[Stage::Unready, Stage::Serving], Stage::Writing);
    }

    /// The client does not take more of the answer for now,
    pub(super) fn blocked(&self) {
        self.enter_from(&[Stage::Writing], Stage::Blocked);
    }

    /// or it does again.
    pub(super) fn moved(&self) {
        self.enter_from(&[Stage::Blocked], Stage::Writing);
    }

    /// Everything handed over is written; `is_mid_head` if the next request has begun already.
    pub(super) fn flushed(&self, is_mid_head: bool) {
        let next = if is_mid_head { Stage::Head } else { Stage::Idle };
        self.enter_from(&[Stage::Writing, Stage::Blocked], next);
    }

    /// Our side is being closed.
    pub(super) fn closing(&self) {
        let next = Stage::Closing;
        self.stage.send_if_modified(|stage| std::mem::replace(stage, next) != next);
    }

    /// The length of the last request's body is stated more than once.
    pub(super) fn set_ambiguous(&self) {
        self.ambiguous.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ambiguous(&self) -> bool {
        self.ambiguous.load(Ordering::Relaxed)
    }

    /// Moves on only from the stages named: repeated calls must not restart a stage's time.
    fn enter_from(&self, from: &[Stage], to: Stage) {
        self.stage.send_if_modified(|stage| {
            let moves = from.contains(stage);
            if moves {
                *stage = to;
            }
            moves
        });
    }
}
