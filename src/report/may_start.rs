//! The answer to "may this start?", as an object and as text for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{Answer, Question};
use crate::report::plain::clean;
use crate::time::{format_duration, rfc3339, seconds};
use crate::verdict::{Reason, distinct};

/// An answer. Times are RFC 3339 UTC; what is missing is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerReport {
    pub may_start: bool,
    pub partner: String,
    pub service: Option<String>,
    pub procedure: String,
    pub change_id: Option<String>,
    pub trigger: String,
    /// The start that was asked for.
    pub start: String,
    /// As asked, else as usual; null: nothing is known, and rules about the end say nothing.
    pub duration_seconds: Option<f64>,
    /// What the run is judged as if it is as asked and the duties are done.
    pub verdict: String,
    pub reasons: Vec<String>,
    pub reasons_at: BTreeMap<String, String>,
    pub waived: Vec<String>,
    /// A sentence for each reason.
    pub details: BTreeMap<String, String>,
    /// The window to use.
    pub window: Option<WindowReport>,
    pub next_start: Option<String>,
    pub last_safe_start: Option<String>,
    /// What is to be done after the start, and by when.
    pub duties: BTreeMap<String, String>,
    /// The same for people, in the zone of the service; several lines.
    pub text: String,
}

/// A window, from `start` until before `end`: RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowReport {
    pub start: String,
    pub end: String,
}

impl AnswerReport {
    /// The object of an answer, and its text.
    pub fn new(question: &Question, answer: &Answer) -> AnswerReport {
        let mut reasons: Vec<String> = answer.findings.keys().map(|r| r.to_string()).collect();
        reasons.sort_unstable();
        let found = || answer.findings.values();
        let mut waived: Vec<String> =
            found().filter(|f| f.waived).map(|f| f.reason.to_string()).collect();
        waived.sort_unstable();
        let duty = |(reason, by): &(Reason, _)| (work_of(*reason).to_owned(), rfc3339(*by));
        AnswerReport {
            may_start: answer.may_start(),
            partner: question.partner.to_string(),
            service: answer.service.as_deref().map(String::from),
            procedure: question.procedure.to_string(),
            change_id: change_of(question, answer).map(String::from),
            trigger: question.trigger.to_string(),
            start: rfc3339(question.start),
            duration_seconds: answer.lasts.map(seconds),
            verdict: answer.verdict.to_string(),
            reasons,
            reasons_at: found().map(|f| (f.reason.to_string(), rfc3339(f.at))).collect(),
            waived,
            details: found().map(|f| (f.reason.to_string(), f.detail.to_string())).collect(),
            window: answer
                .window
                .map(|w| WindowReport { start: rfc3339(w.start), end: rfc3339(w.end) }),
            next_start: answer.next_start.map(rfc3339),
            last_safe_start: answer.last_safe_start.map(rfc3339),
            duties: answer.duties.iter().map(duty).collect(),
            text: text_of(question, answer),
        }
    }
}

fn change_of<'a>(question: &'a Question, answer: &'a Answer) -> Option<&'a str> {
    let named = question.change_id.as_deref();
    named.or(answer.plan.as_ref().map(|plan| &*plan.change_id))
}

/// What somebody has to do so that the reason does not come true.
fn work_of(duty: Reason) -> &'static str {
    match duty {
        Reason::UnapprovedEmergency => "approval",
        _ => "verification",
    }
}

/// Lines for people.
fn text_of(question: &Question, answer: &Answer) -> String {
    let zone = &answer.zone;
    let yes = answer.may_start();
    let on = answer.service.as_deref().map_or(String::new(), |s| format!(" on {}", clean(s)));
    let mut text = format!(
        "{}: {} of {}{on} {} start {}\n",
        if yes { "yes" } else { "no" },
        clean(&question.procedure),
        clean(&question.partner),
        if yes { "may" } else { "may not" },
        distinct(zone, question.start),
    );
    let mut add = |label: &str, line: String| text.push_str(&format!("  {label:<24} {line}\n"));
    for f in answer.findings.values() {
        let detail = clean(&f.detail).into_owned();
        let waived = if f.waived { "waived, an emergency: " } else { "" };
        add(f.reason.as_str(), format!("{waived}{detail}"));
    }
    if answer.findings.is_empty() && !yes {
        add("unknown", "not known: a calendar does not cover the start".into());
    }
    match (answer.lasts, question.lasts) {
        (None, _) => add("takes", "not known, so the rules about the end are not checked".into()),
        (Some(d), Some(_)) => add("takes", format!("{}, as asked", format_duration(d))),
        (Some(d), None) => add("takes", format!("{}, as usual", format_duration(d))),
    }
    if let Some(plan) = &answer.plan {
        let (id, no, status) = (clean(&plan.change_id), plan.revision, plan.status);
        add("change", format!("{id} revision {no}, {status}"));
    }
    if let Some(window) = answer.window {
        let (from, to) = (distinct(zone, window.start), distinct(zone, window.end));
        add("window", format!("{from} to {to}"));
    }
    match answer.next_start {
        Some(_) if yes => {}
        Some(next) => add("may start", distinct(zone, next)),
        None => add("may start", "at no time within a year, as things are on record now".into()),
    }
    if let Some(last) = answer.last_safe_start {
        add("last safe start", distinct(zone, last));
    }
    for (duty, by) in &answer.duties {
        add("to be done", format!("{} by {}", work_of(*duty), distinct(zone, *by)));
    }
    text
}
