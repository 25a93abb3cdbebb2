//! What should have happened: the window to use, when the run could have started, and what it needed before and
//! after. Asked of the same code that answers "may this start?", with what was on record just before the run began.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::{Row, Section, Teller, row};
use crate::event::Trigger;
use crate::ledger::{Answer, Draft, Evidence as Order, Ledger, Question, terms_of};
use crate::policy::{Confirmation, Partner, Policy, Procedure, Terms};
use crate::run::Run;
use crate::time::{Instant, Span, format_duration};
use crate::verdict::{Reason, Verdict};

/// So many of the next times at which it could have started are told.
const OPENINGS_TOLD: usize = 3;

/// The heading of the section.
pub(super) const TITLE: &str = "What should have happened";

/// The smallest step of time.
const TICK: TimeDelta = TimeDelta::nanoseconds(1);

impl Teller<'_> {
    pub(super) fn should(&self) -> Section {
        let mut section = Section { title: TITLE, note: String::new(), rows: Vec::new() };
        let (run, policy) = (self.evidence.run, self.evidence.policy);
        let Some(terms) = terms_of(policy, run) else { return section };
        if run.verdict() == Verdict::Compliant {
            section.note = "This was agreed, and this is what happened:".into();
        }
        let Some(answer) = self.evidence.answer else { return section };
        let question = question_of(run, terms);
        section.rows.extend(self.before_it(run, terms));
        section.rows.extend(self.openings(run, policy, terms, &question, answer));
        section.rows.extend(self.bounds(terms));
        section
    }

    /// What was needed before it began.
    fn before_it(&self, run: &Run, terms: &Terms) -> Vec<Row> {
        let mut rows = Vec::new();
        if !terms.declared {
            let text = "declare it, and when it may run, before it runs";
            rows.push(row("procedure", text));
        }
        if !allows(terms, run.trigger) {
            let agreed: Vec<&str> = terms.triggers.iter().map(|t| t.as_str()).collect();
            let text = format!("{}, not {}", agreed.join(" or "), run.trigger);
            rows.push(row("trigger", text));
        }
        if terms.ask_first {
            rows.push(row("question", "ask whether it may start before starting it"));
        }
        rows.extend(confirmation(run, &terms.confirmation));
        rows
    }

    /// The window, and the next times at which it could have started.
    fn openings(
        &self,
        run: &Run,
        policy: &Policy,
        terms: &Terms,
        question: &Question,
        answer: &Answer,
    ) -> Vec<Row> {
        let lasts = answer.lasts.or(run.end.map(|end| end - run.start));
        let lasts = lasts.map(|d| terms.max_duration.map_or(d, |most| d.min(most)));
        let mut rows = Vec::new();
        let agreed = Question { change_id: None, lasts, ..question.clone() };
        let found = openings(policy, terms, &agreed);
        if let Some(window) = found.window.or(answer.window) {
            let text = format!("{} to {}", self.time(window.start), self.time(window.end));
            rows.push(row("window", text).at(window.start));
        }
        for (n, opening) in found.times.iter().enumerate() {
            let label = if n == 0 { "could start" } else { "or" };
            rows.push(self.opening(label, opening, lasts));
        }
        if found.times.is_empty() && terms.declared {
            rows.push(row("could start", "at no time within a year"));
        }
        let required = terms.confirmation.required;
        if let Some((from, _)) = found.times.first().filter(|_| required && is_unconfirmed(run)) {
            let notice = terms.confirmation.notice.unwrap_or_default();
            let by = *from - notice;
            let text = format!("by {}, for the first of these times", self.time(by));
            rows.push(row("confirmed", text).at(by));
        }
        rows
    }

    fn opening(
        &self,
        label: &str,
        (from, until): &(Instant, Option<Instant>),
        lasts: Option<TimeDelta>,
    ) -> Row {
        let until = until.map_or(String::new(), |t| format!(" to {}", self.time(whole(t))));
        let long = lasts.map_or(String::new(), |d| format!(", if it takes {}", format_duration(d)));
        row(label, format!("{}{until}{long}", self.time(*from))).at(*from)
    }

    /// What held from its start on.
    fn bounds(&self, terms: &Terms) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(hours) = terms.business_hours.as_ref().filter(|_| !terms.business_hours_allowed)
        {
            rows.push(row("keeps out of", format!("business hours: {}", hours.describe())));
        }
        let names: Vec<&str> = terms.freezes.iter().map(|f| &*f.name).collect();
        if !names.is_empty() {
            rows.push(row("keeps out of", format!("freezes: {}", names.join(", "))));
        }
        if let Some(most) = terms.max_duration {
            rows.push(row("takes at most", format_duration(most)));
        }
        if let Some(within) = terms.verify_within {
            let text = format!("within {} after its end", format_duration(within));
            rows.push(row("verified", text));
        }
        rows
    }
}

