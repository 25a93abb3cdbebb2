//! The words of a page: who, what, since when, against which rules, when it should have run, what to do.

use crate::alerts::facts::{Facts, Window};
use crate::alerts::{Alert, Key, Name};
use crate::forecast::overruns;
use crate::report::plain::clean;
use crate::run::Labels;
use crate::time::{Instant, Span};
use crate::verdict::{Finding, civil};

/// Text that comes from a log is cut to this many characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// Stands at the end of what was cut.
pub const CUT: &str = " [cut]";

/// More runs than this are counted, not told: a page is read on a telephone.
pub const RUNS_TOLD_MAX: usize = 3;

/// The alert of one name and label set; `all` is sorted and has at least one run.
pub(super) fn alert((name, labels): &Key, all: &[Facts], now: Instant) -> Alert {
    let first = all.first();
    let since = first.map_or(now, |facts| facts.since(*name)).min(now);
    let when = first.map_or_else(String::new, |facts| civil(&facts.zone(), facts.since(*name)));
    let summary = summary(*name, labels, all, &when);
    let mut lines = Vec::new();
    for facts in all.iter().take(RUNS_TOLD_MAX) {
        lines.extend(case(*name, facts));
    }
    if RUNS_TOLD_MAX < all.len() {
        lines.push(format!("And {} more; `offhours runs` lists them.", all.len() - RUNS_TOLD_MAX));
    }
    lines.extend(to_do(*name, labels, all));
    Alert { since, summary, description: lines.join("\n") }
}

fn summary(name: Name, labels: &Labels, all: &[Facts], since: &str) -> String {
    let (partner, service) = (shown(&labels.partner), shown(&labels.service));
    let what = match all {
        [_] => format!("{partner}: {} on {service}", shown(&labels.procedure)),
        _ => format!("{partner}: {} runs of {} on {service}", all.len(), shown(&labels.procedure)),
    };
    match name {
        Name::Violation => {
            let reasons = reasons(all.iter().flat_map(|facts| facts.run.broken()));
            format!("{what}, not as agreed since {since}: {reasons}")
        }
        Name::Overrun => {
            let reasons = reasons(all.iter().flat_map(|facts| overruns(facts.run)));
            format!("{what}, still running past its limits since {since}: {reasons}")
        }
        Name::WillRunIntoBusinessHours => {
            let first = all
                .iter()
                .filter_map(|facts| Some((facts.opening()?, facts.zone())))
                .min_by_key(|o| o.0);
            let opening = first.map_or_else(String::new, |(at, zone)| civil(&zone, at));
            format!("{what}, expected to run into business hours, which start {opening}")
        }
    }
}

/// Each reason once, in the order in which they are found.
fn reasons<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for finding in findings {
        if !names.contains(&finding.reason.as_str()) {
            names.push(finding.reason.as_str());
        }
    }
    names.join(", ")
}

/// The lines about one run.
fn case(name: Name, facts: &Facts) -> Vec<String> {
    let mut lines = vec![heading(facts)];
    match name {
        Name::Violation => lines.extend(facts.run.broken().map(broken)),
        Name::Overrun => lines.extend(overruns(facts.run).map(broken)),
        Name::WillRunIntoBusinessHours => {}
    }
    lines.extend(ahead(name, facts));
    lines.extend(window(facts));
    lines.extend(plan(facts));
    lines
}

fn heading(facts: &Facts) -> String {
    let run = facts.run;
    let id = run.run_id.as_deref().map_or_else(String::new, |id| format!(" ({})", shown(id)));
    let service = run.service.as_deref().unwrap_or(&run.labels.service);
    let zone = facts.zone();
    let state = match run.end {
        Some(end) => format!("{} {}", run.state, civil(&zone, end)),
        None if run.is_open() => "still running".into(),
        None => "no end was seen".into(),
    };
    format!(
        "Run {}{id}: {} started {} on {} at {} (trigger {}), {state}.",
        run.no,
        shown(&run.partner),
        shown(&run.procedure),
        shown(service),
        civil(&zone, run.start),
        run.trigger,
    )
}

fn broken(finding: &Finding) -> String {
    format!("- {}: {}", finding.reason, shown(&finding.detail))
}

/// What is still to come, where that is what the alert is about.
fn ahead(name: Name, facts: &Facts) -> Vec<String> {
    if name == Name::Violation {
        return Vec::new();
    }
    let zone = facts.zone();
    let mut lines = Vec::new();
    if let Some(end) = facts.ahead.and_then(|a| a.forecast.projected_end) {
        lines.push(format!("Expected end: {}.", civil(&zone, end)));
    }
    let deadline = match name {
        Name::WillRunIntoBusinessHours => facts.opening(),
        _ => facts.ahead.and_then(|a| a.forecast.deadline),
    };
    if let Some(at) = deadline {
        let what = match name {
            Name::WillRunIntoBusinessHours => "Business hours start",
            _ => "It breaks the next rule at",
        };
        lines.push(format!("{what} {}: it must be stopped before then.", civil(&zone, at)));
    }
    lines
}

fn window(facts: &Facts) -> Option<String> {
    let zone = facts.zone();
    let span = |s: Span| format!("{} to {}", civil(&zone, s.start), civil(&zone, s.end));
    match facts.window() {
        Window::Own(own) => Some(format!("Its window: {}.", span(own))),
        Window::Next(next) => Some(format!("It should have run in this window: {}.", span(next))),
        Window::NoneNear => {
            Some("There was no window within a year in which it could have started.".into())
        }
        Window::NotAsked => None,
    }
}

fn plan(facts: &Facts) -> Option<String> {
    let plan = facts.run.plan.as_ref()?;
    let zone = facts.zone();
    let change = shown(&plan.change_id);
    let status = plan.status;
    Some(match plan.planned {
        Some(p) => {
            let (from, to) = (civil(&zone, p.start), civil(&zone, p.end));
            format!("Change {change} ({status}) planned it from {from} to {to}.")
        }
        None => format!("Change {change} is {status}."),
    })
}

fn to_do(name: Name, labels: &Labels, all: &[Facts]) -> Vec<String> {
    let partner = shown(&labels.partner);
    let is_open = all.iter().any(|facts| facts.run.is_open());
    let no = all.first().map_or(0, |facts| facts.run.no);
    let mut lines = vec![match (name, is_open) {
        (Name::WillRunIntoBusinessHours, _) => {
            format!("To do: call {partner} now and decide whether to stop the run before then.")
        }
        (_, true) => format!(
            "To do: call {partner} and decide whether to stop the run or let it finish. Tell the service owners."
        ),
        (_, false) => format!("To do: the run is over. Ask {partner} how it happened."),
    }];
    lines.push(format!("`offhours explain {no}` shows the full case."));
    if name == Name::Violation {
        let each = if all.len() == 1 { "" } else { ", for each run," };
        lines.push(format!("`offhours ack {no} --by NAME --note TEXT`{each} stops this page."));
    }
    lines
}

/// Text as it may be shown: nothing in it that acts, and not longer than [`TEXT_CHARS_MAX`].
fn shown(text: &str) -> String {
    let cleaned = clean(text);
    match cleaned.char_indices().nth(TEXT_CHARS_MAX) {
        None => cleaned.into_owned(),
        Some((end, _)) => format!("{}{CUT}", cleaned.get(..end).unwrap_or_default()),
    }
}
