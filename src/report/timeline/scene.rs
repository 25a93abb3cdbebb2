//! From what was agreed, planned and done to rows.

use std::sync::Arc;

use chrono::{Days, NaiveDate, Timelike};

use super::{BARS_MAX, Bar, Chart, DAY_MINUTES, Ground, ROWS_MAX, Row, Shade, Tone};
use crate::calendar::Zone;
use crate::change::Changes;
use crate::policy::Policy;
use crate::report::windows::{self, Kind, Question};
use crate::run::Run;
use crate::time::{Instant, Span};

/// Everything that a picture is made of.
pub struct Scene<'a> {
    pub policy: &'a Policy,
    pub changes_of: &'a dyn Fn(&str) -> Option<&'a Changes>,
    /// In any order.
    pub runs: &'a [Shown],
    /// `None` leaves it out.
    pub now: Option<Instant>,
    /// Only of this partner.
    pub partner: Option<&'a str>,
    /// Where a run leads to; `None`: nowhere.
    pub link: Option<fn(&Run) -> String>,
}

/// A run with what its bar needs.
#[derive(Clone, Debug)]
pub struct Shown {
    pub run: Arc<Run>,
    /// From its start to its end; for one that is open to the present.
    pub span: Span,
    /// When it will probably end, if it is open.
    pub projected: Option<Instant>,
}

/// A service, or what was done without one.
#[derive(Clone, Debug)]
pub struct Stage {
    /// As the runs name it; `None` for runs without a service and those of services that nobody declared.
    pub service: Option<Arc<str>>,
    pub zone: Zone,
}

/// The services to be drawn, and, if something ran without one, a last stage for that.
pub fn stages(scene: &Scene) -> Vec<Stage> {
    let wanted = |name: &Arc<str>| {
        scene.partner.is_none_or(|partner| {
            let declared = scene.policy.partner(partner).is_some_and(|p| {
                p.procedures.iter().any(|procedure| procedure.services.contains(name))
            });
            declared || scene.runs.iter().any(|shown| shown.run.service.as_ref() == Some(name))
        })
    };
    let services = scene.policy.services.iter().filter(|service| wanted(&service.name));
    let mut stages: Vec<Stage> =
        services.map(|s| Stage { service: Some(s.name.clone()), zone: s.zone.clone() }).collect();
    let other = Stage { service: None, zone: Zone::utc() };
    if let Some(shown) = scene.runs.iter().find(|shown| scene.is_on(&other, &shown.run)) {
        let partner = scene.policy.partner(&shown.run.partner);
        let zone = partner.map_or_else(Zone::utc, |partner| partner.zone.clone());
        stages.push(Stage { zone, ..other });
    }
    stages
}

/// Consecutive days as rows, the first on top.
pub fn days(scene: &Scene, stage: &Stage, first: NaiveDate, count: u16, id: &str) -> Chart {
    let dates = (0..count).filter_map(|n| first.checked_add_days(Days::new(n.into())));
    let dates: Vec<Day> = dates.filter_map(|date| Day::new(date, &stage.zone)).collect();
    let whole = dates.first().zip(dates.last());
    let range = whole.and_then(|(a, b)| Span::new(a.span.start, b.span.end));
    let agreed = range.map_or_else(Vec::new, |range| scene.agreed(stage, range));
    let rows = dates.iter().map(|day| {
        let label = day.date.format("%a %-d %b").to_string();
        scene.row(stage, day, label, &agreed, |_| true)
    });
    let title =
        format!("{}: days from {first} on, by the clocks of {}", stage.name(), stage.zone.name());
    Chart { id: id.into(), title, rows: rows.collect(), left_out: 0 }
}

