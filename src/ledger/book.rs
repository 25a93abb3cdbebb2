//! What is on record of one partner: changes, approvals, and which runs a line can belong to.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::change::Changes;
use crate::run::{Asked, Run, RunNo, State};
use crate::time::Instant;

/// Approvals kept for each partner; beyond it the oldest are forgotten.
pub const APPROVALS_KEPT: usize = 10_000;

/// Questions kept for each partner, service and procedure; beyond it the oldest are forgotten.
pub const QUESTIONS_KEPT: usize = 256;

/// Services and procedures of one partner whose questions are kept; beyond it those that nobody asked about for the
/// longest time are forgotten.
pub const ASKED_KEPT: usize = 1_024;

/// Runs without an id are told apart by service and procedure.
pub(super) type Key = (Option<Arc<str>>, Arc<str>);

/// Everything that pairing needs of one partner.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// How far this partner's time has come; `None`: nothing is on record.
    pub clock: Option<Instant>,
    pub changes: Changes,
    open_by_id: HashMap<Arc<str>, Vec<RunNo>>,
    /// Without an id, oldest first.
    open_by_key: HashMap<Key, BTreeSet<(Instant, RunNo)>>,
    closed_by_id: HashMap<Arc<str>, Closed>,
    /// Without an id: the last run to be closed, and what became of it.
    closed_by_key: HashMap<Key, (RunNo, State)>,
    /// Without an id, ended and not verified, oldest first.
    unverified_by_key: HashMap<Key, BTreeSet<(Instant, RunNo)>>,
    /// Closed runs in the order of their closing.
    closed: VecDeque<RunNo>,
    closed_set: BTreeSet<RunNo>,
    /// Runs in memory by start, to find those that a late notice is about.
    pub(super) by_start: BTreeSet<(Instant, RunNo)>,
    approvals: HashMap<Approval, Instant>,
    approvals_in_order: VecDeque<Approval>,
    /// What was asked of each service and procedure, in the order in which it was put on record.
    questions: HashMap<Key, VecDeque<Arc<Asked>>>,
}

/// What an approval names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Approval {
    Change(Arc<str>),
    Run(Arc<str>),
}

/// The last runs of an id that are over, by their services.
#[derive(Clone, Debug, Default)]
pub(super) struct Closed {
    last: BTreeMap<Option<Arc<str>>, Last>,
}

/// Of one id and service.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// The last run to be closed, when it was over, and what became of it.
    no: RunNo,
    over: Instant,
    state: State,
    /// The last one that has ended: number, start and end.
    ended: Option<(RunNo, Instant, Instant)>,
}

impl Closed {
    /// Whether a run for one of these services was over at `t` or later.
    pub(super) fn knows(&self, services: &[Box<str>], t: Instant) -> bool {
        let of = self.last.iter().filter(|(service, _)| is_named(service, services));
        of.map(|(_, last)| last.over).any(|over| t <= over)
    }

    /// Whether a run for one of these services is over.
    pub(super) fn has(&self, services: &[Box<str>]) -> bool {
        self.last.keys().any(|service| is_named(service, services))
    }

    /// Whether the last run that has ended for one of these services (none: for any) ended at `t`.
    pub(super) fn ended_at(&self, services: &[Box<str>], t: Instant) -> bool {
        let of = self.last.iter().filter(|(service, _)| is_named(service, services));
        of.filter_map(|(_, last)| last.ended).any(|(.., end)| end == t)
    }

    /// What became of the last run to be closed for one of these services (none: for any).
    pub(super) fn last(&self, services: &[Box<str>]) -> Option<State> {
        let of = self.last.iter().filter(|(service, _)| is_named(service, services));
        of.map(|(_, last)| last).max_by_key(|last| last.no).map(|last| last.state)
    }

    /// The last runs that have ended for these services. Where none is named: the last one, and the last of the other
    /// services if they ran at the same time.
    pub(super) fn ended(&self, services: &[Box<str>]) -> Vec<RunNo> {
        let of = self.last.iter().filter(|(service, _)| is_named(service, services));
        let ended: Vec<_> = of.filter_map(|(_, last)| last.ended).collect();
        let last = ended.iter().max_by_key(|(no, _, end)| (*end, *no));
        let begun = last.map(|(_, start, _)| *start).filter(|_| services.is_empty());
        let with_it = ended.iter().filter(|(.., end)| begun.is_none_or(|begun| begun <= *end));
        with_it.map(|(no, ..)| *no).collect()
    }
}

