//! What the loop does while the ledger cannot be written: it keeps what it has judged, reads nothing on, says so
//! once in a while, and tries again.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant as Moment};

use crate::app::engine::Engine;
use crate::app::shared::{Asking, Message, Reply};
use crate::clock;
use crate::store::{Commit, StoreError};

/// How long a failed commit is waited out before it is tried again.
pub const STORE_RETRY: Duration = Duration::from_secs(1);

/// How often the log is told that it still fails.
pub const REMIND: Duration = Duration::from_secs(60);

/// What the loop does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    GoOn,
    Stop,
}

impl Engine {
    /// Tries a failed commit again until the ledger takes it. Files are looked at meanwhile and not read, so
    /// that their lag is seen; `Next::Stop`: it was told to stop, and the same lines come again after a restart.
    ///
    /// # Errors
    /// The ledger is broken: waiting does not help.
    pub(super) fn outlast(
        &mut self,
        commit: &Commit,
        first: StoreError,
    ) -> Result<Next, StoreError> {
        let mut outage = Outage { since: Moment::now(), told: None, tries: 1 };
        let mut error = first;
        self.refuse_questions();
        loop {
            if error.is_lasting() {
                return Err(error);
            }
            outage.tell(&error);
            if self.wait(&error) == Next::Stop {
                tracing::warn!("stopped without storing the last lines, they will be read again");
                return Ok(Next::Stop);
            }
            outage.tries += 1;
            match self.put(commit) {
                Ok(()) => break,
                Err(again) => error = again,
            }
            self.follower.look(clock::now(), self.last_look.elapsed());
            self.last_look = Moment::now();
            self.follower.take_stock(&self.shared, clock::now());
        }
        outage.end();
        // What comes late now comes late because of us.
        self.follower.gap();
        Ok(Next::GoOn)
    }

    /// After a while, goes back to what is on disk.
    pub(super) fn begin_again(&mut self, error: &StoreError) -> Next {
        self.refuse_questions();
        let next = self.wait(error);
        self.start_over();
        next
    }

    /// Questions that came before the lines that could not be stored would wait until they are.
    fn refuse_questions(&mut self) {
        std::mem::take(&mut self.waiting).into_iter().for_each(refuse_question);
    }

    /// Waits for the next try; whoever asks for something meanwhile is told why it cannot be.
    fn wait(&self, error: &StoreError) -> Next {
        let until = Moment::now() + STORE_RETRY;
        let refuse = |reply: Reply| {
            let answer = format!("the ledger cannot be written now, try again later: {error}");
            // Whoever asked may have gone.
            let _ = reply.send(Err(answer));
        };
        loop {
            self.shared.pulse().beat();
            let left = until.saturating_duration_since(Moment::now());
            match self.mail.recv_timeout(left) {
                Ok(Message::Wake) if left.is_zero() => return Next::GoOn,
                Ok(Message::Wake) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
                Ok(Message::Request(_, reply)) => refuse(reply),
                Ok(Message::Ask(asking)) => refuse_question(asking),
                Ok(Message::Reload(reply)) => {
                    self.shared.edit_own(|own| own.reload_ok = false);
                    tracing::error!("configuration not loaded while the ledger cannot be written");
                    refuse(reply);
                }
                Err(RecvTimeoutError::Timeout) => return Next::GoOn,
            }
        }
    }
}

fn refuse_question(asking: Asking) {
    asking.refuse("the ledger cannot be written now, try again later");
}

/// A time in which every commit fails.
struct Outage {
    since: Moment,
    told: Option<Moment>,
    tries: u64,
}

impl Outage {
    fn tell(&mut self, error: &StoreError) {
        if self.told.is_some_and(|told| told.elapsed() < REMIND) {
            return;
        }
        self.told = Some(Moment::now());
        let (tries, seconds) = (self.tries, self.since.elapsed().as_secs());
        tracing::error!(
            %error, tries, seconds,
            "the ledger cannot be written: reading is paused, and writing is tried again every second"
        );
    }

    fn end(&self) {
        let (tries, seconds) = (self.tries, self.since.elapsed().as_secs());
        tracing::info!(tries, seconds, "the ledger can be written again, reading continues");
    }
}
