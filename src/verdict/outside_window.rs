//! `outside_window`: the run began inside an approved window.

use chrono::TimeDelta;

use crate::verdict::{Case, Check, Reason, Rule, When};

/// How far ahead the next window is looked for, to name it.
const SEARCHED: TimeDelta = TimeDelta::days(370);

pub(super) const RULE: Rule = Rule {
    reason: Reason::OutsideWindow,
    when: When::Start,
    summary: "The run began inside an approved window.",
    check,
};

fn check(case: &Case) -> Check {
    let Some(windows) = &case.terms.windows else {
        return Check::NotApplicable("no window was agreed");
    };
    if !windows.covers(case.start) {
        return Check::Unknown("the holiday table does not reach the start");
    }
    if windows.contains(case.start) {
        return Check::Passes;
    }
    let next = windows.next_span(case.start, case.start + SEARCHED);
    let next =
        next.map_or("none is near".into(), |w| format!("the next opens {}", case.civil(w.start)));
    Check::Broken {
        at: case.start,
        detail: format!("began {}, in no window; {next}", case.civil(case.start)),
    }
}