fn is_named(service: &Option<Arc<str>>, services: &[Box<str>]) -> bool {
    services.is_empty() || services.iter().any(|named| service.as_deref() == Some(&**named))
}

impl Book {
    /// The open runs with this id: several if one line started several.
    pub(super) fn open_of_id(&self, id: &str) -> &[RunNo] {
        self.open_by_id.get(id).map_or(&[], Vec::as_slice)
    }

    /// Of the open runs without an id, the one that began first.
    pub(super) fn oldest_open(&self, key: &Key) -> Option<RunNo> {
        self.open_by_key.get(key)?.first().map(|(_, no)| *no)
    }

    /// The open runs without an id, the one that began first before the others.
    pub(super) fn open_of_key(&self, key: &Key) -> impl Iterator<Item = RunNo> {
        self.open_by_key.get(key).into_iter().flatten().map(|(_, no)| *no)
    }

    /// The services of a procedure that have open runs without an id.
    pub(super) fn open_keys_of(&self, procedure: &str) -> Vec<Key> {
        keys_of(&self.open_by_key, procedure)
    }

    /// The services of a procedure that have ended runs without an id that nobody verified.
    pub(super) fn unverified_keys_of(&self, procedure: &str) -> Vec<Key> {
        keys_of(&self.unverified_by_key, procedure)
    }

    /// The closed runs with this id that are still in memory.
    pub(super) fn closed_of_id(&self, id: &str) -> Option<&Closed> {
        self.closed_by_id.get(id)
    }

    /// What became of the last run without an id of these services that was closed.
    pub(super) fn last_closed<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Option<State> {
        let closed = keys.filter_map(|key| self.closed_by_key.get(key));
        closed.max_by_key(|(no, _)| *no).map(|(_, state)| *state)
    }

    /// Of the ended runs without an id that nobody verified, the one that began first.
    pub(super) fn oldest_unverified(&self, key: &Key) -> Option<RunNo> {
        self.unverified_by_key.get(key)?.first().map(|(_, no)| *no)
    }

    /// Runs in memory that started strictly after `t`.
    pub(super) fn started_after(&self, t: Instant) -> impl Iterator<Item = RunNo> {
        let after = (std::ops::Bound::Excluded((t, RunNo::MAX)), std::ops::Bound::Unbounded);
        self.by_start.range(after).map(|(_, no)| *no)
    }

    /// Runs in memory that started at `t` or later.
    pub(super) fn started_from(&self, t: Instant) -> impl Iterator<Item = RunNo> {
        self.by_start.range((t, 0)..).map(|(_, no)| *no)
    }

    /// Whether a closed run is still in memory.
    pub(super) fn remembers(&self, no: RunNo) -> bool {
        self.closed_set.contains(&no)
    }

    /// The earliest approval that names a change or a run id.
    pub fn approval(&self, change: Option<&Arc<str>>, run: Option<&Arc<str>>) -> Option<Instant> {
        let change = change.and_then(|c| self.approvals.get(&Approval::Change(c.clone())));
        let run = run.and_then(|r| self.approvals.get(&Approval::Run(r.clone())));
        change.into_iter().chain(run).min().copied()
    }

    /// Keeps an approval; of several the earliest counts.
    pub(super) fn approved(
        &mut self,
        change: &Option<Arc<str>>,
        run: &Option<Arc<str>>,
        at: Instant,
    ) {
        let change = change.clone().map(Approval::Change);
        for name in change.into_iter().chain(run.clone().map(Approval::Run)) {
            let first = self.approvals.get(&name).map_or(at, |known| at.min(*known));
            if self.approvals.insert(name.clone(), first).is_none() {
                self.approvals_in_order.push_back(name);
            }
        }
        while APPROVALS_KEPT < self.approvals_in_order.len() {
            if let Some(oldest) = self.approvals_in_order.pop_front() {
                self.approvals.remove(&oldest);
            }
        }
    }

