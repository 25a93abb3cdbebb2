//! What the next days hold: windows, freezes, business hours and planned changes, as rows and as a calendar file.

use std::sync::Arc;

use chrono::{SubsecRound, TimeDelta};
use serde::Serialize;

use crate::calendar::{Calendar, Zone};
use crate::change::Changes;
use crate::event::words;
use crate::outlook::{self, Upcoming};
use crate::policy::{Partner, Policy};
use crate::report::ics::{Event, file};
use crate::time::{Instant, Span, rfc3339};

/// Rows at most; a calendar of seconds is no use to anybody.
pub const ROWS_MAX: usize = 10_000;

words! {
    /// What a row is.
    Kind {
        BusinessHours = "business_hours",
        Window = "window",
        Freeze = "freeze",
        Change = "change",
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    pub range: Span,
    /// Only of this partner (business hours and freezes of services stay).
    pub partner: Option<String>,
    /// Only of this service, and of partners' procedures that are declared for it.
    pub service: Option<String>,
}

/// One span of something.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: Kind,
    /// Cut at the borders of the question.
    pub span: Span,
    pub partner: Option<Arc<str>>,
    pub service: Option<Arc<str>>,
    /// Procedures that the window or freeze is for; empty: all of the partner's.
    pub procedures: Vec<Arc<str>>,
    /// The name of a freeze, the id of a change.
    pub name: Option<Arc<str>>,
    /// Of a change.
    pub status: Option<&'static str>,
    /// The planned times are confirmed.
    pub confirmed: Option<bool>,
    pub confirm_by: Option<Instant>,
    /// What a change is in conflict with, each with a sentence.
    pub conflicts: Vec<(&'static str, String)>,
    /// In which people read it.
    pub zone: Zone,
}

/// A row as an object. Times are RFC 3339 UTC.
#[derive(Debug, Serialize)]
pub struct RowReport {
    kind: &'static str,
    start: String,
    end: String,
    partner: Option<String>,
    service: Option<String>,
    procedures: Vec<String>,
    name: Option<String>,
    status: Option<&'static str>,
    confirmed: Option<bool>,
    confirm_by: Option<String>,
    against: Vec<Against>,
    timezone: String,
}

#[derive(Debug, Serialize)]
struct Against {
    reason: &'static str,
    detail: String,
}

impl From<&Row> for RowReport {
    fn from(row: &Row) -> RowReport {
        let text = |t: &Option<Arc<str>>| t.as_deref().map(String::from);
        let against =
            |(reason, detail): &(&'static str, String)| Against { reason, detail: detail.clone() };
        RowReport {
            kind: row.kind.as_str(),
            start: rfc3339(row.span.start),
            end: rfc3339(row.span.end),
            partner: text(&row.partner),
            service: text(&row.service),
            procedures: row.procedures.iter().map(|p| p.to_string()).collect(),
            name: text(&row.name),
            status: row.status,
            confirmed: row.confirmed,
            confirm_by: row.confirm_by.map(rfc3339),
            against: row.conflicts.iter().map(against).collect(),
            timezone: row.zone.name().to_string(),
        }
    }
}

/// Everything within the range, by start; at most [`ROWS_MAX`].
pub fn rows<'a>(
    policy: &'a Policy,
    changes_of: impl Fn(&str) -> Option<&'a Changes>,
    question: &Question,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for service in policy.services.iter().filter(|s| question.wants_service(&s.name)) {
        let row = |kind, span| Row {
            service: Some(service.name.clone()),
            ..plain(kind, span, &service.zone)
        };
        if let Some(hours) = &service.business_hours {
            let spans = hours.spans_in(question.range);
            rows.extend(spans.into_iter().take(ROWS_MAX).map(|s| row(Kind::BusinessHours, s)));
        }
        for freeze in &service.freezes {
            let spans = freeze.calendar.spans_in(question.range).into_iter().take(ROWS_MAX);
            let name = Some(freeze.name.clone());
            rows.extend(spans.map(|s| Row { name: name.clone(), ..row(Kind::Freeze, s) }));
        }
    }
    for partner in policy.partners.iter().filter(|p| question.wants_partner(&p.name)) {
        rows.extend(of_partner(partner, question));
    }
    let ahead = outlook::upcoming(policy, changes_of, question.range.start);
    rows.extend(ahead.iter().filter_map(|change| of_change(change, question)));
    rows.sort_by(|a, b| {
        (a.span.start, a.kind, a.span.end).cmp(&(b.span.start, b.kind, b.span.end))
    });
    rows.truncate(ROWS_MAX);
    rows
}

/// The rows as one iCalendar file (RFC 5545). `now` is its stamp.
pub fn calendar(rows: &[Row], now: Instant) -> String {
    let events: Vec<Event> = rows.iter().map(event).collect();
    file("offhours", &events, now)
}

fn plain(kind: Kind, span: Span, zone: &Zone) -> Row {
    Row {
        kind,
        span,
        partner: None,
        service: None,
        procedures: Vec::new(),
        name: None,
        status: None,
        confirmed: None,
        confirm_by: None,
        conflicts: Vec::new(),
        zone: zone.clone(),
    }
}

/// A calendar of a partner, and whose it is.
struct Owned<'a> {
    kind: Kind,
    name: Option<&'a Arc<str>>,
    calendar: &'a Arc<Calendar>,
    procedures: Vec<Arc<str>>,
}

