//! The one loop: it alone reads files, judges, and writes the ledger.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant as Moment};

use crate::app::announce::announce;
use crate::app::calendars::CalendarShelf;
use crate::app::follow::Follower;
use crate::app::intake::Batch;
use crate::app::outage::Next;
use crate::app::questions::Questions;
use crate::app::shared::{Asking, Message, Shared};
use crate::app::showing;
use crate::clock;
use crate::config::Config;
use crate::ledger::{Draft, Entry, Evidence, Ledger, Taken, What, judging, told};
use crate::run::{Run, RunNo};
use crate::store::{Commit, PolicyText, Store, StoreError};
use crate::time::Instant;

/// Progress through noise is committed this often.
pub const NOISE_COMMIT: Duration = Duration::from_secs(1);
/// Covered time is committed this often.
pub const COVER_COMMIT: Duration = Duration::from_secs(10);

/// It is looked this often whether the ledger is still in its place.
pub const LEDGER_LOOK: Duration = Duration::from_secs(5);

/// Everything that the loop owns.
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) mail: Receiver<Message>,
    pub(super) config: Arc<Config>,
    pub(super) store: Store,
    pub(super) shelf: CalendarShelf,
    pub(super) draft: Draft,
    pub(super) follower: Follower,
    pub(super) questions: Questions,
    /// Questions that nobody has answered yet.
    pub(super) waiting: Vec<Asking>,
    pub(super) last_look: Moment,
    /// What had become of the clock at the last look.
    pub(super) clock: clock::Standing,
    last_commit: Moment,
    last_check: Moment,
    /// The policy in force, until it is on record.
    pub(super) new_policy: Option<Arc<PolicyText>>,
    /// Told of bytes read and bytes left while the first catch-up lasts.
    pub(super) progress: Box<dyn Fn(u64, u64) + Send>,
}

impl Engine {
    /// An engine over a ledger that is open, whose follower starts where the ledger says.
    ///
    /// # Errors
    /// A source that cannot be followed, or a ledger that cannot be read or written, as a sentence.
    pub fn new(
        shared: Arc<Shared>,
        mail: Receiver<Message>,
        (store, shelf): (Store, CalendarShelf),
        notify: bool,
        progress: Box<dyn Fn(u64, u64) + Send>,
    ) -> Result<Engine, String> {
        let config = shared.config();
        let follower = Follower::new(&config, &store, &shared, notify)?;
        let ledger = shared.ledger().clone();
        let mut engine = Engine {
            draft: draft_of(ledger, &config),
            shared,
            mail,
            store,
            shelf,
            follower,
            questions: Questions::default(),
            waiting: Vec::new(),
            new_policy: Some(Arc::new(text_of(&config))),
            config,
            last_look: Moment::now(),
            clock: clock::standing(),
            last_commit: Moment::now(),
            last_check: Moment::now(),
            progress,
        };
        // Until somebody is shown anything, a commit need not wait for the disk: see `get_ready`.
        engine.store.write_behind().map_err(|e| e.to_string())?;
        engine.remember_shown();
        engine.remember_told().map_err(|e| e.to_string())?;
        engine.draft.rejudge(&engine.config.policy, clock::now());
        Ok(engine)
    }

    /// Follows, judges and commits until it is told to stop. The spine of the program.
    ///
    /// # Errors
    /// The ledger is broken: waiting does not help.
    pub fn run(mut self) -> Result<(), StoreError> {
        loop {
            self.check_ledger()?;
            self.look_at_calendars();
            self.follower.look(clock::now(), self.last_look.elapsed());
            self.last_look = Moment::now();
            loop {
                self.shared.pulse().beat();
                let now = clock::now();
                // Before a bound is found broken by a clock that was set.
                self.look_at_clock();
                let more = self.follower.read(now);
                let batch = self.take_batch(now);
                let more = more | batch.as_ref().is_ok_and(|batch| batch.more);
                let next = match batch.and_then(|batch| self.judge(batch, now)) {
                    Ok(commit) => self.commit(commit)?,
                    Err(error) => {
                        tracing::error!(%error, "the ledger cannot be asked, lines will be read again");
                        self.begin_again(&error)
                    }
                };
                if next == Next::Stop {
                    return Ok(());
                }
                self.show_progress();
                if !more {
                    break;
                }
                if !self.look_around() {
                    self.finish();
                    return Ok(());
                }
            }
            self.answer_questions(|_, _| true);
            // In this order, so that the first scrape has every series.
            self.follower.take_stock(&self.shared, clock::now());
            self.get_ready();
            if !self.answer_mail() {
                break;
            }
        }
        self.finish();
        Ok(())
    }

