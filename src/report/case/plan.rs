//! What was planned for a run: what was on record when it began, and every revision.

use super::{Row, Section, Teller, row};
use crate::change::{Changes, Resolved, Revision};
use crate::ledger::What;
use crate::run::Place;
use crate::time::{Instant, format_duration};

impl Teller<'_> {
    pub(super) fn plan(&self) -> Section {
        let mut rows = self.on_record();
        let mut changes = Changes::default();
        let mut revisions = Vec::new();
        for (_, entry) in self.evidence.revisions {
            let What::Revised { change_id, revision, place } = &entry.what else { continue };
            revisions.push(self.revision(revision, place.as_ref()));
            changes.adopt(change_id, revision.clone());
        }
        let change = self.evidence.run.change();
        for first in change.map(|id| changes.first_confirmed(id)).unwrap_or_default() {
            rows.extend(self.first_confirmed(&first));
        }
        rows.extend(revisions);
        Section { title: "Plan", note: String::new(), rows }
    }

    fn on_record(&self) -> Vec<Row> {
        let run = self.evidence.run;
        let (plan, id) = match (&run.plan, run.change()) {
            (Some(plan), _) => (plan, plan.change_id.clone()),
            (None, Some(id)) => {
                return vec![row("on record at the start:", format!("nothing about {id}"))];
            }
            (None, None) => {
                return vec![row("on record at the start:", "no matching change")];
            }
        };
        let confirmed = match (plan.confirmed_at, plan.notice()) {
            (Some(at), Some(notice)) => {
                let given = format_duration(notice);
                format!("its times confirmed {}, {given} before the planned start", self.time(at))
            }
            _ => "its times not confirmed".into(),
        };
        let (no, status, kind) = (plan.revision, plan.status, plan.change_type);
        let slot = slot(&plan.slot);
        let text = format!("{id}{slot} revision {no}, {status}, {kind}; {confirmed}");
        let mut rows = vec![row("on record at the start:", text)];
        if let Some(p) = plan.planned {
            let text = format!("{} to {}", self.time(p.start), self.time(p.end));
            rows.push(row("planned then:", text).at(p.start));
        }
        rows
    }

    fn first_confirmed(&self, first: &Resolved) -> Option<Row> {
        let p = first.planned?;
        let (start, end, no) = (self.time(p.start), self.time(p.end), first.number);
        let label = format!("first confirmed plan{}:", slot(&first.slot));
        Some(row(label, format!("{start} to {end} (revision {no})")).at(p.start))
    }

    fn revision(&self, revision: &Revision, place: Option<&Place>) -> Row {
        let time = |t: Option<Instant>| t.map_or("as before".into(), |t| self.time(t));
        let times = format!("{} to {}", time(revision.planned_start), time(revision.planned_end));
        let status = revision.status.map_or("status as before", |status| status.as_str());
        let accepted = if revision.accepted { ", accepted by us" } else { "" };
        let (sent, seen) = (self.time(revision.stamp), self.second(revision.seen));
        let text = format!("{status}: {times}; sent {sent}, read {seen}{accepted}");
        let label = format!("revision {}{}:", revision.number, slot(&revision.slot));
        Row { source: self.source(place), ..row(label, text).at(revision.stamp) }
    }
}

fn slot(name: &Option<Box<str>>) -> String {
    name.as_ref().map(|name| format!(" slot {name}")).unwrap_or_default()
}