/// Windows and freezes of a partner and its procedures; what several procedures share stands once.
fn of_partner(partner: &Partner, question: &Question) -> Vec<Row> {
    let mut all: Vec<Owned> = Vec::new();
    for f in &partner.freezes {
        let (name, calendar) = (Some(&f.name), &f.calendar);
        all.push(Owned { kind: Kind::Freeze, name, calendar, procedures: Vec::new() });
    }
    if partner.procedures.is_empty()
        && let Some(calendar) = &partner.windows
    {
        all.push(Owned { kind: Kind::Window, name: None, calendar, procedures: Vec::new() });
    }
    for procedure in &partner.procedures {
        let wanted = procedure.services.iter().any(|s| question.wants_service(s));
        let Some(terms) = procedure.terms.get(&None).filter(|_| wanted) else { continue };
        let windows = terms.windows.iter().map(|calendar| (Kind::Window, None, calendar));
        let freezes = terms.freezes.iter().map(|f| (Kind::Freeze, Some(&f.name), &f.calendar));
        for (kind, name, calendar) in windows.chain(freezes) {
            let same = |o: &&mut Owned| o.kind == kind && Arc::ptr_eq(o.calendar, calendar);
            match all.iter_mut().find(same) {
                // The partner's own are for all of its procedures.
                Some(known) if known.procedures.is_empty() => {}
                Some(known) => known.procedures.push(procedure.name.clone()),
                None => {
                    let procedures = vec![procedure.name.clone()];
                    all.push(Owned { kind, name, calendar, procedures });
                }
            }
        }
    }
    all.iter().flat_map(|owned| owned.rows(partner, question)).collect()
}

impl Owned<'_> {
    fn rows(&self, partner: &Partner, question: &Question) -> Vec<Row> {
        let spans = self.calendar.spans_in(question.range).into_iter().take(ROWS_MAX);
        let row = |span| Row {
            partner: Some(partner.name.clone()),
            name: self.name.cloned(),
            procedures: self.procedures.clone(),
            ..plain(self.kind, span, &partner.zone)
        };
        spans.map(row).collect()
    }
}

