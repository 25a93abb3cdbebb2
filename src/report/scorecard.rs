//! The scorecard of one partner for one month, for the service review: figures of the month and of those before it,
//! the cases of its violations, and procedures that somebody has to look at. Figures only; the files beside this
//! one write them down.

mod chart;
pub mod kpi;
mod picture;
mod procedures;
mod show;

mod csv;
mod html;
mod markdown;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Number;

use crate::ledger::Board;
use crate::policy::Partner;
use crate::report::case::CaseFile;
use crate::report::month::Month;
use crate::report::run::{RunReport, seconds_number};
use crate::run::Run;
use crate::time::{Instant, Span, nanos, rfc3339};
use crate::verdict::Verdict;

pub use csv::csv;
pub use html::html;
pub use kpi::KPIS;
pub use markdown::markdown;
pub use picture::picture;
pub use procedures::{Review, Undeclared};

/// Months before the one of the review that are told as well.
pub const MONTHS_BEFORE: usize = 5;

/// Violations whose cases are told; the others are listed.
pub const CASES_MAX: usize = 100;

/// A run with its nanoseconds in business hours and outside the windows.
pub type Counted = (Run, i64, i64);

/// Covered nanoseconds by source and month. A source of the partner that was never covered is in it, with nothing.
pub type Covered = BTreeMap<Arc<str>, BTreeMap<Month, u64>>;

/// What a scorecard is made of.
pub struct Material<'a> {
    pub partner: &'a Partner,
    pub month: Month,
    pub now: Instant,
    /// The partner's runs of the month and of those before it.
    pub runs: &'a [Counted],
    pub covered: &'a Covered,
    /// The cases of the month's violations, at most [`CASES_MAX`], in the order of their starts.
    pub cases: Vec<CaseFile>,
}

/// One partner's month. Times are RFC 3339 UTC; what is missing is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scorecard {
    pub partner: String,
    /// `2025-11`
    pub month: String,
    #[serde(skip)]
    pub month_name: String,
    pub from: String,
    pub to: String,
    /// The partner's: it decides where the month begins.
    pub zone: String,
    /// The month was over when this was made.
    pub complete: bool,
    pub figures: Figures,
    /// The months before, the oldest first; those of which nothing is known are not among the first.
    pub before: Vec<Figures>,
    /// Violations that wait for somebody to take note of them.
    pub unacknowledged: u64,
    pub runs: Vec<RunReport>,
    pub violations: Vec<CaseFile>,
    pub undeclared: Vec<Undeclared>,
    /// Procedures whose review is overdue or not on record, as of the making.
    pub reviews: Vec<Review>,
    /// Declared procedures.
    pub procedures: u64,
}

/// The figures of one month. A run belongs to the month in which it began, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    pub month: String,
    #[serde(skip)]
    pub month_name: String,
    pub runs: u64,
    /// Runs whose verdict is not final.
    pub provisional: u64,
    /// All runs by verdict, so far where it is not final.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Runs whose verdict is final, by verdict.
    pub final_runs: BTreeMap<&'static str, u64>,
    /// Runs that adherence is about: their verdict is final, and no emergency waived what they broke.
    pub judged: u64,
    /// Violations that wait for somebody to take note of them.
    pub unacknowledged: u64,
    /// As agreed, of the runs whose verdict is final and not exempt; null without coverage, and without such runs.
    pub adherence_ratio: Option<f64>,
    /// The share of the month in which every source of the partner was readable, fresh and caught up; null: none is
    /// on record.
    pub coverage_ratio: Option<f64>,
    /// How many runs each of [`KPIS`] counts.
    pub kpis: BTreeMap<&'static str, u64>,
    /// Reasons that were not waived.
    pub reasons: BTreeMap<&'static str, u64>,
    pub business_hours_seconds: Number,
    pub outside_window_seconds: Number,
    /// Of the changes that were confirmed at their start.
    pub notice_least_seconds: Option<Number>,
    pub notice_median_seconds: Option<Number>,
}

impl Scorecard {
    /// The figures of the month and of those before it.
    pub fn new(material: Material) -> Scorecard {
        let Material { partner, month, now, runs, covered, cases } = material;
        let span = month.span(&partner.zone);
        let of_month = |month: Month| Figures::new(month, &partner.zone, now, runs, covered);
        let own: Vec<&Counted> = begun_in(runs, span).collect();
        let figures = of_month(month);
        Scorecard {
            partner: partner.name.to_string(),
            month: month.to_string(),
            month_name: month.name(),
            from: rfc3339(span.start),
            to: rfc3339(span.end),
            zone: partner.zone.name().into(),
            complete: span.end <= now,
            before: months_before(month, partner, runs, covered)
                .into_iter()
                .map(of_month)
                .collect(),
            unacknowledged: figures.unacknowledged,
            figures,
            runs: own
                .iter()
                .map(|(run, b, o)| RunReport::new(run, (*b).into(), (*o).into()))
                .collect(),
            violations: cases,
            undeclared: procedures::undeclared(own.iter().map(|(run, ..)| run)),
            reviews: procedures::reviews(partner, now),
            procedures: partner.procedures.len() as u64,
        }
    }
}

/// The runs that began within a span, in the order of their starts.
fn begun_in(runs: &[Counted], span: Span) -> impl Iterator<Item = &Counted> {
    let mut found: Vec<&Counted> =
        runs.iter().filter(|(run, ..)| span.contains(run.start)).collect();
    found.sort_by_key(|(run, ..)| (run.start, run.no));
    found.into_iter()
}

