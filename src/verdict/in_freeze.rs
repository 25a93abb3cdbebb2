//! `in_freeze`: the run began outside every freeze of its service, partner and procedure.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::InFreeze,
    when: When::Start,
    summary: "The run began outside every freeze of its service, partner and procedure.",
    check,
};

fn check(case: &Case) -> Check {
    if case.terms.freezes.is_empty() {
        return Check::NotApplicable("no freeze is agreed");
    }
    let inside = case.terms.freezes.iter().find(|f| f.calendar.contains(case.start));
    match inside {
        None if case.terms.freezes.iter().any(|f| !f.calendar.covers(case.start)) => {
            Check::Unknown("the holiday table does not cover the start")
        }
        None => Check::Passes,
        Some(freeze) => Check::Broken {
            at: case.start,
            detail: format!("began {}, during the freeze {}", case.civil(case.start), freeze.name),
        },
    }
}
