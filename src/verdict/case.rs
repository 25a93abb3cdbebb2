//! The evidence that rules are asked about: one run, its terms, its plan, and the time.

use chrono::{Datelike, TimeDelta, Timelike};

use crate::calendar::{Calendar, Reading, Zone};
use crate::change::{Plan, Planned};
use crate::event::{ChangeType, Status, Trigger};
use crate::policy::Terms;
use crate::time::Instant;
use crate::verdict::{Check, Reason};

/// Calendars are searched this far beyond the instant at which an open run is given up.
const BEYOND_LOST: TimeDelta = TimeDelta::days(1);

/// One run as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub terms: &'a Terms,
    pub start: Instant,
    pub service: Option<&'a str>,
    pub procedure: &'a str,
    pub trigger: Trigger,
    /// What was on record of the matched change at the start.
    pub plan: Option<&'a Plan>,
    pub end: Option<Instant>,
    /// When it was given up, if it was.
    pub lost_at: Option<Instant>,
    /// How far time has come.
    pub clock: Instant,
    pub verified: Option<Instant>,
    /// The first approval of it, or of its change, by one of us or a system of ours.
    pub approved: Option<Instant>,
    /// One of us approved it as an emergency.
    pub approved_as_emergency: Option<Instant>,
    /// Until then changes that count may still be delivered: what they can decide is not decided before.
    pub delivered_by: Option<Instant>,
}

impl<'a> Case<'a> {
    /// The matched change was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.plan.is_some_and(|p| p.status == Status::Cancelled)
    }

    /// An emergency, of a partner that may have any: its change was declared as one, or one of us approved the run as
    /// one soon enough after its start.
    pub fn is_waiving(&self) -> bool {
        let declared = self.plan.is_some_and(|p| p.change_type == ChangeType::Emergency);
        let in_time = |at| self.approve_by().is_none_or(|bound| at <= bound);
        let approved = self.approved_as_emergency.is_some_and(in_time);
        self.terms.emergencies.allowed && (declared || approved)
    }

    /// The last instant at which it may be approved as an emergency; `None`: nobody has to approve.
    pub fn approve_by(&self) -> Option<Instant> {
        self.terms.emergencies.approve_within.map(|within| self.start + within)
    }

    /// Whether the emergency waives this reason, should it come true.
    pub fn waives(&self, reason: Reason) -> bool {
        self.is_waiving() && reason.is_waivable()
    }

    /// What a rule says while changes that count may still be delivered: it breaks nothing that they may keep.
    pub(super) fn put_off(&self, reason: Reason, check: Check) -> Check {
        match (check, self.delivered_by) {
            (Check::Broken { .. }, Some(until))
                if reason.is_about_the_plan() && self.clock < until =>
            {
                Check::Holds { until }
            }
            (check, _) => check,
        }
    }

    /// The plan and its times, if its times were confirmed at the start.
    pub fn confirmed(&self) -> Option<(&'a Plan, Planned)> {
        let plan = self.plan?;
        plan.confirmed_at?;
        Some((plan, plan.planned?))
    }

    /// The business hours that the run has to keep out of; else why there are none.
    pub(super) fn hours_to_avoid(&self) -> Result<&'a Calendar, Check> {
        let hours = self.terms.business_hours.as_deref();
        let hours = hours.ok_or(Check::NotApplicable("the service has no business hours"))?;
        match self.terms.business_hours_allowed {
            true => Err(Check::NotApplicable("the procedure may run in business hours")),
            false => Ok(hours),
        }
    }

    /// The instant at which the run was given up, or is unless it has ended.
    pub fn lost_at(&self) -> Instant {
        self.lost_at.unwrap_or(self.start + self.terms.lost_after)
    }

    /// How far calendars need to be searched.
    pub fn horizon(&self) -> Instant {
        self.start + self.terms.lost_after + BEYOND_LOST
    }

    /// A bound that an end at or before it keeps. A run that is given up counts as running until then.
    pub fn while_running(&self, bound: Instant, detail: impl FnOnce(&Self) -> String) -> Check {
        let broken = |case: &Self| Check::Broken {
            // A run cannot be late before it has begun.
            at: bound.max(case.start),
            detail: detail(case),
        };
        match self.end {
            Some(end) if end <= bound => Check::Passes,
            Some(_) => broken(self),
            None if bound <= self.clock.min(self.lost_at()) => broken(self),
            None => Check::Holds { until: bound },
        }
    }

    /// A bound that something stamped at or before it keeps.
    pub fn by(&self, done: Option<Instant>, bound: Instant, detail: &str) -> Check {
        match done {
            Some(at) if at <= bound => Check::Passes,
            None if self.clock < bound => Check::Holds { until: bound },
            _ => Check::Broken { at: bound, detail: detail.into() },
        }
    }

    /// An instant as the people of the service read it.
    pub fn civil(&self, t: Instant) -> String {
        civil(&self.terms.zone, t)
    }
}

/// An instant as a clock in `zone` shows it, with the zone's name.
pub fn civil(zone: &Zone, t: Instant) -> String {
    shown(zone, t, zone.name())
}

/// An instant as a clock in `zone` shows it, with what the clock is called then and how far it is from UTC:
/// `Mon 10 Nov 2025 13:10:00 GMT (+00:00)`.
pub fn local(zone: &Zone, t: Instant) -> String {
    shown(zone, t, &zone.clock(t))
}

/// [`civil`], but [`local`] in the hour that an autumn fold shows twice: there the name of the zone leaves open which
/// of the two is meant, and a later instant may look like an earlier one.
pub fn distinct(zone: &Zone, t: Instant) -> String {
    match zone.read(zone.civil(t)) {
        Reading::Fold { .. } => local(zone, t),
        Reading::One(_) | Reading::Gap(_) => civil(zone, t),
    }
}

fn shown(zone: &Zone, t: Instant, clock: &str) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let c = zone.civil(t);
    let day = DAYS.get(c.weekday().num_days_from_monday() as usize).unwrap_or(&"");
    let month = MONTHS.get(c.month0() as usize).unwrap_or(&"");
    let fraction = match c.nanosecond() {
        0 => String::new(),
        _ => c.format("%.f").to_string(),
    };
    // Written by hand, because it is on the way of every finding: a format string costs three times as much.
    format!(
        "{day} {} {month} {} {:02}:{:02}:{:02}{fraction} {}",
        c.day(),
        c.year(),
        c.hour(),
        c.minute(),
        c.second(),
        clock
    )
}
