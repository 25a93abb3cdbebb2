//! What the words about one run are made from.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::alerts::Name;
use crate::calendar::Zone;
use crate::forecast::{Forecast, forecast_from, overruns};
use crate::ledger::case_of;
use crate::policy::Terms;
use crate::run::Run;
use crate::time::{Instant, Span};
use crate::verdict::{Case, Check, Reason, When, judge};

/// One run and what is known beside it.
pub(super) struct Facts<'a> {
    pub(super) run: &'a Run,
    /// `None`: its partner is not configured any more.
    pub(super) terms: Option<&'a Terms>,
    /// `None`: it is over.
    pub(super) ahead: Option<&'a Ahead>,
}

/// What is ahead of an open run.
pub(super) struct Ahead {
    run: Arc<Run>,
    usual: Option<TimeDelta>,
    pub(super) forecast: Forecast,
    /// When business hours open on it.
    pub(super) opening: Option<Instant>,
}

impl Ahead {
    /// Nothing is known of a run whose partner is not configured any more. `usual`: how long it usually takes.
    pub(super) fn of(
        run: &Arc<Run>,
        terms: Option<&Arc<Terms>>,
        usual: Option<TimeDelta>,
        now: Instant,
    ) -> Ahead {
        let case = terms.map(|terms| case_of(run, terms, now));
        let forecast = case.as_ref().map(|case| forecast_from(case, run, usual));
        let opening = case.as_ref().and_then(opening);
        Ahead { run: run.clone(), usual, forecast: forecast.unwrap_or_default(), opening }
    }

    pub(super) fn is_of(&self, run: &Arc<Run>, usual: Option<TimeDelta>) -> bool {
        Arc::ptr_eq(&self.run, run) && self.usual == usual
    }

    pub(super) fn will_break(&self, reason: Reason) -> bool {
        self.forecast.will_break.contains(&reason)
    }
}

/// The window that a run should have had.
pub(super) enum Window {
    /// The one that it began in.
    Own(Span),
    /// The first one after its start in which it may start and has room.
    Next(Span),
    NoneNear,
    /// No window was agreed.
    NotAsked,
}

impl<'a> Facts<'a> {
    pub(super) fn of(
        run: &'a Run,
        terms: Option<&'a Arc<Terms>>,
        ahead: Option<&'a Ahead>,
    ) -> Facts<'a> {
        Facts { run, terms: terms.map(Arc::as_ref), ahead }
    }

    /// When business hours open on it.
    pub(super) fn opening(&self) -> Option<Instant> {
        self.ahead?.opening
    }

    pub(super) fn zone(&self) -> Zone {
        self.terms.map_or_else(Zone::utc, |terms| terms.zone.clone())
    }

    /// Since when an alert of this name holds for this run.
    pub(super) fn since(&self, name: Name) -> Instant {
        let first = match name {
            Name::Violation => self.run.broken().map(|f| f.at).min(),
            Name::Overrun => overruns(self.run).map(|f| f.at).min(),
            Name::WillRunIntoBusinessHours => None,
        };
        first.unwrap_or(self.run.start)
    }

    pub(super) fn window(&self) -> Window {
        let agreed = self.terms.filter(|terms| terms.windows.is_some() && terms.declared);
        let Some(terms) = agreed else { return Window::NotAsked };
        if let Some(own) = terms.opening_at(self.run.start) {
            return Window::Own(own);
        }
        terms.next_opening(self.run.start, None).map_or(Window::NoneNear, Window::Next)
    }
}

/// When business hours open on a run that has so far kept out of them.
fn opening(case: &Case) -> Option<Instant> {
    let mut checks = judge(case, When::Later);
    let (_, check) = checks.find(|(reason, _)| *reason == Reason::RanIntoBusinessHours)?;
    match check {
        Check::Holds { until } => Some(until),
        _ => None,
    }
}
