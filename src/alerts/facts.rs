//! What the words about one run are made from.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::alerts::Name;
use crate::calendar::Zone;
use crate::forecast::{Forecast, overruns};
use crate::policy::Terms;
use crate::run::Run;
use crate::time::{Instant, Span};
use crate::verdict::{Case, Check, Finding, Reason, When, judge};

/// How far ahead a window is looked for, to name it.
const SEARCHED: TimeDelta = TimeDelta::days(370);

/// One run and what is known beside it.
pub(super) struct Facts<'a> {
    pub(super) run: &'a Run,
    /// `None`: its partner is not configured any more.
    pub(super) terms: Option<&'a Terms>,
    pub(super) ahead: Forecast,
    /// When business hours open on it.
    pub(super) opening: Option<Instant>,
}

/// The window that a run should have had.
pub(super) enum Window {
    /// The one that it began in.
    Own(Span),
    /// The first one after its start.
    Next(Span),
    NoneNear,
    /// No window was agreed.
    NotAsked,
}

impl<'a> Facts<'a> {
    pub(super) fn of(run: &'a Run, terms: Option<&'a Arc<Terms>>) -> Facts<'a> {
        Facts { run, terms: terms.map(Arc::as_ref), ahead: Forecast::default(), opening: None }
    }

    pub(super) fn zone(&self) -> Zone {
        self.terms.map_or_else(Zone::utc, |terms| terms.zone.clone())
    }

    /// Since when an alert of this name holds for this run.
    pub(super) fn since(&self, name: Name) -> Instant {
        let first = match name {
            Name::Violation => self.broken().map(|f| f.at).min(),
            Name::Overrun => overruns(self.run).map(|f| f.at).min(),
            Name::WillRunIntoBusinessHours => None,
        };
        first.unwrap_or(self.run.start)
    }

    /// What makes it a violation, in the order in which it became true.
    pub(super) fn broken(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let mut found: Vec<&Finding> =
            self.run.findings.values().filter(|f| !f.waived && !f.reason.is_doubt()).collect();
        found.sort_by_key(|f| (f.at, f.reason));
        found.into_iter()
    }

    pub(super) fn window(&self) -> Window {
        let windows = self.terms.and_then(|terms| terms.windows.as_ref());
        let Some(windows) = windows else { return Window::NotAsked };
        let (start, horizon) = (self.run.start, self.run.start + SEARCHED);
        match (windows.span_at(start, horizon), windows.next_span(start, horizon)) {
            (Some(own), _) => Window::Own(own),
            (None, Some(next)) => Window::Next(next),
            (None, None) => Window::NoneNear,
        }
    }
}

/// When business hours open on a run that has so far kept out of them.
pub(super) fn opening(case: &Case) -> Option<Instant> {
    let mut checks = judge(case, When::Later);
    let (_, check) = checks.find(|(reason, _)| *reason == Reason::RanIntoBusinessHours)?;
    match check {
        Check::Holds { until } => Some(until),
        _ => None,
    }
}
