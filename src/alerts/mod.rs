//! What pages: alerts with the labels of the rules for Prometheus, and the words that a person needs at night.
//!
//! [`alerts()`] is a plain function of what is on record and the time: what has to be told is derived, never
//! remembered, so that neither a restart nor an outage on the way can lose it.

mod facts;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::forecast::{forecast_from, overruns};
use crate::ledger::{Ledger, case_of, terms_of};
use crate::policy::{Policy, Terms};
use crate::run::{Labels, Run};
use crate::time::Instant;
use crate::verdict::Reason;

use facts::Facts;

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

/// The alerts that hold at `now`, by what they are. Their number is bounded by that of the domain's series.
///
/// Words change only with the facts, not with the time, so that the same facts are the same alert.
pub fn alerts(watched: &Watched, policy: &Policy, now: Instant) -> BTreeMap<Key, Alert> {
    let mut all: Vec<(Name, Facts)> = Vec::new();
    for run in &watched.unacknowledged {
        all.push((Name::Violation, Facts::of(run, terms_of(policy, run))));
    }
    for (run, usual) in &watched.open {
        let facts = || with_forecast(run, terms_of(policy, run), *usual, now);
        if overruns(run).next().is_some() {
            all.push((Name::Overrun, facts()));
        }
        let facts = facts();
        if facts.ahead.will_break.contains(&Reason::RanIntoBusinessHours) {
            all.push((Name::WillRunIntoBusinessHours, facts));
        }
    }
    let mut found: BTreeMap<Key, Vec<Facts>> = BTreeMap::new();
    for (name, facts) in all {
        found.entry((name, facts.run.labels.clone())).or_default().push(facts);
    }
    let alert = |(key, mut facts): (Key, Vec<Facts>)| {
        facts.sort_by_key(|facts| (facts.since(key.0), facts.run.no));
        let alert = words::alert(&key, &facts, now);
        (key, alert)
    };
    found.into_iter().map(alert).collect()
}

fn with_forecast<'a>(
    run: &'a Run,
    terms: Option<&'a Arc<Terms>>,
    usual: Option<TimeDelta>,
    now: Instant,
) -> Facts<'a> {
    let mut facts = Facts::of(run, terms);
    if let Some(terms) = terms {
        let case = case_of(run, terms, now);
        facts.ahead = forecast_from(&case, run, usual);
        facts.opening = facts::opening(&case);
    }
    facts
}