    /// Keeps a question; of too many the oldest is forgotten.
    pub(super) fn asked(&mut self, asked: &Arc<Asked>) {
        let key = (asked.service.clone(), asked.procedure.clone());
        if ASKED_KEPT <= self.questions.len() && !self.questions.contains_key(&key) {
            let latest = |asked: &VecDeque<Arc<Asked>>| asked.back().map(|last| last.at);
            let oldest = self.questions.iter().min_by_key(|(_, asked)| latest(asked));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.questions.remove(&oldest);
            }
        }
        let kept = self.questions.entry(key).or_default();
        if QUESTIONS_KEPT <= kept.len() {
            kept.pop_front();
        }
        kept.push_back(asked.clone());
    }

    /// What was asked of a service and procedure, the oldest first.
    pub(super) fn questions(
        &self,
        service: &Option<Arc<str>>,
        procedure: &Arc<str>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Asked>> {
        let key = (service.clone(), procedure.clone());
        self.questions.get(&key).into_iter().flatten()
    }

    /// A run began.
    pub(super) fn opened(&mut self, run: &Run) {
        self.by_start.insert((run.start, run.no));
        match &run.run_id {
            Some(id) => self.open_by_id.entry(id.clone()).or_default().push(run.no),
            None => {
                self.open_by_key.entry(key_of(run)).or_default().insert((run.start, run.no));
            }
        }
    }

    /// Moves a run that has ended or is lost; gives back the runs that are beyond `keep`.
    pub(super) fn closed(&mut self, run: &Run, keep: usize) -> Vec<RunNo> {
        let ended = run.state != State::Lost;
        match &run.run_id {
            Some(id) => self.closed_with_id(run, id, ended),
            None => {
                remove(&mut self.open_by_key, &key_of(run), run);
                self.closed_by_key.insert(key_of(run), (run.no, run.state));
                if ended {
                    let list = self.unverified_by_key.entry(key_of(run)).or_default();
                    list.insert((run.start, run.no));
                }
            }
        }
        self.closed.push_back(run.no);
        self.closed_set.insert(run.no);
        let mut beyond = Vec::new();
        while keep < self.closed.len() {
            let Some(old) = self.closed.pop_front() else { break };
            self.closed_set.remove(&old);
            beyond.push(old);
        }
        beyond
    }

    fn closed_with_id(&mut self, run: &Run, id: &Arc<str>, ended: bool) {
        self.no_longer_open(id, run);
        let closed = self.closed_by_id.entry(id.clone()).or_default();
        let known = closed.last.get(&run.service).and_then(|last| last.ended);
        let ended = run.end.map(|end| (run.no, run.start, end)).filter(|_| ended);
        let over = run.end.or(run.lost_at).unwrap_or(run.start);
        let last = Last { no: run.no, over, state: run.state, ended: ended.or(known) };
        closed.last.insert(run.service.clone(), last);
    }

    /// Forgets the ways in which lines could find a run that left memory.
    pub(super) fn dropped(&mut self, run: &Run) {
        self.by_start.remove(&(run.start, run.no));
        match &run.run_id {
            Some(id) => {
                if let Some(closed) = self.closed_by_id.get_mut(id) {
                    closed.last.retain(|_, last| last.no != run.no);
                    for last in closed.last.values_mut() {
                        last.ended = last.ended.filter(|(no, ..)| *no != run.no);
                    }
                    if closed.last.is_empty() {
                        self.closed_by_id.remove(id);
                    }
                }
            }
            None => {
                remove(&mut self.unverified_by_key, &key_of(run), run);
                let key = key_of(run);
                if self.closed_by_key.get(&key).is_some_and(|(no, _)| *no == run.no) {
                    self.closed_by_key.remove(&key);
                }
            }
        }
    }

    /// Forgets a run, whether it is over or not.
    pub(super) fn left(&mut self, run: &Run) {
        if let Some(id) = &run.run_id {
            self.no_longer_open(id, run);
        } else {
            remove(&mut self.open_by_key, &key_of(run), run);
        }
        if self.closed_set.remove(&run.no) {
            self.closed.retain(|no| *no != run.no);
        }
        self.dropped(run);
    }

    fn no_longer_open(&mut self, id: &Arc<str>, run: &Run) {
        if let Some(open) = self.open_by_id.get_mut(id) {
            open.retain(|no| *no != run.no);
            if open.is_empty() {
                self.open_by_id.remove(id);
            }
        }
    }

    pub(super) fn verified(&mut self, run: &Run) {
        if run.run_id.is_none() {
            remove(&mut self.unverified_by_key, &key_of(run), run);
        }
    }
}

fn keys_of(index: &HashMap<Key, BTreeSet<(Instant, RunNo)>>, procedure: &str) -> Vec<Key> {
    let mut keys: Vec<Key> =
        index.keys().filter(|(_, known)| **known == *procedure).cloned().collect();
    keys.sort();
    keys
}

fn key_of(run: &Run) -> Key {
    (run.service.clone(), run.procedure.clone())
}

fn remove(index: &mut HashMap<Key, BTreeSet<(Instant, RunNo)>>, key: &Key, run: &Run) {
    let Some(list) = index.get_mut(key) else { return };
    list.remove(&(run.start, run.no));
    if list.is_empty() {
        index.remove(key);
    }
}
