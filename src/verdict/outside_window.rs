//! `outside_window`: the run began inside an approved window.

use crate::verdict::{Case, Check, Reason, Rule, When};

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
        return Check::Unknown("the holiday table does not cover the start");
    }
    if windows.contains(case.start) {
        return Check::Passes;
    }
    let next = match case.terms.next_opening(case.start, None) {
        Some(opening) => format!("; the next one opens {}", case.civil(opening.start)),
        None if case.terms.declared => "; no window opens within a year".into(),
        // Nobody agreed to any.
        None => String::new(),
    };
    Check::Broken {
        at: case.start,
        detail: format!("began {}, outside every window{next}", case.civil(case.start)),
    }
}
