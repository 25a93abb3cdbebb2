//! The run itself, and what was asked before it.

use chrono::{SubsecRound, TimeDelta};

use super::{Row, Section, Teller, row};
use crate::ledger::{What, approval_waits_until};
use crate::run::{Asked, Run, State};
use crate::time::{Instant, format_duration};
use crate::verdict::Verdict;

/// The duration to the second; shorter ones as they are.
fn trunc_delta(d: TimeDelta) -> TimeDelta {
    if d.num_seconds() == 0 { d } else { TimeDelta::seconds(d.num_seconds()) }
}

impl Teller<'_> {
    /// A time of our own clock. People read seconds; the exact instant stands in `at`.
    pub(super) fn second(&self, t: Instant) -> String {
        self.time(t.trunc_subsecs(0))
    }

    /// What happened and what of the agreement that broke.
    pub(super) fn summary(&self) -> String {
        let run = self.evidence.run;
        let on = run.service.as_deref().map_or(String::new(), |s| format!(" on {s}"));
        let end = match (run.end, run.state) {
            (Some(end), state) => format!("{state} {}", self.time(end)),
            (None, State::Lost) => "no end was seen".into(),
            (None, _) => "is still running".into(),
        };
        let began = self.time(run.start);
        let what = format!("{}{on} began {began} (trigger {}), {end}.", run.procedure, run.trigger);
        let findings = run.findings.values();
        let broken: Vec<&str> = findings
            .filter(|f| !f.waived && !f.reason.is_doubt())
            .map(|f| f.reason.as_str())
            .collect();
        let judged = match (run.verdict(), run.sealed) {
            (Verdict::Compliant, true) => "It was as agreed.".into(),
            (Verdict::Compliant, false) => "So far it is as agreed.".into(),
            (Verdict::Violation, _) => format!("It was not as agreed: {}.", broken.join(", ")),
            (Verdict::Exempt, _) => {
                let until = approval_waits_until(self.evidence.policy, run);
                let open = until.map_or(String::new(), |until| {
                    format!(" It must be approved by {}.", self.time(until))
                });
                format!("It is an emergency, so the rules that it broke are waived.{open}")
            }
            (Verdict::Unknown, _) => "It cannot be judged: evidence is missing.".into(),
        };
        format!("{what} {judged}")
    }

    pub(super) fn the_run(&self) -> Section {
        let run = self.evidence.run;
        let name = |name: &Option<std::sync::Arc<str>>| {
            name.as_deref().map_or("not named".to_owned(), String::from)
        };
        let mut rows = vec![
            row("partner", &*run.partner),
            row("service", name(&run.service)),
            row("procedure", &*run.procedure),
            row("run id", name(&run.run_id)),
            row("trigger", run.trigger.as_str()),
            row("started", self.time(run.start)).at(run.start),
        ];
        if run.ambiguous {
            rows.push(row("", "the clocks went back: this hour came twice, and the log does not say which one it was"));
        }
        rows.push(match run.end {
            Some(end) => row(run.state.as_str(), self.time(end)).at(end),
            None if run.state == State::Lost => row("lost", "no end was seen"),
            None => row("state", run.state.as_str()),
        });
        if let Some(end) = run.end {
            rows.push(row("took", format_duration(end - run.start)));
        }
        let delay = format_duration(trunc_delta(run.observed - run.stamped));
        let seen = format!("{}, {delay} after its stamp", self.second(run.observed));
        rows.push(row("read", seen).at(run.observed));
        rows.extend(self.counted());
        rows.extend(self.latch(run));
        Section { title: "The run", note: String::new(), rows }
    }

    fn counted(&self) -> Vec<Row> {
        let (business, outside) = self.evidence.counted;
        let took = |nanos: i128| {
            let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
            format_duration(TimeDelta::nanoseconds(nanos))
        };
        let mut rows = Vec::new();
        if 0 < business {
            rows.push(row("in hours", format!("{} in business hours", took(business))));
        }
        if 0 < outside {
            rows.push(row("outside", format!("{} outside the windows", took(outside))));
        }
        rows
    }

    /// Whether somebody was to take note of it, and did.
    fn latch(&self, run: &Run) -> Vec<Row> {
        let mut rows = Vec::new();
        if run.verdict() == Verdict::Violation {
            rows.push(row(
                "page",
                match run.latched {
                    true => "yes, until somebody acknowledges it",
                    false => "no: it was found in old logs",
                },
            ));
        }
        if let Some(a) = &run.acknowledged {
            let note = if a.note.is_empty() { String::new() } else { format!(": {}", a.note) };
            let text = format!("{} by {}{note}", self.second(a.at), a.by);
            rows.push(row("acknowledged", text).at(a.at));
        }
        rows
    }

    /// What was asked before it began.
    pub(super) fn asked(&self) -> Section {
        let run = self.evidence.run;
        let mark = run.irregular_start.map_or(String::new(), |kind| format!(" ({kind})"));
        let mut rows = Vec::new();
        for (_, entry) in self.evidence.questions {
            let What::Asked(asked) = &entry.what else { continue };
            let is_it = run.asked.as_ref().is_some_and(|of_run| of_run.at == asked.at);
            if !is_it {
                rows.push(self.question("asked before", asked, ""));
            }
        }
        match &run.asked {
            Some(asked) => rows.push(self.question("asked", asked, &mark)),
            None if run.irregular_start.is_some() => {
                rows.push(row("asked", format!("nobody{mark}")))
            }
            None => {}
        }
        if let Some(over) = run.asked.as_ref().and_then(|asked| asked.overriding.as_ref()) {
            rows.push(row("overridden", format!("by {}: {}", over.by, over.reason)));
        }
        Section { title: "Questions before it", note: String::new(), rows }
    }

    fn question(&self, label: &str, asked: &Asked, mark: &str) -> Row {
        let reasons: Vec<&str> = asked.reasons.iter().map(|r| r.as_str()).collect();
        let answer = match asked.may_start {
            true => "yes".into(),
            false => format!("no, {}", reasons.join(" ")),
        };
        let said = |label: &str, text: &Option<Box<str>>| {
            text.as_deref().map_or(String::new(), |text| format!(" {label} {text}"))
        };
        let (by, from) = (said("by", &asked.by), said("from", &asked.from));
        let for_start = match asked.start == asked.at {
            true => String::new(),
            false => format!(" for {}", self.time(asked.start)),
        };
        let times = match asked.times {
            0 | 1 => String::new(),
            n => format!(", {n} times"),
        };
        let text = format!("{}{by}{from}{for_start}{times}: {answer}{mark}", self.time(asked.at));
        row(label, text).at(asked.at)
    }
}
