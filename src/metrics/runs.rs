//! Runs: the sums of the ledger, what is open now, and what nobody acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::forecast::{ABOUT_THE_END, Forecast, forecast_from, overruns};
use crate::ledger::{PartnerSums, Shown, Sums, approval_waits_until, case_of, terms_of};
use crate::metrics::page::{Page, values, values_and};
use crate::metrics::rows::Rows;
use crate::metrics::{View, catalog};
use crate::run::{Irregularity, Labels, Run, RunNo, State};
use crate::time::Instant;
use crate::verdict::{Reason, Verdict};

/// What can have become of a run that is over.
const OUTCOMES: [State; 4] = [State::Finished, State::Failed, State::Aborted, State::Lost];

/// What the ledger has summed up for each row.
pub(super) fn counted(page: &mut Page, rows: &Rows) {
    let nothing = Sums::default();
    let sums = || rows.iter().map(|(p, row)| (p, row.sums.unwrap_or(&nothing)));
    for (p, s) in sums() {
        for v in Verdict::ALL {
            let n = s.starts.get(v).copied().unwrap_or(0);
            page.family(&catalog::STARTS).set_count(&values_and(p, v.as_str()), n);
        }
        for r in Reason::ALL {
            let n = s.violations.get(r).copied().unwrap_or(0);
            page.family(&catalog::VIOLATIONS).set_count(&values_and(p, r.as_str()), n);
        }
        sealed(page, p, s);
        page.family(&catalog::RUN_DURATION).set_histogram(&values(p), &s.durations);
        page.family(&catalog::LAST_START).set_time(&values(p), s.last_start);
        page.family(&catalog::LAST_VIOLATION).set_time(&values(p), s.last_violation);
    }
}

fn sealed(page: &mut Page, p: &Labels, s: &Sums) {
    let family = page.family(&catalog::RUNS);
    let [partner, service, procedure] = values(p);
    for v in Verdict::ALL {
        for o in OUTCOMES {
            let n = s.runs.get(&(*v, o)).copied().unwrap_or(0);
            family.set_count(&[partner, service, procedure, v.as_str(), o.as_str()], n);
        }
    }
}

/// The counters of time, with open runs counted up to now.
pub(super) fn time_spent(page: &mut Page, view: &View, rows: &Rows) {
    let counted = view.ledger.times_counted(view.policy, view.now);
    for p in rows.keys() {
        let shown = counted.get(p).copied().unwrap_or(Shown::default());
        let seconds = |nanos: i128| nanos as f64 / 1e9;
        let business = page.family(&catalog::BUSINESS_HOURS_TIME);
        business.set(&values(p), seconds(shown.business_nanos));
        let outside = page.family(&catalog::OUTSIDE_WINDOW_TIME);
        outside.set(&values(p), seconds(shown.outside_nanos));
    }
}

/// The open runs of one row.
#[derive(Default)]
struct Open {
    by_verdict: BTreeMap<Verdict, u64>,
    projected: BTreeMap<Reason, u64>,
    overrun: BTreeMap<Reason, u64>,
    oldest: Option<((Instant, RunNo), Forecast)>,
}

/// What is running now, and where that leads.
pub(super) fn open(page: &mut Page, view: &View, rows: &Rows) {
    let all = open_by_labels(view);
    let nothing = Open::default();
    for p in rows.keys() {
        let open = all.get(p).unwrap_or(&nothing);
        for v in Verdict::ALL {
            let n = open.by_verdict.get(v).copied().unwrap_or(0);
            page.family(&catalog::IN_PROGRESS).set_count(&values_and(p, v.as_str()), n);
        }
        for r in ABOUT_THE_END {
            let n = open.projected.get(&r).copied().unwrap_or(0);
            page.family(&catalog::PROJECTED_VIOLATION).set_count(&values_and(p, r.as_str()), n);
            let n = open.overrun.get(&r).copied().unwrap_or(0);
            page.family(&catalog::OVERRUN).set_count(&values_and(p, r.as_str()), n);
        }
        let Some(((start, _), ahead)) = &open.oldest else { continue };
        page.family(&catalog::RUN_START).set_time(&values(p), Some(*start));
        page.family(&catalog::RUN_PROJECTED_END).set_time(&values(p), ahead.projected_end);
        page.family(&catalog::RUN_DEADLINE).set_time(&values(p), ahead.deadline);
    }
}

