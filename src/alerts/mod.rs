//! What pages: alerts with the labels of the rules for Prometheus, and the words that a person needs at night.
//!
//! [`Finder::find`] is a function of what is on record and the time: what has to be told is derived, never a queue of
//! events, so that neither a restart nor an outage on the way can lose it.

mod facts;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::forecast::overruns;
use crate::ledger::{Ledger, terms_of};
use crate::policy::Policy;
use crate::run::{Labels, Run, RunNo};
use crate::time::Instant;
use crate::verdict::Reason;

use facts::{Ahead, Facts};

/// The alerts of `alerts/maintenance.rules.yaml` that are also posted directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A run was not as agreed and nobody has acknowledged it.
    Violation,
    /// An open run will probably not end before business hours open.
    WillRunIntoBusinessHours,
    /// An open run has gone past a bound.
    Overrun,
}

impl Name {
    pub fn as_str(self) -> &'static str {
        match self {
            Name::Violation => "MaintenanceViolation",
            Name::WillRunIntoBusinessHours => "MaintenanceWillRunIntoBusinessHours",
            Name::Overrun => "MaintenanceOverrun",
        }
    }
}

/// `severity` of all of them, as in the rules.
pub const SEVERITY: &str = "critical";

/// What makes two alerts the same one to Alertmanager, short of external labels.
pub type Key = (Name, Labels);

/// One alert that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Since when it holds; not after the moment at which it was looked at.
    pub since: Instant,
    /// One line.
    pub summary: String,
    pub description: String,
}

/// Copied from the ledger while it is locked: the words are found without holding anybody up.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    unacknowledged: Vec<Arc<Run>>,
    /// Each with how long the runs of its procedure usually take.
    open: Vec<(Arc<Run>, Option<TimeDelta>)>,
}

impl Watched {
    pub fn of(ledger: &Ledger, policy: &Policy, now: Instant) -> Watched {
        Watched {
            unacknowledged: ledger.unacknowledged(policy, now).cloned().collect(),
            open: ledger.open().map(|(run, usual)| (run.clone(), usual)).collect(),
        }
    }

    /// Without what may yet change while logs are being caught up with: only what is latched is left.
    pub fn without_open(self) -> Watched {
        Watched { open: Vec::new(), ..self }
    }
}

/// Finds the alerts that hold, and keeps what it found: of many that last, only what is new costs anything.
#[derive(Default)]
pub struct Finder {
    /// Of the policy that this was found with.
    digest: Arc<str>,
    ahead: HashMap<RunNo, Ahead>,
    told: BTreeMap<Key, (Vec<Evidence>, Arc<Alert>)>,
}

/// What the words were made from. A run that changes is another value: it is compared by its address.
type Evidence = (Arc<Run>, Option<TimeDelta>);

impl Finder {
    /// The alerts that hold at `now`, by what they are. Their number is bounded by that of the domain's series.
    ///
    /// Words change only with the facts, not with the time, so that the same facts are the same alert.
    pub fn find(
        &mut self,
        watched: &Watched,
        policy: &Policy,
        now: Instant,
    ) -> BTreeMap<Key, Arc<Alert>> {
        if self.digest != policy.digest {
            *self = Finder { digest: policy.digest.clone(), ..Finder::default() };
        }
        self.look_ahead(watched, policy, now);
        let mut found: BTreeMap<Key, Vec<Evidence>> = BTreeMap::new();
        let mut add = |name, run: &Arc<Run>, usual| {
            let evidence = found.entry((name, run.labels.clone())).or_default();
            evidence.push((run.clone(), usual));
        };
        for run in &watched.unacknowledged {
            add(Name::Violation, run, None);
        }
        for (run, usual) in &watched.open {
            if overruns(run).next().is_some() {
                add(Name::Overrun, run, *usual);
            }
            let ahead = self.ahead.get(&run.no);
            if ahead.is_some_and(|a| a.will_break(Reason::RanIntoBusinessHours)) {
                add(Name::WillRunIntoBusinessHours, run, *usual);
            }
        }
        let mut told = BTreeMap::new();
        for (key, evidence) in found {
            let alert = match self.told.remove(&key) {
                Some((known, alert)) if is_same(&known, &evidence) => alert,
                _ => Arc::new(self.alert(&key, &evidence, policy, now)),
            };
            told.insert(key, (evidence, alert));
        }
        self.told = told;
        self.told.iter().map(|(key, (_, alert))| (key.clone(), alert.clone())).collect()
    }

    /// As long as a run is the same, so is what is ahead of it: what time alone breaks is found and changes the run.
    fn look_ahead(&mut self, watched: &Watched, policy: &Policy, now: Instant) {
        let mut known = std::mem::take(&mut self.ahead);
        for (run, usual) in &watched.open {
            let ahead = match known.remove(&run.no) {
                Some(ahead) if ahead.is_of(run, *usual) => ahead,
                _ => Ahead::of(run, terms_of(policy, run), *usual, now),
            };
            self.ahead.insert(run.no, ahead);
        }
    }

    fn alert(&self, key: &Key, evidence: &[Evidence], policy: &Policy, now: Instant) -> Alert {
        let facts = |(run, _): &'_ Evidence| self.ahead.get(&run.no);
        let mut all: Vec<Facts> = evidence
            .iter()
            .map(|of| Facts::of(&of.0, terms_of(policy, &of.0), facts(of)))
            .collect();
        all.sort_by_key(|facts| (facts.since(key.0), facts.run.no));
        words::alert(key, &all, now)
    }
}

fn is_same(known: &[Evidence], evidence: &[Evidence]) -> bool {
    let is_one = |(a, b): (&Evidence, &Evidence)| Arc::ptr_eq(&a.0, &b.0) && a.1 == b.1;
    known.len() == evidence.len() && known.iter().zip(evidence).all(is_one)
}