fn of_change(change: &Upcoming, question: &Question) -> Option<Row> {
    let span = change.span()?;
    let wanted = question.wants_partner(&change.partner.name)
        && question.wants_service(&change.terms.service)
        && span.start < question.range.end
        && question.range.start < span.end;
    let conflicts = change.conflicts.iter().map(|(c, detail)| (c.as_str(), detail.clone()));
    wanted.then(|| Row {
        partner: Some(change.partner.name.clone()),
        service: Some(change.terms.service.clone()),
        procedures: change.procedure.as_deref().map(Arc::from).into_iter().collect(),
        name: Some(change.change_id.clone()),
        status: Some(change.latest.status.as_str()),
        confirmed: Some(change.confirmed),
        confirm_by: change.confirm_by(question.range.start),
        conflicts: conflicts.collect(),
        ..plain(Kind::Change, span, &change.terms.zone)
    })
}

impl Question {
    /// So many days from an instant, or from now; to the second, because people read it.
    ///
    /// # Errors
    /// It lies beyond every calendar, as a sentence.
    pub fn days(from: Option<Instant>, now: Instant, days: u16) -> Result<Span, String> {
        let start = from.unwrap_or_else(|| now.trunc_subsecs(0));
        let end = start.checked_add_signed(TimeDelta::days(days.into()));
        let range = end.and_then(|end| Span::new(start, end));
        range.ok_or_else(|| "the days asked for lie beyond every calendar".into())
    }

    /// # Errors
    /// A partner or service that nobody declared, with those that are.
    pub fn check(&self, policy: &Policy) -> Result<(), String> {
        let names = policy.partners.iter().map(|p| &*p.name).collect();
        known("partner", self.partner.as_deref(), names)?;
        let names = policy.services.iter().map(|s| &*s.name).collect();
        known("service", self.service.as_deref(), names)
    }

    fn wants_partner(&self, name: &str) -> bool {
        self.partner.as_deref().is_none_or(|p| p == name)
    }

    fn wants_service(&self, name: &str) -> bool {
        self.service.as_deref().is_none_or(|s| s == name)
    }
}

fn known(what: &str, name: Option<&str>, names: Vec<&str>) -> Result<(), String> {
    match name.filter(|name| !names.contains(name)) {
        None => Ok(()),
        Some(name) => Err(format!("unknown {what} {name:?}; there are {}", names.join(", "))),
    }
}

impl Row {
    /// Whose it is and what it is about, in a few words.
    pub fn subject(&self) -> String {
        let procedures: Vec<&str> = self.procedures.iter().map(|p| &**p).collect();
        let owner = match (&self.partner, &self.service) {
            (Some(partner), Some(service)) => format!("{partner} on {service}"),
            (Some(one), None) | (None, Some(one)) => one.to_string(),
            (None, None) => String::new(),
        };
        match procedures.is_empty() {
            true => owner,
            false => format!("{owner}: {}", procedures.join(", ")),
        }
    }

    /// What else is to be known of it.
    pub fn remark(&self) -> String {
        let mut parts: Vec<String> = self.name.iter().map(|n| n.to_string()).collect();
        if let Some(status) = self.status {
            let missing = self.confirmed == Some(false) && self.confirm_by.is_some();
            parts.push(format!("{status}{}", if missing { ", not confirmed" } else { "" }));
        }
        if let Some(by) = self.confirm_by {
            let by = crate::verdict::civil(&self.zone, by);
            parts.push(format!("to be confirmed by {by}"));
        }
        parts.extend(self.conflicts.iter().map(|(reason, _)| format!("against {reason}")));
        parts.join("; ")
    }
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
    let remark = row.remark();
    let details = row.conflicts.iter().map(|(reason, detail)| format!("\n{reason}: {detail}"));
    Event {
        // What a change is stays the same entry in a person's calendar when its times move.
        uid: match (&row.partner, &row.name, row.kind) {
            (Some(partner), Some(id), Kind::Change) => {
                format!("change/{partner}/{id}/{}", row.service.as_deref().unwrap_or_default())
            }
            _ => format!("{}/{}/{}/{remark}", row.kind, row.subject(), rfc3339(row.span.start)),
        },
        span: row.span,
        summary: format!("{what}: {}", row.subject()),
        description: remark + &details.collect::<String>(),
        status,
        // Only what takes a person's time blocks it.
        busy: row.kind == Kind::Change,
    }
}
