//! The timeline of events of an incident: everything about one run in the order in which it happened, with the time
//! since it began.

mod show;

use std::collections::BTreeSet;

use chrono::{SubsecRound, TimeDelta};
use serde::Serialize;

use super::{CaseFile, Evidence, Row, Source, Teller};
use crate::calendar::Zone;
use crate::ledger::{Entry, What, terms_of};
use crate::run::Place;
use crate::time::{Instant, rfc3339};

/// A line that was read later than this after its stamp was read with old logs: it says nothing of how soon it would
/// have been noticed.
const READ_LIVE: TimeDelta = TimeDelta::days(1);

const READ_LATER: &str =
    "It was found in old logs, so it is not known when it would have been noticed.";
const NO_PAGES: &str = "A page goes out when a violation starts to wait for acknowledgement. Whether it was delivered is not on record.";

/// What happened around one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    pub title: String,
    pub summary: String,
    pub verdict: &'static str,
    /// The name of the zone in which times are written.
    pub zone: String,
    pub notes: Vec<&'static str>,
    pub moments: Vec<Moment>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// RFC 3339 in UTC.
    pub at: String,
    /// In the zone of the service.
    pub local: String,
    /// Since the start of the run: `+8 min`.
    pub offset: String,
    pub what: String,
    /// Something of the agreement was broken here.
    pub broken: bool,
    pub source: Option<Source>,
}

impl Incident {
    /// Everything that the evidence holds about the run, earliest first.
    pub fn new(evidence: &Evidence) -> Incident {
        let CaseFile { title, summary, verdict, zone, .. } = CaseFile::new(evidence);
        let terms = terms_of(evidence.policy, evidence.run);
        let own = terms.map_or_else(Zone::utc, |terms| terms.zone.clone());
        let teller = Teller { evidence, zone: own };
        let run = evidence.run;
        let is_live = run.observed - run.stamped <= READ_LIVE;
        let mut all = Timeline { teller: &teller, found: Vec::new() };
        all.plan();
        all.questions();
        all.start(is_live);
        evidence.entries.iter().for_each(|(no, entry)| all.entry(*no, entry));
        let mut found = all.found;
        found.sort_by_key(|(at, _)| *at);
        let notes = match (is_live, run.latched) {
            (false, _) => vec![READ_LATER],
            (true, true) => vec![NO_PAGES],
            (true, false) => vec![],
        };
        let moments = found.into_iter().map(|(_, moment)| moment).collect();
        Incident { title, summary, verdict, zone, notes, moments }
    }
}

/// Moments as they are found.
struct Timeline<'a> {
    teller: &'a Teller<'a>,
    found: Vec<(Instant, Moment)>,
}

