//! Cases told in words: what was agreed, what was planned, and what happened around Tuesday 10 March 2026.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};

use crate::calendar::Calendar;
use crate::change::{Plan, Planned};
use crate::event::{ChangeType, Status, Trigger};
use crate::policy::{Emergencies, Freeze, Terms};
use crate::time::{Instant, Span, parse_duration};
use crate::verdict::Case;

/// `13:10` on the 10th, `11T05:00:30` on the 11th; `-` or `+` behind it is one nanosecond off.
pub(super) fn at(text: &str) -> Instant {
    let off = i64::from(text.ends_with('+')) - i64::from(text.ends_with('-'));
    let (day, clock) = text.trim_end_matches(['+', '-']).split_once('T').unwrap_or(("10", text));
    let clock = clock.trim_end_matches(['+', '-']);
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let t = DateTime::parse_from_rfc3339(&format!("2026-03-{day}T{clock}{seconds}Z"));
    t.unwrap_or_else(|e| panic!("{text}: {e}")).to_utc() + TimeDelta::nanoseconds(off)
}

/// `08:00..18:00,11T08:00..11T18:00`
fn calendar(text: &str) -> Arc<Calendar> {
    let span = |text: &str| {
        let (start, end) = text.split_once("..").unwrap();
        Span::new(at(start), at(end)).unwrap()
    };
    Arc::new(Calendar::of_spans(text.split(',').map(span).collect()))
}

fn names(text: &str) -> Vec<Box<str>> {
    text.split(',').filter(|name| !name.is_empty()).map(Box::from).collect()
}

fn duration(text: &str) -> TimeDelta {
    parse_duration(text).unwrap_or_else(|| panic!("{text}: no duration"))
}

/// Everything that a case borrows.
pub(super) struct Given {
    pub terms: Terms,
    plan: Option<Plan>,
    procedure: String,
    service: Option<String>,
    trigger: Trigger,
    pub start: Instant,
    end: Option<Instant>,
    clock: Option<Instant>,
    verified: Option<Instant>,
    approved: Option<Instant>,
    approved_as_emergency: Option<Instant>,
}

impl Given {
    /// A run of `compaction` on orion from 13:10 of which nothing was agreed, then one change a word.
    pub fn new(words: &str) -> Given {
        let mut given = Given {
            terms: Terms::nothing_agreed("northhost", "orion", "compaction"),
            plan: None,
            procedure: "compaction".into(),
            service: Some("orion".into()),
            trigger: Trigger::Schedule,
            start: at("13:10"),
            end: None,
            clock: None,
            verified: None,
            approved: None,
            approved_as_emergency: None,
        };
        for word in words.split_whitespace() {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let known =
                given.agreed(key, value) || given.planned(key, value) || given.happened(key, value);
            assert!(known, "{word}: no such word");
        }
        given
    }

    pub fn case(&self) -> Case<'_> {
        Case {
            terms: &self.terms,
            start: self.start,
            service: self.service.as_deref(),
            procedure: &self.procedure,
            trigger: self.trigger,
            plan: self.plan.as_ref(),
            end: self.end,
            lost_at: None,
            clock: self.clock.or(self.end).unwrap_or(self.start),
            verified: self.verified,
            approved: self.approved,
            approved_as_emergency: self.approved_as_emergency,
            delivered_by: None,
        }
    }

    fn agreed(&mut self, key: &str, value: &str) -> bool {
        let terms = &mut self.terms;
        match key {
            "undeclared" => terms.declared = false,
            "hours" => terms.business_hours = Some(calendar(value)),
            "hours_allowed" => terms.business_hours_allowed = true,
            "windows" => terms.windows = Some(calendar(value)),
            "freeze" => {
                let (name, spans) = value.split_once('@').unwrap();
                terms.freezes.push(Freeze { name: name.into(), calendar: calendar(spans) });
            }
            "triggers" => {
                terms.triggers = value.split(',').map(|t| Trigger::parse(t).unwrap()).collect();
            }
            "confirm" => {
                terms.confirmation.required = true;
                terms.confirmation.notice = (value != "any").then(|| duration(value));
            }
            "early" => terms.confirmation.early = duration(value),
            "late" => terms.confirmation.late = duration(value),
            "emergencies" => {
                let approve_within = (value != "unasked").then(|| duration(value));
                terms.emergencies = Emergencies { allowed: true, approve_within };
            }
            "tolerance" => terms.overrun_tolerance = duration(value),
            "max" => terms.max_duration = Some(duration(value)),
            "verify" => terms.verify_within = Some(duration(value)),
            "lost" => terms.lost_after = duration(value),
            _ => return false,
        }
        true
    }

    /// `plan=` comes before the other words about the plan.
    fn planned(&mut self, key: &str, value: &str) -> bool {
        if key == "plan" {
            self.plan = Some(Plan {
                change_id: "C".into(),
                revision: 1,
                status: Status::parse(value).unwrap(),
                services: vec!["orion".into()],
                slot: None,
                procedures: vec!["compaction".into()],
                change_type: ChangeType::Normal,
                planned: None,
                confirmed_at: None,
            });
            return true;
        }
        let Some(plan) = &mut self.plan else { return false };
        match key {
            "planned" => {
                let (start, end) = value.split_once("..").unwrap();
                plan.planned = Some(Planned { start: at(start), end: at(end) });
            }
            "confirmed" => plan.confirmed_at = Some(at(value)),
            "type" => plan.change_type = ChangeType::parse(value).unwrap(),
            "plan_services" => plan.services = names(value),
            "plan_procedures" => plan.procedures = names(value),
            _ => return false,
        }
        true
    }

    fn happened(&mut self, key: &str, value: &str) -> bool {
        match key {
            "service" => self.service = (value != "-").then(|| value.into()),
            "trigger" => self.trigger = Trigger::parse(value).unwrap(),
            "start" => self.start = at(value),
            "end" => self.end = Some(at(value)),
            "clock" => self.clock = Some(at(value)),
            "verified" => self.verified = Some(at(value)),
            "approved" => self.approved = Some(at(value)),
            "approved_as_emergency" => self.approved_as_emergency = Some(at(value)),
            _ => return false,
        }
        true
    }
}
