//! Rows and runs as entries of people's calendars (RFC 5545).

use chrono::{SubsecRound, TimeDelta};

use super::{Kind, Question, Row};
use crate::ledger::terms_of;
use crate::policy::{Policy, defaults};
use crate::report::ics::{Event, file};
use crate::run::Run;
use crate::time::{Instant, Span};
use crate::verdict::Reason;

/// The rows, and the runs as they went, as one iCalendar file. `now` is its stamp, and how far open runs have come.
pub fn calendar(rows: &[Row], runs: &[Run], policy: &Policy, now: Instant) -> String {
    let runs = runs.iter().map(|run| event_of_run(run, policy, now));
    let events: Vec<Event> = rows.iter().map(event).chain(runs).collect();
    file("offhours", &events, now)
}

/// Whether a run is asked for: of the partner and service, and within the range, as far as it has come at `now`.
pub fn touches(run: &Run, policy: &Policy, question: &Question, now: Instant) -> bool {
    let ran = ran(run, policy, now);
    question.wants_partner(&run.partner)
        && run.service.as_deref().is_none_or(|service| question.wants_service(service))
        && ran.start < question.range.end
        && question.range.start <= ran.end
}

fn ran(run: &Run, policy: &Policy, now: Instant) -> Span {
    let lost_after = terms_of(policy, run).map_or(defaults::LOST_AFTER, |terms| terms.lost_after);
    let given_up = run.findings.get(&Reason::Lost).map(|finding| finding.at);
    run.ran(now, given_up.unwrap_or(run.start + lost_after))
}

fn event(row: &Row) -> Event {
    let what = match row.kind {
        Kind::BusinessHours => "Business hours",
        Kind::Window => "Maintenance window",
        Kind::Freeze => "Freeze",
        Kind::Change => "Planned maintenance",
    };
    let status = match row.status {
        Some("tentative") => "TENTATIVE",
        Some("cancelled") => "CANCELLED",
        _ => "CONFIRMED",
    };
    let details = row.conflicts.iter().map(|(reason, detail)| format!("\n{reason}: {detail}"));
    Event {
        uid: row.id.clone(),
        span: row.span,
        summary: format!("{what}: {}", row.subject()),
        description: row.remark() + &details.collect::<String>(),
        status,
        // Only what takes a person's time blocks it.
        busy: row.kind == Kind::Change,
    }
}

/// What really ran.
fn event_of_run(run: &Run, policy: &Policy, now: Instant) -> Event {
    let ran = ran(run, policy, now);
    let start = ran.start.trunc_subsecs(0);
    // An entry has a length, and ends on a whole second.
    let end = ran.end.trunc_subsecs(0).max(start + TimeDelta::seconds(1));
    let on = run.service.as_deref().map_or(String::new(), |service| format!(" on {service}"));
    let so_far = if run.sealed { "" } else { " so far" };
    let mut description = format!("Run {}: {}, {}{so_far}", run.no, run.state, run.verdict());
    for finding in run.findings.values() {
        let waived = if finding.waived { " (waived)" } else { "" };
        description += &format!("\n{}{waived}: {}", finding.reason, finding.detail);
    }
    Event {
        uid: format!("run/{}/{}", run.partner, run.no),
        span: Span { start, end },
        summary: format!(
            "Maintenance run ({}): {}{on}: {}",
            run.verdict(),
            run.partner,
            run.procedure
        ),
        description,
        status: "CONFIRMED",
        busy: true,
    }
}
