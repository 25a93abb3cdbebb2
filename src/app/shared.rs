//! What the loop publishes and everybody else reads, and the messages that the loop answers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::pulse::{self, Pulse};
use crate::config::Config;
use crate::http::Inquiry;
use crate::ledger::Ledger;
use crate::metrics::{OwnView, SourceView};
use crate::report::may_start::AnswerReport;

/// How often whoever waits for an answer looks whether the loop turns.
const LOOK: Duration = Duration::from_millis(250);

/// What the loop is asked to do.
#[derive(Debug)]
pub enum Message {
    /// Something may have changed in a file.
    Wake,
    /// Load the configuration again.
    Reload(Reply),
    Request(Request, Reply),
    /// Whether a run may start.
    Ask(Asking),
    Stop,
}

/// Where an answer goes: a sentence either way.
pub type Reply = SyncSender<Result<String, String>>;

/// A question whether a run may start, and where the answer goes.
#[derive(Debug)]
pub struct Asking {
    pub inquiry: Inquiry,
    /// Who asks, as far as is known.
    pub from: String,
    answer: SyncSender<Result<AnswerReport, Refusal>>,
}

impl Asking {
    /// Gives the answer. Whoever asked may have gone.
    pub(super) fn reply(self, answer: Result<AnswerReport, Refusal>) {
        let _ = self.answer.send(answer);
    }

    /// Says why there is no answer now.
    pub(super) fn refuse(self, why: &str) {
        self.reply(Err(Refusal::Unavailable(why.into())));
    }
}

/// Why a question is not answered, as a sentence.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It means nothing.
    #[error("{0}")]
    Wrong(String),
    /// Too many are asked.
    #[error("{0}")]
    TooMany(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
}

/// What a person asks of the ledger.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Take note of a violation.
    Acknowledge { run: String, by: String, note: String },
    /// Approve an emergency, by its change or run.
    Approve { what: String, by: String, note: String },
}

/// Everything that is published. Locks are held for as long as it takes to copy or to adopt, never longer.
pub struct Shared {
    ledger: RwLock<Ledger>,
    config: RwLock<Arc<Config>>,
    sources: Mutex<Vec<SourceView>>,
    own: Mutex<OwnView>,
    ready: AtomicBool,
    pulse: Pulse,
    changed: Notify,
    mail: Mutex<Sender<Message>>,
    pub config_file: PathBuf,
    pub storage: PathBuf,
}

impl Shared {
    pub fn new(
        config: Arc<Config>,
        ledger: Ledger,
        own: OwnView,
        mail: Sender<Message>,
        (config_file, storage): (PathBuf, PathBuf),
    ) -> Shared {
        Shared {
            ledger: RwLock::new(ledger),
            config: RwLock::new(config),
            sources: Mutex::new(Vec::new()),
            own: Mutex::new(own),
            ready: AtomicBool::new(false),
            pulse: Pulse::new(),
            changed: Notify::new(),
            mail: Mutex::new(mail),
            config_file,
            storage,
        }
    }

    /// The ledger as it is on disk.
    pub fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, to adopt what has come to be on disk.
    pub(super) fn ledger_mut(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force. `keep` sees the ledger at the last moment of the old one.
    pub(super) fn set_config<T>(
        &self,
        config: Arc<Config>,
        keep: impl FnOnce(&mut Ledger) -> T,
    ) -> T {
        let mut ledger = self.ledger_mut();
        let kept = keep(&mut ledger);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        self.has_changed();
        kept
    }

    /// The sources as they stood at the last look; while the loop stands, nobody sees what is written to them.
    pub fn sources(&self) -> Vec<SourceView> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.pulse.stands().is_some() {
            sources.iter_mut().for_each(|view| (view.up, view.covered) = (false, false));
        }
        sources
    }

    pub(super) fn set_sources(&self, sources: Vec<SourceView>) {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Whether the loop turns.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// What the program knows of itself.
    pub fn own(&self) -> OwnView {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn edit_own(&self, edit: impl FnOnce(&mut OwnView)) {
        edit(&mut self.own.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The first catch-up is done.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// From now on [`Shared::is_ready`].
    pub(super) fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
        self.has_changed();
    }

    /// Something was put on record, or is to be judged by another configuration. Waits for nobody.
    pub(super) fn has_changed(&self) {
        self.changed.notify_one();
    }

    /// Waits for the next such change, or for one since the last wait.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Sends a message to the loop; `false` if it has ended.
    pub fn send(&self, message: Message) -> bool {
        let mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        mail.send(message).is_ok()
    }

    /// Asks whether a run may start, and waits for the answer.
    ///
    /// # Errors
    /// The question means nothing, there are too many, or there is no answer now.
    pub fn may_start(&self, inquiry: Inquiry, from: String) -> Result<AnswerReport, Refusal> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let stopping = || Refusal::Unavailable("offhours is stopping".into());
        if !self.send(Message::Ask(Asking { inquiry, from, answer })) {
            return Err(stopping());
        }
        self.wait_for(&answered, stopping, Refusal::Unavailable)?
    }

    /// Sends a message and waits for the answer.
    ///
    /// # Errors
    /// The answer says no, or the loop has ended.
    pub fn ask(&self, message: impl FnOnce(Reply) -> Message) -> Result<String, String> {
        let (reply, answer): (Reply, Receiver<_>) = std::sync::mpsc::sync_channel(1);
        let stopping = || "offhours is stopping".to_string();
        if !self.send(message(reply)) {
            return Err(stopping());
        }
        self.wait_for(&answer, stopping, |told| told)?
    }

    /// Waits for an answer of the loop, for as long as it turns.
    fn wait_for<T, E>(
        &self,
        answer: &Receiver<T>,
        stopping: impl Fn() -> E,
        standing: impl Fn(String) -> E,
    ) -> Result<T, E> {
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(stopping()),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(stood) = self.pulse.stands() {
                        return Err(standing(pulse::sentence(stood)));
                    }
                }
            }
        }
    }
}
