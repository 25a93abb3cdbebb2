//! What the log is told of the entries that were put on record.

use chrono::TimeDelta;

use crate::ledger::{Entry, What};
use crate::time::Instant;
use crate::verdict::Verdict;

/// Tells the log what was found. What is older than the horizon is on record and not worth a line each: a first
/// start on old logs would flood the log.
pub fn announce(entries: &[Entry], horizon: TimeDelta, now: Instant) {
    for entry in entries.iter().filter(|entry| now - entry.clock <= horizon) {
        let partner = &*entry.partner;
        match &entry.what {
            What::Started { run, verdict } => {
                let reasons: Vec<&str> = run.findings.keys().map(|r| r.as_str()).collect();
                let (procedure, reasons) = (&*run.procedure, reasons.join(" "));
                let (no, run_id, service) = (run.no, run.run_id.as_deref(), run.service.as_deref());
                match verdict {
                    Verdict::Violation => {
                        tracing::warn!(run = no, run_id, partner, service, procedure, %verdict, reasons, "run started");
                    }
                    _ => {
                        tracing::info!(run = no, run_id, partner, service, procedure, %verdict, reasons, "run started");
                    }
                }
            }
            What::Found { run, finding, .. } if !finding.waived => {
                let (reason, detail) = (finding.reason.as_str(), &*finding.detail);
                tracing::warn!(run, partner, reason, detail, "rule broken");
            }
            What::Sealed { run, verdict, .. } => {
                tracing::info!(run, partner, %verdict, "verdict is final");
            }
            What::Asked(asked) => {
                let (procedure, may_start, times) =
                    (&*asked.procedure, asked.may_start, asked.times);
                let reasons: Vec<&str> = asked.reasons.iter().map(|r| r.as_str()).collect();
                let reasons = reasons.join(" ");
                let by = asked.overriding.as_ref().map(|o| &*o.by);
                tracing::info!(
                    partner,
                    procedure,
                    may_start,
                    reasons,
                    times,
                    overridden_by = by,
                    "asked whether a run may start"
                );
            }
            What::Irregular { kind, detail, .. } => {
                tracing::warn!(partner, kind = kind.as_str(), detail, "irregularity");
            }
            _ => {}
        }
    }
}
