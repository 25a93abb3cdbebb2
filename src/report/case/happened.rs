//! What was put on record of a run, in the order in which it was.

use super::{Line, Row, Section, Teller, row};
use crate::change::Plan;
use crate::ledger::{Entry, What};
use crate::time::Instant;
use crate::verdict::{Finding, Reason};

const LINES_READ: &str = "The log lines are read from the files as they are now: the ledger keeps their position, \
                          not their text.";

impl Teller<'_> {
    pub(super) fn happened(&self) -> Section {
        let has_lines = self.evidence.lines.values().any(|line| matches!(line, Line::Same(_)));
        Section {
            title: "What happened",
            note: if has_lines { LINES_READ.into() } else { String::new() },
            rows: self.evidence.entries.iter().map(|(no, e)| self.entry(*no, e)).collect(),
        }
    }

    fn entry(&self, no: u64, entry: &Entry) -> Row {
        let (at, text) = self.words(no, entry);
        let source = self.source(entry.what.place());
        let told = Row { source, ..row(format!("entry {no}"), text) };
        at.map_or(told.clone(), |at| told.at(at))
    }

    /// The reason that this entry says is waived, where it was found before, when the run was no emergency yet.
    pub(super) fn waived_since(&self, no: u64, entry: &Entry) -> Option<Reason> {
        let What::Found { finding, .. } = &entry.what else { return None };
        let same = |f: &Finding| f.reason == finding.reason && !f.waived;
        let mut before = self.evidence.entries.iter().take_while(|(number, _)| *number < no);
        let was_found = before.any(|(_, entry)| match &entry.what {
            What::Started { run, .. } => run.findings.values().any(same),
            What::Found { finding, .. } => same(finding),
            _ => false,
        });
        (finding.waived && was_found).then_some(finding.reason)
    }

    /// The instant that the entry is about, and what it says.
    fn words(&self, no: u64, entry: &Entry) -> (Option<Instant>, String) {
        let told = |what: &str, at: Instant, more: &str| {
            let text = format!("{what} {}{more}", self.time(at));
            (Some(at), text.trim_end().to_owned())
        };
        if let Some(reason) = self.waived_since(no, entry) {
            return (None, format!("{reason} is waived: the run is an emergency"));
        }
        match &entry.what {
            What::Started { run, verdict } => told("started", run.start, &format!(": {verdict}")),
            What::Phase { phase, .. } => {
                let name = phase.name.as_deref().unwrap_or_default();
                told(format!("{} {name}", phase.kind).trim_end(), phase.at, "")
            }
            What::Ended { state, at, outcome, .. } => {
                let outcome = outcome.as_deref().map_or(String::new(), |word| format!(", {word}"));
                told(state.as_str(), *at, &outcome)
            }
            What::Lost { .. } => told("given up", entry.clock, ": no end was seen"),
            What::Verified { at, .. } => told("verified", *at, ""),
            What::Approved { at, by, note, .. } => {
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let note = note.as_ref().filter(|note| !note.is_empty());
                let note = note.map(|note| format!(": {note}")).unwrap_or_default();
                (Some(*at), format!("approved {}{by}{note}", self.second(*at)))
            }
            What::Found { finding, latch, .. } => {
                let page = if *latch { "; waits to be acknowledged" } else { "" };
                told(&format!("found {} since", finding.reason), finding.at, page)
            }
            What::Refuted { reason, .. } => (
                Some(entry.clock),
                format!("withdrew {reason}: a line that came late shows otherwise"),
            ),
            What::Replanned { plan, .. } => (Some(entry.clock), replanned(plan.as_deref())),
            What::Sealed { verdict, .. } => (None, format!("final verdict: {verdict}")),
            What::Amended { note, .. } => (None, format!("amended: {note}")),
            What::Acknowledged { acknowledgement: a, .. } => {
                (Some(a.at), format!("acknowledged {} by {}", self.second(a.at), a.by))
            }
            What::Revised { .. }
            | What::Irregular { .. }
            | What::Asked(_)
            | What::TimeShown { .. } => (None, entry.what.name().into()),
        }
    }
}

/// What came to light of the plan after the start.
pub(super) fn replanned(plan: Option<&Plan>) -> String {
    match plan {
        Some(plan) => {
            let (revision, id) = (plan.revision, &plan.change_id);
            format!("revision {revision} of {id} was delivered later; it counts from its stamp")
        }
        None => "changes were delivered later; by their stamps no change matches".into(),
    }
}
