//! What the next days hold: windows, freezes, business hours and planned changes, as rows and as a calendar file.

mod entries;

use std::sync::Arc;

use chrono::{Datelike, SubsecRound, TimeDelta};
use serde::Serialize;

use crate::calendar::{Calendar, Zone};
use crate::change::Changes;
use crate::event::words;
use crate::outlook::{self, Upcoming};
use crate::policy::{Partner, Policy, Procedure};
use crate::time::{Instant, Span, rfc3339};
use crate::verdict::civil;

pub use entries::{calendar, touches};

/// Rows at most; a calendar of seconds is no use to anybody.
pub const ROWS_MAX: usize = 10_000;

/// So far beyond the range the end of a span is looked for. What goes on for longer has none.
const ENDS_WITHIN: TimeDelta = TimeDelta::days(3_660);

/// A span that began before this year has no beginning: calendars know none.
const FIRST_YEAR: i32 = 1900;

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
    /// As a whole, also where it begins before the range that was asked for or ends behind it.
    pub span: Span,
    /// What of it lies within that range.
    pub part: Span,
    /// What stays the same however it is asked for.
    id: String,
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
    within_range: Within,
}

/// The part of a span that lies within the range that was asked for.
#[derive(Debug, Serialize)]
struct Within {
    start: String,
    end: String,
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
            within_range: Within { start: rfc3339(row.part.start), end: rfc3339(row.part.end) },
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
        let row = |kind, (span, part), name: Option<&Arc<str>>| {
            let id = [&*service.name, name.map_or("", |name| &**name)];
            Row {
                service: Some(service.name.clone()),
                name: name.cloned(),
                ..plain(kind, (span, part), &service.zone, &id)
            }
        };
        if let Some(hours) = &service.business_hours {
            let spans = whole(hours, question.range);
            rows.extend(spans.map(|spans| row(Kind::BusinessHours, spans, None)));
        }
        for freeze in &service.freezes {
            let spans = whole(&freeze.calendar, question.range);
            rows.extend(spans.map(|spans| row(Kind::Freeze, spans, Some(&freeze.name))));
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

/// The spans that touch a range: each as a whole, and what of it lies within.
fn whole(calendar: &Calendar, range: Span) -> impl Iterator<Item = (Span, Span)> {
    calendar.spans_in(range).into_iter().take(ROWS_MAX).map(move |part| {
        let is_cut = part.start == range.start || part.end == range.end;
        let around = calendar.span_at(part.start, range.end + ENDS_WITHIN).filter(|_| is_cut);
        (around.unwrap_or(part), part)
    })
}

/// A row that says whose it is by the parts of its name.
fn plain(kind: Kind, (span, part): (Span, Span), zone: &Zone, name: &[&str]) -> Row {
    let id = format!("{kind}/{}/{}", name.join("/"), rfc3339(span.start));
    Row {
        kind,
        span,
        part,
        id,
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
    /// All of the partner's that share it; none: it is the partner's own.
    procedures: Vec<&'a Procedure>,
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
        let Some(terms) = procedure.terms.get(&None) else { continue };
        let windows = terms.windows.iter().map(|calendar| (Kind::Window, None, calendar));
        let freezes = terms.freezes.iter().map(|f| (Kind::Freeze, Some(&f.name), &f.calendar));
        for (kind, name, calendar) in windows.chain(freezes) {
            let same = |o: &&mut Owned| o.kind == kind && Arc::ptr_eq(o.calendar, calendar);
            match all.iter_mut().find(same) {
                // The partner's own are for all of its procedures.
                Some(known) if known.procedures.is_empty() => {}
                Some(known) => known.procedures.push(procedure),
                None => all.push(Owned { kind, name, calendar, procedures: vec![procedure] }),
            }
        }
    }
    all.iter().flat_map(|owned| owned.rows(partner, question)).collect()
}

impl Owned<'_> {
    fn rows(&self, partner: &Partner, question: &Question) -> Vec<Row> {
        let is_wanted = |p: &&&Procedure| p.services.iter().any(|s| question.wants_service(s));
        let wanted = self.procedures.iter().filter(is_wanted);
        let wanted: Vec<Arc<str>> = wanted.map(|procedure| procedure.name.clone()).collect();
        if wanted.is_empty() && !self.procedures.is_empty() {
            return Vec::new();
        }
        let names: Vec<&str> = self.procedures.iter().map(|procedure| &*procedure.name).collect();
        let of = [&*partner.name, &names.join(","), self.name.map_or("", |name| &**name)];
        let row = |spans| Row {
            partner: Some(partner.name.clone()),
            name: self.name.cloned(),
            procedures: wanted.clone(),
            ..plain(self.kind, spans, &partner.zone, &of)
        };
        whole(self.calendar, question.range).map(row).collect()
    }
}

fn of_change(change: &Upcoming, question: &Question) -> Option<Row> {
    let span = change.span()?;
    let wanted = question.wants_partner(&change.partner.name)
        && question.wants_service(&change.terms.service)
        && span.start < question.range.end
        && question.range.start < span.end;
    let conflicts = change.conflicts.iter().map(|(c, detail)| (c.as_str(), detail.clone()));
    let (start, end) = (question.range.start, question.range.end);
    let part = Span::new(span.start.max(start), span.end.min(end)).unwrap_or(span);
    // What a change is stays the same entry in a person's calendar when its times move.
    let id = [
        &*change.partner.name,
        change.change_id,
        change.latest.slot.as_deref().unwrap_or_default(),
        &change.terms.service,
        change.procedure.as_deref().unwrap_or_default(),
    ];
    wanted.then(|| Row {
        id: format!("change/{}", id.join("/")),
        partner: Some(change.partner.name.clone()),
        service: Some(change.terms.service.clone()),
        procedures: change.procedure.as_deref().map(Arc::from).into_iter().collect(),
        name: Some(change.change_id.clone()),
        status: Some(change.latest.status.as_str()),
        confirmed: Some(change.confirmed),
        confirm_by: change.confirm_by(question.range.start),
        conflicts: conflicts.collect(),
        ..plain(Kind::Change, (span, part), &change.terms.zone, &[])
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
        range.ok_or_else(|| "the requested days are outside every calendar".into())
    }

    /// # Errors
    /// A partner or service that nobody declared, with those that are.
    pub fn check(&self, policy: &Policy) -> Result<(), String> {
        let names = policy.partners.iter().map(|p| &*p.name).collect();
        known("partner", self.partner.as_deref(), names)?;
        let names = policy.services.iter().map(|s| &*s.name).collect();
        known("service", self.service.as_deref(), names)
    }

    pub(super) fn wants_partner(&self, name: &str) -> bool {
        self.partner.as_deref().is_none_or(|p| p == name)
    }

    pub(super) fn wants_service(&self, name: &str) -> bool {
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

    /// Its start as people read it.
    pub fn begins(&self) -> String {
        match self.span.start.year() <= FIRST_YEAR {
            true => "always".into(),
            false => civil(&self.zone, self.span.start),
        }
    }

    /// Its end as people read it.
    pub fn ends(&self) -> String {
        match self.part.end + ENDS_WITHIN <= self.span.end {
            true => "no end within ten years".into(),
            false => civil(&self.zone, self.span.end),
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
            let by = civil(&self.zone, by);
            parts.push(format!("to be confirmed by {by}"));
        }
        parts.extend(self.conflicts.iter().map(|(reason, _)| format!("against {reason}")));
        parts.join("; ")
    }
}