impl Timeline<'_> {
    fn add(&mut self, at: Instant, what: impl Into<String>, place: Option<&Place>, broken: bool) {
        let run = self.teller.evidence.run;
        // Finer than a millisecond nobody reads it.
        let shown = at.trunc_subsecs(3);
        let moment = Moment {
            at: rfc3339(shown),
            local: self.teller.time(shown),
            offset: offset(at - run.start),
            what: what.into(),
            broken,
            source: self.teller.source(place),
        };
        self.found.push((at, moment));
    }

    fn plan(&mut self) {
        let Some(plan) = &self.teller.evidence.run.plan else { return };
        let id = &plan.change_id;
        let place =
            self.teller.evidence.revisions.iter().find_map(|(_, entry)| match &entry.what {
                What::Revised { revision, place, .. }
                    if Some(revision.stamp) == plan.confirmed_at =>
                {
                    place.as_ref()
                }
                _ => None,
            });
        if let Some(at) = plan.confirmed_at {
            self.add(at, format!("change {id} confirmed"), place, false);
        }
        if let Some(planned) = plan.planned {
            self.add(planned.start, format!("planned start of change {id}"), None, false);
            self.add(planned.end, format!("planned end of change {id}"), None, false);
        }
    }

    fn questions(&mut self) {
        let asked: Vec<Row> = self.teller.asked().rows;
        let at = |row: &Row| {
            let at = chrono::DateTime::parse_from_rfc3339(row.at.as_deref()?).ok()?;
            Some(at.to_utc())
        };
        for row in asked {
            // The time stands in its own column.
            if let Some(at) = at(&row) {
                let answer = row.text.rsplit_once(": ").map_or("", |(_, answer)| answer);
                self.add(at, format!("asked whether it may start: {answer}"), None, false);
            }
        }
    }

    fn start(&mut self, is_live: bool) {
        let run = self.teller.evidence.run;
        let on = run.service.as_deref().map_or(String::new(), |s| format!(" on {s}"));
        let what = format!("{}{on} began (trigger {})", run.procedure, run.trigger);
        let place = run.place.clone();
        self.add(run.start, what, place.as_ref(), false);
        let from_the_start = run.findings.values().filter(|f| f.at <= run.start);
        let mut told = Vec::new();
        for finding in from_the_start {
            let waived = if finding.waived { ", waived" } else { "" };
            told.push((format!("{}{waived}: {}", finding.reason, finding.detail), !finding.waived));
        }
        for (what, broken) in told {
            self.add(run.start, what, None, broken);
        }
        if is_live {
            let page = match run.latched {
                true => " and paged: the violation waits to be acknowledged",
                false => "",
            };
            self.add(run.observed, format!("offhours read the line{page}"), None, false);
        }
    }

    fn entry(&mut self, no: u64, entry: &Entry) {
        // Told by the approval.
        if self.teller.waived_since(no, entry).is_some() {
            return;
        }
        let place = entry.what.place().cloned();
        let place = place.as_ref();
        match &entry.what {
            What::Phase { phase, .. } => {
                let name = phase.name.as_deref().unwrap_or_default();
                self.add(phase.at, format!("{} {name}", phase.kind).trim_end(), place, false);
            }
            What::Ended { state, at, outcome, .. } => {
                let word = outcome.as_deref().map_or(String::new(), |word| format!(" ({word})"));
                self.add(*at, format!("{state}{word}"), place, false);
            }
            What::Found { finding, latch, .. } => {
                let page = if *latch { " (page)" } else { "" };
                let what = format!("limit passed: {}: {}{page}", finding.reason, finding.detail);
                self.add(finding.at, what, place, !finding.waived);
            }
            What::Lost { .. } => self.add(entry.clock, "given up: no end was seen", None, false),
            What::Refuted { reason, .. } => {
                let what = format!("{reason} was withdrawn: a line that came late shows otherwise");
                self.add(entry.clock, what, None, false);
            }
            What::Replanned { plan, .. } => {
                self.add(entry.clock, super::happened::replanned(plan.as_deref()), place, false);
            }
            What::Verified { at, .. } => self.add(*at, "verified", place, false),
            What::Approved { at, by, .. } => {
                let by = by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
                self.add(*at, format!("approved as an emergency{by}"), place, false);
            }
            What::Acknowledged { acknowledgement: a, .. } => {
                let note = if a.note.is_empty() { String::new() } else { format!(": {}", a.note) };
                self.add(a.at, format!("acknowledged by {}{note}", a.by), None, false);
            }
            What::Started { .. }
            | What::Revised { .. }
            | What::Sealed { .. }
            | What::Amended { .. }
            | What::Irregular { .. }
            | What::Asked(_)
            | What::TimeShown { .. } => {}
        }
    }
}

/// A distance in time as people say it, to the second, the two largest units that are not zero.
pub(super) fn offset(d: TimeDelta) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = d.num_seconds().saturating_abs();
    let sign = if d < TimeDelta::zero() { '-' } else { '+' };
    let mut parts: Vec<String> = Vec::new();
    for (unit, seconds) in UNITS {
        let n = rest / seconds;
        rest %= seconds;
        if 0 < n && parts.len() < 2 {
            parts.push(format!("{n} {unit}"));
        }
    }
    match parts.is_empty() {
        true => "0".into(),
        false => format!("{sign}{}", parts.join(" ")),
    }
}

/// The files in which the moments' lines stand.
fn files(incident: &Incident) -> BTreeSet<&str> {
    let sources = incident.moments.iter().filter_map(|moment| moment.source.as_ref());
    sources.map(|source| source.file.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_as_people_say_them() {
        for (seconds, want) in [
            (0, "0"),
            (480, "+8 min"),
            (161, "+2 min 41 s"),
            (7_800, "+2 h 10 min"),
            (-300, "-5 min"),
            (90_061, "+1 d 1 h"),
            (59, "+59 s"),
        ] {
            assert_eq!(offset(TimeDelta::seconds(seconds)), want);
        }
        assert_eq!(offset(TimeDelta::milliseconds(-5)), "0");
    }
}
