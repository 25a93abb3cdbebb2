//! What another policy would have said of past runs: of those of finished logs, or of those on record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::app::replay::Outcome;
use crate::ledger::rejudging::{Judged, judge_again};
use crate::policy::Policy;
use crate::run::{Place, Run};
use crate::time::{Instant, rfc3339};
use crate::verdict::Verdict;

/// A run that the other policy judges otherwise. Times are RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Otherwise {
    pub partner: String,
    pub service: Option<String>,
    pub procedure: String,
    pub run_id: Option<String>,
    /// As named, else the matched one's.
    pub change_id: Option<String>,
    pub start: String,
    pub end: Option<String>,
    /// As it was judged.
    pub verdict: &'static str,
    /// By the other policy; null: it does not know the partner.
    pub against: Option<&'static str>,
    /// Reasons that only the other policy finds, waived ones as well.
    pub gained: Vec<&'static str>,
    /// Reasons that only the first finds.
    pub lost: Vec<&'static str>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backtest {
    /// Runs that were compared.
    pub runs: usize,
    pub otherwise: Vec<Otherwise>,
}

/// A verdict and every reason.
type Said = (Verdict, BTreeSet<&'static str>);

/// Compares two replays of the same logs, each by a policy of its own.
pub fn of_logs(first: &Outcome, second: &Outcome) -> Backtest {
    // A line that names several services starts several runs: the order among them is that of the line.
    let mut seconds: BTreeMap<Key, Vec<&Run>> = BTreeMap::new();
    for (run, _) in second.runs.iter().rev() {
        seconds.entry(key_of(run)).or_default().push(run);
    }
    let mut backtest = Backtest::default();
    for (run, _) in &first.runs {
        let other = seconds.get_mut(&key_of(run)).and_then(Vec::pop);
        backtest.compare(run, other.map(said_of));
    }
    backtest
}

/// Judges runs on record by another policy, from what is on record of them, as of `now`.
pub fn of_ledger<'r>(
    runs: impl Iterator<Item = &'r Run>,
    policy: &Policy,
    now: Instant,
) -> Backtest {
    let mut backtest = Backtest::default();
    for run in runs {
        let judged = judge_again(run, policy, policy, now);
        backtest.compare(run, judged.as_ref().map(said_again));
    }
    backtest
}

/// Where the line of its start stands.
type Key = (Option<(Arc<str>, u64)>, Instant);

fn key_of(run: &Run) -> Key {
    let place = |place: &Place| (place.path.clone(), place.offset);
    (run.place.as_ref().map(place), run.start)
}

fn said_of(run: &Run) -> Said {
    (run.verdict(), run.findings.keys().map(|reason| reason.as_str()).collect())
}

fn said_again(judged: &Judged) -> Said {
    (judged.verdict(), judged.findings.keys().map(|reason| reason.as_str()).collect())
}

impl Backtest {
    fn compare(&mut self, run: &Run, other: Option<Said>) {
        self.runs += 1;
        let (verdict, reasons) = said_of(run);
        if other.as_ref() == Some(&(verdict, reasons.clone())) {
            return;
        }
        let (against, others) = match other {
            Some((against, others)) => (Some(against.as_str()), others),
            None => (None, BTreeSet::new()),
        };
        let text = |t: Option<&Arc<str>>| t.map(|t| t.to_string());
        self.otherwise.push(Otherwise {
            partner: run.partner.to_string(),
            service: text(run.service.as_ref()),
            procedure: run.procedure.to_string(),
            run_id: text(run.run_id.as_ref()),
            change_id: text(run.change()),
            start: rfc3339(run.start),
            end: run.end.map(rfc3339),
            verdict: verdict.as_str(),
            against,
            gained: others.difference(&reasons).copied().collect(),
            lost: reasons.difference(&others).copied().collect(),
        });
    }
}
