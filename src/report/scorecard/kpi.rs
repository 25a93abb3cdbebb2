//! Key figures under the names that service managers know, each a count of runs.

use crate::forecast::ABOUT_THE_END;
use crate::run::{Run, State};
use crate::verdict::Reason;

/// A key figure.
pub struct Kpi {
    /// In files for programs.
    pub key: &'static str,
    pub title: &'static str,
    /// Which runs it counts. A reason that an emergency waived does not count, as in the metrics.
    pub meaning: &'static str,
    pub counts: fn(&Run) -> bool,
}

/// All of them, in the order in which they are told.
pub static KPIS: &[Kpi] = &[
    Kpi {
        key: "outside_window",
        title: "Changes outside the maintenance window",
        meaning: "began outside every window, or ran past the end of their window",
        counts: |run| has(run, &[Reason::OutsideWindow, Reason::OverranWindow]),
    },
    Kpi {
        key: "in_business_hours",
        title: "Changes in business hours",
        meaning: "began in business hours or ran into them",
        counts: |run| has(run, &[Reason::InBusinessHours, Reason::RanIntoBusinessHours]),
    },
    Kpi {
        key: "in_freeze",
        title: "Changes in a freeze",
        meaning: "began in a freeze or ran into one",
        counts: |run| has(run, &[Reason::InFreeze, Reason::RanIntoFreeze]),
    },
    Kpi {
        key: "unauthorised",
        title: "Unauthorised changes",
        meaning: "nobody had agreed to them: unconfirmed, cancelled, an undeclared procedure, a trigger that was not \
                  agreed, or an emergency that was not approved",
        counts: |run| has(run, UNAUTHORISED),
    },
    Kpi {
        key: "unconfirmed",
        title: "Unconfirmed changes",
        meaning: "no confirmation was on record when they began",
        counts: |run| has(run, &[Reason::Unconfirmed]),
    },
    Kpi {
        key: "short_notice",
        title: "Changes at short notice",
        meaning: "confirmed later than agreed",
        counts: |run| has(run, &[Reason::ShortNotice]),
    },
    Kpi {
        key: "off_plan",
        title: "Changes off plan",
        meaning: "began outside the confirmed time, or for another service or procedure",
        counts: |run| has(run, &[Reason::OffPlan]),
    },
    Kpi {
        key: "emergency",
        title: "Emergency changes",
        meaning: "declared as an emergency, whatever their verdict",
        counts: Run::is_emergency,
    },
    Kpi {
        key: "overrun",
        title: "Overruns",
        meaning: "ran past their window, plan or longest duration, or into business hours or a freeze",
        counts: |run| has(run, &ABOUT_THE_END),
    },
    Kpi {
        key: "unverified",
        title: "Unverified changes",
        meaning: "were not verified in time after their end",
        counts: |run| has(run, &[Reason::Unverified]),
    },
    Kpi {
        key: "failed",
        title: "Failed or aborted changes",
        meaning: "ended as failed or aborted, according to the log",
        counts: |run| matches!(run.state, State::Failed | State::Aborted),
    },
    Kpi {
        key: "lost",
        title: "Changes without an end",
        meaning: "no end was seen in time, so it is not known how long they ran",
        counts: |run| run.state == State::Lost,
    },
];

const UNAUTHORISED: &[Reason] = &[
    Reason::Unconfirmed,
    Reason::Cancelled,
    Reason::UnknownProcedure,
    Reason::WrongTrigger,
    Reason::UnapprovedEmergency,
];

/// Whether one of these was found and not waived.
fn has(run: &Run, reasons: &[Reason]) -> bool {
    run.findings.values().any(|f| !f.waived && reasons.contains(&f.reason))
}