    /// A catch-up may take long: between two turns whoever asks is answered, how far it has come is shown, and it is
    /// looked for what was written meanwhile; `false`: stop.
    fn look_around(&mut self) -> bool {
        self.answer_questions(|engine, partner| engine.follower.is_caught_up(partner));
        if self.shared.is_ready() {
            self.follower.take_stock(&self.shared, clock::now());
        }
        if !self.drain_mail() {
            return false;
        }
        self.follower.look_between(clock::now());
        self.last_look = Moment::now();
        true
    }

    /// Looks from time to time whether the ledger is still the one that people see.
    ///
    /// # Errors
    /// It was deleted or replaced: what would be written now is lost.
    fn check_ledger(&mut self) -> Result<(), StoreError> {
        if LEDGER_LOOK <= self.last_check.elapsed() {
            self.last_check = Moment::now();
            self.store.check_place()?;
        }
        Ok(())
    }

    /// Takes every event of a batch into the draft, and lets time come to now for every partner whose files
    /// are read to their ends.
    ///
    /// # Errors
    /// The ledger cannot be asked whether an old line was told before.
    fn judge(&mut self, batch: Batch, now: Instant) -> Result<Commit, StoreError> {
        let mut commit =
            Commit { rejected: batch.rejected, tallies: batch.tallies, ..Commit::default() };
        self.draft.expect(&self.config.policy, &batch.events);
        for taking in &batch.events {
            for mark in self.draft.unsure(&self.config.policy, taking) {
                if self.store.reader().was_told(&taking.partner, mark)? {
                    self.draft.recall(&taking.partner, mark);
                }
            }
            match self.draft.take(&self.config.policy, taking) {
                Ok(Taken::New | Taken::Repeated) => {}
                Ok(Taken::Known) => self.follower.known(taking, &mut commit),
                Err(bad) => self.follower.refuse(taking, &bad, now, &mut commit),
            }
        }
        for partner in &self.config.policy.partners {
            if self.follower.is_caught_up(&partner.name) {
                self.draft.advance(&self.config.policy, &partner.name, now, now, true);
            }
        }
        commit.entries = self.draft.drain();
        commit.told = self.draft.drain_told();
        self.draft.unlatch(&self.config.policy, now);
        commit.runs = self.touched(&commit, now);
        self.follower.note_progress(batch.progress);
        Ok(commit)
    }

    /// The runs that the entries are about, as they stand.
    pub(super) fn touched(&mut self, commit: &Commit, now: Instant) -> Vec<(Arc<Run>, i64, i64)> {
        let mut touched: Vec<RunNo> = commit.entries.iter().filter_map(|e| e.what.run()).collect();
        touched.sort_unstable();
        touched.dedup();
        let mut runs: Vec<Arc<Run>> =
            touched.iter().filter_map(|no| self.draft.ledger().run(*no)).cloned().collect();
        // A run that left memory since is to be stored as it stood, if anything happened to it.
        let forgotten = self.draft.take_forgotten().into_iter();
        runs.extend(forgotten.filter(|run| touched.binary_search(&run.no).is_ok()));
        runs.sort_unstable_by_key(|run| run.no);
        let mut sealed = commit.entries.iter().filter_map(sealed_time).collect::<Vec<_>>();
        sealed.sort_unstable();
        let known = |no| sealed.binary_search_by_key(&no, |(no, ..)| *no).ok();
        let count = |run: Arc<Run>| match known(run.no).and_then(|place| sealed.get(place)) {
            Some((_, business, outside)) => (run, *business, *outside),
            None => counted(run, &self.config, now),
        };
        runs.into_iter().map(count).collect()
    }

    /// Stores a commit if it is worth it, then makes it visible. Nothing is read on before it is on disk.
    fn commit(&mut self, mut commit: Commit) -> Result<Next, StoreError> {
        let since = self.last_commit.elapsed();
        let matters = !commit.entries.is_empty() || !commit.rejected.is_empty();
        self.follower.hold(&mut commit.tallies);
        let due = match (matters || self.follower.is_urgent(), self.follower.has_progress()) {
            (true, _) => true,
            (false, true) => NOISE_COMMIT <= since,
            (false, false) => {
                let is_running = self.draft.next_deadline().is_some();
                COVER_COMMIT <= since && (is_running || self.follower.has_tallies())
            }
        };
        if !due {
            return Ok(Next::GoOn);
        }
        self.last_commit = Moment::now();
        match self.complete(commit) {
            Ok(commit) => match self.put(&commit) {
                Ok(()) => Ok(Next::GoOn),
                Err(error) => self.outlast(&commit, error),
            },
            Err(error) => {
                tracing::error!(%error, "a file cannot be marked as read, its lines will be read again");
                Ok(self.begin_again(&error))
            }
        }
    }

    /// Adds the checkpoints and counts that belong to a commit.
    fn complete(&mut self, mut commit: Commit) -> Result<Commit, StoreError> {
        self.follower.checkpoints(&mut commit)?;
        if self.shared.is_ready() {
            commit.shown_until = Some(showing::from_now());
        }
        let own: Arc<str> = "".into();
        commit.tallies.insert((own, "commits", "".into()), 1);
        commit.policy = self.new_policy.clone();
        Ok(commit)
    }

