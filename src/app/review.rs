//! Gathers what a service review is made of: the runs of some months, what was covered, and the cases of violations.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::app::dossier::Dossier;
use crate::app::watch::{COVERED_BY_MONTH, month_of};
use crate::config::Config;
use crate::ledger::{Ledger, terms_of};
use crate::policy::{Partner, defaults};
use crate::report::case::{CaseFile, Lines};
use crate::report::month::Month;
use crate::report::scorecard::{
    CASES_MAX, Counted, Covered, MONTHS_BEFORE, Material, Scorecard, picture,
};
use crate::report::timeline::{Scene, Shown};
use crate::run::Run;
use crate::store::{Reader, RunFilter, StoreError};
use crate::time::{Instant, Span};
use crate::verdict::Verdict;

/// A run that began this long before the month may reach into it; and clocks of services differ from the partner's.
const REACHES_IN: TimeDelta = TimeDelta::days(31);

/// The latest month that is over for all of these partners.
pub fn latest_month(partners: &[&Partner], now: Instant) -> Option<Month> {
    partners.iter().map(|partner| Month::of(&partner.zone, now).previous()).min()
}

/// The scorecard of one partner.
///
/// # Errors
/// The ledger cannot be read.
pub fn scorecard(
    reader: &Reader,
    config: &Config,
    partner: &Partner,
    month: Month,
    now: Instant,
) -> Result<Scorecard, StoreError> {
    let first = (0..MONTHS_BEFORE).fold(month, |month, _| month.previous());
    let (since, before) = (first.span(&partner.zone).start, month.span(&partner.zone).end);
    let filter = RunFilter {
        partner: Some(partner.name.to_string()),
        since: Some(since),
        before: Some(before),
        ..RunFilter::default()
    };
    let runs = reader.runs(&filter)?;
    let covered = covered(reader, config, partner)?;
    let cases = cases(reader, config, &runs, month.span(&partner.zone))?;
    Ok(Scorecard::new(Material { partner, month, now, runs: &runs, covered: &covered, cases }))
}

/// What was covered of each source of the partner that is configured now.
fn covered(reader: &Reader, config: &Config, partner: &Partner) -> Result<Covered, StoreError> {
    let own = || config.sources.iter().filter(|source| source.is_of(&partner.name));
    let mut covered: Covered = own().map(|s| (s.name.clone(), BTreeMap::new())).collect();
    for (source, name, label, nanos) in reader.tallies()? {
        let months = covered.get_mut(&source).filter(|_| name == COVERED_BY_MONTH);
        let is_only = own().any(|own| own.name == source && own.partners.len() == 1);
        let month = month_of(&label, &partner.name, is_only);
        if let (Some(months), Some(month)) = (months, month) {
            *months.entry(month).or_default() += nanos;
        }
    }
    Ok(covered)
}

fn cases(
    reader: &Reader,
    config: &Config,
    runs: &[Counted],
    span: Span,
) -> Result<Vec<CaseFile>, StoreError> {
    let is_violation =
        |(run, ..): &&Counted| span.contains(run.start) && run.verdict() == Verdict::Violation;
    let mut broken: Vec<&Counted> = runs.iter().filter(is_violation).collect();
    broken.sort_by_key(|(run, ..)| (run.start, run.no));
    broken.truncate(CASES_MAX);
    if broken.is_empty() {
        return Ok(Vec::new());
    }
    let own: Vec<Run> = broken.iter().map(|(run, ..)| run.clone()).collect();
    let dossiers = Dossier::of(reader, &own, &config.policy)?;
    let told = broken.iter().zip(&dossiers).map(|((run, business, outside), dossier)| {
        dossier.case(run, (*business, *outside), config, &Lines::new())
    });
    Ok(told.collect())
}

/// The days of a month of these partners as pictures: HTML for each of them.
///
/// # Errors
/// The ledger cannot be read.
pub fn pictures(
    reader: &Reader,
    config: &Config,
    partners: &[&Partner],
    month: Month,
    now: Instant,
) -> Result<Vec<String>, StoreError> {
    let mut ledger = Ledger::default();
    reader.walk(|entry| ledger.adopt(&entry))?;
    let drawn = partners.iter().enumerate().map(|(n, partner)| {
        let shown = shown(reader, config, partner, month, now)?;
        let scene = Scene {
            policy: &config.policy,
            changes_of: &|partner| ledger.book(partner).map(|book| &book.changes),
            runs: &shown,
            now: Some(now),
            partner: Some(&partner.name),
            link: None,
        };
        Ok(picture(&scene, month, &format!("month-{n}")))
    });
    drawn.collect()
}

/// The runs that a picture of the month may show.
fn shown(
    reader: &Reader,
    config: &Config,
    partner: &Partner,
    month: Month,
    now: Instant,
) -> Result<Vec<Shown>, StoreError> {
    let span = month.span(&partner.zone);
    let filter = RunFilter {
        partner: Some(partner.name.to_string()),
        since: Some(span.start - REACHES_IN),
        before: Some(span.end + REACHES_IN),
        ..RunFilter::default()
    };
    let runs = reader.runs(&filter)?;
    let shown = runs.into_iter().map(|(run, ..)| {
        let terms = terms_of(&config.policy, &run);
        let lost_after = terms.map_or(defaults::LOST_AFTER, |terms| terms.lost_after);
        let span = run.ran(now, run.given_up(lost_after));
        Shown { run: Arc::new(run), span, projected: None }
    });
    Ok(shown.collect())
}
