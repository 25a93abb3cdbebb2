//! One run as an object or a row: the form shared by `replay`, `runs` and the API.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;

use crate::ledger::Entry;
use crate::run::Run;
use crate::time::{nanos, rfc3339};

/// A run with the fields of the contract, in its order. Times are RFC 3339 UTC; what is missing is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    pub partner: String,
    pub service: Option<String>,
    pub procedure: String,
    pub run_id: Option<String>,
    /// As named, else the matched one's.
    pub change_id: Option<String>,
    pub trigger: &'static str,
    pub start: String,
    pub end: Option<String>,
    pub state: &'static str,
    /// The log's word as given.
    pub outcome: Option<String>,
    pub verdict: &'static str,
    /// Not sealed yet.
    pub provisional: bool,
    pub reasons: Vec<&'static str>,
    pub reasons_at: BTreeMap<&'static str, String>,
    pub waived: Vec<&'static str>,
    pub business_hours_seconds: Number,
    pub outside_window_seconds: Number,
    /// Null while running and when lost.
    pub duration_seconds: Option<Number>,
    /// Null unless the matched change was confirmed at the start.
    pub notice_seconds: Option<Number>,
}

impl RunReport {
    /// `business_nanos` and `outside_nanos`: time inside business hours and outside the windows so far.
    pub fn new(run: &Run, business_nanos: i128, outside_nanos: i128) -> RunReport {
        let text = |t: &Option<std::sync::Arc<str>>| t.as_deref().map(String::from);
        let mut reasons: Vec<&str> = run.findings.keys().map(|r| r.as_str()).collect();
        reasons.sort_unstable();
        let waived = run.findings.values().filter(|f| f.waived);
        let mut waived: Vec<&str> = waived.map(|f| f.reason.as_str()).collect();
        waived.sort_unstable();
        RunReport {
            partner: run.partner.to_string(),
            service: text(&run.service),
            procedure: run.procedure.to_string(),
            run_id: text(&run.run_id),
            change_id: run.change().map(|c| c.to_string()),
            trigger: run.trigger.as_str(),
            start: rfc3339(run.start),
            end: run.end.map(rfc3339),
            state: run.state.as_str(),
            outcome: run.outcome.as_deref().map(String::from),
            verdict: run.verdict().as_str(),
            provisional: !run.sealed,
            reasons,
            reasons_at: run.findings.values().map(|f| (f.reason.as_str(), rfc3339(f.at))).collect(),
            waived,
            business_hours_seconds: seconds_number(business_nanos),
            outside_window_seconds: seconds_number(outside_nanos),
            duration_seconds: run.end.map(|end| seconds_number(nanos(end - run.start))),
            notice_seconds: run
                .plan
                .as_ref()
                .and_then(|p| p.notice())
                .map(|n| seconds_number(nanos(n))),
        }
    }
}

/// What else is on record of one run: its plan, its entries, each with its number in the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct RunDetail {
    pub phases: Vec<PhaseReport>,
    pub verified: Option<String>,
    pub approved: Option<String>,
    pub observed: String,
    pub plan: Option<PlanReport>,
    /// Detail of each reason.
    pub details: BTreeMap<&'static str, String>,
    pub entries: Vec<EntryReport>,
}

/// A phase, pause or resumption, as the log names it.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseReport {
    pub kind: &'static str,
    pub name: Option<String>,
    pub at: String,
}

/// What was on record of the matched change at the start.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    pub change_id: String,
    pub revision: u64,
    pub status: &'static str,
    pub change_type: &'static str,
    pub planned_start: Option<String>,
    pub planned_end: Option<String>,
    pub confirmed_at: Option<String>,
}

/// One entry of the ledger, with the place of the line that it came from.
#[derive(Clone, Debug, Serialize)]
pub struct EntryReport {
    pub entry: u64,
    pub what: &'static str,
    pub clock: String,
    pub file: Option<String>,
    pub offset: Option<u64>,
}

impl RunDetail {
    /// The run with every entry about it, in the order of their numbers.
    pub fn new(run: &Run, entries: &[(u64, Entry)]) -> RunDetail {
        let phase = |p: &crate::run::Phase| PhaseReport {
            kind: p.kind.as_str(),
            name: p.name.as_deref().map(String::from),
            at: rfc3339(p.at),
        };
        let plan = |p: &crate::change::Plan| PlanReport {
            change_id: p.change_id.to_string(),
            revision: p.revision,
            status: p.status.as_str(),
            change_type: p.change_type.as_str(),
            planned_start: p.planned.map(|p| rfc3339(p.start)),
            planned_end: p.planned.map(|p| rfc3339(p.end)),
            confirmed_at: p.confirmed_at.map(rfc3339),
        };
        let findings = run.findings.values();
        RunDetail {
            phases: run.phases.iter().map(phase).collect(),
            verified: run.verified.map(rfc3339),
            approved: run.approved.map(rfc3339),
            observed: rfc3339(run.observed),
            plan: run.plan.as_ref().map(plan),
            details: findings.map(|f| (f.reason.as_str(), f.detail.to_string())).collect(),
            entries: entries.iter().map(|(no, entry)| entry_report(*no, entry)).collect(),
        }
    }
}

fn entry_report(no: u64, entry: &Entry) -> EntryReport {
    let place = entry.what.place();
    EntryReport {
        entry: no,
        what: entry.what.name(),
        clock: rfc3339(entry.clock),
        file: place.map(|p| p.path.to_string()),
        offset: place.map(|p| p.offset),
    }
}

/// Seconds as a JSON number: an integer where they are whole.
pub fn seconds_number(nanos: i128) -> Number {
    const SECOND: i128 = 1_000_000_000;
    let whole = i64::try_from(nanos / SECOND).ok().filter(|_| nanos % SECOND == 0);
    match whole {
        Some(seconds) => Number::from(seconds),
        None => Number::from_f64(nanos as f64 / 1e9).unwrap_or_else(|| Number::from(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_integers_where_they_are_whole() {
        for (nanos, want) in [
            (0, "0"),
            (7_800_000_000_000, "7800"),
            (-300_000_000_000, "-300"),
            (1_500_000_000, "1.5"),
            (1, "1e-9"),
        ] {
            assert_eq!(seconds_number(nanos).to_string(), want);
        }
    }
}