/// What would have been answered to somebody who asked whether the run may start as agreed. `before` is the ledger as
/// it was just before the run began. `None`: its partner is not configured any more.
pub fn answer_before(policy: &Policy, run: &Run, before: &Ledger) -> Option<Answer> {
    let question = question_of(run, terms_of(policy, run)?);
    Draft::new(before.clone(), Order::Stamps).answer(policy, &question)
}

/// The run as a question: started as agreed, and as long as such runs usually take.
fn question_of(run: &Run, terms: &Terms) -> Question {
    let trigger = match allows(terms, run.trigger) {
        true => run.trigger,
        false => terms.triggers.first().copied().unwrap_or(run.trigger),
    };
    Question {
        partner: run.partner.clone(),
        service: run.service.clone(),
        procedure: run.procedure.clone(),
        change_id: run.change_id.clone(),
        trigger,
        start: run.start,
        lasts: None,
    }
}

fn allows(terms: &Terms, trigger: Trigger) -> bool {
    terms.triggers.is_empty() || terms.triggers.contains(&trigger)
}

fn is_unconfirmed(run: &Run) -> bool {
    let missing = [Reason::Unconfirmed, Reason::ShortNotice, Reason::Cancelled, Reason::OffPlan];
    missing.iter().any(|reason| run.findings.contains_key(reason))
}

fn confirmation(run: &Run, agreed: &Confirmation) -> Option<Row> {
    if !agreed.required {
        return None;
    }
    let notice = agreed.notice.map_or("beforehand".into(), |notice| {
        format!("at least {} before its planned start", format_duration(notice))
    });
    let (early, late) = (format_duration(agreed.early), format_duration(agreed.late));
    let had = match is_unconfirmed(run) {
        true => "",
        false => "; this was met",
    };
    let text = format!(
        "a change for it, confirmed {notice}; started between {early} before and {late} after the planned start{had}"
    );
    Some(row("confirmation", text))
}

/// Times at which a run could have started that is confirmed as agreed.
struct Openings {
    window: Option<Span>,
    /// From when, and until when if its end is known.
    times: Vec<(Instant, Option<Instant>)>,
}

fn openings(policy: &Policy, terms: &Terms, question: &Question) -> Openings {
    let mut found = Openings { window: None, times: Vec::new() };
    let Some(policy) = without_confirmation(policy, terms, question) else { return found };
    let draft = Draft::new(Ledger::default(), Order::Stamps);
    let mut question = question.clone();
    while found.times.len() < OPENINGS_TOLD {
        let Some(answer) = draft.answer(&policy, &question) else { break };
        if found.times.is_empty() {
            found.window = answer.window;
        }
        let Some(from) = answer.next_start else { break };
        found.times.push((from, answer.last_safe_start));
        let Some(last) = answer.last_safe_start else { break };
        question.start = last + TICK;
    }
    found
}

/// The agreement about this one procedure, as it is for a run that was confirmed in time.
fn without_confirmation(policy: &Policy, terms: &Terms, question: &Question) -> Option<Policy> {
    let known = policy.partner(&question.partner)?;
    let confirmation = Confirmation { required: false, ..terms.confirmation };
    let terms = Arc::new(Terms { confirmation, ..terms.clone() });
    let by_service = |service: Option<Arc<str>>| (service, terms.clone());
    let services: Vec<Arc<str>> = question.service.iter().cloned().collect();
    let procedure = Procedure {
        name: question.procedure.clone(),
        services,
        reviewed: None,
        review_every: None,
        document: None,
        concurrent: false,
        terms: [by_service(None), by_service(question.service.clone())].into_iter().collect(),
    };
    let partner = Partner {
        name: known.name.clone(),
        zone: known.zone.clone(),
        windows: known.windows.clone(),
        freezes: known.freezes.clone(),
        late_after: known.late_after,
        clock_tolerance: known.clock_tolerance,

        delivered_every: None,
        procedures: vec![procedure],
        undeclared: HashMap::from([by_service(None)]),
    };
    Some(Policy {
        services: Vec::new(),
        partners: vec![partner],
        digest: policy.digest.clone(),
        holidays_end: policy.holidays_end,
    })
}

/// The last whole second at or before `t`: people do not start things by the nanosecond.
fn whole(t: Instant) -> Instant {
    chrono::SubsecRound::trunc_subsecs(t, 0)
}