    /// Puts a whole commit on disk and makes it visible. May be tried again if it fails.
    pub(super) fn put(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let begun = Moment::now();
        if let Err(error) = self.store.commit(commit) {
            self.shared.edit_own(|own| own.ledger_errors += 1);
            return Err(error);
        }
        let took = begun.elapsed().as_secs_f64();
        if commit.policy.is_some() {
            self.new_policy = None;
        }
        // Before that nobody is shown the ledger, and it is published as a whole.
        if self.shared.is_ready() {
            let mut ledger = self.shared.ledger_mut();
            commit.entries.iter().for_each(|entry| ledger.adopt(entry));
            ledger.unlatch(&self.config.policy, clock::now());
            ledger.take_forgotten();
        }
        self.shared.edit_own(|own| {
            (own.ledger_entries, own.ledger_head) = self.store.head();
            own.commits += 1;
            own.commit_durations.add(took);
        });
        self.shared.has_changed();
        self.follower.committed(commit);
        announce(&commit.entries, self.config.backfill_horizon, clock::now());
        Ok(())
    }

    /// Stores a commit whatever is in it, and makes it visible.
    pub(super) fn store_it(&mut self, commit: Commit) -> Result<(), StoreError> {
        let commit = self.complete(commit)?;
        self.put(&commit)
    }

    /// Goes back to what is on disk.
    pub(super) fn start_over(&mut self) {
        let ledger = match self.shared.is_ready() {
            true => self.shared.ledger().clone(),
            false => match self.store.load() {
                Ok(ledger) => ledger,
                Err(error) => return tracing::error!(%error, "the ledger cannot be read again"),
            },
        };
        self.draft = draft_of(ledger, &self.config);
        self.remember_shown();
        if let Err(error) = self.remember_told() {
            return tracing::error!(%error, "the ledger cannot be read again");
        }
        self.draft.rejudge(&self.config.policy, clock::now());
        let notify = self.follower.uses_notify();
        match Follower::new(&self.config, &self.store, &self.shared, notify) {
            Ok(mut follower) => {
                follower.inherit(&self.follower);
                self.follower = follower;
            }
            Err(error) => tracing::error!(error, "files cannot be followed"),
        }
    }

    /// What was told already, as far as it is kept in memory.
    fn remember_told(&mut self) -> Result<(), StoreError> {
        for (partner, marks, all) in self.store.reader().newest_told(told::MARKS_KEPT)? {
            self.draft.remember_told(&partner, marks, all);
        }
        Ok(())
    }

    fn show_progress(&self) {
        if !self.shared.is_ready() {
            let (read, left) = self.follower.catch_up();
            (self.progress)(read, left);
        }
    }

    /// Commits whatever is pending, however little.
    pub(super) fn flush(&mut self) {
        let mut commit = Commit { entries: self.draft.drain(), ..Commit::default() };
        commit.told = self.draft.drain_told();
        commit.runs = self.touched(&commit, clock::now());
        if let Err(error) = self.store_it(commit) {
            tracing::error!(%error, "the ledger cannot be written");
            self.start_over();
        }
    }

    /// Settles what the next start has to know.
    fn finish(&mut self) {
        // The next start may come with another policy.
        let now = clock::now();
        self.questions.settle(&mut self.draft, now);
        let kept = self.shared.ledger_mut().keep_time(&self.config.policy, now);
        self.draft.keep_time(kept, now);
        self.flush();
        tracing::info!(entries = self.store.head().0, "stopped");
    }
}

fn draft_of(ledger: Ledger, config: &Config) -> Draft {
    let mut draft = Draft::new(ledger, Evidence::Readings);
    draft.set_backfill_horizon(config.backfill_horizon);
    draft
}

/// What the policy of a configuration is put on record as.
pub fn text_of(config: &Config) -> PolicyText {
    PolicyText { digest: config.policy.digest.clone(), text: config.written.clone() }
}

/// What an entry that seals a run says of its time: its nanoseconds in business hours and outside its windows.
fn sealed_time(entry: &Entry) -> Option<(RunNo, i64, i64)> {
    match &entry.what {
        What::Sealed { run, business_nanos, outside_nanos, .. } => {
            Some((*run, *business_nanos, *outside_nanos))
        }
        _ => None,
    }
}

/// A run with its nanoseconds in business hours and outside its windows.
pub fn counted(run: Arc<Run>, config: &Config, now: Instant) -> (Arc<Run>, i64, i64) {
    let partner = config.policy.partner(&run.partner);
    let terms = partner.map(|p| p.terms(run.service.as_deref(), &run.procedure));
    let (business, outside) = terms.map_or((0, 0), |t| judging::time_counted(&run, t, now));
    let clamp = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
    (run, clamp(business), clamp(outside))
}