/// Up to [`MONTHS_BEFORE`] months, from the first of which anything is known.
fn months_before(
    month: Month,
    partner: &Partner,
    runs: &[Counted],
    covered: &Covered,
) -> Vec<Month> {
    let begun = runs.iter().map(|(run, ..)| Month::of(&partner.zone, run.start));
    let seen = covered.values().flat_map(|months| months.keys().copied());
    let Some(first) = begun.chain(seen).min() else { return Vec::new() };
    let before = std::iter::successors(Some(month.previous()), |m| Some(m.previous()));
    let mut before: Vec<Month> =
        before.take(MONTHS_BEFORE).take_while(|month| first <= *month).collect();
    before.reverse();
    before
}

impl Figures {
    /// The figures of the runs that began in the month; `now` is how far it can have been covered.
    pub fn new(
        month: Month,
        zone: &crate::calendar::Zone,
        now: Instant,
        runs: &[Counted],
        covered: &Covered,
    ) -> Figures {
        let span = month.span(zone);
        let own: Vec<&Counted> = begun_in(runs, span).collect();
        // The sums of the metrics, of the runs of this month alone.
        let board = Board::of(own.iter().map(|(run, b, o)| (run, *b, *o)));
        let none = || Verdict::ALL.iter().map(|v| (v.as_str(), 0)).collect::<BTreeMap<_, u64>>();
        let (mut verdicts, mut final_runs, mut reasons) = (none(), none(), BTreeMap::new());
        for (run, ..) in &own {
            *verdicts.entry(run.verdict().as_str()).or_default() += 1;
        }
        for sums in board.series.values() {
            for ((verdict, _), n) in &sums.runs {
                *final_runs.entry(verdict.as_str()).or_default() += n;
            }
            for (reason, n) in &sums.violations {
                *reasons.entry(reason.as_str()).or_default() += n;
            }
        }
        let (business, outside) = own.iter().fold((0, 0), |(b, o), (_, business, outside)| {
            (b + i128::from(*business), o + i128::from(*outside))
        });
        let count = |verdict: Verdict| final_runs.get(verdict.as_str()).copied().unwrap_or(0);
        let judged = final_runs.values().sum::<u64>() - count(Verdict::Exempt);
        let coverage_ratio = coverage(month, span, now, covered);
        let is_told = coverage_ratio.is_some() && 0 < judged;
        let kpi = |kpi: &kpi::Kpi| {
            (kpi.key, own.iter().filter(|(run, ..)| (kpi.counts)(run)).count() as u64)
        };
        let (least, median) = notice(&own);
        let waits = |(run, ..): &&&Counted| {
            run.verdict() == Verdict::Violation && run.latched && run.acknowledged.is_none()
        };
        Figures {
            verdicts,
            judged,
            unacknowledged: own.iter().filter(waits).count() as u64,
            month: month.to_string(),
            month_name: month.name(),
            runs: own.len() as u64,
            provisional: own.iter().filter(|(run, ..)| !run.sealed).count() as u64,
            adherence_ratio: is_told.then(|| ratio(count(Verdict::Compliant), judged)),
            coverage_ratio,
            kpis: KPIS.iter().map(kpi).collect(),
            reasons,
            business_hours_seconds: seconds_number(business),
            outside_window_seconds: seconds_number(outside),
            notice_least_seconds: least,
            notice_median_seconds: median,
            final_runs,
        }
    }

    /// Runs with this verdict, so far where it is not final.
    fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.as_str()).copied().unwrap_or(0)
    }

    /// Runs of which this is the final verdict.
    fn finally(&self, verdict: Verdict) -> u64 {
        self.final_runs.get(verdict.as_str()).copied().unwrap_or(0)
    }
}

/// Four digits: more would only look exact. What is not all is less than 1, and what is something more than 0.
fn ratio(part: u64, whole: u64) -> f64 {
    let digits = (part as f64 / whole as f64 * 1e4).round();
    let digits = if part < whole { digits.min(9_999.0) } else { digits };
    let digits = if 0 < part { digits.max(1.0) } else { digits };
    digits / 1e4
}

/// Of the part of the month that is over, as much as was covered of every source.
fn coverage(month: Month, span: Span, now: Instant, covered: &Covered) -> Option<f64> {
    let over = Span::new(span.start, span.end.min(now))?;
    let least = covered.values().map(|months| months.get(&month).copied().unwrap_or(0)).min()?;
    let whole = u64::try_from(nanos(over.end - over.start)).ok()?;
    (0 < least).then(|| ratio(least.min(whole), whole))
}

/// The least and the median (the lower of two) notice of the changes that were confirmed at their start.
fn notice(runs: &[&Counted]) -> (Option<Number>, Option<Number>) {
    let given = runs.iter().filter_map(|(run, ..)| run.plan.as_ref()?.notice());
    let mut given: Vec<_> = given.collect();
    given.sort_unstable();
    let middle = given.len().checked_sub(1).map(|last| last / 2);
    let number = |d: &chrono::TimeDelta| seconds_number(nanos(*d));
    (given.first().map(number), middle.and_then(|at| given.get(at)).map(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_neither_nothing_nor_all() {
        for (part, whole, want, told) in [
            (0, 7, 0.0, "0.0 %"),
            (7, 7, 1.0, "100.0 %"),
            (5, 7, 0.7143, "71.4 %"),
            (1, 1_000_000, 0.0001, "under 0.1 %"),
            (999_999, 1_000_000, 0.9999, "99.9 %"),
            (9_996, 10_000, 0.9996, "99.9 %"),
        ] {
            let ratio = ratio(part, whole);
            assert_eq!((ratio, &*show::percent(ratio)), (want, told), "{part} of {whole}");
        }
    }
}
