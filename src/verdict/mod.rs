//! Judging: every rule of the agreement, in a file of its own, and what their answers add up to.
//!
//! A rule is a plain function of a [`Case`]. Start rules are asked once, at the start; the others are asked
//! again as time passes, and say until when they hold, so that a breach is found at its instant.

mod cancelled;
mod case;
mod findings;
mod implausible_time;
mod in_business_hours;
mod in_freeze;
mod lost;
mod off_plan;
mod outside_window;
mod overran_plan;
mod overran_window;
mod ran_into_business_hours;
mod ran_into_freeze;
mod short_notice;
mod too_long;
mod unapproved_emergency;
mod unconfirmed;
mod unknown_procedure;
mod unverified;
mod wrong_trigger;

pub use case::{Case, civil, distinct, local};
pub use findings::Findings;
pub use implausible_time::{SUMMARY as IMPLAUSIBLE_TIME_SUMMARY, implausible};

use std::sync::Arc;

use crate::event::words;
use crate::time::Instant;

words! {
    /// Why a run is not as agreed.
    Reason {
        Cancelled = "cancelled",
        ImplausibleTime = "implausible_time",
        InBusinessHours = "in_business_hours",
        InFreeze = "in_freeze",
        Lost = "lost",
        OffPlan = "off_plan",
        OutsideWindow = "outside_window",
        OverranPlan = "overran_plan",
        OverranWindow = "overran_window",
        RanIntoBusinessHours = "ran_into_business_hours",
        RanIntoFreeze = "ran_into_freeze",
        ShortNotice = "short_notice",
        TooLong = "too_long",
        UnapprovedEmergency = "unapproved_emergency",
        Unconfirmed = "unconfirmed",
        UnknownProcedure = "unknown_procedure",
        Unverified = "unverified",
        WrongTrigger = "wrong_trigger",
    }
}

words! {
    /// What a run's reasons add up to.
    Verdict { Compliant = "compliant", Violation = "violation", Exempt = "exempt", Unknown = "unknown" }
}

impl Verdict {
    /// Any reason that is neither waived nor [`Reason::is_doubt`]: violation; else doubt (or `uncovered`: a
    /// calendar could not be asked): unknown; else with any reason: exempt; else compliant.
    pub fn of(reasons: impl Iterator<Item = (Reason, bool)>, uncovered: bool) -> Verdict {
        let (mut any, mut doubt) = (false, uncovered);
        for (reason, waived) in reasons {
            any = true;
            match (reason.is_doubt(), waived) {
                (true, _) => doubt = true,
                (false, false) => return Verdict::Violation,
                (false, true) => {}
            }
        }
        match (doubt, any) {
            (true, _) => Verdict::Unknown,
            (false, true) => Verdict::Exempt,
            (false, false) => Verdict::Compliant,
        }
    }
}

impl Reason {
    /// Reasons that say that evidence is missing, not that something was broken.
    pub fn is_doubt(self) -> bool {
        matches!(self, Reason::Lost | Reason::ImplausibleTime)
    }

    /// Whether a change that was on record at the start may keep it.
    pub fn is_about_the_plan(self) -> bool {
        matches!(
            self,
            Reason::Cancelled | Reason::Unconfirmed | Reason::ShortNotice | Reason::OffPlan
        )
    }

    /// Whether an emergency may waive it.
    pub fn is_waivable(self) -> bool {
        matches!(
            self,
            Reason::InBusinessHours
                | Reason::OutsideWindow
                | Reason::Unconfirmed
                | Reason::InFreeze
                | Reason::ShortNotice
                | Reason::OffPlan
                | Reason::WrongTrigger
                | Reason::OverranWindow
                | Reason::RanIntoBusinessHours
                | Reason::RanIntoFreeze
        )
    }
}

/// What a rule says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    Passes,
    /// Kept so far; broken at `until` if nothing happens before.
    Holds {
        until: Instant,
    },
    /// The rule has nothing to say, because of this.
    NotApplicable(&'static str),
    /// It cannot be said: a calendar ends before.
    Unknown(&'static str),
    /// Broken since `at`; never before the start.
    Broken {
        at: Instant,
        detail: String,
    },
}

/// A reason that was found for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub reason: Reason,
    /// The instant at which it became true.
    pub at: Instant,
    /// An emergency waived it.
    pub waived: bool,
    pub detail: Arc<str>,
}

/// When a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once, from what was on record at the start.
    Start,
    /// While the run is open and after it has ended, until the run is sealed.
    Later,
}

/// One rule of the agreement.
pub struct Rule {
    pub reason: Reason,
    pub when: When,
    /// One sentence for people.
    pub summary: &'static str,
    check: fn(&Case) -> Check,
}

impl Rule {
    /// What the rule says of a case.
    pub fn ask(&self, case: &Case) -> Check {
        case.put_off(self.reason, (self.check)(case))
    }
}

/// Every rule but `implausible_time`, which is about the reading and not about the run (see [`implausible`]).
pub static RULES: &[Rule] = &[
    unknown_procedure::RULE,
    wrong_trigger::RULE,
    in_business_hours::RULE,
    outside_window::RULE,
    in_freeze::RULE,
    cancelled::RULE,
    unconfirmed::RULE,
    short_notice::RULE,
    off_plan::RULE,
    overran_window::RULE,
    overran_plan::RULE,
    ran_into_business_hours::RULE,
    ran_into_freeze::RULE,
    too_long::RULE,
    unverified::RULE,
    unapproved_emergency::RULE,
    lost::RULE,
];

/// Asks every rule of one kind.
pub fn judge<'a>(case: &'a Case, when: When) -> impl Iterator<Item = (Reason, Check)> + 'a {
    RULES.iter().filter(move |r| r.when == when).map(|r| (r.reason, r.ask(case)))
}

#[cfg(test)]
mod tests;