/// One day, with a row for each procedure of each partner that the stage knows or that ran.
pub fn procedures(scene: &Scene, stage: &Stage, date: NaiveDate, id: &str) -> Chart {
    let title = format!("{}: {date} by the clocks of {}", stage.name(), stage.zone.name());
    let mut chart = Chart { id: id.into(), title, ..Chart::default() };
    let Some(day) = Day::new(date, &stage.zone) else { return chart };
    let agreed = scene.agreed(stage, day.span);
    let names = scene.names(stage, &day);
    chart.left_out = names.len().saturating_sub(ROWS_MAX);
    for (partner, procedure) in names.into_iter().take(ROWS_MAX) {
        let label = format!("{partner}: {procedure}");
        let is_its = |about: &About| match about {
            About::Run(run) => run.partner == partner && run.procedure == procedure,
            About::Agreed(row) => {
                row.partner.as_ref().is_none_or(|p| *p == partner)
                    && (row.procedures.is_empty() || row.procedures.contains(&procedure))
            }
        };
        let mut row = scene.row(stage, &day, label, &agreed, is_its);
        scene.allow(stage, &partner, &procedure, &mut row.shades);
        chart.rows.push(row);
    }
    chart
}

/// What a row may be asked to show.
enum About<'a> {
    Run(&'a Run),
    Agreed(&'a windows::Row),
}

/// A day by the clocks of a zone.
struct Day {
    date: NaiveDate,
    span: Span,
    zone: Zone,
}

impl Day {
    fn new(date: NaiveDate, zone: &Zone) -> Option<Day> {
        let next = date.checked_add_days(Days::new(1))?;
        let span = Span::new(zone.midnight(date), zone.midnight(next))?;
        Some(Day { date, span, zone: zone.clone() })
    }

    /// What the clocks show, in minutes; at the end of the day 24 hours.
    fn minute(&self, t: Instant) -> f64 {
        if t <= self.span.start {
            return 0.0;
        }
        if self.span.end <= t {
            return DAY_MINUTES;
        }
        f64::from(self.zone.civil(t).num_seconds_from_midnight()) / 60.0
    }

    /// The part of a span that lies within the day, in minutes. What the hour that comes twice turns round is
    /// drawn as its first moment.
    fn minutes(&self, span: Span) -> Option<(f64, f64)> {
        let is_within = span.start < self.span.end && self.span.start < span.end
            || span.start == span.end && self.span.contains(span.start);
        let (from, to) = (self.minute(span.start), self.minute(span.end));
        is_within.then_some((from, to.max(from)))
    }
}

impl Stage {
    /// A table for people.
    pub fn name(&self) -> &str {
        self.service.as_deref().unwrap_or("no service")
    }
}

impl<'a> Scene<'a> {
    fn is_on(&self, stage: &Stage, run: &Run) -> bool {
        let is_wanted = self.partner.is_none_or(|partner| *run.partner == *partner);
        let declared = run.service.as_ref().filter(|name| self.policy.service(name).is_some());
        is_wanted && declared == stage.service.as_ref()
    }

    /// Windows, freezes, business hours and changes of a service.
    fn agreed(&self, stage: &Stage, range: Span) -> Vec<windows::Row> {
        let Some(service) = &stage.service else { return Vec::new() };
        let question = Question {
            range,
            partner: self.partner.map(String::from),
            service: Some(service.to_string()),
        };
        let mut rows = windows::rows(self.policy, self.changes_of, &question);
        // A picture shows its days alone.
        rows.iter_mut().for_each(|row| row.span = row.part);
        rows
    }

    /// The rows of a day: what ran first, then what is declared.
    fn names(&self, stage: &Stage, day: &Day) -> Vec<(Arc<str>, Arc<str>)> {
        let ran = self
            .runs
            .iter()
            .filter(|shown| self.is_on(stage, &shown.run) && day.minutes(shown.span).is_some());
        let ran = ran.map(|shown| (shown.run.partner.clone(), shown.run.procedure.clone()));
        let mut names: Vec<(Arc<str>, Arc<str>)> = ran.collect();
        for partner in &self.policy.partners {
            if self.partner.is_some_and(|name| *name != *partner.name) {
                continue;
            }
            let its = |p: &&crate::policy::Procedure| {
                stage.service.as_ref().is_some_and(|service| p.services.contains(service))
            };
            let declared = partner.procedures.iter().filter(its);
            names.extend(declared.map(|p| (partner.name.clone(), p.name.clone())));
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// What was agreed for this procedure alone: it may run in business hours, or at any time.
    fn allow(&self, stage: &Stage, partner: &str, procedure: &str, shades: &mut Vec<Shade>) {
        let Some(partner) = self.policy.partner(partner) else { return };
        let terms = partner.terms(stage.service.as_deref(), procedure);
        if terms.business_hours_allowed {
            shades.retain(|shade| shade.ground != Ground::BusinessHours);
        }
        if terms.declared && terms.windows.is_none() {
            shades.push(Shade { ground: Ground::Window, from: 0.0, to: DAY_MINUTES });
            shades.sort_by_key(|shade| shade.ground);
        }
    }

    fn row(
        &self,
        stage: &Stage,
        day: &Day,
        label: String,
        agreed: &[windows::Row],
        is_its: impl Fn(&About) -> bool,
    ) -> Row {
        let mut row = Row { label, ..Row::default() };
        for agreed in agreed.iter().filter(|agreed| is_its(&About::Agreed(agreed))) {
            let Some((from, to)) = day.minutes(agreed.span) else { continue };
            match ground(agreed.kind) {
                Some(ground) => row.shades.push(Shade { ground, from, to }),
                None => row.bars.push(planned(agreed, (from, to))),
            }
        }
        row.shades.sort_by_key(|shade| shade.ground);
        let on_stage = self
            .runs
            .iter()
            .filter(|shown| self.is_on(stage, &shown.run) && is_its(&About::Run(&shown.run)));
        let mut runs: Vec<&Shown> = on_stage.collect();
        runs.sort_by_key(|shown| shown.span.start);
        for shown in runs {
            row.bars.extend(self.bars(shown, day));
        }
        row.left_out = row.bars.len().saturating_sub(BARS_MAX);
        row.bars.truncate(BARS_MAX);
        row.now = self
            .now
            .filter(|now| day.span.contains(*now))
            .map(|now| (day.minute(now), clock(&day.zone, now)));
        row
    }

    /// The bar of a run and, if it is open, what is expected of it.
    fn bars(&self, shown: &Shown, day: &Day) -> Vec<Bar> {
        let run = &shown.run;
        let href = self.link.map(|link| link(run));
        let mut bars = Vec::new();
        if let Some((from, to)) = day.minutes(shown.span) {
            let open = run.is_open() && day.span.contains(shown.span.end);
            let told = told(shown, &day.zone);
            let tone = Tone::Of(run.verdict());
            bars.push(Bar { tone, from, to, open, told, href: href.clone() });
        }
        let ahead = shown.projected.and_then(|end| Span::new(shown.span.end, end));
        if let Some((span, (from, to))) = ahead.and_then(|s| Some((s, day.minutes(s)?)))
            && !bars.is_empty()
        {
            let told =
                format!("{} is expected to end at {}", run.procedure, clock(&day.zone, span.end));
            bars.push(Bar { tone: Tone::Projected, from, to, open: false, told, href });
        }
        bars
    }
}

fn ground(kind: Kind) -> Option<Ground> {
    match kind {
        Kind::BusinessHours => Some(Ground::BusinessHours),
        Kind::Window => Some(Ground::Window),
        Kind::Freeze => Some(Ground::Freeze),
        Kind::Change => None,
    }
}

fn planned(row: &windows::Row, (from, to): (f64, f64)) -> Bar {
    let (start, end) = (clock(&row.zone, row.span.start), clock(&row.zone, row.span.end));
    let told = format!("planned {start} to {end}, {}: {}", row.subject(), row.remark());
    Bar { tone: Tone::Planned, from, to, open: false, told, href: None }
}

fn told(shown: &Shown, zone: &Zone) -> String {
    let run = &shown.run;
    let until = match run.is_open() {
        true => "still running".into(),
        false => format!("to {}", clock(zone, shown.span.end)),
    };
    let mut reasons: Vec<&str> = run.findings.keys().map(|reason| reason.as_str()).collect();
    reasons.sort_unstable();
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!(
        "{} by {} from {} {until}, {}{why}",
        run.procedure,
        run.partner,
        clock(zone, shown.span.start),
        run.verdict()
    )
}

fn clock(zone: &Zone, t: Instant) -> String {
    zone.civil(t).format("%H:%M").to_string()
}
