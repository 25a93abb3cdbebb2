//! What the loop is told and asked: how long it waits for that, and who gets an answer.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant as Moment};

use crate::app::engine::{Engine, counted};
use crate::app::shared::{Message, Reply, Request};
use crate::app::sign_off;
use crate::clock;
use crate::store::Commit;

/// How often files are looked at. A hint that one has changed only makes the look come earlier.
const POLL: Duration = Duration::from_millis(250);

/// The least time between two looks, so that a storm of hints costs no more than this.
const BREATH: Duration = Duration::from_millis(2);

impl Engine {
    /// Waits for the next reason to look, and answers what is asked; `false`: stop.
    pub(super) fn answer_mail(&mut self) -> bool {
        if self.follower.has_unread() {
            return self.drain_mail();
        }
        let until = self.last_look + POLL;
        let timeout = until.saturating_duration_since(Moment::now()).min(self.until_deadline());
        match self.mail.recv_timeout(timeout) {
            Ok(message) => {
                let breath = (self.last_look + BREATH).saturating_duration_since(Moment::now());
                if !breath.is_zero() {
                    std::thread::sleep(breath);
                }
                self.answer(message) && self.drain_mail()
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Answers what has been asked, and waits for nothing; `false`: stop.
    pub(super) fn drain_mail(&mut self) -> bool {
        while let Ok(message) = self.mail.try_recv() {
            if !self.answer(message) {
                return false;
            }
        }
        true
    }

    /// How long until an open run breaks a rule.
    fn until_deadline(&self) -> Duration {
        let next = self.draft.next_deadline();
        next.map_or(POLL, |at| (at - clock::now()).to_std().unwrap_or_default())
    }

    /// `false`: stop.
    fn answer(&mut self, message: Message) -> bool {
        match message {
            Message::Wake => {}
            Message::Stop => return false,
            Message::Reload(reply) => {
                let answer = self.reload();
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            }
            Message::Request(request, reply) => self.carry_out(&request, reply),
            Message::Ask(asking) => self.take_question(asking),
        }
        true
    }

    /// Puts on record what a person says by a command, and answers once it is on disk.
    fn carry_out(&mut self, request: &Request, reply: Reply) {
        if !self.shared.is_ready() {
            let _ = reply.send(Err("offhours is still catching up with its logs".into()));
            return;
        }
        let now = clock::now();
        let policy = &self.config.policy;
        let reader = self.store.reader();
        let answer = match sign_off::carry_out(request, &mut self.draft, &reader, policy, now) {
            Err(no) => Err(no),
            Ok((changed, told)) => {
                let mut commit = Commit { entries: self.draft.drain(), ..Commit::default() };
                commit.runs = self.touched(&commit, now);
                commit.runs.extend(changed.into_iter().map(|run| counted(run, &self.config, now)));
                self.store_it(commit).map(|()| told).map_err(|e| {
                    self.start_over();
                    e.to_string()
                })
            }
        };
        let _ = reply.send(answer);
    }
}
