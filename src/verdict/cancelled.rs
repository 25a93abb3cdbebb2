//! `cancelled`: the change that the run belongs to was not cancelled.

use crate::verdict::{Case, Check, Reason, Rule, When};

pub(super) const RULE: Rule = Rule {
    reason: Reason::Cancelled,
    when: When::Start,
    summary: "The change that the run belongs to was not cancelled.",
    check,
};

fn check(case: &Case) -> Check {
    match case.plan {
        None => Check::NotApplicable("no matching change"),
        Some(plan) if case.is_cancelled() => Check::Broken {
            at: case.start,
            detail: format!("revision {} of {} cancelled it", plan.revision, plan.change_id),
        },
        Some(_) => Check::Passes,
    }
}