fn open_by_labels(view: &View) -> BTreeMap<Labels, Open> {
    let mut all: BTreeMap<Labels, Open> = BTreeMap::new();
    for (run, usual) in view.ledger.open() {
        let ahead = look_ahead(view, run, usual);
        let open = all.entry(run.labels.clone()).or_default();
        *open.by_verdict.entry(run.verdict()).or_default() += 1;
        for reason in &ahead.will_break {
            *open.projected.entry(*reason).or_default() += 1;
        }
        for finding in overruns(run) {
            *open.overrun.entry(finding.reason).or_default() += 1;
        }
        let key = (run.start, run.no);
        if open.oldest.as_ref().is_none_or(|(oldest, _)| key < *oldest) {
            open.oldest = Some((key, ahead));
        }
    }
    all
}

/// Nothing is projected for a run whose partner is not configured any more.
fn look_ahead(view: &View, run: &Run, usual: Option<TimeDelta>) -> Forecast {
    let terms = terms_of(view.policy, run);
    terms.map_or_else(Forecast::default, |terms| {
        forecast_from(&case_of(run, terms, view.now), run, usual)
    })
}

/// The runs of one row that wait for somebody.
#[derive(Default)]
struct Waiting {
    runs: u64,
    by_reason: BTreeMap<Reason, u64>,
    /// Since when the first waits, and its number.
    first: Option<(Instant, RunNo)>,
}

impl Waiting {
    fn add(&mut self, run: &Run) {
        self.runs += 1;
        for finding in run.broken() {
            *self.by_reason.entry(finding.reason).or_default() += 1;
        }
        let since = run.broken().map(|f| f.at).min().unwrap_or(run.start);
        let own = (since, run.no);
        self.first = Some(self.first.map_or(own, |first| first.min(own)));
    }
}

/// What pages, and what the words of the page are made from.
pub(super) fn unacknowledged(page: &mut Page, view: &View, rows: &Rows) {
    let mut all: BTreeMap<&Labels, Waiting> = BTreeMap::new();
    for run in view.ledger.unacknowledged(view.policy, view.now) {
        all.entry(&run.labels).or_default().add(run);
    }
    let nothing = Waiting::default();
    for p in rows.keys() {
        let waiting = all.get(p).unwrap_or(&nothing);
        page.family(&catalog::UNACKNOWLEDGED).set_count(&values(p), waiting.runs);
        for r in Reason::ALL {
            let n = waiting.by_reason.get(r).copied().unwrap_or(0);
            page.family(&catalog::UNACKNOWLEDGED_REASONS).set_count(&values_and(p, r.as_str()), n);
        }
        let Some((since, no)) = waiting.first else { continue };
        page.family(&catalog::UNACKNOWLEDGED_FIRST).set_count(&values(p), no);
        page.family(&catalog::UNACKNOWLEDGED_SINCE).set_time(&values(p), Some(since));
    }
}

/// Emergencies that wait for their approval.
pub(super) fn unapproved(page: &mut Page, view: &View, rows: &Rows) {
    let mut waiting: BTreeMap<&Labels, u64> = BTreeMap::new();
    for run in view.ledger.unsealed() {
        if approval_waits_until(view.policy, run).is_some_and(|until| view.now < until) {
            *waiting.entry(&run.labels).or_default() += 1;
        }
    }
    for p in rows.keys() {
        let n = waiting.get(p).copied().unwrap_or(0);
        page.family(&catalog::EMERGENCIES_UNAPPROVED).set_count(&values(p), n);
    }
}

/// What is counted for a partner as a whole.
pub(super) fn by_partner(page: &mut Page, view: &View) {
    let board = view.ledger.board();
    let declared = view.policy.partners.iter().map(|p| &p.name);
    let names: BTreeSet<&Arc<str>> = declared.chain(board.partners.keys()).collect();
    let nothing = PartnerSums::default();
    for name in names {
        let sums = board.partners.get(name).unwrap_or(&nothing);
        page.family(&catalog::NOTICE).set_histogram(&[name], &sums.notice);
        page.family(&catalog::DETECTION_DELAY).set_histogram(&[name], &sums.detection);
        for kind in Irregularity::ALL {
            let n = sums.irregularities.get(kind).copied().unwrap_or(0);
            page.family(&catalog::IRREGULARITIES).set_count(&[name, kind.as_str()], n);
        }
    }
}
