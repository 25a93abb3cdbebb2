//! The page at `/`: at one glance whether partners keep to what was agreed, now, today and in the last week.

mod show;
mod sources;
mod standing;

use std::sync::Arc;

use chrono::{Days, TimeDelta};

use crate::change::Changes;
use crate::forecast::{Forecast, forecast_from};
use crate::ledger::{Ledger, case_of, terms_of};
use crate::policy::Policy;
use crate::report::timeline::{self, Chart, Scene, Shown, Stage};
use crate::report::windows::{self, Kind, Question, Row};
use crate::run::{Run, RunNo};
use crate::time::{Instant, Span};
use standing::Standing;

/// Days of the picture of the past, today included.
pub const DAYS: u16 = 7;

/// Days that are looked ahead.
pub const DAYS_AHEAD: u16 = 7;

/// Runs in the pictures; the newest are drawn.
pub const RUNS_MAX: usize = 2_000;

/// Violations with a case of their own on the page, and runs in the table of what runs now.
pub const CASES_MAX: usize = 20;

/// Planned changes in the table.
pub const CHANGES_MAX: usize = 20;

/// Services with pictures.
pub const STAGES_MAX: usize = 20;

/// How long a page may be open before the browser asks for a newer one, in seconds.
pub const REFRESH_SECONDS: u32 = 30;

/// What the page is made of.
pub struct View<'a> {
    pub ledger: &'a Ledger,
    pub policy: &'a Policy,
    pub now: Instant,
    /// Runs that began since [`since`], at most [`RUNS_MAX`], the newest first. What is open is known to the ledger.
    pub runs: &'a [Arc<Run>],
    pub sources: &'a [Source],
    pub version: &'a str,
    /// For how long nothing has been read and judged, if the loop stands.
    pub stood: Option<TimeDelta>,
}

/// One source, and how fresh it is.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: Arc<str>,
    /// Whose lines it has.
    pub partners: Vec<Arc<str>>,
    pub up: bool,
    /// Why it is not up: a file of it is of another encoding than told.
    pub misread: bool,
    /// What is written to it is seen: it is readable, fresh and caught up.
    pub covered: bool,
    /// For how long nothing was written to it, if that is longer than was said to be usual.
    pub silent: Option<TimeDelta>,
    /// For how long there were lines but no event, if that is longer than was said to be usual.
    pub without_events: Option<TimeDelta>,
    pub last_line: Option<Instant>,
    pub last_event: Option<Instant>,
    pub lag_bytes: u64,
    /// Lines that could not be read, and possible losses, since the ledger began.
    pub rejected: u64,
    pub losses: u64,
}

impl Source {
    fn is_well(&self) -> bool {
        self.up && self.covered && self.silent.is_none() && self.without_events.is_none()
    }
}

/// From when on runs are shown; they may have begun a day before the first of the days.
pub fn since(now: Instant) -> Instant {
    now.checked_sub_signed(TimeDelta::days(i64::from(DAYS) + 1)).unwrap_or(now)
}

/// Where the case of a run is.
pub fn case_path(run: &Run) -> String {
    format!("/runs/{}", run.no)
}

/// The page while the logs are caught up with: what is on record is not the present yet.
pub fn catching_up(version: &str) -> String {
    show::catching_up(version)
}

/// The page.
pub fn page(view: &View) -> String {
    show::page(&Glance::of(view))
}

/// Everything on the page, looked up.
struct Glance<'a> {
    view: &'a View<'a>,
    standing: Standing<'a>,
    open: Vec<Open<'a>>,
    stages: Vec<Pictures>,
    stages_left_out: usize,
    ahead: Vec<Row>,
}

/// An open run, and what is expected of it.
struct Open<'a> {
    run: &'a Arc<Run>,
    forecast: Forecast,
}

/// The pictures of one service.
struct Pictures {
    stage: Stage,
    today: Chart,
    days: Chart,
}

impl<'a> Glance<'a> {
    fn of(view: &'a View<'a>) -> Glance<'a> {
        let open = view.open();
        let shown = view.shown(&open);
        let changes_of = |partner: &str| view.changes(partner);
        let scene = Scene {
            policy: view.policy,
            changes_of: &changes_of,
            runs: &shown,
            now: Some(view.now),
            partner: None,
            link: Some(case_path),
        };
        let mut stages = timeline::stages(&scene);
        let stages_left_out = stages.len().saturating_sub(STAGES_MAX);
        stages.truncate(STAGES_MAX);
        let pictures = |(n, stage): (usize, Stage)| pictures(&scene, stage, view.now, n);
        Glance {
            stages: stages.into_iter().enumerate().map(pictures).collect(),
            ahead: view.ahead(),
            stages_left_out,
            standing: Standing::of(view),
            open,
            view,
        }
    }
}

fn pictures(scene: &Scene, stage: Stage, now: Instant, n: usize) -> Pictures {
    let today = stage.zone.civil(now).date();
    let first = today.checked_sub_days(Days::new(u64::from(DAYS) - 1)).unwrap_or(today);
    Pictures {
        today: timeline::procedures(scene, &stage, today, &format!("t{n}")),
        days: timeline::days(scene, &stage, first, DAYS, &format!("d{n}")),
        stage,
    }
}

impl<'a> View<'a> {
    fn changes(&self, partner: &str) -> Option<&'a Changes> {
        self.ledger.book(partner).map(|book| &book.changes)
    }

    fn open(&self) -> Vec<Open<'a>> {
        let open = self.ledger.open().map(|(run, usual)| {
            let forecast = terms_of(self.policy, run)
                .map(|terms| forecast_from(&case_of(run, terms, self.now), run, usual));
            Open { run, forecast: forecast.unwrap_or_default() }
        });
        open.collect()
    }

    /// The runs of the pictures: those of the last days, and those that are still open.
    fn shown(&self, open: &[Open]) -> Vec<Shown> {
        let ended = self.runs.iter().filter(|run| !run.is_open()).map(|run| {
            let lost_after = terms_of(self.policy, run).map(|terms| terms.lost_after);
            let lost_at = run.given_up(lost_after.unwrap_or(crate::policy::defaults::LOST_AFTER));
            Shown { run: run.clone(), span: run.ran(self.now, lost_at), projected: None }
        });
        let open = open.iter().map(|open| Shown {
            run: open.run.clone(),
            span: Span::new(open.run.start, self.now)
                .unwrap_or(Span { start: open.run.start, end: open.run.start }),
            projected: open.forecast.projected_end,
        });
        let mut all: Vec<Shown> = open.chain(ended).collect();
        let mut seen = std::collections::HashSet::<RunNo>::new();
        all.retain(|shown| seen.insert(shown.run.no));
        all
    }

    /// The planned changes of the next days, the first first.
    fn ahead(&self) -> Vec<Row> {
        let Ok(range) = Question::days(None, self.now, DAYS_AHEAD) else { return Vec::new() };
        let question = Question { range, partner: None, service: None };
        let mut rows = windows::rows(self.policy, |partner| self.changes(partner), &question);
        rows.retain(|row| row.kind == Kind::Change);
        rows
    }
}
